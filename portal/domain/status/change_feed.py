"""Which statuses changed between two positions of reports, each change once and in the order of time.

A status changes when facts are recorded, at their stamp, and when a day comes that status periods already
hold: the first day overdue, the end of a validity. Nothing is written for it: it is read from the periods.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date
from itertools import groupby

from sqlalchemy import and_, or_, select, union

from portal.domain.directives.audience import LAST_DAY
from portal.domain.directives.models import Directive
from portal.domain.people.change_window import ChangeWindow, WindowPoint
from portal.domain.status.filters import Condition, edges_between, find_period
from portal.domain.status.models import (
    ENDED_LATE,
    HAS_FIRST_DAY,
    OPEN_KNOWN,
    OPENED_LATE,
    ResultRow,
    Statement,
    StatusPeriod,
)
from portal.domain.status.rules import Status
from portal.platform.clock import from_microseconds, to_microseconds
from portal.platform.db import db

period = StatusPeriod


@dataclass(frozen=True, slots=True)
class StatusTransition:
    """One status became another at a point of the way; None: not in the report."""

    person_id: int
    directive_id: int
    position: int  # 0: the whole directive
    point: WindowPoint
    old: Status | None
    new: Status | None
    due_on: date
    record_id: int | None


def find_people_with_changed_periods(window: ChangeWindow, directive_id: int | None = None) -> set[int]:
    """The people with a status period that begins or ends on the way, in its days or in knowledge.

    Args:
        window: The way.
        directive_id: Periods under this directive; None: under any.
    """
    directives = select(Directive.id) if directive_id is None else [directive_id]
    parts = (
        select(period.person_id).where(period.directive_id.in_(directives), *conditions)
        for conditions in _edges_on_the_way(window)
    )
    return set(db.session.scalars(union(*parts)))


def _edges_on_the_way(window: ChangeWindow) -> Iterator[list[Condition]]:
    """Conditions on periods with an edge on the way, in parts that indexes of the table answer.

    A period that became known or ended after the evening of its first day is in an index of its own; another
    one begins on the day of the window's first instant or later.
    """
    first, last = window.since_on.toordinal(), window.until_on.toordinal()
    start, end = to_microseconds(window.since_at), to_microseconds(window.until_at)
    on_days = [period.from_on <= last, period.to_on >= first]
    opened = and_(period.known_from > start, period.known_from <= end)
    ended = and_(period.known_to > start, period.known_to <= end)
    yield [OPENED_LATE, opened, *on_days]
    yield [ENDED_LATE, ended, *on_days]
    begun_since = period.from_on >= window.since_at.astimezone(UTC).toordinal()
    yield [HAS_FIRST_DAY, begun_since, or_(opened, ended), *on_days]
    yield from edges_between(first, last, window.until_at)


def list_status_transitions(
    window: ChangeWindow,
    people: Collection[int],
    *,
    unit_ids: Collection[int] | None = None,
    directive_id: int | None = None,
) -> list[StatusTransition]:
    """Every change of a status of these people on the way; by person, then in the order of time.

    Args:
        window: The way.
        people: Ids; as many as one statement takes.
        unit_ids: Only periods in these units are in the report; None: in any.
        directive_id: Changes under this directive; None: under any.
    """
    rows = db.session.execute(_select_periods(window, people, directive_id))
    transitions = [
        transition
        for _, cell in groupby(rows, key=lambda row: row[:3])
        for transition in _compare_points(window, list(cell), unit_ids)
    ]
    return sorted(transitions, key=lambda each: (each.person_id, each.point.reached_at))


def _select_periods(window: ChangeWindow, people: Collection[int], directive_id: int | None) -> Statement:
    keys = (period.person_id, period.directive_id, period.position)
    edges = (period.from_on, period.to_on, period.known_from, period.known_to)
    statement = select(*keys, *edges, period.status, period.due_on, period.record_id, period.unit_id).where(
        period.person_id.in_(sorted(people)),
        period.from_on <= window.until_on.toordinal(),
        period.to_on >= window.since_on.toordinal(),
        period.known_from <= to_microseconds(window.until_at),
        period.known_to > to_microseconds(window.since_at),
    )
    if directive_id:
        statement = statement.where(period.directive_id == directive_id)
    return statement.order_by(*keys)


def _compare_points(
    window: ChangeWindow, rows: Sequence[ResultRow], unit_ids: Collection[int] | None
) -> Iterator[StatusTransition]:
    """The changes of one cell, from its periods, at the points where one of them begins or ends."""
    days = {edge for row in rows for edge in (row.from_on, row.to_on + 1) if edge <= LAST_DAY}
    stamps = {edge for row in rows for edge in (row.known_from, row.known_to) if edge < OPEN_KNOWN}
    points = window.order_points(list(map(date.fromordinal, days)), list(map(from_microseconds, stamps)))
    old = None
    for point in (window.start, *points):
        new = find_period(rows, point.day.toordinal(), to_microseconds(point.known_on))
        if new and unit_ids is not None and new.unit_id not in unit_ids:
            new = None
        row = new or old
        if row and point is not window.start and (old and old.status) != (new and new.status):
            yield StatusTransition(
                *(row.person_id, row.directive_id, row.position, point),
                old=Status(old.status) if old else None,
                new=Status(new.status) if new else None,
                due_on=date.fromordinal(row.due_on),
                record_id=new.record_id if new else None,
            )
        old = new
