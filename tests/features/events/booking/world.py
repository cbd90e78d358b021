"""A small force with an event of few places, and what is said of its bookings."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import select

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.people.models import Post
from portal.features.events import booking
from portal.features.events.models import Booking, BookingChange, Event, EventVersion
from portal.platform.audit import AuditEvent
from portal.platform.clock import london_day
from portal.platform.db import db, stamp, touch, transaction
from tests.domain.status.facts import make_directive, make_version
from tests.factories.events import EVENT_START, make_event, make_event_room, make_event_type
from tests.factories.people import make_person, make_unit

NOW = datetime(2026, 6, 1, 9, tzinfo=UTC)  # nine days before the event


@dataclass
class BookingWorld:
    """The force, two units and one below the first, and people of each."""

    force: int
    units: list[int]  # North, North team, South
    organiser: int
    type_version: int
    activity: int
    room: int
    event: str
    people: list[int] = field(default_factory=list)

    def book(self, person: int, at: datetime = NOW, event: str = "", **more: object) -> int:
        """A booking by the person themselves; its id."""
        with transaction():
            given = {"way": "self", "by": person, **more}
            return booking.book_place(event or self.event, person, at=at, **given).id

    def state_of(self, booking: int) -> str:
        return db.session.scalar(select(Booking.state).where(Booking.id == booking))

    def state_at(self, event: str, person: int) -> list[str]:
        """The states of a person's bookings of an event, oldest first."""
        statement = select(Booking.state).join(Event, Event.id == Booking.event_id)
        mine = statement.where(Event.reference == event, Booking.person_id == person)
        return list(db.session.scalars(mine.order_by(Booking.id)))

    def sweep(self, at: datetime) -> int:
        with transaction():
            return booking.update_bookings(list(db.session.scalars(select(Event.id))), at)

    def change_event(self, reference: str = "", **columns: object) -> None:
        """A further version of the event with other columns."""
        with transaction():
            newest = newest_version(reference or self.event)
            names = EventVersion.__table__.columns.keys()
            kept = {name: getattr(newest, name) for name in names if name not in ("id", "recorded_at")}
            changed = {**kept, "number": newest.number + 1, "recorded_at": stamp(), **columns}
            if "starts_at" in columns:
                changed["held_on"] = london_day(changed["starts_at"])
                changed["ends_at"] = changed["starts_at"] + timedelta(hours=4)
            db.session.add(EventVersion(**changed))

    def end_post(self, person: int, on: date) -> None:
        """Correct somebody's post so that it ends on a day."""
        with transaction():
            at = stamp()
            newest = select(Post).where(Post.person_id == person).order_by(Post.id.desc()).limit(1)
            post = db.session.scalars(newest).one()
            names = ("person_id", "post_key", "unit_id", "line_manager_id", "valid_from")
            kept = {name: getattr(post, name) for name in (*names, "rank_or_grade", "designated_role")}
            db.session.add(Post(recorded_at=at, replaces_id=post.id, valid_to=on, **kept))
            touch(people=[person])


def newest_version(reference: str) -> EventVersion:
    statement = select(EventVersion).join(Event, Event.id == EventVersion.event_id)
    mine = statement.where(Event.reference == reference).order_by(EventVersion.number.desc())
    return db.session.scalars(mine.limit(1)).one()


def make_booking_world(
    *, places: int = 2, people: Sequence[int] = (0, 0, 0), asked: bool = False, **type_columns: object
) -> BookingWorld:
    """An event of some places, and a person in each of these units (by their place in ``units``).

    With ``asked``, a directive asks everyone for the event type.
    """
    force = make_unit("Westshire")
    north = make_unit("North", force)
    units = [north, make_unit("North team", north), make_unit("South", force)]
    organiser = make_person(force, rank="Inspector")
    version = make_event_type(**type_columns)
    activity = db.session.get_one(EventTypeVersion, version).activity_id
    room = make_event_room()
    event = make_event(version, room, organiser, starts_at=EVENT_START, places=places, syndicates=1)
    world = BookingWorld(force, units, organiser, version, activity, room, event)
    world.people = [make_person(units[place], rank="Sergeant") for place in people]
    if asked:
        make_version(make_directive(), {1: activity}, due_fixed_on=date(2026, 7, 31))
    return world


def trail_of(booking: int) -> list[tuple[str, str]]:
    """What became of a booking, in order: each state with its reason."""
    statement = select(BookingChange.state, BookingChange.reason).where(BookingChange.booking_id == booking)
    return [tuple(row) for row in db.session.execute(statement.order_by(BookingChange.id))]


def acts_on(person: int) -> list[str]:
    """The audit events about a person's bookings, oldest first."""
    statement = select(AuditEvent.action).where(AuditEvent.subject_id == person)
    mine = statement.where(AuditEvent.action.like("booking.%"))
    return list(db.session.scalars(mine.order_by(AuditEvent.id)))
