"""Who attended a required event, who has a place, and who is needed for the next syndicate.

Whether somebody attended is their status under the directives that require the event type, today and as known
now, so that these figures say what every report says. Visibility decides which people a viewer sees.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from portal.domain.catalogue.models import Activity, EventTypeVersion
from portal.domain.catalogue.version_cache import shared_content
from portal.domain.people.models import PersonName
from portal.domain.people.queries import live_units
from portal.domain.people.staff_numbers import PostNames, duties_of_posts
from portal.domain.people.visibility import Viewer, visibility_of
from portal.domain.status.counts import Whose
from portal.domain.status.queries import statuses_by_activity
from portal.domain.status.rules import Status
from portal.features.events.services import ComingEvent, list_coming_bookings
from portal.platform import wording as say
from portal.platform.db import db

SUPERVISORS = "supervisors"
MOST_CANDIDATES = 30  # people named for one event type


@dataclass(frozen=True, slots=True)
class RequiredPerson:
    """Somebody who must attend an event type, with what is shown beside their name."""

    person_id: int
    status: Status
    due_on: date
    unit_id: int
    rank: str
    role: str


@dataclass(frozen=True, slots=True)
class TypeAttendance:
    """How far the people a viewer sees have got with one event type."""

    activity_id: int
    key: str
    title: str
    people: tuple[RequiredPerson, ...]  # counted ones: neither exempt nor deferred
    booked: Mapping[int, date]  # people who have not attended: the day of their place
    waiting: frozenset[int]  # asked, on the wait list, or offered a place
    all_supervisors: bool

    @property
    def attended(self) -> int:
        """How many are complete today."""
        return sum(person.status.held for person in self.people)

    @property
    def without_place(self) -> list[RequiredPerson]:
        """People without attendance, a place or a request for one; the earliest due date first."""
        served_ids = self.booked.keys() | self.waiting
        people = [row for row in self.people if not row.status.held and row.person_id not in served_ids]
        return sorted(people, key=lambda person: (person.due_on, person.person_id))

    @property
    def sentence(self) -> str:
        """The figures as one sentence: "5 of your 8 supervisors attended, 2 booked for 3 March 2026"."""
        return self._write_sentence("your ")

    @property
    def force_sentence(self) -> str:
        """The same sentence about the whole force: "5 of 8 supervisors attended"."""
        return self._write_sentence("")

    def _write_sentence(self, whose: str) -> str:
        total = len(self.people)
        singular, plural = ("supervisor", SUPERVISORS) if self.all_supervisors else ("person", "people")
        parts = [f"{say.number(self.attended)} of {whose}{say.plural(total, singular, plural)} attended"]
        days = Counter(self.booked.values())
        parts += [f"{say.number(days[day])} booked for {say.date(day)}" for day in sorted(days)]
        waiting_count = len(self.waiting - self.booked.keys())
        parts += [f"{say.number(waiting_count)} waiting for a place"] if waiting_count else []
        lacking_count = len(self.without_place)
        parts += [f"{say.number(lacking_count)} without a place"] if lacking_count else []
        return f"{', '.join(parts)}."


@dataclass(frozen=True, slots=True)
class PlaceCandidate:
    """Somebody who could fill a place."""

    staff_number: str
    name: str
    rank: str
    role: str
    unit: str
    due_on: date
    overdue: bool


@dataclass(frozen=True, slots=True)
class NextSyndicate:
    """The next event of a type with free places, what its next syndicate lacks, and who could fill it."""

    attendance: TypeAttendance
    event: ComingEvent
    to_begin: int  # people who are lacking until the syndicate is large enough
    to_fill: int  # until it is full, or the event is
    candidates: tuple[PlaceCandidate, ...]  # whose due date comes first; empty for who may not read names

    @property
    def by_role(self) -> list[tuple[str, int]]:
        """How many people without a place have each designated role, the most first."""
        roles = Counter(person.role for person in self.attendance.without_place)
        return sorted(roles.items(), key=lambda pair: (-pair[1], pair[0]))


def read_attendance(viewer: Viewer, today: date) -> list[TypeAttendance]:
    """The figures of every event type that somebody the viewer sees must attend, by its title.

    They are those of the viewer's reports: by grant or as line manager, and not the viewer by themselves. A
    few statements, however many people there are.
    """
    sight = visibility_of(viewer)
    return _count_attendance(Whose(sight.everyone, sight.unit_ids, sight.direct_reports_of), today)


def read_force_attendance(today: date) -> list[TypeAttendance]:
    """The figures of the whole force, for who plans events and sees no names."""
    return _count_attendance(Whose(True, frozenset(), None), today)


def _count_attendance(whose: Whose, today: date) -> list[TypeAttendance]:
    by_type = _read_required(whose, today)
    if not by_type:
        return []
    titles = _read_titles(by_type)
    booked: dict[int, dict[int, date]] = defaultdict(dict)
    waiting: dict[int, set[int]] = defaultdict(set)
    for activity_id, person_id, state, held_on in list_coming_bookings(by_type, today):
        person = by_type[activity_id].get(person_id)
        if person is None or person.status.held:
            continue
        if state == "booked":
            earliest = booked[activity_id].get(person_id, held_on)
            booked[activity_id][person_id] = min(earliest, held_on)
        else:
            waiting[activity_id].add(person_id)
    attendances = [
        TypeAttendance(
            activity_id,
            *titles[activity_id],
            tuple(people.values()),
            booked[activity_id],
            frozenset(waiting[activity_id]),
            all_supervisors=are_supervisors(person.rank for person in people.values()),
        )
        for activity_id, people in by_type.items()
    ]
    return sorted(attendances, key=lambda attendance: (attendance.title, attendance.key))


def are_supervisors(ranks: Iterable[str]) -> bool:
    """Whether all of these ranks or grades are of supervisors, as the force says which are."""
    values = shared_content().values
    distinct_ranks = set(ranks)
    return bool(distinct_ranks) and all(
        SUPERVISORS in duties_of_posts([PostNames("response", rank)], values) for rank in distinct_ranks
    )


def find_next_syndicates(
    attendances: Iterable[TypeAttendance], coming: Iterable[ComingEvent], today: date, *, named: bool = True
) -> list[NextSyndicate]:
    """For each event type with people who lack a place: its next event with free places, and who they are.

    Args:
        attendances: Of the people concerned.
        coming: Future events, the next first.
        today: The London day.
        named: Whether people are named.
    """
    next_events: dict[int, ComingEvent] = {}
    for event in coming:
        if event.untaken_places > 0:
            next_events.setdefault(event.activity_id, event)
    syndicates = []
    for attendance in attendances:
        lacking, open_event = attendance.without_place, next_events.get(attendance.activity_id)
        if open_event is not None and lacking:
            to_begin, to_fill = count_lacking_people(
                open_event.taken, open_event.untaken_places, open_event.least, open_event.most
            )
            candidates = _name_candidates(lacking[:MOST_CANDIDATES], today) if named else []
            syndicates.append(NextSyndicate(attendance, open_event, to_begin, to_fill, tuple(candidates)))
    return syndicates


def count_lacking_people(taken: int, left: int, least: int, most: int) -> tuple[int, int]:
    """How many people the next syndicate lacks until it is large enough, and until it is full.

    Syndicates fill one after the other; a full one is followed by the next.

    >>> count_lacking_people(5, 9, 4, 7), count_lacking_people(8, 6, 4, 7), count_lacking_people(13, 1, 4, 7)
    ((0, 2), (3, 6), (0, 1))
    """
    members = taken % most
    return min(max(least - members, 0), left), min(most - members, left)


def _read_required(whose: Whose, today: date) -> dict[int, dict[int, RequiredPerson]]:
    """The counted people by event type and id; somebody under two directives counts by the worse status."""
    rows = db.session.execute(select(statuses_by_activity("event", today, whose)))
    people_by_activity: dict[int, dict[int, RequiredPerson]] = defaultdict(dict)
    for activity_id, person_id, status, due_on, *rest in rows:
        person = RequiredPerson(person_id, Status(status), date.fromordinal(due_on), *rest)
        earlier = people_by_activity[activity_id].get(person_id)
        if not person.status.excluded and (earlier is None or person.status < earlier.status):
            people_by_activity[activity_id][person_id] = person
    return {activity_id: people for activity_id, people in people_by_activity.items() if people}


def _read_titles(activity_ids: Collection[int]) -> dict[int, tuple[str, str]]:
    """Key and newest title of event types; the key again for one that has no version."""
    rows: Iterable[Any] = db.session.execute(
        select(Activity.id, Activity.key, EventTypeVersion.title)
        .outerjoin(EventTypeVersion, EventTypeVersion.activity_id == Activity.id)
        .where(Activity.id.in_(sorted(activity_ids)))
        .order_by(EventTypeVersion.number)
    )
    return {activity_id: (key, title or key) for activity_id, key, title in rows}


def _name_candidates(people: Collection[RequiredPerson], today: date) -> list[PlaceCandidate]:
    """The people with their names; those whose name was erased are left out."""
    ids = [person.person_id for person in people]
    columns = (PersonName.person_id, PersonName.staff_number, PersonName.surname, PersonName.forenames)
    rows = db.session.execute(select(*columns).where(PersonName.person_id.in_(ids)))
    names = {person_id: (number, f"{surname}, {given}") for person_id, number, surname, given in rows}
    units = live_units(today)
    return [
        PlaceCandidate(
            *names[person.person_id],
            person.rank,
            person.role,
            units[person.unit_id].label if person.unit_id in units else "",
            person.due_on,
            overdue=person.status in (Status.OVERDUE, Status.EXPIRED),
        )
        for person in people
        if person.person_id in names
    ]
