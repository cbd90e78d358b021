"""Signing off who attended an event, and corrections by a second person."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.events.register.merging import RegisterState
from portal.domain.events.register.queries import (
    RegisterEvent,
    RegisterPerson,
    get_register_event,
    list_register,
    read_states,
)
from portal.domain.events.sign_off.queries import OutcomeRow, list_outcomes
from portal.domain.events.sign_off.reasons import OUTCOME_WORDS, REASON_WORDS
from portal.domain.events.sign_off.services import SignOff, correct_outcome, sign_off
from portal.pages.events import register_words
from portal.pages.events.blueprint import bp
from portal.pages.layout.access import requires
from portal.pages.layout.disclosure import log_disclosure
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import plural

FIELD = "outcome-"  # before the number of the booking
# What the register suggests; for a person without an entry it suggests nothing.
_SUGGESTED = {
    "present": "attended:",
    "late": "attended:",
    "left_early": "part:left_early",
    "not_here": "absent:not_known",
}


@bp.get("/events/<reference>/sign-off")
@requires(Permission.EVENT_RUN)
def show_sign_off(reference: str) -> ResponseReturnValue:
    """Show who was signed off, and a choice for everybody else, as the register suggests."""
    event = get_register_event(reference)
    people, states, outcomes = list_register(event), read_states(event.id), list_outcomes(event.id)
    return render_template(
        "events/sign_off.html",
        event=event,
        when_and_where=register_words.when_and_where(event),
        has_begun=clock.now() >= event.starts_at,
        open=[(person, _state_of(person, states)) for person in people if person.person_id not in outcomes],
        done=[(person, outcomes[person.person_id]) for person in people if person.person_id in outcomes],
        suggested=_SUGGESTED,
        choices=list_choices(),
        describe_state=register_words.describe_state,
        me=current_user.person_id,
    )


@bp.post("/events/<reference>/sign-off")
@requires(Permission.EVENT_RUN)
def sign_off_people(reference: str) -> ResponseReturnValue:
    """Sign off everybody with a chosen outcome."""
    decisions = [
        _read_decision(name.removeprefix(FIELD), value)
        for name, value in request.form.items()
        if name.startswith(FIELD) and value
    ]
    try:
        with transaction():
            count = sign_off(reference, decisions, by=current_user.person_id, at=clock.now())
        people = plural(count, "person", "people")
        flash(f"{people} signed off." if count else "You signed nobody off.", "success")
    except (RuleError, ConflictError) as error:
        flash(str(error), "error")
    return redirect(url_for(".show_sign_off", reference=reference), 303)


@bp.get("/events/<reference>/sign-off/<int:booking>")
@requires(Permission.EVENT_RUN)
def show_correction(reference: str, booking: int) -> ResponseReturnValue:
    """Show how one person was signed off, and the form by which a second person corrects it."""
    event = get_register_event(reference)
    person, outcome = _find_signed_off(event, booking)
    log_disclosure(person.person_id, "record")
    return render_template(
        "events/correction.html",
        event=event,
        when_and_where=register_words.when_and_where(event),
        person=person,
        outcome=outcome,
        choices=list_choices(),
        may_correct=current_user.person_id not in {outcome.signed_off_by_id, person.person_id},
    )


@bp.post("/events/<reference>/sign-off/<int:booking>")
@requires(Permission.EVENT_RUN)
def correct_attendance(reference: str, booking: int) -> ResponseReturnValue:
    """Correct how one person was signed off, as a second person."""
    decision = _read_decision(str(booking), request.form.get("outcome", ""))
    try:
        with transaction():
            correct_outcome(reference, decision, by=current_user.person_id, at=clock.now())
        flash("Corrected.", "success")
    except (RuleError, ConflictError) as error:
        flash(str(error), "error")
        return redirect(url_for(".show_correction", reference=reference, booking=booking), 303)
    return redirect(url_for(".show_sign_off", reference=reference), 303)


def list_choices() -> dict[str, list[tuple[str, str]]]:
    """Outcomes with their reasons as one list to choose from, by outcome."""
    return {
        words: [(f"{key}:{reason}", text) for reason, text in REASON_WORDS[key].items()]
        or [(f"{key}:", words)]
        for key, words in OUTCOME_WORDS.items()
    }


def _read_decision(booking: str, value: str) -> SignOff:
    outcome, _, reason = value.partition(":")
    number = int(booking) if booking.isascii() and booking.isdigit() and len(booking) < 16 else 0
    return SignOff(number, outcome, reason)


def _state_of(person: RegisterPerson, states: dict[int, RegisterState]) -> RegisterState | None:
    return states.get(person.person_id)


def _find_signed_off(event: RegisterEvent, booking: int) -> tuple[RegisterPerson, OutcomeRow]:
    outcomes = list_outcomes(event.id)
    for person in list_register(event):
        if person.booking_id == booking and person.person_id in outcomes:
            return person, outcomes[person.person_id]
    raise NotFoundError("This person was not signed off at this event.")
