"""Diffs two reports of a directive: which cells differ, and when each changed on the way between them.

The way goes first from the earlier report's knowledge to the later one's, on the earlier report's day, and
then over the days, with the later report's knowledge. On it, a cell changes at a stamp, when facts were
recorded, or on a day, when facts began to be true or a date passed: so each change can be explained.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import CompoundSelect, and_, literal, or_, select, union

from portal.domain.status.filters import (
    Scope,
    Whose,
    covers_day,
    edges_between,
    find_period,
    is_known_on,
    late_arrivals,
)
from portal.domain.status.models import OPEN_KNOWN, ResultRow, StatusPeriod
from portal.domain.status.report_rows import ValueCache
from portal.domain.status.rules import WHOLE, Status
from portal.platform.clock import from_microseconds, to_microseconds
from portal.platform.db import db

ROWS = 1_000  # read at once

period = StatusPeriod


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
    for row in db.session.execute(statement, execution_options={"yield_per": ROWS}):
        by_position = changed.setdefault(row.person_id, {})
        cell = cells[row.status, row.due_on, row.valid_until]
        old, new = by_position.get(row.position, (None, None))
        pair = (cell, new) if row.before else (old, cell)
        by_position[row.position] = pairs.setdefault(pair, pair)
    for person_id, by_position in [*changed.items()]:
        changed[person_id] = {at: pair for at, pair in by_position.items() if _cells_differ(*pair)}
    return {person_id: by_position for person_id, by_position in changed.items() if by_position}


def _select_people_on_the_way(then: Scope, now: Scope) -> CompoundSelect[int]:
    """The people with a period that begins or ends on the way from one report to the other."""
    conditions = (period.directive_id.in_(then.directive_ids), then.whose.matches(period))
    earlier, later = sorted((then.as_known_on, now.as_known_on))
    low, high = sorted((then.as_at.toordinal(), now.as_at.toordinal()))
    parts = [rows for _, rows in late_arrivals((then.as_at, then.as_at), earlier, later)]
    parts += edges_between(low, high, now.as_known_on)
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
        *(period.from_on, period.to_on, period.known_from, period.known_to),
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
    row = find_period(rows, point.day, point.known)
    return (
        _build_cell((row.status, row.due_on, row.valid_until)) if row and getattr(row, point.seen) else None
    )
