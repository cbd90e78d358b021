"""Reads events with their open bookings for the rules of ``places``; few statements for many events."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Integer, Select, and_, func, null, select, type_coerce

from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.directives.applies import split_into_batches
from portal.domain.directives.models import Assignment, DirectiveVersion, Exclusion, Requirement
from portal.domain.people.models import PersonName, Post
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import live_units
from portal.domain.people.units import UnitTree, read_tree
from portal.domain.people.visibility import Viewer, is_valid_on, is_visible
from portal.domain.records.models import Record
from portal.domain.status.queries import TO_REMIND, statuses_by_activity
from portal.domain.status.rules import Status
from portal.features.events.feature import BOOK
from portal.features.events.models import (
    OPEN_BOOKINGS,
    Booking,
    Event,
    EventFacilitator,
    EventRoom,
    EventVersion,
    PlaceReservation,
)
from portal.features.events.places import (
    HOLDS_A_PLACE,
    KeptPlaces,
    Seat,
    Sitting,
    can_take,
    count_free,
    count_kept,
    list_holders,
)
from portal.features.events.queries import (
    EventDetails,
    EventFilters,
    Nearness,
    is_newest_version,
    list_events,
    unit_of_person,
)
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import require
from portal.platform.wording import clock_time, plural
from portal.platform.wording import date as say_date

# Who must or may attend events of a type on a day: the people required by a directive, or else everyone.

Span = tuple[date, date]


class EventAudience:
    """Who must or may attend events of some types on a day, as known now. Three statements."""

    def __init__(self, activity_ids: Collection[int], people: Collection[int]) -> None:
        self._versions = _read_versions(activity_ids)
        self._assignments = defaultdict[tuple[int, int], list[Span]](list)
        self._posts = defaultdict[int, list[Span]](list)
        for ids in split_into_batches(sorted(people)):
            self._read_assignments(activity_ids, ids)
            self._read_posts(ids)

    def may_attend(self, person_id: int, activity_id: int, day: date) -> bool:
        """Whether the person must or may attend an event of the type on the day.

        They need a post on that day. If directives require the type of some people, they must be one of them.
        """
        if not _cover_day(self._posts[person_id], day):
            return False
        return not self.is_required(activity_id, day) or _cover_day(
            self._assignments[person_id, activity_id], day
        )

    def is_required(self, activity_id: int, day: date) -> bool:
        """Whether a directive that is in force on the day requires the type."""
        return any(
            max(started)[2]
            for versions in self._versions[activity_id].values()
            if (started := [version for version in versions if version[0] <= day])
        )

    def _read_assignments(self, activity_ids: Collection[int], people: Collection[int]) -> None:
        rule = Assignment
        statement = (
            select(rule.person_id, Requirement.activity_id, rule.from_on, rule.to_on)
            .join(Requirement, Requirement.directive_version_id == rule.directive_version_id)
            .where(Requirement.activity_id.in_(activity_ids), is_known_fact(rule))
        )
        for person_id, activity_id, *span in db.session.execute(statement.where(rule.person_id.in_(people))):
            self._assignments[person_id, activity_id].append((span[0], span[1]))

    def _read_posts(self, people: Collection[int]) -> None:
        statement = select(Post.person_id, Post.valid_from, Post.valid_to).where(is_known_fact(Post))
        for person_id, *span in db.session.execute(statement.where(Post.person_id.in_(people))):
            self._posts[person_id].append((span[0], span[1]))


_Versions = dict[int, list[tuple[date, int, bool]]]


def _read_versions(activity_ids: Collection[int]) -> dict[int, _Versions]:
    """For each type, the versions of each directive: first day, number, and whether it requires the type."""
    version, of_version = DirectiveVersion, Requirement.directive_version_id == DirectiveVersion.id
    is_about_activities = Requirement.activity_id.in_(activity_ids)
    concerned = select(version.directive_id).join(Requirement, of_version).where(is_about_activities)
    statement = (
        select(
            version.directive_id,
            version.effective_on,
            version.number,
            version.withdrawn,
            Requirement.activity_id,
        )
        .outerjoin(Requirement, and_(of_version, is_about_activities))
        .where(version.directive_id.in_(concerned), is_known_fact(version))
    )
    versions_by_activity: dict[int, _Versions] = {activity_id: {} for activity_id in activity_ids}
    for directive_id, effective_on, number, withdrawn, required_id in db.session.execute(statement):
        for activity_id, versions in versions_by_activity.items():
            requires = required_id == activity_id and not withdrawn
            versions.setdefault(directive_id, []).append((effective_on, number, requires))
    return versions_by_activity


def _cover_day(spans: Iterable[Span], day: date) -> bool:
    return any(first <= day <= last for first, last in spans)


NO_EVENT = "There is no such event."


@dataclass(frozen=True, slots=True)
class BookableEvent:
    """A dated event as its newest version says, and its open bookings."""

    id: int
    reference: str
    activity_id: int
    approval: bool
    room_unit_id: int | None
    sitting: Sitting
    seats: tuple[Seat, ...]
    person_ids: tuple[int, ...]  # of each seat

    @property
    def holders(self) -> list[frozenset[int]]:
        """The units of each person who holds a place."""
        return list_holders(self.seats)

    @property
    def taken(self) -> int:
        """Places that are booked or offered."""
        return sum(seat.state in HOLDS_A_PLACE for seat in self.seats)

    @property
    def free(self) -> int:
        """Places that anybody could have."""
        return count_free(self.sitting, self.holders)

    @property
    def kept(self) -> int:
        """Places that are still kept for people of units."""
        return count_kept(self.sitting.kept, self.holders)

    @property
    def waiting(self) -> int:
        """People on the wait list."""
        return sum(seat.state == "waiting" for seat in self.seats)

    def is_open(self, at: datetime) -> bool:
        """Whether places can be booked: the event has not begun and is not cancelled."""
        return not self.sitting.cancelled and at < self.sitting.starts_at


def id_of_event(reference: str) -> int:
    """Find the id of an event."""
    return require(db.session.scalar(select(Event.id).where(Event.reference == reference)), NO_EVENT)


def read_event(event_id: int, at: datetime) -> BookableEvent:
    """Read one event with its open bookings."""
    return read_events([event_id], at)[0]


def read_events(event_ids: Collection[int], at: datetime) -> list[BookableEvent]:
    """Read events with their open bookings, the soonest first. Seven statements at most."""
    statement = (
        select(Event, EventVersion, EventTypeVersion, EventRoom)
        .join(EventVersion, EventVersion.event_id == Event.id)
        .join(EventTypeVersion, EventTypeVersion.id == EventVersion.type_version_id)
        .join(EventRoom, EventRoom.id == EventVersion.room_id)
        .where(Event.id.in_(event_ids), is_newest_version())
        .order_by(EventVersion.starts_at, Event.id)
        .execution_options(populate_existing=True)
    )
    rows = db.session.execute(statement).all()
    if not rows:
        return []
    tree = read_tree()
    kept = _read_kept(event_ids, london_day(at), tree)
    days = {event.id: (event.activity_id, version.held_on) for event, version, _, _ in rows}
    seats = _read_seats(days, london_day(at), tree)
    return [_build_event(*row, kept[row[0].id], seats[row[0].id]) for row in rows]


def count_places_left(event_ids: Collection[int], at: datetime) -> dict[int, int]:
    """Count the places of each event that anybody could have, without kept ones; 0 if cancelled."""
    events = read_events(event_ids, at)
    return {event.id: 0 if event.sitting.cancelled else event.free for event in events}


def _build_event(
    event: Event,
    version: EventVersion,
    event_type: EventTypeVersion,
    room: EventRoom,
    kept: Iterable[KeptPlaces],
    seats: Iterable[tuple[int, Seat]],
) -> BookableEvent:
    seats_by_person = list(seats)
    return BookableEvent(
        id=event.id,
        reference=event.reference,
        activity_id=event.activity_id,
        approval=event_type.approval,
        room_unit_id=room.unit_id,
        sitting=Sitting(version.starts_at, version.held_on, version.places, version.cancelled, tuple(kept)),
        seats=tuple(seat for _, seat in seats_by_person),
        person_ids=tuple(person_id for person_id, _ in seats_by_person),
    )


def _read_kept(event_ids: Collection[int], today: date, tree: UnitTree) -> dict[int, list[KeptPlaces]]:
    rows = db.session.execute(
        select(PlaceReservation.event_id, PlaceReservation.unit_id, PlaceReservation.places).where(
            PlaceReservation.event_id.in_(event_ids), PlaceReservation.until_on >= today
        )
    )
    kept = defaultdict[int, list[KeptPlaces]](list)
    for event_id, unit_id, places in rows:
        depth = sum(1 for _ in tree.states_above(unit_id, today))
        kept[event_id].append(KeptPlaces(unit_id, places, depth))
    return kept


def _read_seats(
    days: dict[int, tuple[int, date]], today: date, tree: UnitTree
) -> dict[int, list[tuple[int, Seat]]]:
    statement = select(
        Booking.event_id,
        Booking.id,
        Booking.person_id,
        Booking.state,
        Booking.asked_at,
        Booking.offered_until,
    ).where(Booking.event_id.in_(days), Booking.state.in_(OPEN_BOOKINGS))
    rows = db.session.execute(statement.order_by(Booking.asked_at, Booking.id)).all()
    people = {row.person_id for row in rows}
    audience = EventAudience({activity_id for activity_id, _ in days.values()}, people)
    units = read_units(people, today, tree)
    seats = defaultdict[int, list[tuple[int, Seat]]](list)
    for row in rows:
        seat = Seat(
            booking_id=row.id,
            state=row.state,
            asked_at=row.asked_at,
            offered_until=row.offered_until,
            units=units[row.person_id],
            expected=audience.may_attend(row.person_id, *days[row.event_id]),
        )
        seats[row.event_id].append((row.person_id, seat))
    return seats


def read_units(people: Collection[int], day: date, tree: UnitTree) -> dict[int, frozenset[int]]:
    """Read, for each person, the units of their posts on a day and all units above them. One statement."""
    rows = db.session.execute(
        select(Post.person_id, Post.unit_id).where(
            Post.person_id.in_(people), is_known_fact(Post), is_valid_on(Post, day)
        )
    )
    units: dict[int, set[int]] = {person_id: set() for person_id in people}
    for person_id, unit_id in rows:
        units[person_id].update(state.unit_id for state in tree.states_above(unit_id, day))
    return {person_id: frozenset(ids) for person_id, ids in units.items()}


# The people a manager may book for an event, who is booked, and which places are kept for units.


class PersonToBook(NamedTuple):
    """Somebody who still needs to attend, and has no booking."""

    person_id: int
    staff_number: str
    name: str
    status: Status | None  # None: no directive requires it
    due_on: date | None


class BookedPerson(NamedTuple):
    """Somebody with an open booking of an event."""

    booking_id: int
    person_id: int
    staff_number: str
    name: str
    state: str
    offered_until: datetime | None


class AskedBookings(NamedTuple):
    """How many of a viewer's people ask for a place at an event."""

    reference: str
    title: str
    asked: int

    @property
    def words(self) -> str:
        """What there is to do."""
        return f"{plural(self.asked, 'booking')} of {self.reference} to approve"


