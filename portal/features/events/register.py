"""Writes entries of the register: by code, by staff number, or as devices send them, in any order."""

import hashlib
import hmac
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import and_, or_, select

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.people.models import PersonName, Post
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import live_units
from portal.domain.people.staff_numbers import fold_staff_number
from portal.features.events.models import (
    AttendanceOutcome,
    Booking,
    Event,
    EventFacilitator,
    EventRoom,
    EventVersion,
    RegisterEntry,
)
from portal.platform.audit import log
from portal.platform.db import db, stamp
from portal.platform.errors import FieldError, ForbiddenError, NotFoundError, RuleError
from portal.platform.wording import instant

# Merges the entries of a register into each person's state. Pure; the order of arrival does not matter.
#
# So a device that was offline, a second facilitator and the portal itself agree as soon as each has all
# entries; an entry that comes twice counts once.

KINDS = ("present", "late", "left_early", "not_here")
MEANS = ("code", "staff_number", "register")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ARRIVALS = frozenset({"present", "late"})


@dataclass(frozen=True, slots=True)
class NotedEntry:
    """An entry that one device made about one person."""

    key: UUID
    person_id: int
    kind: str
    noted_at: datetime
    means: str


@dataclass(frozen=True, slots=True)
class RegisterState:
    """The current state of a person: the entry noted last, and how and when they last came."""

    kind: str
    noted_at: datetime
    came_by: str = ""  # the means of their arrival; "" if they are not here
    came_at: datetime | None = None

    @property
    def is_here(self) -> bool:
        """Whether the person is in the room now."""
        return self.kind in _ARRIVALS


@dataclass(frozen=True, slots=True)
class HeadCount:
    """How many are in the room by the register, and by which means they came."""

    here: int
    by_code: int
    by_staff_number: int
    by_register: int


def merge_entries(entries: Iterable[NotedEntry]) -> dict[int, RegisterState]:
    """The current state of each person with an entry, by person.

    Of two entries the one noted later holds; of two noted in the same millisecond, the one with the higher
    key. Who was marked as not here and then came, came by the later means.
    """
    merged: dict[int, RegisterState] = {}
    for entry in sorted(set(entries), key=_place_in_order):
        earlier = merged.get(entry.person_id)
        came_by, came_at = (earlier.came_by, earlier.came_at) if earlier else ("", None)
        if entry.kind == "not_here":
            came_by, came_at = "", None
        elif entry.kind in _ARRIVALS and not came_by:
            came_by, came_at = entry.means, entry.noted_at
        merged[entry.person_id] = RegisterState(entry.kind, entry.noted_at, came_by, came_at)
    return merged


def count_heads(presences: Mapping[int, RegisterState]) -> HeadCount:
    """Count who is in the room."""
    means = [presence.came_by for presence in presences.values() if presence.is_here]
    return HeadCount(len(means), *(means.count(way) for way in MEANS))


def _place_in_order(entry: NotedEntry) -> tuple[int, UUID, str, datetime]:
    millisecond = (entry.noted_at - _EPOCH) // timedelta(milliseconds=1)
    return millisecond, entry.key, entry.kind, entry.noted_at


# Reads an event that is held: who has a place, what the register says, and who was signed off.


@dataclass(frozen=True, slots=True)
class RegisterEvent:
    """An event by its newest version, with what its facilitators need."""

    id: int
    reference: str
    type_version_id: int
    title: str
    starts_at: datetime
    ends_at: datetime
    held_on: date
    room: str
    cancelled: bool
    syndicates: int
    syndicate_least: int
    syndicate_most: int
    facilitator_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class RegisterPerson:
    """A person with a place at an event, by the main post of its day."""

    booking_id: int
    person_id: int
    staff_number: str
    surname: str
    forenames: str
    rank: str
    role: str
    unit_id: int | None
    unit: str
    syndicate: int | None

    @property
    def name(self) -> str:
        """As a register names people: surname first."""
        return f"{self.surname}, {self.forenames}" if self.surname else "Name erased"


