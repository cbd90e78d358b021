"""The register of an event: for a facilitator's phone, with or without scripts and network."""

import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from flask import flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import current_settings
from portal.domain.events.models import AttendanceOutcome
from portal.domain.events.register import services
from portal.domain.events.register.merging import KINDS, RegisterState, count_heads
from portal.domain.events.register.queries import (
    RegisterEvent,
    RegisterPerson,
    find_name,
    get_register_event,
    list_register,
    read_outcomes,
    read_states,
)
from portal.domain.events.register.services import Note
from portal.pages.events import register_words
from portal.pages.events.blueprint import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission

_UNREADABLE = "The register cannot read these entries."
_ASK_HEADS = f"Enter a whole number from 0 to {register_words.MOST_HEADS}"
_LONGEST_AGO = timedelta(days=30)


@bp.get("/events/<reference>/register")
@requires(Permission.EVENT_RUN)
def show_register(reference: str) -> ResponseReturnValue:
    """Show who has a place and who is here, with a button for each thing to note."""
    event = get_register_event(reference)
    people, states, outcomes = list_register(event), read_states(event.id), read_outcomes(event.id)
    problem, count = services.why_closed(event, clock.now()), count_heads(states)
    typed = None if problem else request.args.get("heads")  # None: no heads were counted
    heads = None if typed is None else register_words.read_heads(typed.strip())
    errors = [] if typed is None or heads is not None else [(_ASK_HEADS, "#counted")]
    html = render_template(
        "events/register.html",
        event=event,
        when_and_where=register_words.when_and_where(event),
        groups=register_words.group_by_syndicate(people),
        states=_describe_states(people, states, outcomes),
        signed_off=outcomes,
        problem=problem,
        heads_words=register_words.describe_heads(count, len(people), len(outcomes)),
        typed=typed,
        errors=errors,
        compared="" if heads is None else register_words.compare_heads(count, heads),
        buttons=register_words.BUTTONS,
        key=uuid4(),
        owner=_owner_of_entries(),
    )
    return html, 400 if errors else 200


@bp.post("/events/<reference>/register")
@requires(Permission.EVENT_RUN)
def mark_person(reference: str) -> ResponseReturnValue:
    """Note one thing of one person: what a button without scripts sends."""
    booking, _, kind = request.form.get("mark", "").partition(":")
    try:
        key = uuid5(UUID(request.form.get("key", "")), f"{booking} {kind}")
        note = Note(key, _read_booking(booking), kind, timedelta())
    except ValueError as error:
        raise RuleError(_UNREADABLE) from error
    with _flash_refusal(), transaction():
        noted = services.note_entries(reference, [note], by=current_user.person_id, at=clock.now())
        if noted.refused:
            flash(noted.refused, "error")
    return redirect(url_for(".show_register", reference=reference, _anchor=f"person-{note.booking_id}"), 303)


@bp.post("/events/<reference>/register/staff-number")
@requires(Permission.EVENT_RUN)
def note_staff_number(reference: str) -> ResponseReturnValue:
    """Note that somebody without a phone is here, by their staff number."""
    staff_number = "".join(filter(str.isprintable, request.form.get("staff_number", "")[:50])).strip()
    with _flash_refusal(), transaction():
        if not staff_number:
            raise RuleError("Enter their staff number.")
        person_id = services.note_staff_number(
            reference, staff_number, by=current_user.person_id, at=clock.now()
        )
        flash(f"{find_name(person_id)} is noted as here.", "success")
    return redirect(url_for(".show_register", reference=reference), 303)


@bp.post("/events/<reference>/register/entries")
@requires(Permission.EVENT_RUN)
def send_entries(reference: str) -> ResponseReturnValue:
    """Take the entries that a device kept, and answer with the current register; sent twice is once.

    The device forgets them then, because a second try would end the same: ``refused`` says why some of
    them were not taken, or with 409 why none was.
    """
    try:
        notes = _read_notes(request.form.get("entries", ""))
        with transaction():
            noted = services.note_entries(reference, notes, by=current_user.person_id, at=clock.now())
    except (RuleError, NotFoundError) as error:
        return jsonify(refused=str(error)), 409
    refused = {"refused": noted.refused} if noted.refused else {}
    return jsonify(_describe_now(get_register_event(reference)) | refused)


@bp.get("/events/<reference>/register/states")
@requires(Permission.EVENT_RUN)
def send_states(reference: str) -> ResponseReturnValue:
    """Answer with the current register, for a page that is open on another phone."""
    return jsonify(_describe_now(get_register_event(reference)))


def _describe_now(event: RegisterEvent) -> dict[str, Any]:
    people, states, outcomes = list_register(event), read_states(event.id), read_outcomes(event.id)
    return {
        "states": _describe_states(people, states, outcomes),
        "heads": register_words.describe_heads(count_heads(states), len(people), len(outcomes)),
    }


def _describe_states(
    people: list[RegisterPerson], states: dict[int, RegisterState], outcomes: dict[int, AttendanceOutcome]
) -> dict[int, str]:
    """What the register says of each person, by booking."""
    return {
        person.booking_id: register_words.describe_state(
            states.get(person.person_id), outcomes.get(person.person_id)
        )
        for person in people
    }


def _read_notes(text: str) -> list[Note]:
    """The entries that a device sent.

    Raises:
        RuleError: It sent something else.
    """
    try:
        rows = json.loads(text)
        return [_read_note(row) for row in rows]
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError) as error:
        raise RuleError(_UNREADABLE) from error


def _read_note(row: dict[str, Any]) -> Note:
    if row["kind"] not in KINDS:
        raise ValueError
    ago = timedelta(milliseconds=int(row["ago"]))
    return Note(UUID(row["key"]), _read_booking(row["id"]), row["kind"], min(ago, _LONGEST_AGO))


def _read_booking(value: Any) -> int:
    booking_id = int(value)
    if not 0 < booking_id < 2**53:
        raise ValueError
    return booking_id


def _owner_of_entries() -> str:
    """Whose entries a device keeps, opaque: another person's are erased, not sent."""
    secret = current_settings().secret_key
    said = f"register of {current_user.person_id}"
    return hmac.new(secret.encode(), said.encode(), "sha256").hexdigest()[:16]


@contextmanager
def _flash_refusal() -> Iterator[None]:
    """Say on the page that follows why something was not noted."""
    try:
        yield
    except (RuleError, NotFoundError) as error:
        flash(str(error), "error")
