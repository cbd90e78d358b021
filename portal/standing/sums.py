"""Reading the kept sums instead of the spans: the same answer, for many people at once.

They hold what is known now, so they answer while nothing was recorded later than a scope knows, and only
where the scope asks by unit, role, rank and status. Whoever asks here reads the spans where the answer is
None. Every statement looks for the newest stamp itself: where a change is being written, another
transaction may commit between two.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, func, literal, or_, select, union_all

from portal.db import Stamp, db
from portal.standing.models import Kind, StandingGroup, StandingKept, StandingTotal
from portal.standing.scope import AHEAD, LATE, Scope, Whose
from portal.standing.spans import WHOLE

total: Any = StandingTotal
group: Any = StandingGroup

Row = tuple[Any, ...]


def counts(scope: Scope) -> Sequence[Row] | None:
    """People by unit, position and status, as ``queries.counts`` gives them; a requirement has no unit."""
    if not _whole(scope.whose) or scope.whose.statuses is not None:
        return None
    wanted = or_(total.kind == Kind.PLACE, and_(total.kind == Kind.POSITION, total.position != WHOLE))
    columns = (total.unit_id, total.position, total.status)
    found = _on(scope, [Kind.PLACE, Kind.POSITION], columns, [scope.as_at], wanted)
    return found and [row[1:] for row in found]


def wholes(scope: Scope) -> Sequence[Row] | None:
    """People by unit and status under the whole directive."""
    if not _whole(scope.whose):
        return None
    found = _on(scope, [Kind.PLACE], (total.unit_id, total.status), [scope.as_at])
    return found and [row[1:] for row in found]


def by_post(scope: Scope) -> Sequence[Row] | None:
    """People by designated role, rank or grade, and status under the whole directive."""
    if not _whole(scope.whose):
        return None
    columns = (group.designated_role, group.rank_or_grade, total.status)
    found = _on(scope, [Kind.POSITION], columns, [scope.as_at], total.position == WHOLE)
    return found and [row[1:] for row in found]


def by_days(scope: Scope) -> Sequence[Row] | None:
    """People by status, due date, last day in time and reason of an exclusion."""
    if not _whole(scope.whose):
        return None
    columns = (total.status, total.due_on, total.since_on, group.reason)
    found = _on(scope, [Kind.DAYS], columns, [scope.as_at])
    return found and [row[1:] for row in found]


_COLUMNS = {
    "status": total.status,
    "due_on": total.due_on,
    "since_on": total.since_on,
    "designated_role": group.designated_role,
    "rank_or_grade": group.rank_or_grade,
    "unit_id": total.unit_id,
}


def groups(scope: Scope, by: Sequence[str]) -> Sequence[tuple[Row, int]] | None:
    """How many people there are with each value of some columns: those named in ``_COLUMNS``."""
    by_unit = "unit_id" in by
    whose = scope.whose if by_unit else replace(scope.whose, late=None, due_within=None)
    if not _whole(whose):
        return None
    kind, columns = Kind.PLACE if by_unit else Kind.DAYS, [_COLUMNS[name] for name in by]
    found = _on(scope, [kind], columns, [scope.as_at], *_late_or_due(scope))
    return found and [(row[1:-1], row[-1]) for row in found]


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
        return _on(scope, [Kind.POSITION], (total.unit_id, total.status), days, total.position == WHOLE)
    if _by_unit(scope.whose):
        return _on(scope, [Kind.PLACE], (total.unit_id, total.status), days)
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
    for units in ([] if whose.everyone else [whose.unit_ids], [] if whose.within is None else [whose.within]):
        found += [total.unit_id.in_(sorted(some)) for some in units]
    if whose.role or whose.ranks:
        named = select(group.id)
        named = named.where(group.designated_role == whose.role) if whose.role else named
        named = named.where(group.rank_or_grade.in_(whose.ranks)) if whose.ranks else named
        found.append(total.group_id.in_(named))
    if whose.statuses is not None:
        found.append(total.status.in_([int(status) for status in whose.statuses]))
    return found


def _on(
    scope: Scope, kinds: Sequence[Kind], columns: Sequence[Any], days: Sequence[date], *wanted: Any
) -> Sequence[Row] | None:
    """Each of ``days`` as an ordinal, the columns, and the people; None: the sums cannot tell."""
    if not scope.newest:
        return None
    here = [total.directive_id == scope.directive_id, total.kind.in_(kinds), *_asked(scope.whose), *wanted]
    parts = list(_parts(scope.directive_id, [day.toordinal() for day in days]))
    names = [f"c{place}" for place in range(len(columns))]
    labelled = [column.label(name) for column, name in zip(columns, names, strict=True)]
    read = union_all(
        *(
            _from(select(label.label("day"), *labelled, total.people).where(*here, *conditions), columns)
            for label, conditions in parts
        )
    ).subquery()
    asked = [read.c.day, *(read.c[name] for name in names)]
    people = func.sum(read.c.people)
    newest = select(func.max(Stamp.recorded_at)).scalar_subquery()
    statement = select(*asked, people).where(newest <= scope.as_known_on).group_by(*asked).having(people != 0)
    rows = db.session.connection().execute(statement).all()
    return [(*row[:-1], int(row[-1])) for row in rows] or None


def _from(statement: Any, columns: Sequence[Any]) -> Any:
    if any(column.class_ is StandingGroup for column in columns):
        return statement.join(group, group.id == total.group_id)
    return statement


def _parts(directive_id: int, days: Sequence[int]) -> Iterator[tuple[Any, list[Any]]]:
    """Which rows make up each day, with the day they are of: a kept day's sums, and the changes since."""
    kept = StandingKept
    here = select(kept.day).where(kept.directive_id == directive_id)
    wholly = set(db.session.scalars(here.where(kept.day.in_(days)))) if len(days) > 1 else set()
    if wholly:
        yield total.day, [total.summed == 1, total.day.in_(sorted(wholly))]
    for day in sorted({*days} - wholly):
        before = here.where(kept.day <= day).order_by(kept.day.desc()).limit(1).scalar_subquery()
        label = literal(day).label("day")
        yield label, [total.summed == 1, total.day == before]
        yield label, [total.summed == 0, total.day > func.coalesce(before, 0), total.day <= day]