class KeptPlacesRow(NamedTuple):
    """Places that are kept for a unit, as the page shows them."""

    unit_id: int
    unit: str
    places: int
    until_on: date
    used: int  # by people in and under the unit
    is_over: bool  # its last day has passed


_Rows = Select[int, str, str, str, int, int]  # person, number, names, status, due date
_NAME = (PersonName.staff_number, PersonName.forenames, PersonName.surname)
_IN_ORDER = (PersonName.surname, PersonName.staff_number)


def list_candidates(viewer: Viewer, event: EventDetails, at: datetime) -> list[PersonToBook]:
    """List the other people whom the viewer may book and who still need to attend, the most urgent first.

    If no directive requires the type, they are those who have no record of it.
    """
    key = (event.activity_id, event.held_on)
    is_required = EventAudience([event.activity_id], ()).is_required(*key)
    statement = _select_in_need(event, at) if is_required else _select_without_record(event)
    booked = select(Booking.person_id).where(
        Booking.activity_id == event.activity_id, Booking.sitting == 0, Booking.state.in_(OPEN_BOOKINGS)
    )
    may_book = is_visible(PersonName.person_id, viewer, BOOK)
    is_other = PersonName.person_id != viewer.person_id
    statement = statement.where(may_book, is_other, PersonName.person_id.not_in(booked))
    candidates = [
        PersonToBook(
            person_id=row.person_id,
            staff_number=row.staff_number,
            name=f"{row.forenames} {row.surname}".strip(),
            status=None if row.status is None else Status(row.status),
            due_on=None if row.due_on is None else date.fromordinal(row.due_on),
        )
        for row in db.session.execute(statement)
    ]
    audience = EventAudience([event.activity_id], [person.person_id for person in candidates])
    return [person for person in candidates if audience.may_attend(person.person_id, *key)]


