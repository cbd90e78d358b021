"""Which statuses changed between two positions of reports, and when.

Of two reports: which cells differ, and where each changed on the way between them. The way goes first from
the earlier report's knowledge to the later one's, on the earlier report's day, and then over the days, with
the later report's knowledge. Of a window of time: each change once, in the order of time.

On both ways a status changes at a stamp, when facts were recorded, or on a day, when facts began to be true
or a date passed. Nothing is written for a change: it is read from the edges of the status periods.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby, pairwise
from typing import NamedTuple

from sqlalchemy import CompoundSelect, Select, and_, literal, or_, select, union, union_all

from portal.domain.directives.applies import LAST_DAY
from portal.domain.directives.models import Directive
from portal.domain.people.positions import ChangeWindow, WindowPoint
from portal.domain.status.counts import Condition, Later, Scope, Whose, covers_day, is_known_on, late_arrivals
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
from portal.domain.status.rules import WHOLE, Status
from portal.platform.bulk import ValueCache
from portal.platform.clock import from_microseconds, to_microseconds
from portal.platform.db import db

ROWS = 1_000  # read at once

period = StatusPeriod


StatusChange = tuple[Status | None, Status | None]  # then and now; None: not in the report


def find_status_changes(then: Scope, now: Scope) -> dict[int, StatusChange]:
    """The people whose status under the whole directive differs between two states of knowledge of a day."""
    before, after = dict[int, Status](), dict[int, Status]()
    for person_id, number, known_before in db.session.connection().execute(_select_changed(then, now)):
        (before if known_before else after)[person_id] = Status(number)
    pairs = {person_id: (before.get(person_id), after.get(person_id)) for person_id in before | after}
    return {person_id: (old, new) for person_id, (old, new) in pairs.items() if old is not new}


def _select_changed(then: Scope, now: Scope) -> Select[int, int, bool] | CompoundSelect[int, int, bool]:
    """The periods that are in the report by one of the two states of knowledge and not by the other."""
    conditions = (period.directive_id.in_(then.directive_ids), period.position == WHOLE)
    columns = (period.person_id, period.status)
    if then.later is not Later.MUCH and then.whose.same_as(now.whose):
        day, visible = (then.as_at, then.as_at), then.whose.matches(period)
        arrivals = late_arrivals(day, then.as_known_on, now.as_known_on)
        parts = (
            select(*columns, literal(known)).where(*conditions, visible, *rows) for known, rows in arrivals
        )
        return union_all(*parts)
    before = and_(is_known_on(period, then.as_known_on), then.whose.matches(period))
    after = and_(is_known_on(period, now.as_known_on), now.whose.matches(period))
    statement = select(*columns, before.label("before"))
    return statement.where(*conditions, covers_day(period, then.as_at), before != after)


class Cell(NamedTuple):
    """What a report says of one person and position."""

    status: Status
    due_on: date
    valid_until: date | None


Pair = tuple[Cell | None, Cell | None]  # then and now; None: no row
Cells = dict[int, Pair]  # by position


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one cell: at a stamp, on a day, or (neither) because other rows may be seen."""

    position: int
    old: Cell | None
    new: Cell | None
    recorded_at: datetime | None = None
    day: date | None = None

    @property
    def whole(self) -> bool:
        """Whether it is under the whole directive, which follows from its requirements."""
        return self.position == WHOLE


_EDGES = (period.from_on, period.to_on, period.known_from, period.known_to)
_CELL = (period.person_id, period.position, period.status, period.due_on, period.valid_until)


def find_changed_cells(then: Scope, now: Scope) -> dict[int, Cells]:
    """The cells that differ between two reports of one directive, by person; one statement.

    Cells are compared by status and due date, which are shown.
    """
    before, after = (
        and_(covers_day(period, at.as_at), is_known_on(period, at.as_known_on), at.whose.matches(period))
        for at in (then, now)
    )
    conditions = [period.directive_id.in_(then.directive_ids), before != after, or_(before, after)]
    if then.whose.same_as(now.whose):
        conditions.append(period.person_id.in_(_select_people_on_the_way(then, now)))
    statement = select(*_CELL, before.label("before")).where(*conditions)
    # After a first load everybody's cells differ, and are alike: what is equal is kept once.
    cells, pairs = ValueCache(_build_cell), dict[Pair, Pair]()
    changed: dict[int, Cells] = {}
    rows = db.session.connection().execute(statement, execution_options={"yield_per": ROWS})
    for person_id, position, status, due_on, valid_until, is_before in rows:
        by_position = changed.setdefault(person_id, {})
        cell = cells[status, due_on, valid_until]
        old, new = by_position.get(position, (None, None))
        pair = (cell, new) if is_before else (old, cell)
        by_position[position] = pairs.setdefault(pair, pair)
    for person_id, by_position in [*changed.items()]:
        changed[person_id] = {at: pair for at, pair in by_position.items() if _cells_differ(*pair)}
    return {person_id: by_position for person_id, by_position in changed.items() if by_position}


