"""Tables of taught events: proposed types, rooms, events, bookings, the register and attendance."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId, Fact, unique_index
from portal.platform.proposals import ProposalColumns

# A booking in one of these states keeps its person from booking another event of the same type.
OPEN_BOOKINGS = ("asked", "waiting", "offered", "booked")
_IS_OPEN = "state IN ('asked', 'waiting', 'offered', 'booked')"


class EventTypeProposal(ProposalColumns, Base):
    """The next version of an event type, written by one person; a second publishes it or sends it back."""

    __tablename__ = "event_type_proposal"
    __table_args__ = (
        CheckConstraint("ended_as IN ('published', 'sent_back', 'withdrawn')", name="end_is_known"),
        unique_index("uq_event_type_proposal_key_open", "key", where="ended_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str]  # of the event type, which may not exist yet
    content: Mapped[bytes] = mapped_column(LargeBinary)  # the file, byte for byte


class EventRoom(Base):
    """A place where events are held; an ordinary row, never removed while an event names it."""

    __tablename__ = "event_room"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))  # near which people it is
    capacity: Mapped[int]  # people
    directions: Mapped[str]
    closed: Mapped[bool] = mapped_column(default=False)  # no new event is planned there


class Event(Base):
    """The lasting identity of one dated sitting of an event type."""

    __tablename__ = "event"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    reference: Mapped[str] = mapped_column(unique=True)  # EV-0001, counted
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"), index=True)
    series: Mapped[UUID | None]  # the same for events planned in one go


class EventVersion(Fact):
    """When and where an event is, from this row's stamp on; the highest number holds."""

    __tablename__ = "event_version"
    __table_args__ = (
        UniqueConstraint("event_id", "number"),
        CheckConstraint("starts_at < ends_at", name="starts_before_end"),
        CheckConstraint("syndicates > 0 AND places > 0", name="has_places"),
        Index("ix_event_version_starts_at", "starts_at"),
    )

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    number: Mapped[int]  # counts from 0: the SEQUENCE of its calendar entry
    type_version_id: Mapped[int] = mapped_column(ForeignKey("event_type_version.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    held_on: Mapped[date]  # London day of starts_at
    room_id: Mapped[int] = mapped_column(ForeignKey("event_room.id"))
    syndicates: Mapped[int]
    places: Mapped[int]  # people at most
    notes: Mapped[str]  # for the people who attend
    cancelled: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str]  # why it was moved or cancelled; "" of the first
    changed_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class EventFacilitator(Base):
    """A person runs an event, as one of its versions says; append-only as that version."""

    __tablename__ = "event_facilitator"

    event_version_id: Mapped[int] = mapped_column(ForeignKey("event_version.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)


class PlaceReservation(Base):
    """Places of an event that only people of one unit may take, until a day; ordinary, audited."""

    __tablename__ = "place_reservation"
    __table_args__ = (
        UniqueConstraint("event_id", "unit_id"),
        CheckConstraint("places > 0", name="has_places"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))  # and the units under it
    places: Mapped[int]
    until_on: Mapped[date]  # the last London day on which they are kept
    reserved_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class Booking(Base):
    """A person's place at an event, or their wait for one; its state changes, ``BookingChange`` tells how."""

    __tablename__ = "booking"
    __table_args__ = (
        CheckConstraint(
            "state IN ('asked', 'waiting', 'offered', 'booked', 'declined', 'cancelled', 'lapsed', 'left')",
            name="state_is_known",
        ),
        CheckConstraint("state <> 'offered' OR offered_until IS NOT NULL", name="offer_has_an_end"),
        unique_index(
            "uq_booking_person_activity_open", "person_id", "activity_id", "sitting", where=_IS_OPEN
        ),
        Index("ix_booking_event_state", "event_id", "state"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    asked_at: Mapped[datetime]  # a stamp: it orders the wait list
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"))  # the event's type
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    sitting: Mapped[int] = mapped_column(default=0)  # 0 until the event is signed off, then the event's id
    state: Mapped[str]
    state_at: Mapped[datetime]
    offered_until: Mapped[datetime | None]
    way: Mapped[str]  # "self", "manager" or "allocation"
    booked_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    syndicate: Mapped[int | None]  # counts from 1; None: in none yet


class BookingChange(Base):
    """A booking got another state; append-only."""

    __tablename__ = "booking_change"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    booking_id: Mapped[int] = mapped_column(ForeignKey("booking.id"), index=True)
    state: Mapped[str]
    reason: Mapped[str]  # a category: "own_wish", "duties", "event_cancelled", "place_free" …; "" for none
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: the portal itself


class RegisterEntry(Base):
    """What was noted of a person at an event; append-only, and merged without regard to its order.

    Of two entries about a person the one noted later counts; of two noted in the same millisecond, the one
    with the higher key.
    """

    __tablename__ = "register_entry"
    __table_args__ = (
        CheckConstraint("kind IN ('present', 'late', 'left_early', 'not_here')", name="kind_is_known"),
        CheckConstraint("means IN ('code', 'staff_number', 'register')", name="means_is_known"),
        Index("ix_register_entry_event_person", "event_id", "person_id"),
    )

    key: Mapped[UUID] = mapped_column(primary_key=True)  # given by the device: sent twice is once
    recorded_at: Mapped[datetime]  # when it reached the portal
    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str]
    noted_at: Mapped[datetime]  # by the device's clock, never later than recorded_at
    means: Mapped[str]
    noted_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class AttendanceOutcome(Fact):
    """A facilitator signs off one person at one event; a correction is a second person's.

    ``attended`` has an attendance record; ``part`` and ``absent`` have none.
    """

    __tablename__ = "attendance_outcome"
    __table_args__ = (
        CheckConstraint("outcome IN ('attended', 'part', 'absent')", name="outcome_is_known"),
        unique_index("uq_attendance_outcome_first", "event_id", "person_id", where="replaces_id IS NULL"),
    )

    event_id: Mapped[int] = mapped_column(ForeignKey("event.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    outcome: Mapped[str]
    reason: Mapped[str]  # a category; "" for attended
    signed_off_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    signed_off_on: Mapped[date]  # London day
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"))