def _select_in_need(event: EventDetails, at: datetime) -> _Rows:
    statuses = statuses_by_activity("event", london_day(at)).c
    status, due_on = func.min(statuses.status), func.min(statuses.due_on)
    return (
        select(PersonName.person_id, *_NAME, status.label("status"), due_on.label("due_on"))
        .join(PersonName, PersonName.person_id == statuses.person_id)
        .where(statuses.activity_id == event.activity_id, statuses.status.in_(TO_REMIND))
        .group_by(PersonName.person_id, *_NAME)
        .order_by(status, due_on, *_IN_ORDER)
    )


def _select_without_record(event: EventDetails) -> _Rows:
    has_record = select(Record.person_id).where(
        Record.activity_id == event.activity_id, is_known_fact(Record)
    )
    no_value = type_coerce(null(), Integer)
    columns = (PersonName.person_id, *_NAME, no_value.label("status"), no_value.label("due_on"))
    return select(*columns).where(PersonName.person_id.not_in(has_record)).order_by(*_IN_ORDER)


def list_booked_people(viewer: Viewer, event: EventDetails) -> list[BookedPerson]:
    """The open bookings of other people the viewer may book, in the order in which they asked."""
    statement = (
        select(Booking.id, Booking.person_id, *_NAME, Booking.state, Booking.offered_until)
        .join(PersonName, PersonName.person_id == Booking.person_id)
        .where(Booking.event_id == event.id, Booking.state.in_(OPEN_BOOKINGS))
        .where(is_visible(Booking.person_id, viewer, BOOK))
        .where(Booking.person_id != viewer.person_id)
        .order_by(Booking.asked_at, Booking.id)
    )
    return [
        BookedPerson(row.id, row.person_id, row.staff_number, name, row.state, row.offered_until)
        for row in db.session.execute(statement)
        for name in [f"{row.forenames} {row.surname}".strip()]
    ]