def _select_people_on_the_way(then: Scope, now: Scope) -> CompoundSelect[int]:
    """The people with a period that begins or ends on the way from one report to the other."""
    conditions = (period.directive_id.in_(then.directive_ids), then.whose.matches(period))
    earlier, later = sorted((then.as_known_on, now.as_known_on))
    low, high = sorted((then.as_at.toordinal(), now.as_at.toordinal()))
    parts = [rows for _, rows in late_arrivals((then.as_at, then.as_at), earlier, later)]
    parts += _edges_between(low, high, now.as_known_on)
    return union(*(select(period.person_id).where(*conditions, *rows) for rows in parts))


def _build_cell(values: tuple[int, int, int | None]) -> Cell:
    status, due_on, valid_until = values
    until = None if valid_until is None else date.fromordinal(valid_until)
    return Cell(Status(status), date.fromordinal(due_on), until)


def _cells_differ(old: Cell | None, new: Cell | None) -> bool:
    return (old and (old.status, old.due_on)) != (new and (new.status, new.due_on))


def list_steps(
    then: Scope, now: Scope, people: Collection[int], between: Whose | None = None
) -> dict[int, list[Step]]:
    """Every change of a cell of these people on the way from one report to the other; one statement.

    Args:
        then: Where the way begins.
        now: Where it ends.
        people: Ids of people.
        between: Whose rows may be seen on the way, where those are fewer than at either end: then the first
            step and the last are changes of what may be seen.
    """
    first, last = sorted((to_microseconds(then.as_known_on), to_microseconds(now.as_known_on)))
    on_first_day = and_(covers_day(period, then.as_at), period.known_from <= last, period.known_to > first)
    low, high = sorted((then.as_at.toordinal(), now.as_at.toordinal()))
    over_days = and_(period.from_on <= high, period.to_on >= low, is_known_on(period, now.as_known_on))
    seen_between = literal(True) if between is None else between.matches(period)
    statement = select(
        *_CELL,
        *_EDGES,
        then.whose.matches(period).label("seen_then"),
        seen_between.label("seen_between"),
        now.whose.matches(period).label("seen_now"),
    ).where(
        period.directive_id.in_(then.directive_ids),
        period.person_id.in_(sorted(people)),
        or_(on_first_day, over_days),
    )
    rows: dict[tuple[int, int], list[ResultRow]] = {}
    for row in db.session.execute(statement):
        rows.setdefault((row.person_id, row.position), []).append(row)
    steps: dict[int, list[Step]] = {person_id: [] for person_id in people}
    for (person_id, position), cell_rows in sorted(rows.items()):
        points = _list_points(cell_rows, then, now, between is not None)
        steps[person_id] += _compare_points(position, cell_rows, points)
    return steps


class _Point(NamedTuple):
    """A point of the way, and how it was reached: see ``Step``."""

    seen: str  # the column that says whether a row may be seen there
    day: int
    known: int
    recorded_at: datetime | None = None
    reached_on: date | None = None


def _list_points(rows: Sequence[ResultRow], then: Scope, now: Scope, narrower: bool) -> list[_Point]:
    """The points of the way at which the cell of these rows can change, in order."""
    day, known = then.as_at.toordinal(), to_microseconds(then.as_known_on)
    last_day, last_known = now.as_at.toordinal(), to_microseconds(now.as_known_on)
    seen_first, seen_next = ("seen_between", "seen_between") if narrower else ("seen_then", "seen_now")
    points = [_Point("seen_then", day, known), _Point(seen_first, day, known)]
    stamps = {edge for row in rows for edge in (row.known_from, row.known_to) if edge < OPEN_KNOWN}
    for stamp, after in _order_edges(stamps, known, last_known):
        points.append(_Point(seen_first, day, after, recorded_at=from_microseconds(stamp)))
    points.append(_Point(seen_next, day, last_known))
    days = {edge for row in rows for edge in (row.from_on, row.to_on + 1)}
    for edge, after in _order_edges(days, day, last_day):
        points.append(_Point(seen_next, after, last_known, reached_on=date.fromordinal(edge)))
    return [*points, _Point("seen_now", last_day, last_known)]