def get_register_event(reference: str) -> RegisterEvent:
    """The event with this reference. Two statements."""
    row = db.session.execute(
        select(Event, EventVersion, EventTypeVersion, EventRoom.name)
        .join(EventVersion, EventVersion.event_id == Event.id)
        .join(EventTypeVersion, EventTypeVersion.id == EventVersion.type_version_id)
        .join(EventRoom, EventRoom.id == EventVersion.room_id)
        .where(Event.reference == reference)
        .order_by(EventVersion.number.desc())
        .limit(1)
    ).first()
    if row is None:
        raise NotFoundError("There is no event with this reference.")
    event, version, kind, room = row
    facilitators = select(EventFacilitator.person_id).where(EventFacilitator.event_version_id == version.id)
    return RegisterEvent(
        id=event.id,
        reference=event.reference,
        type_version_id=version.type_version_id,
        title=kind.title,
        starts_at=version.starts_at,
        ends_at=version.ends_at,
        held_on=version.held_on,
        room=room,
        cancelled=version.cancelled,
        syndicates=version.syndicates,
        syndicate_least=kind.syndicate_least,
        syndicate_most=kind.syndicate_most,
        facilitator_ids=frozenset(db.session.scalars(facilitators)),
    )


def list_register(event: RegisterEvent) -> list[RegisterPerson]:
    """Everybody with a place at an event or signed off there, by syndicate and then by name.

    Three statements, however many they are.
    """
    rows = db.session.execute(
        select(Booking.id, Booking.person_id, Booking.syndicate, PersonName)
        .outerjoin(PersonName, PersonName.person_id == Booking.person_id)
        .where(Booking.event_id == event.id, or_(Booking.state == "booked", Booking.sitting == event.id))
    ).all()
    posts = _list_main_posts([row.person_id for row in rows], event.held_on)
    units = live_units(event.held_on)
    people = [_describe_person(*row, posts.get(row.person_id), units) for row in rows]
    return sorted(people, key=lambda person: (person.syndicate or 0, person.surname, person.forenames))


def _list_main_posts(person_ids: Sequence[int], day: date) -> dict[int, Post]:
    statement = select(Post).where(
        Post.person_id.in_(person_ids), is_known_fact(Post), Post.valid_from <= day, Post.valid_to >= day
    )
    posts = db.session.scalars(statement.order_by(Post.post_key.desc()))
    return {post.person_id: post for post in posts}  # the main post, "", comes last


def _describe_person(
    booking_id: int,
    person_id: int,
    syndicate: int | None,
    name: PersonName | None,
    post: Post | None,
    units: dict[int, Any],
) -> RegisterPerson:
    unit = units.get(post.unit_id) if post else None
    return RegisterPerson(
        booking_id=booking_id,
        person_id=person_id,
        staff_number=name.staff_number if name else "",
        surname=name.surname if name else "",
        forenames=name.forenames if name else "",
        rank=post.rank_or_grade if post else "",
        role=post.designated_role if post else "",
        unit_id=post.unit_id if post else None,
        unit=unit.label or unit.name if unit else "",
        syndicate=syndicate,
    )


def find_booking(event: RegisterEvent, staff_number: str) -> int:
    """The booking of the person with this staff number at an event."""
    number = fold_staff_number(staff_number)
    booking_id = db.session.scalar(
        select(Booking.id)
        .join(PersonName, PersonName.person_id == Booking.person_id)
        .where(Booking.event_id == event.id, Booking.state == "booked")
        .where(PersonName.staff_number.in_({number, number.upper()}))
    )
    if booking_id is None:
        raise NotFoundError("Nobody with a place at this event has this staff number.")
    return booking_id


def find_place(event_id: int, person_id: int) -> int | None:
    """The booking by which a person has a place at an event; None without one."""
    return db.session.scalar(
        select(Booking.id).where(
            and_(Booking.event_id == event_id, Booking.person_id == person_id, Booking.state == "booked")
        )
    )


