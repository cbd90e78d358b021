"""Which statuses changed between two positions of reports, each change once and in the order of time.

A status changes when facts are recorded, at their stamp, and when a day comes that status periods already
hold: the first day overdue, the end of a validity. Nothing is written for it: it is read from the periods.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date

from sqlalchemy import and_, or_, select, union

from portal.domain.directives.models import Directive
from portal.domain.people.change_window import ChangeWindow, WindowPoint
from portal.domain.status.filters import Condition
from portal.domain.status.models import (
    ENDED_LATE,
    HAS_FIRST_DAY,
    HAS_LAST_DAY,
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
    if first < last:
        known = [period.known_from <= end, period.known_to > end]
        yield [HAS_FIRST_DAY, period.from_on > first, period.from_on <= last, *known]
        yield [HAS_LAST_DAY, period.to_on >= first, period.to_on < last, *known]


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
    cells: dict[tuple[int, int, int], list[ResultRow]] = {}
    for row in db.session.execute(_select_periods(window, people, directive_id)):
        cells.setdefault((row.person_id, row.directive_id, row.position), []).append(row)
    transitions = [
        transition for rows in cells.values() for transition in _compare_points(window, _Cell(rows, unit_ids))
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


@dataclass(frozen=True, slots=True)
class _Cell:
    """The periods of one person and position on the way."""

    rows: Sequence[ResultRow]
    unit_ids: Collection[int] | None

    def period_at(self, point: WindowPoint) -> ResultRow | None:
        """The period that holds at a point, as far as it may be seen."""
        day, known = point.day.toordinal(), to_microseconds(point.known_on)
        for row in self.rows:
            if row.from_on <= day <= row.to_on and row.known_from <= known < row.known_to:
                return row if self.unit_ids is None or row.unit_id in self.unit_ids else None
        return None

    def order_points(self, window: ChangeWindow) -> Iterator[WindowPoint]:
        """The points at which a period of it begins or ends."""
        days = {edge for row in self.rows for edge in (row.from_on, row.to_on + 1)}
        stamps = {edge for row in self.rows for edge in (row.known_from, row.known_to) if edge < OPEN_KNOWN}
        return window.order_points(
            [date.fromordinal(day) for day in days if day <= date.max.toordinal()],
            [from_microseconds(stamp) for stamp in stamps],
        )


def _compare_points(window: ChangeWindow, cell: _Cell) -> Iterator[StatusTransition]:
    old = cell.period_at(window.start)
    for point in cell.order_points(window):
        new = cell.period_at(point)
        row = new or old
        if row is not None and (old and old.status) != (new and new.status):
            yield StatusTransition(
                *(row.person_id, row.directive_id, row.position, point),
                old=Status(old.status) if old else None,
                new=Status(new.status) if new else None,
                due_on=date.fromordinal(row.due_on),
                record_id=new.record_id if new else None,
            )
        old = new