def list_asked_bookings(viewer: Viewer, at: datetime) -> list[AskedBookings]:
    """The events for which other people whom the viewer may book ask for a place, the next first.

    One statement. An event that has begun or is cancelled waits for nobody.
    """
    columns = (Event.reference, EventTypeVersion.title, func.count(Booking.id))
    statement = (
        select(*columns)
        .join(Event, Event.id == Booking.event_id)
        .join(EventVersion, EventVersion.event_id == Event.id)
        .join(EventTypeVersion, EventTypeVersion.id == EventVersion.type_version_id)
        .where(is_newest_version(), ~EventVersion.cancelled, EventVersion.starts_at > at)
        .where(Booking.state == "asked", Booking.person_id != viewer.person_id)
        .where(is_visible(Booking.person_id, viewer, BOOK))
        .group_by(Event.reference, EventTypeVersion.title, EventVersion.starts_at)
        .order_by(EventVersion.starts_at, Event.reference)
    )
    return [AskedBookings(*row) for row in db.session.execute(statement)]


def find_booking(viewer: Viewer, event: EventDetails, staff_number: str) -> BookedPerson | None:
    """The open booking of a person the viewer may book."""
    people = list_booked_people(viewer, event)
    return next((person for person in people if person.staff_number == staff_number), None)