def read_states(event_id: int) -> dict[int, RegisterState]:
    """What the register says of each person with an entry."""
    rows = db.session.scalars(select(RegisterEntry).where(RegisterEntry.event_id == event_id))
    return merge_entries(
        NotedEntry(row.key, row.person_id, row.kind, row.noted_at, row.means) for row in rows
    )


def read_outcomes(event_id: int) -> dict[int, AttendanceOutcome]:
    """How each person was signed off, as it holds now."""
    rows = db.session.scalars(
        select(AttendanceOutcome).where(
            AttendanceOutcome.event_id == event_id, is_known_fact(AttendanceOutcome)
        )
    )
    return {row.person_id: row for row in rows}


def find_name(person_id: int) -> str:
    """The person's name, as it is spoken."""
    name = db.session.get(PersonName, person_id)
    return name.full_name if name else "Name erased"


# What the screen in the room shows, and the ticket for which it is exchanged. Pure; the time is an
# argument.
#
# A code is valid for one event and thirty seconds. A signed-in person who reads it in time gets a ticket
# in their own name, which signs in nobody else. With it they type a number that the screen shows only
# later, so that whoever has a picture of the screen alone has nothing.

CODE_SECONDS = 30
GRACE_SECONDS = 10  # after the next code is shown: for the phone that is reading
NUMBER_SECONDS = 10  # that a number is shown
TICKET_LASTS = timedelta(minutes=2)
_LENGTH = 24  # characters of a code: 120 bits


@dataclass(frozen=True, slots=True)
class Ticket:
    """Lets one person sign in at one event."""

    event_id: int
    person_id: int
    key: UUID  # of the entry: sent twice is once
    ends_at: datetime


def make_room_code(secret: str, reference: str, at: datetime) -> str:
    """The code of this event that is shown at ``at``.

    Args:
        secret: The portal's secret key.
        reference: Of the event.
        at: Now.
    """
    return _code_of_window(secret, reference, _window_at(at))


def is_room_code(secret: str, reference: str, code: str, at: datetime) -> bool:
    """Whether ``code`` is on show for this event, or was until a moment ago."""
    windows = {_window_at(at), _window_at(at - timedelta(seconds=GRACE_SECONDS))}
    matches = [_is_same(_code_of_window(secret, reference, window), code) for window in windows]
    return any(matches)


def seconds_to_next_number(at: datetime) -> float:
    """How long the number of ``at`` is still shown, and its code at least as long."""
    return NUMBER_SECONDS - at.timestamp() % NUMBER_SECONDS


