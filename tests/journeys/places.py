"""How each page is reached, for the sweep: a new page fails it until it stands here.

A place's addresses may name what ``makings.made`` makes, such as ``{passed}``. Whoever holds its permission
meets its first address; whoever must meet all of them is its ``owner``. Pages of one person are met by their
owner alone, or by those who may see that person: they are listed in ``OF_SOMEONE``.
"""

from tests.feature_sweeps import merge, union_of
from tests.journeys.assurance_places import ASSURANCE
from tests.journeys.return_paths import RETURN_PATHS
from tests.journeys.visiting import (
    ADMINISTRATOR,
    AUDITOR,
    AUTHOR,
    FACILITATOR,
    LEARNER,
    MANAGER,
    OWNER,
    PUBLISHER,
    ROLES,
    Place,
)

__all__ = [
    "ADMINISTRATOR",
    "AUDITOR",
    "AUTHOR",
    "FACILITATOR",
    "LEARNER",
    "MANAGER",
    "OWNER",
    "PUBLISHER",
    "ROLES",
    "Place",
]

BEFORE_SIGNING_IN = {
    "sign_in.sign_in": ("/sign-in",),
    "sign_in.sign_in_help": ("/sign-in/help",),
    "sign_in.link_requested": ("/sign-in/help/sent",),
    "account.set_password": ("/set-password/spent", "/set-password/{link}"),
}
REPORT = "/monitoring/directives/OIC-2026"