def _order_edges(edges: Collection[int], start: int, end: int) -> Iterator[tuple[int, int]]:
    """The edges between two points of one axis in the order of the way, each with the point after it."""
    between = sorted(edge for edge in edges if min(start, end) < edge <= max(start, end))
    if start <= end:
        return ((edge, edge) for edge in between)
    return ((edge, edge - 1) for edge in reversed(between))


def _compare_points(position: int, rows: Sequence[ResultRow], points: Sequence[_Point]) -> Iterator[Step]:
    cells = [_find_cell(rows, point) for point in points]
    for (old, new), point in zip(pairwise(cells), points[1:], strict=True):
        if _cells_differ(old, new):
            yield Step(position, old, new, point.recorded_at, point.reached_on)


def _find_cell(rows: Sequence[ResultRow], point: _Point) -> Cell | None:
    row = _find_period(rows, point.day, point.known)
    return (
        _build_cell((row.status, row.due_on, row.valid_until)) if row and getattr(row, point.seen) else None
    )


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

    Of periods under one directive; None: under any.
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
    yield from _edges_between(first, last, window.until_at)


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
        for transition in _list_transitions(window, list(cell), unit_ids)
    ]
    return sorted(transitions, key=lambda each: (each.person_id, each.point.reached_at))


def _select_periods(window: ChangeWindow, people: Collection[int], directive_id: int | None) -> Statement:
    keys = (period.person_id, period.directive_id, period.position)
    of_directive = [period.directive_id == directive_id] if directive_id else []
    return (
        select(*keys, *_EDGES, period.status, period.due_on, period.record_id, period.unit_id)
        .where(period.person_id.in_(sorted(people)), *of_directive)
        .where(period.from_on <= window.until_on.toordinal(), period.to_on >= window.since_on.toordinal())
        .where(period.known_from <= to_microseconds(window.until_at))
        .where(period.known_to > to_microseconds(window.since_at))
        .order_by(*keys)
    )


def _list_transitions(
    window: ChangeWindow, rows: Sequence[ResultRow], unit_ids: Collection[int] | None
) -> Iterator[StatusTransition]:
    """The changes of one cell, from its periods, at the points where one of them begins or ends."""
    days = {edge for row in rows for edge in (row.from_on, row.to_on + 1) if edge <= LAST_DAY}
    stamps = {edge for row in rows for edge in (row.known_from, row.known_to) if edge < OPEN_KNOWN}
    on_the_way = window.order_points([*map(date.fromordinal, days)], [*map(from_microseconds, stamps)])
    points = [window.start, *on_the_way]
    periods = (_find_period(rows, at.day.toordinal(), to_microseconds(at.known_on)) for at in points)
    seen = [each if each and (unit_ids is None or each.unit_id in unit_ids) else None for each in periods]
    for (old, new), point in zip(pairwise(seen), points[1:], strict=True):
        row = new or old
        if row and (old and old.status) != (new and new.status):
            yield StatusTransition(
                *(row.person_id, row.directive_id, row.position, point),
                old=Status(old.status) if old else None,
                new=Status(new.status) if new else None,
                due_on=date.fromordinal(row.due_on),
                record_id=new.record_id if new else None,
            )


def _edges_between(first: int, last: int, as_known_on: datetime) -> Iterator[list[Condition]]:
    """Conditions on periods that begin or have ended on the way between two days; an index finds each."""
    if first < last:
        known = is_known_on(period, as_known_on)
        yield [HAS_FIRST_DAY, period.from_on > first, period.from_on <= last, known]
        yield [HAS_LAST_DAY, period.to_on >= first, period.to_on < last, known]


def _find_period(rows: Iterable[ResultRow], day: int, known: int) -> ResultRow | None:
    """The row of one person and position that holds on a day, as known on an instant in microseconds."""
    for row in rows:
        if row.from_on <= day <= row.to_on and row.known_from <= known < row.known_to:
            return row
    return None