def make_room_number(secret: str, reference: str, at: datetime) -> str:
    """The four digits of this event that are shown at ``at``; no link carries them."""
    return _number_of_window(secret, reference, int(at.timestamp() // NUMBER_SECONDS))


def is_room_number(secret: str, reference: str, number: str, ticket: str, at: datetime) -> bool:
    """Whether ``number`` is on show, or was until a moment ago, and came after the code of this ticket."""
    read_at = int(ticket.split(".")[3]) - TICKET_LASTS.total_seconds()
    moments = (at.timestamp(), at.timestamp() - GRACE_SECONDS)
    windows = {int(moment // NUMBER_SECONDS) for moment in moments}
    matches = [
        _is_same(_number_of_window(secret, reference, window), number)
        for window in windows
        if window * NUMBER_SECONDS > read_at
    ]
    return any(matches)


def seal_ticket(secret: str, ticket: Ticket) -> str:
    """The ticket as text, signed."""
    fields = (ticket.event_id, ticket.person_id, ticket.key.hex, int(ticket.ends_at.timestamp()))
    text = ".".join(map(str, fields))
    return f"{text}.{urlsafe_b64encode(_sign_text(secret, f'ticket {text}')).decode()}"


def is_ticket_of(secret: str, text: str, event_id: int, person_id: int, at: datetime) -> bool:
    """Whether the text is a ticket of this person for this event that has not ended."""
    fields, _, signature = text.rpartition(".")
    try:
        signed = hmac.compare_digest(_sign_text(secret, f"ticket {fields}"), urlsafe_b64decode(signature))
    except ValueError:
        return False
    if not signed:
        return False
    event, person, _, ends = fields.split(".")
    return (int(event), int(person)) == (event_id, person_id) and at.timestamp() < int(ends)


def key_of_ticket(text: str) -> UUID:
    """The key of the entry that this ticket, which was checked, makes."""
    return UUID(text.split(".")[2])


def _code_of_window(secret: str, reference: str, window: int) -> str:
    return b32encode(_sign_text(secret, f"room {reference} {window}")).decode()[:_LENGTH]


def _number_of_window(secret: str, reference: str, window: int) -> str:
    drawn = int.from_bytes(_sign_text(secret, f"number {reference} {window}")[:8])
    return f"{drawn % 10_000:04}"


def _window_at(at: datetime) -> int:
    return int(at.timestamp() // CODE_SECONDS)


def _is_same(code: str, other: str) -> bool:
    return hmac.compare_digest(code.encode(), other.upper().encode(errors="replace"))


def _sign_text(secret: str, text: str) -> bytes:
    return hmac.new(
        f"portal.events {secret}".encode(), text.encode(errors="replace"), hashlib.sha256
    ).digest()


# Outcomes of attending an event and the reasons that go with them, in words.

OUTCOME_WORDS = {"attended": "Attended", "part": "Attended in part", "absent": "Did not attend"}
OUTCOMES = tuple(OUTCOME_WORDS)
# Categories, never free text; files carry the keys, so a key is never renamed.
REASON_WORDS: dict[str, dict[str, str]] = {
    "attended": {},
    "part": {
        "came_late": "came too late",
        "left_early": "left early",
        "called_away": "called away to duty",
        "unwell": "was taken ill",
        "other": "other",
    },
    "absent": {
        "not_known": "not known",
        "duties": "kept by duty",
        "sick": "sick",
        "leave": "on leave",
        "transport": "could not get there",
        "other": "other",
    },
}


def describe_outcome(outcome: str, reason: str) -> str:
    """An outcome with its reason, such as "Did not attend: sick".

    >>> describe_outcome("absent", "sick"), describe_outcome("attended", "")
    ('Did not attend: sick', 'Attended')
    """
    words = REASON_WORDS[outcome].get(reason, "")
    return f"{OUTCOME_WORDS[outcome]}: {words}" if words else OUTCOME_WORDS[outcome]


def is_reason_of(outcome: str, reason: str) -> bool:
    """Whether this outcome goes with this reason: one from its list, and none where there is no list."""
    reasons = REASON_WORDS.get(outcome)
    return reasons is not None and (reason in reasons if reasons else reason == "")


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
    """Note that the person with this staff number is there, or came late. Returns their person id."""
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
    """
    event = get_register_event(reference)
    require_open(event, at)
    require_place(event, person_id)
    _require_not_signed_off(event, person_id)
    if not is_room_code(secret, reference, code, at):
        raise RuleError("This code is no longer valid. Scan the code that the screen in the room shows now.")
    ticket = Ticket(event.id, person_id, uuid4(), at + TICKET_LASTS)
    return seal_ticket(secret, ticket)


def sign_in_by_ticket(
    secret: str, reference: str, ticket: str, number: str, person_id: int, at: datetime
) -> str:
    """Note by their ticket and the room's number that a person is there, or came late; twice is once.

    Returns:
        Which.

    Raises:
        FieldError: The screen does not show this number, or showed it before the code was read.
        ForbiddenError: The person has no place at the event.
    """
    recorded_at = stamp()
    event = get_register_event(reference)
    require_open(event, at)
    require_place(event, person_id)
    if not is_ticket_of(secret, ticket, event.id, person_id, at):
        raise RuleError("You took too long. Scan the code that the screen in the room shows now.")
    key = key_of_ticket(ticket)
    earlier = db.session.get(RegisterEntry, key)
    if earlier is not None:
        return earlier.kind
    _require_not_signed_off(event, person_id)
    if not is_room_number(secret, reference, number, ticket, at):
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