EVERYBODY = {
    "desk.show_desk": Place(("/desk", "/desk?as_at=2026-04-30", "/desk?as_at=someday"), ADMINISTRATOR),
    "exercises.list_exercise_runs": Place(("/exercises",)),
    "account.show_own_account": Place(("/account",)),
    "account.change_password": Place(("/account/password",)),
    "api.show_api": Place(("/api",)),
    "account.show_factors": Place(("/account/factors",)),
    "account.add_code_device": Place(("/account/factors/codes",)),
    "account.add_passkey": Place(("/account/factors/passkeys",)),
    "sign_in.show_waiting_file": Place(("/sign-in/again/file?next=/records",)),
    "statements.accessibility": Place(("/accessibility",)),
    "statements.cookies": Place(("/cookies",)),
    "statements.help": Place(("/help",)),
    "statements.privacy": Place(("/privacy",)),
}
LEARNING = {
    "catalogue.show_glossary": Place(("/glossary",)),
    "catalogue.library": Place(("/modules",)),
    "catalogue.show_sources": Place(("/sources",)),
    "learning.show_my_learning": Place(("/learning",)),
    "learning.list_messages": Place(("/learning/messages",)),
    "learning.list_copies": Place(("/learning/copies",)),
    "learning.show_module": Place(
        tuple(f"/learning/modules/{s}" for s in ("protect", "recognise", "respond"))
    ),
    "learning.take_pre_test": Place(("/learning/modules/report/pre-test",)),
    "learning.show_job_aid": Place(tuple(f"/learning/modules/{s}/job-aid" for s in ("protect", "report"))),
    "learning.show_briefing": Place(("/learning/modules/respond/briefing",)),
    "learning.list_briefings": Place(("/learning/briefings",)),
    "learning.show_lesson": Place(
        ("/learning/modules/protect/lessons/whose-phone", "/learning/modules/report/lessons/tanner-row")
    ),  # the sweep adds all others
    "learning.show_outcome": Place(("/assessment/{passed}/outcome", "/assessment/{failed}/outcome")),
    "assessment.show_answers": Place(("/assessment/{passed}/answers", "/assessment/{failed}/answers")),
    "assessment.check_answers": Place(("/assessment/{under_way}/check",)),
    "assessment.show_item": Place(tuple(f"/assessment/{{under_way}}/items/{n}" for n in (1, 7, 12))),
    "records.show_record": Place(("/records/{reference}",)),
    "records.show_own_records": Place(("/records",)),
    "records.show_hours": Place(("/records/hours",)),
}
MONITORING = {
    "monitoring.show_overview": Place(("/monitoring", "/monitoring?open=OIC-2026"), MANAGER),
    "monitoring.show_briefing": Place((f"{REPORT}/briefing", f"{REPORT}/briefing?as_at=2026-04-30"), MANAGER),
    "monitoring.show_packs": Place((f"{REPORT}/packs", f"{REPORT}/packs?as_at=2026-04-30"), MANAGER),
    "monitoring.show_report": Place(
        (
            REPORT,
            f"{REPORT}?as_at=2026-04-30&status=late&q=a",
            f"{REPORT}?as_at=someday",
            f"{REPORT}?q=zzzz",
        ),
        MANAGER,
    ),
    "events.show_figures": Place(("/events/figures",), MANAGER),
    "people.list_help_needed": Place(("/people/help-needed",), MANAGER),
    "people.open_attempt": Place(("/people/D1001/attempts", "/people/D2001/attempts"), MANAGER),
    "monitoring.show_changes": Place(
        (f"{REPORT}/changes?from_as_at=2026-04-30", f"{REPORT}/changes", f"{REPORT}/changes?as_at=x"), MANAGER
    ),
    "saved_reports.list_reports": Place(("/saved-reports",), MANAGER),
    "saved_reports.save_report": Place(
        (
            "/saved-reports/new?directive=OIC-2026&status=late",
            "/saved-reports/new?of=changes&directive=OIC-2026",
        ),
        MANAGER,
    ),
    "saved_reports.manage_report": Place(("/saved-reports/{saved}/manage",), MANAGER),
    "saved_reports.show_emails": Place(("/saved-reports/{saved}/emails",), MANAGER),
    "monitoring.data_dictionary": Place(("/monitoring/data-dictionary",), MANAGER),
    "monitoring.show_file": Place(("{file}",), MANAGER),
    "people.list_people": Place(("/people", "/people?q=D2001", "/people?q=zzzz"), MANAGER),
    "people.show_person": Place(
        ("/people/D2001", "/people/D1001", "/people/D2001?as_at=2026-04-30", "/people/D2001?as_at=x"), MANAGER
    ),
}
DECISIONS = {  # `request_made` makes one that waits, and one that is granted
    "decisions.ask_decision": Place(
        tuple(
            f"/people/D1001/ask/{kind}"
            for kind in ("exemption", "deferral", "waiver", "revocation", "lift", "restore")
        ),
        MANAGER,
    ),
    "decisions.ask_for_several": Place(
        (
            "/decisions/directives/OIC-2026/exemption",
            "/decisions/directives/OIC-2026/exemption?rank=Sergeant",
            "/decisions/directives/OIC-2026/deferral?rank=Sergeant",
        ),
        OWNER,
    ),
    "decisions.joint_request": Place(("/decisions/joint/{joint}",), OWNER),
    "decisions.list_requests": Place(
        ("/decisions", "/decisions?whose=all", "/decisions?whose=all&kind=waiver"), OWNER
    ),
    "decisions.list_own_decisions": Place(("/records/decisions",)),
    "decisions.request": Place(("/decisions/{asked}", "/decisions/{granted}"), OWNER),
}
ADMINISTRATION = {
    "audit.list_acts": Place(
        ("/audit", "/audit?group=sign-in&outcome=refused", "/audit?by=D1001&since=x", "/audit?address=::1"),
        AUDITOR,
    ),
    "audit.show_disclosures": Place(("/audit/people/D1001", "/audit/people/D6001"), AUDITOR),
    "people.show_account": Place(("/people/D2001/account", "/people/D9001/account"), ADMINISTRATOR),
    "people.show_invitations": Place(
        ("/people/invitations", "/people/invitations?outcome=account&page=2", "/people/invitations?unit=x"),
        ADMINISTRATOR,
    ),
    "people.print_invitations": Place(
        (
            "/people/invitations/print",
            "/people/invitations/print?unit=Westshire+Police/Response/Response+North&who=all",
        ),
        ADMINISTRATOR,
    ),
    "people.close_account": Place(("/people/D2001/account/close",), ADMINISTRATOR),
    "people.subject_access": Place(("/people/D2001/subject-access",), ADMINISTRATOR),
    "people.show_accounts": Place(
        ("/people/accounts", "/people/accounts?state=never&sort=-signed-in", "/people/accounts?unit=x"),
        ADMINISTRATOR,
    ),
    "people.show_sessions": Place(
        (
            "/people/accounts/sessions",
            "/people/accounts/sessions?idle=x",
        ),
        ADMINISTRATOR,
    ),
    "people.end_many_sessions": Place(
        ("/people/accounts/sessions/end", "/people/accounts/sessions/end?q=zzzz"), ADMINISTRATOR
    ),
    "imports.list_imports": Place(("/imports",), ADMINISTRATOR),
    "imports.cancel_import": Place(("/imports/{bad}/cancel",), ADMINISTRATOR),
    "imports.list_unnamed_roles": Place(("/imports/roles",), ADMINISTRATOR),
    "imports.show_formats": Place(("/imports/formats",), ADMINISTRATOR),
    "imports.choose_file": Place(("/imports/completions/new", "/imports/roster/new"), ADMINISTRATOR),
    "imports.match_columns": Place(("/imports/{good}/columns",), ADMINISTRATOR),
    "imports.match_values": Place(("/imports/{unsure}/values",), ADMINISTRATOR),
    "imports.match_sheet": Place(("/imports/{several}/sheet",), ADMINISTRATOR),
    "imports.list_kept_rows": Place(("/imports/kept",), ADMINISTRATOR),
    "imports.erase_kept_rows": Place(("/imports/kept/{kept}/erase",), ADMINISTRATOR),
    "imports.show_check": Place(("/imports/{good}", "/imports/{bad}"), ADMINISTRATOR),
    "jobs.list_jobs": Place(("/jobs", "/jobs?state=failed"), ADMINISTRATOR),
    "jobs.show_job": Place(("/jobs/{job}",), ADMINISTRATOR),
    "grants.show_grants": Place(
        ("/grants", "/grants?state=all&sort=-since", "/grants?q=zzzz", "/grants?unit=x"), ADMINISTRATOR
    ),
    "grants.give_to_several": Place(("/grants/new",), ADMINISTRATOR),
    "grants.propose_grants": Place(("/grants/proposed", "/grants/proposed?q=zzzz"), ADMINISTRATOR),
    "grants.review_grants": Place(("/grants/review",), ADMINISTRATOR),
    "scim_groups.show_groups": Place(("/grants/groups",), ADMINISTRATOR),
    "tokens.list_tokens": Place(("/tokens",), ADMINISTRATOR),
    "units.list_units": Place(
        (
            "/units",
            "/units?unit=Westshire+Police/Response/Response+North",
            "/units?q=team&page=2",
            "/units?q=zzzz",
        ),
        ADMINISTRATOR,
    ),
    "units.move_unit": Place(("/units/move?unit=Westshire+Police/Response/Response+North",), ADMINISTRATOR),
    "units.rename_unit": Place(("/units/rename?unit=Westshire+Police/Response",), ADMINISTRATOR),
}
RETENTION = {  # `retention_made` makes a disposal that waits, a hold and two requests
    "retention.list_classes": Place(("/retention",), ADMINISTRATOR),
    "retention.show_class": Place(("/retention/classes/mail", "/retention/classes/leavers"), ADMINISTRATOR),
    "retention.list_disposals": Place(("/retention/disposals",), ADMINISTRATOR),
    "retention.show_disposal": Place(("/retention/disposals/{disposal}",), ADMINISTRATOR),
    "retention.list_holds": Place(("/retention/holds",), ADMINISTRATOR),
    "retention.show_lift_hold": Place(("/retention/holds/{hold}/lift",), ADMINISTRATOR),
    "retention.list_requests": Place(("/retention/requests",), ADMINISTRATOR),
    "retention.show_request": Place(
        ("/retention/requests/{correction}", "/retention/requests/{erasure}"), ADMINISTRATOR
    ),
    "retention.show_own_requests": Place(("/retention/own",)),
}
DRAFT, SENT = "/authoring/{draft}", "/authoring/{sent}"
GUIDE, OTHER_GUIDE = "/authoring/_guides/{guide}", "/authoring/_guides/intelligence-document"
AUTHORING = {  # `draft_made` makes a module and a guide that are being written, and a module that was sent
    "authoring.open_attempt": Place(("/authoring/protect/attempts",), AUTHOR),
    "authoring.bring_in": Place((f"{DRAFT}/bring-in",), AUTHOR),
    "authoring.show_dashboard": Place(("/authoring",), AUTHOR),
    "authoring.edit_check": Place((f"{DRAFT}/lessons/whose-phone/checks/check-dani-phone",), AUTHOR),
    "authoring.new_check": Place(
        (f"{DRAFT}/lessons/whose-phone/checks/_new", f"{DRAFT}/lessons/whose-phone/checks/_new?kind=match"),
        AUTHOR,
    ),
    "authoring.remove_check": Place((f"{DRAFT}/lessons/whose-phone/checks/check-dani-phone/remove",), AUTHOR),
    "authoring.edit_details": Place((f"{DRAFT}/details", f"{SENT}/details"), AUTHOR),
    "authoring.discard_draft": Place((f"{DRAFT}/discard",), AUTHOR),
    "authoring.edit_guide": Place((f"{GUIDE}/text",), AUTHOR),
    "authoring.show_history": Place((f"{SENT}/history", f"{DRAFT}/history"), AUTHOR),
    "authoring.edit_item": Place((f"{DRAFT}/items/adult-refuses", f"{DRAFT}/items/adult-agrees"), AUTHOR),
    "authoring.edit_item_text": Place((f"{DRAFT}/items/adult-refuses/text",), AUTHOR),
    "authoring.import_items": Place((f"{DRAFT}/items/_import",), AUTHOR),
    "authoring.export_items": Place((f"{DRAFT}/items/_export",), AUTHOR),
    "authoring.job_aid": Place((f"{DRAFT}/job-aid", f"{SENT}/job-aid"), AUTHOR),
    "authoring.edit_lesson": Place(
        tuple(f"{DRAFT}/lessons/{n}" for n in ("whose-phone", "refer-or-notify", "the-copper-kettle")), AUTHOR
    ),
    "authoring.list_media": Place((f"{DRAFT}/media",), AUTHOR),
    "authoring.show_module": Place((DRAFT, SENT, "/authoring/respond", GUIDE, OTHER_GUIDE), AUTHOR),
    "authoring.new_module": Place(("/authoring/_new",), AUTHOR),
    "authoring.new_guide": Place(("/authoring/_guides/_new",), AUTHOR),
    "events.list_types": Place(("/events/types",), AUTHOR),
    "events.show_type": Place(("/events/types/oic-hydra",), AUTHOR),
    "events.propose_new_type": Place(("/events/types/new",), AUTHOR),
    "events.propose_type": Place(("/events/types/oic-hydra/change",), AUTHOR),
    "events.show_proposal": Place(("/events/types/proposals/{type_proposal}",), AUTHOR),
    "authoring.new_item": Place((f"{DRAFT}/items/_new", f"{DRAFT}/items/_new?kind=single"), AUTHOR),
    "authoring.new_lesson": Place((f"{DRAFT}/lessons/_new",), AUTHOR),
    "authoring.preview_draft": Place((f"{DRAFT}/preview", f"{GUIDE}/preview"), AUTHOR),
    "authoring.preview_item": Place((f"{DRAFT}/preview/items/adult-refuses",), AUTHOR),
    "authoring.preview_pre_test": Place((f"{DRAFT}/preview/pre-test",), AUTHOR),
    "authoring.preview_job_aid": Place((f"{DRAFT}/preview/job-aid",), AUTHOR),
    "authoring.preview_lesson": Place(
        tuple(f"{DRAFT}/preview/lessons/{name}" for name in ("whose-phone", "the-copper-kettle")), AUTHOR
    ),
    "authoring.briefing": Place((f"{DRAFT}/briefing",), AUTHOR),
    "authoring.preview_briefing": Place((f"{DRAFT}/preview/briefing",), AUTHOR),
    "authoring.remove_briefing": Place((f"{DRAFT}/briefing/remove",), AUTHOR),
    "authoring.remove_item": Place((f"{DRAFT}/items/adult-refuses/remove",), AUTHOR),
    "authoring.remove_job_aid": Place((f"{DRAFT}/job-aid/remove",), AUTHOR),
    "authoring.remove_lesson": Place((f"{DRAFT}/lessons/whose-phone/remove",), AUTHOR),
    "authoring.remove_medium": Place((f"{DRAFT}/media/refer-or-notify.svg/remove",), AUTHOR),
    "authoring.show_review": Place((f"{SENT}/review",), PUBLISHER),
    "authoring.send_for_review": Place((f"{DRAFT}/review/send",), AUTHOR),
    "authoring.send_back": Place((f"{SENT}/review/send-back",), PUBLISHER),
    "authoring.archive_module": Place(("/authoring/protect/archive",), PUBLISHER),
    "authoring.publish_and_ask": Place((f"{SENT}/review/pass-again",), PUBLISHER),
    "authoring.list_reviews": Place(("/authoring/_reviews",), AUTHOR),
    "authoring.schedule_draft": Place((f"{SENT}/review/schedule",), PUBLISHER),
    "authoring.show_statistics": Place(("/authoring/protect/statistics",), AUTHOR),
}
OIC = "/directives/OIC-2026"
DIRECTIVES = {
    "directives.list_directives": Place(("/directives",), OWNER),
    "directives.show_directive": Place((OIC,), OWNER),
    "directives.show_version": Place((f"{OIC}/versions/1",), OWNER),
    "directives.new_directive": Place(("/directives/new",), OWNER),
    "directives.change_directive": Place((f"{OIC}/change",), OWNER),
    "directives.withdraw_directive": Place((f"{OIC}/withdraw",), OWNER),
}
GUIDES = {
    "guides.list_guides": Place(("/guides", "/guides?q=refering+victm", "/guides?q=zzzz")),
    "guides.show_guide": Place(("/guides/who-to-call", "/guides/intelligence-document")),
    "guides.edit_force_settings": Place(("/force-settings",), AUTHOR),
}
REMINDERS = {
    "reminders.show_outbox": Place(("/reminders", "/reminders?state=refused"), OWNER),
    "reminders.nudge_person": Place(("/people/D1001/nudge/OIC-2026",), MANAGER),
    "reminders.nudge_people": Place(
        ("/reminders/directives/OIC-2026", "/reminders/directives/OIC-2026?rank=Sergeant"), OWNER
    ),
    "reminders.preview_reminders": Place(("/reminders/preview", "/reminders/preview?day=x"), OWNER),
    "reminders.edit_rules": Place(("/reminders/rules/OIC-2026",), OWNER),
}
HELD = "/events/{event}"
HELD_EVENTS = {  # `hold_event` of events_held.py makes one that is under way
    "events.show_register": Place((f"{HELD}/register", f"{HELD}/register?heads=3"), FACILITATOR),
    "events.show_room_code": Place((f"{HELD}/sign-in/code",), FACILITATOR),
    "events.show_sign_in": Place((f"{HELD}/sign-in",)),
    "events.show_sign_off": Place((f"{HELD}/sign-off",), FACILITATOR),
    "events.show_correction": Place((f"{HELD}/sign-off/{{signed_off}}",), FACILITATOR),
    "events.show_syndicates": Place((f"{HELD}/syndicates", f"{HELD}/syndicates?suggest=1"), FACILITATOR),
}
EVENTS = {  # the demo plans them: portal/features/events/demo/planning.py
    "events.show_events": Place(("/events", "/events?order=near&free=yes", "/events?when=past")),
    "events.show_event": Place(("/events/EV-0002",), FACILITATOR),
    "events.show_places": Place(("/events/places", "/events/places?type=none")),
    "events.book_own_place": Place(("/events/EV-0002/booking",)),
    "events.book_people": Place(("/events/EV-0002/people",), MANAGER),
    "events.keep_places": Place(("/events/EV-0002/reservations",), FACILITATOR),
    "events.plan_event": Place(("/events/new", "/events/new?copy=EV-0002"), FACILITATOR),
    "events.change_event": Place(("/events/EV-0002/change",), FACILITATOR),
    "events.cancel_event": Place(("/events/EV-0002/cancel",), FACILITATOR),
    "events.show_rooms": Place(("/events/rooms",), FACILITATOR),
    "events.add_room": Place(("/events/rooms/new",), FACILITATOR),
    "events.change_room": Place(("/events/rooms/1",), FACILITATOR),
}
NIGHT = "/exercises/versions/night-at-marrow-hill/1"
PROPOSED = "/exercises/versions/_proposals/1"  # the demo has one that waits
EXERCISES = {
    "exercises.list_versions": Place(("/exercises/versions",), AUTHOR),
    "exercises.propose_version": Place(("/exercises/versions/_propose",), AUTHOR),
    "exercises.send_proposal_back": Place((f"{PROPOSED}/send-back",), PUBLISHER),
    "exercises.show_proposal": Place((PROPOSED,), PUBLISHER),
    "exercises.show_version": Place((NIGHT,), AUTHOR),
}
PLACES = EVERYBODY | LEARNING | GUIDES | MONITORING | ADMINISTRATION | AUTHORING | DIRECTIVES
PLACES |= DECISIONS | REMINDERS | RETENTION | EVENTS | HELD_EVENTS | EXERCISES | ASSURANCE | merge("PLACES")
PLACES |= {endpoint: Place(paths, OWNER) for endpoint, paths in RETURN_PATHS.items()}
# A whole exercise is read, searched and printed as one page: the text of the shipped one is 18 KB compressed.
WHOLE_TEXTS = {"exercises.show_version", "exercises.show_proposal"} | union_of("WHOLE_TEXTS")
OF_SOMEONE = {  # who holds the permission may still meet "not found" here
    "assurance.report_action",
    "audit.show_disclosures",
    "people.show_account",
    "people.close_account",
    "decisions.ask_decision",
    "decisions.joint_request",
    "decisions.request",
    "assessment.show_answers",
    "assessment.check_answers",
    "assessment.show_item",
    "imports.cancel_import",
    "imports.show_check",
    "imports.match_columns",
    "imports.match_values",
    "imports.match_sheet",
    "imports.erase_kept_rows",
    "jobs.show_job",
    "learning.show_outcome",
    "people.open_attempt",
    "people.show_person",
    "monitoring.show_file",
    "records.show_record",
    "reminders.nudge_person",
    "saved_reports.manage_report",
    "saved_reports.show_emails",
    "dip_samples.show_sample",
} | union_of("OF_SOMEONE")
