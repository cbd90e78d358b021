"""Counts people from the status counts, which are summed up in advance for many people at once.

They hold what is known now. What was known earlier is what they say, less what was recorded later, which is
read from the status periods. ``counting.is_summed`` says for whom they can answer.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select, union_all

from portal.domain.directives.models import Exclusion
from portal.domain.people.models import Post
from portal.domain.status.aggregates import DaysRun
from portal.domain.status.filters import AHEAD, LATE, Scope, Whose, late_since
from portal.domain.status.late_arrivals import learnt
from portal.domain.status.models import Kind, StatusCount, StatusCountSnapshot, StatusGroup, StatusPeriod
from portal.domain.status.periods import WHOLE
from portal.domain.status.rules import Status
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


class SummedCountSource:
    """Counts the people of a scope from the status counts; see ``counting.CountSource``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def count_requirements(self) -> Iterator[tuple[int, int, Status, int]]:
        """People by unit, position and status; a requirement has the unit 0 for all units."""
        wanted = or_(total.kind == Kind.PLACE, and_(total.kind == Kind.POSITION, total.position != WHOLE))
        unit = case((span.position == WHOLE, span.unit_id), else_=0)
        columns = [(total.unit_id, unit), (total.position, span.position), STATUS]
        for unit_id, position, status, people in _today(
            self._scope, Counted([Kind.PLACE, Kind.POSITION], columns, [wanted], [])
        ):
            yield unit_id, position, Status(status), people

    def count_units(self) -> Iterator[tuple[int, Status, int]]:
        """People by unit and status under the whole directive."""
        for unit_id, status, people in _today(self._scope, Counted([Kind.PLACE], [UNIT, STATUS])):
            yield unit_id, Status(status), people

    def count_posts(self) -> Sequence[tuple[str, str, Status, int]]:
        """People by designated role, rank or grade, and status under the whole directive."""
        counted = Counted([Kind.POSITION], [ROLE, RANK, STATUS], [total.position == WHOLE])
        rows = _today(self._scope, counted)
        return [(role, rank, Status(status), people) for role, rank, status, people in rows]

    def count_reasons(self) -> dict[str, int]:
        """People exempt or deferred, by reason."""
        by_reason = Counter[str]()
        for status, _, _, reason, people in self._by_days():
            if status.excluded:
                by_reason[reason] += people
        return {reason: by_reason[reason] for reason in sorted(by_reason)}

    def commonest_due_dates(self, limit: int) -> list[date]:
        """The due dates that most people have, in order."""
        by_day = Counter[int]()
        for _, due_on, _, _, people in self._by_days():
            by_day[due_on] += people
        commonest = sorted(by_day, key=lambda day: (-by_day[day], day))[:limit]
        return [date.fromordinal(day) for day in sorted(commonest)]

    def count_days_left(self) -> Iterator[tuple[Status, int, int]]:
        """Of those who have still to complete: status, days to the last day in time, and people."""
        today = self._scope.as_at.toordinal()
        for status, due_on, since_on, _, people in self._by_days():
            if status in LATE:
                yield status, since_on - today, people
            elif status in AHEAD:
                yield status, due_on - today, people

    def count_over_days(self, days: Sequence[date]) -> Iterator[DaysRun]:
        """People by unit and status on each of ``days``; the unit is 0 where everybody is counted."""
        places = {day.toordinal(): place for place, day in enumerate(days)}
        whose = self._scope.whose
        if whose.everyone and whose.within is None:
            unit, of_all = (total.unit_id, literal(0)), [total.position == WHOLE]
            counted = Counted([Kind.POSITION], [unit, STATUS], of_all)
        else:
            counted = Counted([Kind.PLACE], [UNIT, STATUS])
        for day, unit_id, status, people in _on(self._scope, days, counted):
            yield DaysRun(unit_id, False, Status(status), places[day], places[day], people)

    def count_by(self, columns: Sequence[str]) -> list[tuple[Row, int]]:
        """How many people have each combination of values of the columns named, which ``_COLUMNS`` lists."""
        kind = Kind.PLACE if "unit_id" in columns else Kind.DAYS
        counted = Counted([kind], [_COLUMNS[name] for name in columns], _late_or_due(self._scope))
        return [(tuple(values), people) for *values, people in _today(self._scope, counted)]

    def _by_days(self) -> Iterator[tuple[Status, int, int, str, int]]:
        """Status, due date, last day in time, reason of an exclusion, and people; days are ordinals."""
        for status, *days, reason, people in _today(
            self._scope, Counted([Kind.DAYS], [STATUS, DUE, SINCE, REASON])
        ):
            due_on, since_on = days
            yield Status(status), due_on, since_on, reason, people


_COLUMNS = {
    "status": STATUS,
    "due_on": DUE,
    "since_on": SINCE,
    "designated_role": ROLE,
    "rank_or_grade": RANK,
    "unit_id": UNIT,
}


def _late_or_due(scope: Scope) -> list[ColumnElement[bool]]:
    whose, today = scope.whose, scope.as_at.toordinal()
    found: list[ColumnElement[bool]] = []
    if whose.late is not None:
        least, most = whose.late
        found += [total.status.in_(LATE), total.since_on.between(today - most, today - least)]
    if whose.due_within is not None:
        found += [total.status.in_(AHEAD), total.due_on <= today + whose.due_within]
    return found


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
    return [tuple(values) for _, *values in _on(scope, [scope.as_at], counted)]


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
    return [(*values, int(people)) for *values, people in rows]


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
