"""Whose data each route of events and exercises shows."""

from tests.pages.access.shown import NOBODY, OWN, PERSON

OF_AN_EVENT = {
    "events.show_register",
    "events.mark_person",
    "events.note_staff_number",
    "events.send_entries",
    "events.send_states",
    "events.show_room_code",
    "events.show_sign_in",
    "events.sign_in_at_event",
    "events.show_sign_off",
    "events.sign_off_people",
    "events.show_correction",
    "events.correct_attendance",
    "events.show_syndicates",
    "events.move_between_syndicates",
    "events.print_syndicates",
}

# To whom they are open at all, they name everybody with a place at the event: whoever runs events keeps the
# register of them, whatever their unit (docs/decisions/content.md).
NAME_WHO_HAS_A_PLACE = {
    "events.show_register",
    "events.send_states",
    "events.show_sign_off",
    "events.show_syndicates",
    "events.print_syndicates",
}

# Open to everybody who learns, and then only to who runs exercises (docs/decisions/content.md).
OF_WHO_RUNS = {
    "exercises.show_control",
    "exercises.take_control_step",
    "exercises.lead_prompt",
    "exercises.move_prompt",
    "exercises.write_actions",
    "exercises.take_action_back",
}

EVENT_ROUTES: dict[str, str] = dict.fromkeys(OF_AN_EVENT, NOBODY) | {
    "events.accept_own_place": OWN,
    "events.add_room": NOBODY,
    "events.book_own_place": OWN,
    "events.book_people": NOBODY,  # of whom the manager sees: tests/features/events/test_booking.py
    "events.cancel_event": NOBODY,
    "events.cancel_own_place": OWN,
    "events.change_event": NOBODY,
    "events.change_room": NOBODY,
    "events.decide_booking": PERSON,
    "events.download_event": NOBODY,
    "events.download_type": NOBODY,
    "events.keep_places": NOBODY,
    "events.list_types": NOBODY,
    "events.plan_event": NOBODY,
    "events.propose_new_type": NOBODY,
    "events.propose_type": NOBODY,
    "events.publish_type": NOBODY,
    "events.send_type_back": NOBODY,
    "events.show_event": NOBODY,
    "events.show_events": NOBODY,
    "events.show_figures": NOBODY,
    "events.show_places": OWN,
    "events.show_proposal": NOBODY,
    "events.show_rooms": NOBODY,
    "events.show_type": NOBODY,
    "events.stop_keeping_places": NOBODY,
    "events.withdraw_type": NOBODY,
    "exercises.begin_run": NOBODY,
    "exercises.compare_decisions": NOBODY,
    "exercises.debrief_pdf": NOBODY,
    "exercises.debrief_zip": NOBODY,
    "exercises.download_version": NOBODY,
    "exercises.lead_prompt": NOBODY,
    "exercises.list_exercise_runs": NOBODY,
    "exercises.list_versions": NOBODY,
    "exercises.move_prompt": NOBODY,
    "exercises.propose_version": NOBODY,
    "exercises.publish_proposal": NOBODY,
    "exercises.rank_prompt": NOBODY,
    "exercises.send_medium": NOBODY,
    "exercises.send_proposal_back": NOBODY,
    "exercises.send_statement": NOBODY,
    "exercises.show_control": NOBODY,
    "exercises.show_plenary": NOBODY,
    "exercises.show_proposal": NOBODY,
    "exercises.show_proposed_medium": NOBODY,
    "exercises.show_syndicate": NOBODY,
    "exercises.show_version": NOBODY,
    "exercises.show_wall": NOBODY,
    "exercises.take_action_back": NOBODY,
    "exercises.take_control_step": NOBODY,
    "exercises.withdraw_proposal": NOBODY,
    "exercises.write_actions": NOBODY,
    "exercises.write_to_log": NOBODY,
}
