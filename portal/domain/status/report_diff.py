"""From one position of a directive to another: which cells of the report differ, and where they changed.

The way leads over knowledge first, on the earlier position's day, and then over days, with the later
position's knowledge. Along it every change of a cell happens at a stamp, when facts were recorded, or on a
day, when facts began to hold or a date passed: so each can be explained.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Row, and_, literal, or_, select, union

from portal.domain.status.filters import Scope, Whose, holds, is_known
from portal.domain.status.late_arrivals import learnt
from portal.domain.status.models import EPOCH, OPEN_KNOWN, StatusPeriod, begins, ends, micros
from portal.domain.status.periods import WHOLE as WHOLE  # a position of the cells: readers name it too
from portal.domain.status.rules import Status
from portal.platform.db import db

span: Any = StatusPeriod


class Cell(NamedTuple):
    """What a report says of one person and position."""

    status: Status
    due_on: date
    valid_until: date | None


Cells = dict[int, tuple[Cell | None, Cell | None]]  # by position: then and now; None: no row


@dataclass(frozen=True, slots=True)
class Step:
    """One change of one cell: when something was recorded, on a day, or as what may be seen changed."""

    position: int
    old: Cell | None
    new: Cell | None
    recorded_at: datetime | None = None
    day: date | None = None

    @property
    def whole(self) -> bool:
        """Whether it is under the whole directive, which follows from its requirements."""
        return self.position == WHOLE


def changed(then: Scope, now: Scope) -> dict[int, Cells]:
    """The cells that differ between two positions of one directive, by person. One statement.

    A cell is the status and the due date; where only the end of a completion differs, nothing is shown.
    """
    before = and_(holds(span, then.as_at), is_known(span, then.as_known_on), then.whose.theirs(span))
    after = and_(holds(span, now.as_at), is_known(span, now.as_known_on), now.whose.theirs(span))
    one_of_them = [span.directive_id == then.directive_id, before != after, or_(before, after)]
    if then.whose.same_as(now.whose):
        one_of_them.append(span.person_id.in_(_touched(then, now)))
    statement = select(*_CELL, before.label("before")).where(*one_of_them)
    found: dict[int, dict[int, list[Cell | None]]] = {}
    for row in db.session.execute(statement):
        pair = found.setdefault(row.person_id, {}).setdefault(row.position, [None, None])
        pair[0 if row.before else 1] = _cell(row)
    told: dict[int, Cells] = {}
    for person_id, positions in found.items():
        differing = {place: (old, new) for place, (old, new) in positions.items() if _differ(old, new)}
        if differing:
            told[person_id] = differing
    return told


def _touched(then: Scope, now: Scope) -> Any:
    """The people of whom anything becomes otherwise on the way from one position to the other."""
    here = (span.directive_id == then.directive_id, then.whose.theirs(span))
    earlier, later = sorted((then.as_known_on, now.as_known_on))
    low, high = sorted((then.as_at.toordinal(), now.as_at.toordinal()))
    ways = [rows for _, rows in learnt((then.as_at, then.as_at), earlier, later)]
    begun = [begins(span), span.from_on > low, span.from_on <= high]
    ended = [ends(span), span.to_on >= low, span.to_on < high]
    ways += [[*edge, is_known(span, now.as_known_on)] for edge in (begun, ended)]
    return union(*(select(span.person_id).where(*here, *way) for way in ways))


_CELL = (span.person_id, span.position, span.status, span.due_on, span.valid_until)


def _cell(row: Any) -> Cell:
    until = None if row.valid_until is None else date.fromordinal(row.valid_until)
    return Cell(Status(row.status), date.fromordinal(row.due_on), until)


def _differ(old: Cell | None, new: Cell | None) -> bool:
    return (old and old[:2]) != (new and new[:2])


def steps(
    then: Scope, now: Scope, people: Collection[int], between: Whose | None = None
) -> dict[int, list[Step]]:
    """Every change of a cell of these people on the way from one position to the other. One statement.

    Args:
        then: Where the way begins.
        now: Where it ends.
        people: Ids of people.
        between: Whose rows may be read on the way, where those are fewer than at either end: then the first
            step and the last are changes of what may be seen.
    """
    first, last = sorted((micros(then.as_known_on), micros(now.as_known_on)))
    on_day = and_(holds(span, then.as_at), span.known_from <= last, span.known_to > first)
    low, high = sorted((then.as_at, now.as_at))
    over_days = and_(
        span.from_on <= high.toordinal(), span.to_on >= low.toordinal(), is_known(span, now.as_known_on)
    )
    seen = [then.whose.theirs(span).label("seen_then"), now.whose.theirs(span).label("seen_now")]
    seen.append((literal(True) if between is None else between.theirs(span)).label("seen_between"))
    bounds = (span.from_on, span.to_on, span.known_from, span.known_to)
    statement = select(*_CELL, *bounds, *seen).where(
        span.directive_id == then.directive_id, span.person_id.in_(sorted(people)), or_(on_day, over_days)
    )
    rows: dict[tuple[int, int], list[Row[Any]]] = {}
    for row in db.session.execute(statement):
        rows.setdefault((row.person_id, row.position), []).append(row)
    found: dict[int, list[Step]] = {person_id: [] for person_id in people}
    for (person_id, position), of_cell in sorted(rows.items()):
        found[person_id] += _steps_of_cell(position, of_cell, then, now, between is not None)
    return found


_Seen = Callable[[Row[Any]], bool]


def _steps_of_cell(
    position: int, rows: Sequence[Row[Any]], then: Scope, now: Scope, narrower: bool
) -> Iterator[Step]:
    day, at = then.as_at.toordinal(), micros(then.as_known_on)
    to_day, to = now.as_at.toordinal(), micros(now.as_known_on)

    def cell_at(on: int, known: int, seen: _Seen) -> Cell | None:
        for row in rows:
            if row.from_on <= on <= row.to_on and row.known_from <= known < row.known_to:
                return _cell(row) if seen(row) else None
        return None

    def change_of_sight(on: int, known: int, before: _Seen, after: _Seen) -> Iterator[Step]:
        """The change of what may be seen, at one position."""
        if _differ(old := cell_at(on, known, before), new := cell_at(on, known, after)):
            yield Step(position, old, new)

    knowing = _seen_between if narrower else _seen_then
    passing = _seen_between if narrower else _seen_now
    yield from change_of_sight(day, at, _seen_then, knowing)
    yield from _along(
        position,
        {edge for row in rows for edge in (row.known_from, row.known_to) if edge < OPEN_KNOWN},
        at,
        to,
        lambda known: cell_at(day, known, knowing),
        lambda edge: {"recorded_at": _instant(edge)},
    )
    yield from change_of_sight(day, to, knowing, passing)
    yield from _along(
        position,
        {edge for row in rows for edge in (row.from_on, row.to_on + 1)},
        day,
        to_day,
        lambda on: cell_at(on, to, passing),
        lambda edge: {"day": date.fromordinal(edge)},
    )
    yield from change_of_sight(to_day, to, passing, _seen_now)


def _seen_then(row: Row[Any]) -> bool:
    return bool(row.seen_then)


def _seen_between(row: Row[Any]) -> bool:
    return bool(row.seen_between)


def _seen_now(row: Row[Any]) -> bool:
    return bool(row.seen_now)


def _along(
    position: int,
    edges: Collection[int],
    start: int,
    end: int,
    cell: Callable[[int], Cell | None],
    when: Callable[[int], dict[str, Any]],
) -> Iterator[Step]:
    """The changes at the edges between two points of one axis, in the order of the way."""
    low, high = sorted((start, end))
    between = sorted(edge for edge in edges if low < edge <= high)
    for edge in between if start <= end else reversed(between):
        old, new = cell(edge - 1), cell(edge)
        if start > end:
            old, new = new, old
        if _differ(old, new):
            yield Step(position, old, new, **when(edge))


def _instant(edge: int) -> datetime:
    return EPOCH + timedelta(microseconds=edge)
