"""Reads an event that is held: who has a place, what the register says, and who was signed off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, or_, select

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.events.models import (
    AttendanceOutcome,
    Booking,
    Event,
    EventFacilitator,
    EventRoom,
    EventVersion,
    RegisterEntry,
)
from portal.domain.events.register.merging import NotedEntry, RegisterState, merge_entries
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post
from portal.domain.people.queries import live_units
from portal.domain.people.staff_numbers import fold_staff_number
from portal.platform.db import db
from portal.platform.errors import NotFoundError


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
    """The event with this reference. Two statements.

    Raises:
        NotFoundError: There is none.
    """
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
    """The booking of the person with this staff number at an event.

    Raises:
        NotFoundError: Nobody with a place has it; whether somebody without one has it is not said.
    """
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