def list_kept_places(event: BookableEvent, at: datetime) -> list[KeptPlacesRow]:
    """The reservations of an event by the name of their unit, and how many people of each hold a place."""
    today = london_day(at)
    units = live_units(today)
    holders = [seat.units for seat in event.seats if seat.state in HOLDS_A_PLACE]
    statement = select(PlaceReservation).where(PlaceReservation.event_id == event.id)
    rows = [
        KeptPlacesRow(
            unit_id=row.unit_id,
            unit=units[row.unit_id].label if row.unit_id in units else "A unit that has closed",
            places=row.places,
            until_on=row.until_on,
            used=sum(row.unit_id in chain for chain in holders),
            is_over=row.until_on < today,
        )
        for row in db.session.scalars(statement)
    ]
    return sorted(rows, key=lambda row: row.unit)


# The places that a learner could book next.


@dataclass(frozen=True, slots=True)
class PlaceChoice:
    """An event at which somebody has a booking, or could have one."""

    event: EventDetails
    places: BookableEvent
    near: bool  # its room is near their unit
    can_take: bool  # a place, at once
    booking: Booking | None


def list_next_places(person_id: int, keys: Sequence[str], at: datetime) -> list[PlaceChoice]:
    """List the future events that somebody may book: the nearest first, then the soonest.

    Args:
        person_id: The person who would attend.
        keys: Of event types; empty: all.
        at: Now.
    """
    events = list_events(EventFilters(keys=tuple(keys), begins_after=at, without_cancelled=True))
    audience = EventAudience({event.activity_id for event in events}, [person_id])
    booked_activities = {booking.activity_id for booking in _list_open_bookings(person_id)}
    open_events = [
        event
        for event in events
        if event.activity_id not in booked_activities
        and audience.may_attend(person_id, event.activity_id, event.held_on)
    ]
    return _build_choices(person_id, open_events, at)


def read_choice(person_id: int, event: EventDetails, at: datetime) -> PlaceChoice:
    """Read one event as a choice of somebody."""
    return _build_choices(person_id, [event], at)[0]


def _list_open_bookings(person_id: int) -> list[Booking]:
    own_open = (Booking.person_id == person_id, Booking.sitting == 0, Booking.state.in_(OPEN_BOOKINGS))
    return list(db.session.scalars(select(Booking).where(*own_open)))


def _build_choices(person_id: int, events: Sequence[EventDetails], at: datetime) -> list[PlaceChoice]:
    if not events:
        return []
    tree, today = read_tree(), london_day(at)
    nearness = Nearness(unit_of_person(person_id, today), today, tree)
    units = read_units([person_id], today, tree)[person_id]
    ids = [event.id for event in events]
    places = {row.id: row for row in read_events(ids, at)}
    own_bookings = select(Booking).where(Booking.person_id == person_id, Booking.event_id.in_(ids))
    bookings = {
        row.event_id: row for row in db.session.scalars(own_bookings.order_by(Booking.id))
    }  # the newest
    return [
        PlaceChoice(
            event=event,
            places=places[event.id],
            near=nearness.is_near(event),
            can_take=can_take(places[event.id].sitting, places[event.id].holders, units),
            booking=bookings.get(event.id),
        )
        for event in nearness.sort_near_first(events)
    ]


