"""Counts people by status from one of two sources, which give the same answers.

Status counts are summed in advance, for everybody at once. Status periods have a row for each person: they
answer every question, and take as long as there are people. ``count_source`` alone chooses between them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import Enum, auto

from sqlalchemy import CTE, and_, case, func, literal, or_, select, union_all

from portal.domain.directives.models import Directive, Exclusion
from portal.domain.people.models import Person, Post
from portal.domain.status.filters import Condition, Later, Scope, late_arrivals
from portal.domain.status.models import (
    FIRST_AHEAD,
    OPENED_LATE,
    Column,
    Kind,
    Statement,
    StatusCount,
    StatusCountSnapshot,
    StatusGroup,
    StatusPeriod,
)
from portal.domain.status.period_counts import (
    PERIOD_COLUMNS,
    CountBy,
    CountSource,
    DaysRun,
    Group,
    PeriodCountSource,
    RequirementCount,
    Statuses,
    Values,
)
from portal.domain.status.periods import WHOLE
from portal.domain.status.rules import Status
from portal.platform.clock import to_microseconds
from portal.platform.db import Stamp, db


class Question(Enum):
    """What is counted; the status counts cannot answer every question for everyone."""

    REQUIREMENTS = auto()  # people by requirement, and by unit under the whole directive
    PEOPLE = auto()  # under the whole directive alone, on the day of the scope
    OVER_DAYS = auto()  # the same on several days
    ORDER = auto()  # the same by the columns of a sorted table, other than the unit


def measure_later(directive_ids: Sequence[int], as_known_on: datetime) -> Later:
    """Whether more periods became known late after an instant than there are people; one statement.

    A first load of a force does this: all its people are learnt late, and all their completions.
    """
    period = StatusPeriod
    late = select(literal(1)).where(
        period.directive_id.in_(directive_ids),
        OPENED_LATE,
        period.known_from > to_microseconds(as_known_on),
        period.known_from < FIRST_AHEAD,
    )
    people = select(func.count() * len(directive_ids)).select_from(Person).scalar_subquery()
    is_much = db.session.scalar(select(late.offset(people).limit(1).exists()))
    return Later.MUCH if is_much else Later.LITTLE


def count_source(scope: Scope, question: Question) -> CountSource:
    """The status counts, where they can answer the question for these people; else the status periods."""
    return SummedCountSource(scope) if is_summed(scope, question) else PeriodCountSource(scope)


def is_summed(scope: Scope, question: Question) -> bool:
    """Whether the status counts can answer a question for the people of a scope."""
    whose = scope.whose
    if scope.later is Later.MUCH:
        return False
    if question is Question.ORDER:  # the columns of a sorted table have the days
        whose = replace(whose, late=None, due_within=None)
    narrower = (whose.named, whose.people, whose.late, whose.due_within)
    if any(condition is not None for condition in narrower):
        return False
    if question is Question.OVER_DAYS:
        return whose.everyone or whose.manager_id is None
    if question is Question.REQUIREMENTS and whose.statuses is not None:
        return False
    return whose.in_all_units


_COUNT_COLUMNS: dict[CountBy, Column] = {
    CountBy.DIRECTIVE: StatusCount.directive_id,
    CountBy.UNIT: StatusCount.unit_id,
    CountBy.STATUS: StatusCount.status,
    CountBy.DUE_ON: StatusCount.due_on,
    CountBy.LAST_DAY_IN_TIME: StatusCount.since_on,
    CountBy.ROLE: StatusGroup.designated_role,
    CountBy.RANK: StatusGroup.rank_or_grade,
    CountBy.REASON: StatusGroup.reason,
}
_DAY_COLUMNS = {CountBy.DUE_ON, CountBy.LAST_DAY_IN_TIME, CountBy.REASON}


@dataclass(frozen=True, slots=True)
class _Selection:
    """The columns and the rows that are summed: of the status counts, and of the status periods."""

    kinds: Sequence[Kind]
    of_counts: Sequence[Column]
    of_periods: Sequence[Column]
    counts: Sequence[Condition]
    periods: Sequence[Condition] = ()


class SummedCountSource(CountSource):
    """Counts people from the status counts, which hold what is known now.

    For earlier knowledge, what was recorded later is read from the status periods and undone.
    """

    def count_requirements(self) -> Iterator[RequirementCount]:
        """People by directive, unit, position and status; a requirement has the unit 0 for all units."""
        count, period = StatusCount, StatusPeriod
        unit_id = case((period.position == WHOLE, period.unit_id), else_=0)
        selection = _Selection(
            kinds=[Kind.PLACE, Kind.POSITION],
            of_counts=[count.directive_id, count.unit_id, count.position, count.status],
            of_periods=[period.directive_id, unit_id, period.position, period.status],
            counts=[or_(count.kind == Kind.PLACE, count.position != WHOLE)],
        )
        for _, directive_id, unit, position, status, people in self._sum_up([self._scope.as_at], selection):
            yield directive_id, unit, position, Status(status), people

    def count_by(self, columns: Sequence[CountBy], statuses: Statuses = None) -> list[Group]:
        """People of any status under the whole directive by the values of ``columns``."""
        rows = self._sum_up([self._scope.as_at], self._select_columns(columns))
        return [(tuple(values), people) for _, *values, people in rows]

    def count_over_days(self, days: Sequence[date]) -> Iterator[DaysRun]:
        """People by directive, unit and status on each of ``days``; the unit is 0 if everybody is counted."""
        places = {day.toordinal(): place for place, day in enumerate(days)}
        units = [] if self._scope.whose.in_all_units else [CountBy.UNIT]
        columns = [CountBy.DIRECTIVE, CountBy.STATUS, *units]
        rows = self._sum_up(days, self._select_columns(columns))
        for day, directive_id, status, *unit, people in rows:
            place = places[day]
            yield DaysRun(directive_id, sum(unit), False, Status(status), place, place, people)

    def _select_columns(self, columns: Sequence[CountBy]) -> _Selection:
        """What is summed to count by some columns."""
        whose, counts = self._scope.whose, list[Condition]()
        by_days = whose.late is not None or whose.due_within is not None
        if CountBy.UNIT in columns:
            kind = Kind.PLACE
        elif CountBy.STATUS in columns and not by_days and _DAY_COLUMNS.isdisjoint(columns):
            kind = Kind.POSITION  # in fewer rows than by days, where people have many due dates
            counts = [StatusCount.unit_id == 0, StatusCount.position == WHOLE]  # as the key begins
        else:
            kind = Kind.DAYS
        of_counts = [_COUNT_COLUMNS[column] for column in columns]
        of_periods = [PERIOD_COLUMNS[column] for column in columns]
        return _Selection([kind], of_counts, of_periods, counts, [StatusPeriod.position == WHOLE])

    def _sum_up(self, days: Sequence[date], selection: _Selection) -> Sequence[Values]:
        """Each of ``days`` as an ordinal, the values of the columns, and the people.

        The counts alone are read where nothing was recorded later, as long as no other transaction has
        committed a newer stamp since.
        """
        asked = _select_days(self._scope.directive_ids, days)
        parts = list(self._select_counts(asked, selection))
        if self._scope.later is Later.NOTHING:
            newest = select(func.max(Stamp.recorded_at)).scalar_subquery()
            if rows := _sum_parts(parts, newest <= self._scope.as_known_on):
                return rows
        return _sum_parts([*parts, self._select_late_arrivals(asked, days, selection)])

    def _select_counts(self, asked: CTE, selection: _Selection) -> Iterator[Statement]:
        """The rows of the status counts: those of the last snapshot, and the changes since."""
        count = StatusCount
        conditions = [count.directive_id == asked.c.directive_id, count.kind.in_(selection.kinds)]
        conditions += [*selection.counts, *self._list_conditions()]
        statement = select(asked.c.day, *selection.of_counts, count.people).select_from(asked)
        in_snapshot = and_(count.summed == 1, count.day == asked.c.snapshot_day)
        since = and_(count.summed == 0, count.day > asked.c.snapshot_day, count.day <= asked.c.day)
        for rows in (in_snapshot, since):
            # An outer join, so that SQLite begins with the days; where nothing is joined, the sum is null.
            part = statement.outerjoin(count, and_(*conditions, rows))
            if any(column.table is StatusGroup.__table__ for column in selection.of_counts):
                part = part.outerjoin(StatusGroup, StatusGroup.id == count.group_id)
            yield part

    def _list_conditions(self) -> list[Condition]:
        """Conditions on the counts: the people of the scope, by unit, group and status."""
        whose = replace(self._scope.whose, unit_hint=None)
        conditions = self._scope.status_conditions(StatusCount)
        if (units := whose.units) is not None:
            conditions.append(StatusCount.unit_id.in_(units))
        if (groups := whose.select_by_post(StatusGroup)) is not None:
            conditions.append(StatusCount.group_id.in_(groups))
        return conditions

    def _select_late_arrivals(self, asked: CTE, days: Sequence[date], selection: _Selection) -> Statement:
        """What undoes later knowledge: +1 for a period that has ended since, -1 for one known only since."""
        scope, period = self._scope, StatusPeriod
        whose = replace(scope.whose, unit_hint=None)  # a period known only since may be in another unit
        conditions = [period.directive_id.in_(scope.directive_ids), whose.matches(period)]
        conditions += [*scope.status_conditions(period), *selection.periods]
        columns = [column.label(f"c{place}") for place, column in enumerate(selection.of_periods)]
        edges = (
            period.directive_id.label("directive_id"),
            period.from_on.label("first"),
            period.to_on.label("last"),
        )
        arrivals = union_all(
            *(
                select(*columns, literal(1 if known_before else -1).label("people"), *edges)
                .select_from(period)
                .outerjoin(Post, Post.id == period.post_id)
                .outerjoin(Exclusion, Exclusion.id == period.exclusion_id)
                .where(*conditions, *rows)
                for known_before, rows in late_arrivals((min(days), max(days)), scope.as_known_on)
            )
        ).cte("late_arrivals")
        *values, directive_id, first, last = arrivals.c
        on_day = and_(asked.c.directive_id == directive_id, asked.c.day.between(first, last))
        return select(asked.c.day, *values).join_from(arrivals, asked, on_day)


def _select_days(directive_ids: Sequence[int], days: Sequence[date]) -> CTE:
    """Each directive with each day, and the day of the last snapshot before; 0 if there is none."""
    ordinals = union_all(*(select(literal(day.toordinal()).label("day")) for day in days)).cte("days")
    snapshot = StatusCountSnapshot
    last = select(func.max(snapshot.day)).where(
        snapshot.directive_id == Directive.id, snapshot.day <= ordinals.c.day
    )
    snapshot_day = func.coalesce(last.scalar_subquery(), 0).label("snapshot_day")
    return (
        select(Directive.id.label("directive_id"), ordinals.c.day, snapshot_day)
        .join_from(ordinals, Directive, Directive.id.in_(directive_ids))
        .cte("asked")
        .prefix_with("MATERIALIZED")  # each snapshot is looked up once
    )


def _sum_parts(parts: Sequence[Statement], *conditions: Condition) -> Sequence[Values]:
    *columns, people = union_all(*parts).subquery().c
    total = func.sum(people)
    statement = select(*columns, total).where(*conditions).group_by(*columns).having(total != 0)
    return [(*values, int(people)) for *values, people in db.session.connection().execute(statement).all()]
