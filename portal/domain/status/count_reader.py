"""Reading the kept sums instead of the spans: the same answer, for many people at once.

They hold what is known now. Of what was known earlier they are the sums less what was learnt later, which
is read from the spans. They answer where the scope asks by unit, role, rank and status; whoever asks here
reads the spans where the answer is None.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, union_all

from portal.domain.directives.models import Exclusion
from portal.domain.people.models import Post
from portal.domain.status.filters import AHEAD, LATE, Scope, Whose, late_since
from portal.domain.status.late_arrivals import learnt
from portal.domain.status.models import Kind, StatusCount, StatusCountSnapshot, StatusGroup, StatusPeriod
from portal.domain.status.periods import WHOLE
from portal.platform.db import Stamp, db

total: Any = StatusCount
group: Any = StatusGroup
span: Any = StatusPeriod

Row = tuple[Any, ...]
Column = tuple[Any, Any]  # of the kept sums, and of the spans

STATUS: Column = (total.status, span.status)
UNIT: Column = (total.unit_id, span.unit_id)
DUE: Column = (total.due_on, span.due_on)
SINCE: Column = (total.since_on, late_since(span))
ROLE: Column = (group.designated_role, Post.designated_role)
RANK: Column = (group.rank_or_grade, Post.rank_or_grade)
REASON: Column = (group.reason, func.coalesce(Exclusion.reason, ""))


@dataclass(frozen=True, slots=True)
class Counted:
    """What people are counted by, and which rows count: of the kept sums, and of the spans."""

    kinds: Sequence[Kind]
    columns: Sequence[Column]
    wanted: Sequence[ColumnElement[bool]] = ()
    of_spans: Sequence[ColumnElement[bool]] = (span.position == WHOLE,)


def counts(scope: Scope) -> Sequence[Row] | None:
    """People by unit, position and status, as ``queries.counts`` gives them; a requirement has no unit."""
    if not _whole(scope.whose) or scope.whose.statuses is not None:
        return None
    wanted = or_(total.kind == Kind.PLACE, and_(total.kind == Kind.POSITION, total.position != WHOLE))
    unit = case((span.position == WHOLE, span.unit_id), else_=0)
    columns = [(total.unit_id, unit), (total.position, span.position), STATUS]
    return _today(scope, Counted([Kind.PLACE, Kind.POSITION], columns, [wanted], []))


def wholes(scope: Scope) -> Sequence[Row] | None:
    """People by unit and status under the whole directive."""
    if not _whole(scope.whose):
        return None
    return _today(scope, Counted([Kind.PLACE], [UNIT, STATUS]))


def by_post(scope: Scope) -> Sequence[Row] | None:
    """People by designated role, rank or grade, and status under the whole directive."""
    if not _whole(scope.whose):
        return None
    return _today(scope, Counted([Kind.POSITION], [ROLE, RANK, STATUS], [total.position == WHOLE]))


def by_days(scope: Scope) -> Sequence[Row] | None:
    """People by status, due date, last day in time and reason of an exclusion."""
    if not _whole(scope.whose):
        return None
    return _today(scope, Counted([Kind.DAYS], [STATUS, DUE, SINCE, REASON]))


_COLUMNS = {
    "status": STATUS,
    "due_on": DUE,
    "since_on": SINCE,
    "designated_role": ROLE,
    "rank_or_grade": RANK,
    "unit_id": UNIT,
}


def groups(scope: Scope, by: Sequence[str]) -> Sequence[tuple[Row, int]] | None:
    """How many people there are with each value of some columns: those named in ``_COLUMNS``."""
    by_unit = "unit_id" in by
    whose = scope.whose if by_unit else replace(scope.whose, late=None, due_within=None)
    if not _whole(whose):
        return None
    kind, columns = Kind.PLACE if by_unit else Kind.DAYS, [_COLUMNS[name] for name in by]
    found = _today(scope, Counted([kind], columns, _late_or_due(scope)))
    return [(row[:-1], row[-1]) for row in found]


def _late_or_due(scope: Scope) -> list[ColumnElement[bool]]:
    whose, today = scope.whose, scope.as_at.toordinal()
    found: list[ColumnElement[bool]] = []
    if whose.late is not None:
        least, most = whose.late
        found += [total.status.in_(LATE), total.since_on.between(today - most, today - least)]
    if whose.due_within is not None:
        found += [total.status.in_(AHEAD), total.due_on <= today + whose.due_within]
    return found


def over_days(scope: Scope, days: Sequence[date]) -> Sequence[Row] | None:
    """People by day, unit and status, on each of ``days``; the unit is 0 where the scope asks for none."""
    if _whole(scope.whose):
        unit, of_all = (total.unit_id, literal(0)), [total.position == WHOLE]
        return _on(scope, days, Counted([Kind.POSITION], [unit, STATUS], of_all))
    if _by_unit(scope.whose):
        return _on(scope, days, Counted([Kind.PLACE], [UNIT, STATUS]))
    return None


def _whole(whose: Whose) -> bool:
    """Whether they are everybody, of some roles, ranks and statuses."""
    return whose.everyone and whose.within is None and not _by_more(whose)


def _by_unit(whose: Whose) -> bool:
    """Whether they are those of some units, of some roles, ranks and statuses."""
    return (whose.everyone or whose.manager_id is None) and not _by_more(whose)


def _by_more(whose: Whose) -> bool:
    more = (whose.named, whose.people, whose.late, whose.due_within)
    return any(one is not None for one in more)


def _asked(whose: Whose) -> list[ColumnElement[bool]]:
    """What a scope asks of a row; whoever sees some units alone is asked by unit."""
    found: list[ColumnElement[bool]] = []
    if (units := replace(whose, standing_in=None).units) is not None:
        found.append(total.unit_id.in_(units))
    if whose.role or whose.ranks:
        named = select(group.id)
        named = named.where(group.designated_role == whose.role) if whose.role else named
        named = named.where(group.rank_or_grade.in_(whose.ranks)) if whose.ranks else named
        found.append(total.group_id.in_(named))
    if whose.statuses is not None:
        found.append(total.status.in_([int(status) for status in whose.statuses]))
    return found


def _today(scope: Scope, counted: Counted) -> Sequence[Row]:
    """The columns and the people, on the day of the scope."""
    return [row[1:] for row in _on(scope, [scope.as_at], counted)]


def _on(scope: Scope, days: Sequence[date], counted: Counted) -> Sequence[Row]:
    """Each of ``days`` as an ordinal, the columns, and the people.

    Of the newest knowledge the sums alone are read, as long as nothing newer has come: where a change is
    being written, another transaction may commit between two statements.
    """
    summed = list(_summed(scope, days, counted))
    if scope.newest:
        newest = select(func.max(Stamp.recorded_at)).scalar_subquery()
        if rows := _added(summed, len(counted.columns), newest <= scope.as_known_on):
            return rows
    return _added([*summed, *_learnt_later(scope, days, counted)], len(counted.columns))


def _added(parts: Sequence[Any], width: int, *wanted: ColumnElement[bool]) -> Sequence[Row]:
    read = union_all(*parts).subquery()
    *columns, people = read.c
    asked, number = columns[: width + 1], func.sum(people)
    statement = select(*asked, number).where(*wanted).group_by(*asked).having(number != 0)
    rows = db.session.connection().execute(statement).all()
    return [(*row[:-1], int(row[-1])) for row in rows]


def _summed(scope: Scope, days: Sequence[date], counted: Counted) -> Iterator[Any]:
    """The parts of the kept sums."""
    here = [total.directive_id == scope.directive_id, total.kind.in_(counted.kinds), *counted.wanted]
    columns = [column for column, _ in counted.columns]
    for label, conditions in _parts(scope.directive_id, [day.toordinal() for day in days]):
        part = select(label.label("day"), *columns, total.people)
        if any(column.class_ is StatusGroup for column in columns):
            part = part.join(group, group.id == total.group_id)
        yield part.where(*here, *_asked(scope.whose), *conditions)


def _learnt_later(scope: Scope, days: Sequence[date], counted: Counted) -> Iterator[Any]:
    """What is to be added for what has ended since, and taken away for what is known only since."""
    whose = replace(scope.whose, standing_in=None)  # what is taken away may have stood in other units
    here = [span.directive_id == scope.directive_id, whose.theirs(span), *scope.stands(), *counted.of_spans]
    columns = [column.label(f"c{place}") for place, (_, column) in enumerate(counted.columns)]
    edges = (span.from_on.label("first"), span.to_on.label("last"))
    found = union_all(
        *(
            select(*columns, literal(1 if known_before else -1).label("people"), *edges)
            .select_from(span)
            .outerjoin(Post, Post.id == span.post_id)
            .outerjoin(Exclusion, Exclusion.id == span.exclusion_id)
            .where(*here, *rows)
            for known_before, rows in learnt((min(days), max(days)), scope.as_known_on)
        )
    ).cte("learnt")
    *told, people, first, last = found.c
    for day in (day.toordinal() for day in days):
        yield select(literal(day), *told, people).where(first <= day, last >= day)


def _parts(directive_id: int, days: Sequence[int]) -> Iterator[tuple[Any, list[Any]]]:
    """Which rows make up each day, with the day they are of: a kept day's sums, and the changes since."""
    kept = StatusCountSnapshot
    here = select(kept.day).where(kept.directive_id == directive_id)
    wholly = set(db.session.scalars(here.where(kept.day.in_(days)))) if len(days) > 1 else set()
    if wholly:
        yield total.day, [total.summed == 1, total.day.in_(sorted(wholly))]
    for day in sorted({*days} - wholly):
        before = here.where(kept.day <= day).order_by(kept.day.desc()).limit(1).scalar_subquery()
        label = literal(day).label("day")
        yield label, [total.summed == 1, total.day == before]
        yield label, [total.summed == 0, total.day > func.coalesce(before, 0), total.day <= day]