# Finds reasons why a person may not be able to attend an event: managers see them, and may still book.

Clash = tuple[int, str]  # a person, and a sentence


def find_clashes(event: EventDetails, people: Collection[int], today: date) -> dict[int, list[str]]:
    """Find, for each person, reasons why they may not be able to attend, a sentence each. Four statements."""
    clashes: dict[int, list[str]] = {person_id: [] for person_id in people}
    for find in (_find_bookings, _find_duties):
        for person_id, sentence in find(event, people):
            clashes[person_id].append(sentence)
    for person_id, sentence in _find_ending_posts(event.held_on, people, today):
        clashes[person_id].append(sentence)
    for person_id in _find_excluded(event.held_on, people):
        clashes[person_id].append("Exempt, or has more time, on that day")
    return clashes


def _match_overlaps(event: EventDetails) -> list[Any]:
    return [
        EventVersion.event_id != event.id,
        is_newest_version(),
        ~EventVersion.cancelled,
        EventVersion.starts_at < event.ends_at,
        EventVersion.ends_at > event.starts_at,
    ]


def _find_bookings(event: EventDetails, people: Collection[int]) -> Iterator[Clash]:
    statement = (
        select(Booking.person_id, Event.reference, EventVersion.starts_at)
        .join(Event, Event.id == Booking.event_id)
        .join(EventVersion, EventVersion.event_id == Event.id)
        .where(Booking.person_id.in_(people), Booking.state.in_(HOLDS_A_PLACE), *_match_overlaps(event))
        .order_by(EventVersion.starts_at, Event.id)
    )
    for person_id, reference, starts_at in db.session.execute(statement):
        yield person_id, f"Has a place at {reference}, {say_date(starts_at)} at {clock_time(starts_at)}"


def _find_duties(event: EventDetails, people: Collection[int]) -> Iterator[Clash]:
    statement = (
        select(EventFacilitator.person_id, Event.reference, EventVersion.starts_at)
        .join(EventVersion, EventVersion.id == EventFacilitator.event_version_id)
        .join(Event, Event.id == EventVersion.event_id)
        .where(EventFacilitator.person_id.in_(people), *_match_overlaps(event))
        .order_by(EventVersion.starts_at, Event.id)
    )
    for person_id, reference, starts_at in db.session.execute(statement):
        yield person_id, f"Runs {reference}, {say_date(starts_at)} at {clock_time(starts_at)}"


def _find_ending_posts(held_on: date, people: Collection[int], today: date) -> Iterator[Clash]:
    """The people whose post of today ends before the event's day, with its last day."""
    statement = select(Post.person_id, Post.post_key, Post.valid_from, Post.valid_to).where(
        Post.person_id.in_(people), is_known_fact(Post), Post.valid_to >= today
    )
    spans = defaultdict[tuple[int, str], list[tuple[date, date]]](list)
    for person_id, key, first_day, last_day in db.session.execute(statement):
        spans[person_id, key].append((first_day, last_day))
    for (person_id, _), days in spans.items():
        ends = [last_day for first_day, last_day in days if first_day <= today and last_day < held_on]
        if ends and not any(first_day <= held_on <= last_day for first_day, last_day in days):
            yield person_id, f"Leaves a post on {say_date(ends[0])}"


def _find_excluded(held_on: date, people: Collection[int]) -> list[int]:
    covers = (Exclusion.from_on <= held_on, Exclusion.to_on >= held_on)
    statement = select(Exclusion.person_id).where(
        Exclusion.person_id.in_(people), is_known_fact(Exclusion), *covers
    )
    return list(db.session.scalars(statement.distinct()))
