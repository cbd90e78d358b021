"""Writes entries of the register: by code, by staff number, or as devices send them, in any order."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import select

from portal.domain.events.models import Booking, RegisterEntry
from portal.domain.events.register import room_codes
from portal.domain.events.register.merging import KINDS
from portal.domain.events.register.queries import (
    RegisterEvent,
    find_booking,
    find_name,
    find_place,
    get_register_event,
    read_outcomes,
)
from portal.domain.events.sign_off.reasons import describe_outcome
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import FieldError, ForbiddenError, RuleError
from portal.platform.wording import instant

OPENS_BEFORE = timedelta(hours=2)  # the register, before an event begins
LATE_AFTER = timedelta(minutes=10)  # who signs in later than this after the beginning comes late
MOST_SENT = 500  # entries in one go: more than any event makes


@dataclass(frozen=True, slots=True)
class Note:
    """One entry as a device sends it."""

    key: UUID
    booking_id: int
    kind: str
    ago: timedelta  # before it was sent, by the device's clock, which may be wrong


@dataclass(frozen=True, slots=True)
class NotedEntries:
    """What became of entries that a device sent."""

    written: int  # those that were new
    refused: str  # a sentence about those that were not taken; "" if there are none


def note_entries(reference: str, notes: Iterable[Note], *, by: int, at: datetime) -> NotedEntries:
    """Note entries that a facilitator made in the register, at once or with the network back.

    Repeating them changes nothing: an entry is known by its key. A booking of another event is passed over;
    of a person who is signed off nothing more is noted, however early the device made the entry.

    Args:
        reference: Of the event.
        notes: The entries, in any order.
        by: The facilitator.
        at: Now, by the portal's clock; the age of each entry is counted back from it.

    Raises:
        RuleError: The register is not open yet, the event was cancelled, or an entry is malformed.
    """
    notes = list(notes)
    if len(notes) > MOST_SENT or any(note.kind not in KINDS for note in notes):
        raise RuleError("The register cannot read these entries.")
    recorded_at = stamp()
    event = get_register_event(reference)
    require_open(event, at)
    people = _people_of_bookings(event, notes)
    keys = select(RegisterEntry.key).where(RegisterEntry.key.in_({note.key for note in notes}))
    recorded_keys, signed_off = set(db.session.scalars(keys)), read_outcomes(event.id)
    written_count, refused = 0, set()
    for note in notes:
        person_id = people.get(note.booking_id)
        if person_id is None or note.key in recorded_keys:
            continue
        if person_id in signed_off:
            refused.add(person_id)
            continue
        recorded_keys.add(note.key)
        written_count += 1
        noted_at = max(at - max(note.ago, timedelta()), event.starts_at - OPENS_BEFORE)
        _write_entry(event, person_id, note.key, note.kind, noted_at, "register", by, recorded_at)
    if written_count:
        log("register.noted", actor_id=by, event=reference, entries=written_count)
    db.session.flush()
    return NotedEntries(written_count, _describe_signed_off(refused) if refused else "")


def _describe_signed_off(people: Collection[int]) -> str:
    """Why entries about people who are signed off are not taken, in sentences."""
    first, *others = people
    who = f"{len(people)} people are" if others else f"{find_name(first)} is"
    sentence = f"{who} signed off, so nothing more is noted of them."
    return f"{sentence} Another facilitator can correct the sign-off."


def _people_of_bookings(event: RegisterEvent, notes: Iterable[Note]) -> dict[int, int]:
    """The person of each booking that is of this event, also of one that has been cancelled since."""
    rows = select(Booking.id, Booking.person_id).where(
        Booking.event_id == event.id, Booking.id.in_({note.booking_id for note in notes})
    )
    return {row.id: row.person_id for row in db.session.execute(rows)}


def note_staff_number(reference: str, staff_number: str, *, by: int, at: datetime) -> int:
    """Note that the person with this staff number is there, or came late. Returns their person id.

    Raises:
        NotFoundError: Nobody with a place at the event has it.
        RuleError: The register is not open, or the person is signed off.
    """
    recorded_at = stamp()
    event = get_register_event(reference)
    require_open(event, at)
    booking = db.session.get_one(Booking, find_booking(event, staff_number))
    if booking.person_id in read_outcomes(event.id):
        raise RuleError(_describe_signed_off([booking.person_id]))
    kind = arrival_kind(event, at)
    _write_entry(event, booking.person_id, uuid4(), kind, at, "staff_number", by, recorded_at)
    log("register.noted", actor_id=by, subject_id=booking.person_id, event=reference, entries=1)
    db.session.flush()
    return booking.person_id


def issue_ticket(secret: str, reference: str, code: str, person_id: int, at: datetime) -> str:
    """Exchange the code in the room for a ticket of this person. Writes nothing.

    Raises:
        ForbiddenError: The person has no place at the event.
        RuleError: The code is not on show any more, the register is not open, or the person is signed off.
    """
    event = get_register_event(reference)
    require_open(event, at)
    require_place(event, person_id)
    _require_not_signed_off(event, person_id)
    if not room_codes.is_room_code(secret, reference, code, at):
        raise RuleError("This code is no longer valid. Scan the code that the screen in the room shows now.")
    ticket = room_codes.Ticket(event.id, person_id, uuid4(), at + room_codes.TICKET_LASTS)
    return room_codes.seal_ticket(secret, ticket)


def sign_in_by_ticket(
    secret: str, reference: str, ticket: str, number: str, person_id: int, at: datetime
) -> str:
    """Note by their ticket and the room's number that a person is there, or came late; twice is once.

    Returns:
        Which.

    Raises:
        FieldError: The screen does not show this number, or showed it before the code was read.
        ForbiddenError: The person has no place at the event.
        RuleError: The ticket is somebody else's, has ended or is malformed; the register is not open; or the
            person is signed off.
    """
    recorded_at = stamp()
    event = get_register_event(reference)
    require_open(event, at)
    require_place(event, person_id)
    if not room_codes.is_ticket_of(secret, ticket, event.id, person_id, at):
        raise RuleError("You took too long. Scan the code that the screen in the room shows now.")
    key = room_codes.key_of_ticket(ticket)
    earlier = db.session.get(RegisterEntry, key)
    if earlier is not None:
        return earlier.kind
    _require_not_signed_off(event, person_id)
    if not room_codes.is_room_number(secret, reference, number, ticket, at):
        raise FieldError("number", "Wait until the number on the screen changes, then enter the new one")
    kind = arrival_kind(event, at)
    _write_entry(event, person_id, key, kind, at, "code", person_id, recorded_at)
    log("register.signed_in", actor_id=person_id, subject_id=person_id, event=reference)
    db.session.flush()
    return kind


def arrival_kind(event: RegisterEvent, at: datetime) -> str:
    """Whether somebody who arrives now is present or late."""
    return "late" if at > event.starts_at + LATE_AFTER else "present"


def why_closed(event: RegisterEvent, at: datetime) -> str:
    """Why the register takes no entry, as a sentence; "" if it does."""
    if event.cancelled:
        return "This event was cancelled, so nobody is entered in its register."
    opens_at = event.starts_at - OPENS_BEFORE
    return f"The register opens at {instant(opens_at)}." if at < opens_at else ""


def require_open(event: RegisterEvent, at: datetime) -> None:
    """Refuse with RuleError entries of a register that is not open yet, or of a cancelled event."""
    if reason := why_closed(event, at):
        raise RuleError(reason)


def require_place(event: RegisterEvent, person_id: int) -> None:
    """Refuse with ForbiddenError a person who has no place at the event."""
    if find_place(event.id, person_id) is None:
        raise ForbiddenError("You have no place at this event. Ask the facilitator in the room.")


def _require_not_signed_off(event: RegisterEvent, person_id: int) -> None:
    outcome = read_outcomes(event.id).get(person_id)
    if outcome is not None:
        words = describe_outcome(outcome.outcome, outcome.reason).lower()
        raise RuleError(f"You are signed off at this event: {words}. Nothing more is noted.")


def _write_entry(
    event: RegisterEvent,
    person_id: int,
    key: UUID,
    kind: str,
    noted_at: datetime,
    means: str,
    by: int,
    recorded_at: datetime,
) -> None:
    db.session.add(
        RegisterEntry(
            key=key,
            recorded_at=recorded_at,
            event_id=event.id,
            person_id=person_id,
            kind=kind,
            noted_at=noted_at,
            means=means,
            noted_by_id=by,
        )
    )
