"""Counts people by status from one of two sources, which give the same answers.

Status counts are summed in advance, for everybody at once. Status periods have a row for each person: they
answer every question, and take as long as there are people. ``is_summed`` alone chooses between them.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import CTE, and_, case, func, literal, or_, select, union_all

from portal.domain.directives.models import Directive, Exclusion
from portal.domain.people.models import Person, Post
from portal.domain.status.filters import AHEAD, LATE, Condition, Later, Scope, late_arrivals
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
    POST_COLUMNS,
    CountBy,
    Counted,
    DaysRun,
    Statuses,
    count_periods,
    count_periods_over_days,
    fetch_counted,
)
from portal.domain.status.rules import WHOLE, Status
from portal.platform.clock import to_microseconds
from portal.platform.db import Stamp, db

RequirementCount = tuple[int, int, int, Status, int]  # directive, unit, position, status, people


def measure_later(directive_ids: Sequence[int], instants: Collection[datetime]) -> dict[datetime, Later]:
    """Whether more periods became known late after each instant than there are people; one statement.

    A first load of a force does this: all its people are learnt late, and all their completions.
    """
    if not instants:
        return {}
    period = StatusPeriod
    people = select(func.count() * len(directive_ids)).select_from(Person).scalar_subquery()
    late = select(literal(1)).where(
        period.directive_id.in_(directive_ids), OPENED_LATE, period.known_from < FIRST_AHEAD
    )
    later_than = (late.where(period.known_from > to_microseconds(instant)) for instant in instants)
    row = db.session.execute(select(*(each.offset(people).limit(1).exists() for each in later_than))).one()
    return {each: Later.MUCH if much else Later.LITTLE for each, much in zip(instants, row, strict=True)}


def is_summed(scope: Scope, columns: Sequence[CountBy], *, over_days: bool = False) -> bool:
    """Whether the status counts can answer for the people of a scope, by these columns."""
    whose = scope.whose
    if scope.later is Later.MUCH or whose.named is not None or whose.people is not None:
        return False
    by_days = whose.late is not None or whose.due_within is not None
    if over_days:
        return not by_days and (whose.everyone or whose.manager_id is None)
    if (by_days and CountBy.UNIT in columns) or (whose.statuses is not None and CountBy.POSITION in columns):
        return False
    return whose.in_all_units


def count_by(scope: Scope, columns: Sequence[CountBy], statuses: Statuses = None) -> list[Counted]:
    """People under the whole directive by the values of ``columns``.

    Those of other ``statuses`` than these may be left out.
    """
    if not is_summed(scope, columns):
        return count_periods(scope, columns, statuses)
    return [counted[1:] for counted in _StatusCounts(scope, [scope.as_at], columns).sum_up()]


def count_requirements(scope: Scope) -> list[RequirementCount]:
    """People by directive, unit, position and status; position 0 is the whole directive.

    A requirement may have the unit 0 for all units.
    """
    return count_by(scope, [CountBy.DIRECTIVE, CountBy.UNIT, CountBy.POSITION, CountBy.STATUS])


def count_statuses_over_days(scope: Scope, days: Sequence[date]) -> list[tuple[date, int, int, Status, int]]:
    """People by day, directive, position and status on each of ``days``, which rise; position 0 is the whole.

    The people are those of the scope on each day, so they must not be chosen by units, which move.
    """
    columns = [CountBy.DIRECTIVE, CountBy.POSITION, CountBy.STATUS]
    if is_summed(scope, columns):
        return _StatusCounts(scope, days, columns).sum_up()
    return [(day, *counted) for day in days for counted in count_by(replace(scope, as_at=day), columns)]


def count_units(scope: Scope) -> list[tuple[int, Status, int]]:
    """People by unit and status under the whole directive.

    Of those who are late, the overdue are counted apart from the expired, each from an index alone.
    """
    whose = scope.whose
    parts = [(status,) for status in LATE] if whose.late and not whose.statuses else [whose.statuses]
    scopes = [replace(scope, whose=replace(whose, statuses=statuses)) for statuses in parts]
    return [counted for each in scopes for counted in count_by(each, [CountBy.UNIT, CountBy.STATUS])]


def count_posts(scope: Scope) -> list[tuple[str, str, Status, int]]:
    """People by designated role, rank or grade, and status under the whole directive."""
    return count_by(scope, [CountBy.ROLE, CountBy.RANK, CountBy.STATUS])


def count_groups(scope: Scope) -> list[tuple[int, str, str, Status, int]]:
    """People by unit, designated role, rank or grade, and status under the whole directive."""
    return count_by(scope, [CountBy.UNIT, CountBy.ROLE, CountBy.RANK, CountBy.STATUS])


def count_reasons(scope: Scope) -> dict[str, int]:
    """People exempt or deferred, by reason in alphabetical order."""
    excluded = [status for status in Status if status.excluded]
    by_reason = Counter[str]()
    for status, reason, people in count_by(scope, [CountBy.STATUS, CountBy.REASON], excluded):
        if status.excluded:
            by_reason[reason] += people
    return dict(sorted(by_reason.items()))


def list_commonest_due_dates(scope: Scope, limit: int) -> list[date]:
    """The due dates that most people have, in order."""
    commonest = sorted((-people, day) for day, people in count_by(scope, [CountBy.DUE_ON]))[:limit]
    return sorted(date.fromordinal(day) for _, day in commonest)


def count_days_left(scope: Scope) -> Iterator[tuple[int, Status, int, int]]:
    """People who have still to complete, by directive, status and days to the last day in time.

    The days are below 0 if it is past.
    """
    columns, today = [CountBy.DIRECTIVE, CountBy.STATUS, CountBy.LAST_DAY_IN_TIME], scope.as_at.toordinal()
    for directive_id, status, day, people in count_by(scope, columns, [*LATE, *AHEAD]):
        if status in (*LATE, *AHEAD):
            yield directive_id, status, day - today, people


def count_over_days(scope: Scope, days: Sequence[date]) -> Iterator[DaysRun]:
    """People by directive, unit and status on each of ``days``, which rise, and not on the scope's.

    From the status counts the unit is 0 where everybody is counted.
    """
    units = [] if scope.whose.in_all_units else [CountBy.UNIT]
    columns = [CountBy.DIRECTIVE, CountBy.STATUS, *units]
    if not is_summed(scope, columns, over_days=True):
        yield from count_periods_over_days(scope, days)
        return
    for day, directive_id, status, *unit, people in _StatusCounts(scope, days, columns).sum_up():
        place = days.index(day)
        yield DaysRun(directive_id, sum(unit), False, status, place, place, people)


_COUNT_COLUMNS: dict[CountBy, Column] = {
    CountBy.DIRECTIVE: StatusCount.directive_id,
    CountBy.UNIT: StatusCount.unit_id,
    CountBy.POSITION: StatusCount.position,
    CountBy.STATUS: StatusCount.status,
    CountBy.DUE_ON: StatusCount.due_on,
    CountBy.LAST_DAY_IN_TIME: StatusCount.since_on,
    CountBy.ROLE: StatusGroup.designated_role,
    CountBy.RANK: StatusGroup.rank_or_grade,
    CountBy.REASON: StatusGroup.reason,
}
_DAY_COLUMNS = {CountBy.DUE_ON, CountBy.LAST_DAY_IN_TIME, CountBy.REASON}
_GROUP_COLUMNS = {*POST_COLUMNS, CountBy.REASON}


@dataclass(frozen=True, slots=True)
class _StatusCounts:
    """Sums the status counts, which hold what is known now, of a scope on some days by some columns.

    For earlier knowledge, what was recorded later is read from the status periods and undone.
    """

    scope: Scope
    days: Sequence[date]
    columns: Sequence[CountBy]

    def sum_up(self) -> list[Counted]:
        """Each of the days, the values of the columns, and the people.

        The counts alone are read where nothing was recorded later, as long as no other transaction has
        committed a newer stamp since.
        """
        asked = _select_days(self.scope.directive_ids, self.days)
        parts = list(self._select_counts(asked))
        if self.scope.later is Later.NOTHING:
            newest = select(func.max(Stamp.recorded_at)).scalar_subquery()
            if counted := self._sum_parts(parts, newest <= self.scope.as_known_on):
                return counted
        return self._sum_parts([*parts, self._select_late_arrivals(asked)])

    def _sum_parts(self, parts: Sequence[Statement], *conditions: Condition) -> list[Counted]:
        *columns, people = union_all(*parts).subquery().c
        total = func.sum(people)
        statement = select(*columns, total).where(*conditions).group_by(*columns).having(total != 0)
        counted = fetch_counted(statement, [None, *self.columns])
        return [(date.fromordinal(day), *values, int(number)) for day, *values, number in counted]

    def _select_counts(self, asked: CTE) -> Iterator[Statement]:
        """The rows of the status counts: those of the last snapshot, and the changes since."""
        count = StatusCount
        conditions = [count.directive_id == asked.c.directive_id, *self._list_conditions()]
        columns = [_COUNT_COLUMNS[column] for column in self.columns]
        statement = select(asked.c.day, *columns, count.people).select_from(asked)
        in_snapshot = and_(count.summed == 1, count.day == asked.c.snapshot_day)
        since = and_(count.summed == 0, count.day > asked.c.snapshot_day, count.day <= asked.c.day)
        for rows in (in_snapshot, since):
            # An outer join, so that SQLite begins with the days; where nothing is joined, the sum is null.
            part = statement.outerjoin(count, and_(*conditions, rows))
            if not _GROUP_COLUMNS.isdisjoint(self.columns):
                part = part.outerjoin(StatusGroup, StatusGroup.id == count.group_id)
            yield part

    def _list_conditions(self) -> list[Condition]:
        """Conditions on the counts: a kind that has the columns; the people by unit, group and status."""
        count, whose = StatusCount, replace(self.scope.whose, unit_hint=None)
        by_days = whose.late is not None or whose.due_within is not None
        conditions: list[Condition]
        if CountBy.POSITION in self.columns:
            of_one = or_(count.kind == Kind.PLACE, count.position != WHOLE)
            conditions = [count.kind.in_([Kind.PLACE, Kind.POSITION]), of_one]
        elif CountBy.UNIT in self.columns:
            conditions = [count.kind == Kind.PLACE]
        elif CountBy.STATUS in self.columns and not by_days and _DAY_COLUMNS.isdisjoint(self.columns):
            # In fewer rows than by days, where people have many due dates; as the key begins.
            conditions = [count.kind == Kind.POSITION, count.unit_id == 0, count.position == WHOLE]
        else:
            conditions = [count.kind == Kind.DAYS]
        conditions += self.scope.status_conditions(count)
        if (units := whose.units) is not None:
            conditions.append(count.unit_id.in_(units))
        if (groups := whose.select_by_post(StatusGroup)) is not None:
            conditions.append(count.group_id.in_(groups))
        return conditions

    def _select_late_arrivals(self, asked: CTE) -> Statement:
        """What undoes later knowledge: +1 for a period that has ended since, -1 for one known only since."""
        scope, period = self.scope, StatusPeriod
        whose = replace(scope.whose, unit_hint=None)  # a period known only since may be in another unit
        conditions = [period.directive_id.in_(scope.directive_ids), whose.matches(period)]
        conditions += scope.status_conditions(period)
        by_column = dict(PERIOD_COLUMNS)
        if CountBy.POSITION in self.columns:  # a requirement is counted in all units
            by_column[CountBy.UNIT] = case((period.position == WHOLE, period.unit_id), else_=0)
        else:
            conditions.append(period.position == WHOLE)
        columns = [by_column[column].label(f"c{place}") for place, column in enumerate(self.columns)]
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
                for known_before, rows in late_arrivals((min(self.days), max(self.days)), scope.as_known_on)
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
