"""Counts people from their status periods: those of one directive, and of all directives at once."""

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from enum import Enum, auto
from typing import Any, NamedTuple

from sqlalchemy import CompoundSelect, case, func, literal, select, union_all

from portal.domain.directives.models import Directive, Exclusion
from portal.domain.people.models import Post
from portal.domain.people.queries import Viewer, visibility_of
from portal.domain.status.filters import AHEAD, LATE, Scope, Whose, covers_day, is_known_on, last_day_in_time
from portal.domain.status.models import Column, Statement, StatusPeriod
from portal.domain.status.periods import WHOLE
from portal.domain.status.rules import Status
from portal.platform.db import db


class CountBy(Enum):
    """What people are counted by."""

    DIRECTIVE = auto()
    UNIT = auto()
    STATUS = auto()
    DUE_ON = auto()
    LAST_DAY_IN_TIME = auto()  # the due date, or the end of what lapsed after it
    ROLE = auto()
    RANK = auto()
    REASON = auto()  # of an exemption or deferral


Values = tuple[Any, ...]  # of the columns counted by, in their order: days are ordinals
Group = tuple[Values, int]  # and the number of people
Statuses = Sequence[Status] | None  # None: all
RequirementCount = tuple[int, int, int, Status, int]  # directive, unit, position, status, people

PERIOD_COLUMNS: dict[CountBy, Column] = {
    CountBy.DIRECTIVE: StatusPeriod.directive_id,
    CountBy.UNIT: StatusPeriod.unit_id,
    CountBy.STATUS: StatusPeriod.status,
    CountBy.DUE_ON: StatusPeriod.due_on,
    CountBy.LAST_DAY_IN_TIME: last_day_in_time(StatusPeriod),
    CountBy.ROLE: Post.designated_role,
    CountBy.RANK: Post.rank_or_grade,
    CountBy.REASON: func.coalesce(Exclusion.reason, ""),
}
POST_COLUMNS = {CountBy.ROLE, CountBy.RANK}


class DaysRun(NamedTuple):
    """How many people of a unit had the same status on a run of the days that are counted."""

    directive_id: int
    unit_id: int  # 0 where all units are counted together
    reports: bool  # their post names the manager of the scope
    status: Status
    first: int  # place of the first of these days
    last: int
    people: int


class CountSource(ABC):
    """Counts the people of a scope by status."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    @abstractmethod
    def count_requirements(self) -> Iterator[RequirementCount]:
        """People by directive, unit, position and status; position 0 is the whole directive.

        A requirement may have the unit 0 for all units.
        """

    @abstractmethod
    def count_over_days(self, days: Sequence[date]) -> Iterator[DaysRun]:
        """People by directive, unit and status on each of ``days``, which rise, and not on the scope's."""

    @abstractmethod
    def count_by(self, columns: Sequence[CountBy], statuses: Statuses = None) -> list[Group]:
        """People under the whole directive by the values of ``columns``.

        Those of other ``statuses`` than these may be left out.
        """

    def count_units(self) -> Iterable[tuple[int, Status, int]]:
        """People by unit and status under the whole directive."""
        groups = self.count_by([CountBy.UNIT, CountBy.STATUS])
        return [(unit_id, Status(status), people) for (unit_id, status), people in groups]

    def count_posts(self) -> list[tuple[str, str, Status, int]]:
        """People by designated role, rank or grade, and status under the whole directive."""
        groups = self.count_by([CountBy.ROLE, CountBy.RANK, CountBy.STATUS])
        return [(role, rank, Status(status), people) for (role, rank, status), people in groups]

    def count_reasons(self) -> dict[str, int]:
        """People exempt or deferred, by reason in alphabetical order."""
        excluded = [status for status in Status if status.excluded]
        by_reason = Counter[str]()
        for (status, reason), people in self.count_by([CountBy.STATUS, CountBy.REASON], excluded):
            if status in excluded:
                by_reason[reason] += people
        return dict(sorted(by_reason.items()))

    def commonest_due_dates(self, limit: int) -> list[date]:
        """The due dates that most people have, in order."""
        commonest = sorted((-people, day) for (day,), people in self.count_by([CountBy.DUE_ON]))[:limit]
        return sorted(date.fromordinal(day) for _, day in commonest)

    def count_days_left(self) -> Iterator[tuple[int, Status, int, int]]:
        """People who have still to complete, by directive, status and days to the last day in time.

        The days are below 0 if it is past.
        """
        today = self._scope.as_at.toordinal()
        for (directive_id, status, day), people in self._count_last_days():
            if status in (*LATE, *AHEAD):
                yield directive_id, Status(status), day - today, people

    def _count_last_days(self) -> list[Group]:
        columns = [CountBy.DIRECTIVE, CountBy.STATUS, CountBy.LAST_DAY_IN_TIME]
        return self.count_by(columns, [*LATE, *AHEAD])


class PeriodCountSource(CountSource):
    """Counts people from their status periods."""

    def count_requirements(self) -> Iterator[RequirementCount]:
        """People by directive, unit, position and status; position 0 is the whole directive."""
        period = StatusPeriod
        columns = (period.directive_id, period.unit_id, period.position, period.status)
        statement = select(*columns, func.count()).where(*self._scope.all_positions()).group_by(*columns)
        for directive_id, unit_id, position, status, people in db.session.execute(statement):
            yield directive_id, unit_id, position, Status(status), people

    def count_by(self, columns: Sequence[CountBy], statuses: Statuses = None) -> list[Group]:
        """People of ``statuses`` under the whole directive by the values of ``columns``."""
        return _fetch_groups(_count_periods(self._scope, columns, statuses))

    def count_units(self) -> Iterable[tuple[int, Status, int]]:
        """People by unit and status; those overdue apart from those expired, each from an index alone."""
        whose = self._scope.whose
        apart = [(status,) for status in LATE] if whose.late and not whose.statuses else [whose.statuses]
        for statuses in apart:
            scope = replace(self._scope, whose=replace(whose, statuses=statuses))
            yield from CountSource.count_units(PeriodCountSource(scope))

    def _count_last_days(self) -> list[Group]:
        """Only those expired are read from the table: an index has the due dates of the others."""
        due = [CountBy.DIRECTIVE, CountBy.STATUS, CountBy.DUE_ON]
        lapsed = [CountBy.DIRECTIVE, CountBy.STATUS, CountBy.LAST_DAY_IN_TIME]
        in_time = _count_periods(self._scope, due, [Status.OVERDUE, *AHEAD])
        return _fetch_groups(union_all(in_time, _count_periods(self._scope, lapsed, [Status.EXPIRED])))

    def count_over_days(self, days: Sequence[date]) -> Iterator[DaysRun]:
        """People by directive, unit and status on runs of ``days``; one statement.

        The index gives equal periods together, so the days are looked up once for each group of them.
        """
        ordinals = [day.toordinal() for day in days]
        for *group, first, last, people in db.session.execute(_count_equal_periods(self._scope, days)):
            directive_id, unit_id, status, reports = group
            run = bisect_left(ordinals, first), bisect_right(ordinals, last) - 1
            if run[0] <= run[1]:
                yield DaysRun(directive_id, unit_id, bool(reports), Status(status), *run, int(people))


def _count_periods(scope: Scope, columns: Sequence[CountBy], statuses: Statuses) -> Statement:
    selected = [PERIOD_COLUMNS[column] for column in columns]
    statement = select(*selected, func.count()).select_from(StatusPeriod)
    if POST_COLUMNS.intersection(columns):
        statement = statement.join(Post, Post.id == StatusPeriod.post_id)
    if CountBy.REASON in columns:
        statement = statement.join(Exclusion, Exclusion.id == StatusPeriod.exclusion_id)
    if statuses is not None:
        statement = statement.where(StatusPeriod.status.in_(statuses))
    return statement.where(*scope.whole_directive()).group_by(*selected)


def _fetch_groups(statement: Statement | CompoundSelect[*tuple[Any, ...]]) -> list[Group]:
    rows: Iterable[Values] = db.session.execute(statement)
    return [(tuple(values), people) for *values, people in rows]


def _count_equal_periods(scope: Scope, days: Sequence[date]) -> Statement:
    """How many periods that reach into these days are equal in unit, status and days; the unit may be 0."""
    period, whose = StatusPeriod, scope.whose
    columns: list[Column] = [period.directive_id, period.unit_id, period.status]
    managed = select(Post.id).where(Post.line_manager_id == whose.manager_id)
    by_post = whose.manager_id is not None
    reports = (case((period.post_id.in_(managed), 1), else_=0) if by_post else literal(0)).label("reports")
    by_unit = (
        select(*columns, reports, period.from_on, period.to_on, func.count().label("people"))
        .where(period.directive_id.in_(scope.directive_ids), period.position == WHOLE)
        .where(period.from_on <= days[-1].toordinal(), period.to_on >= days[0].toordinal())
        .where(is_known_on(period, scope.as_known_on), whose.matches(period))
        .group_by(*columns, period.from_on, period.to_on, *([reports] if by_post else []))
    )
    if not whose.in_all_units:
        return by_unit
    equal = by_unit.subquery().c
    keys = (equal.status, equal.reports, equal.from_on, equal.to_on)
    statement = select(equal.directive_id, literal(0), *keys, func.sum(equal.people))
    return statement.group_by(equal.directive_id, *keys)


def count_worst(by: Sequence[CountBy], as_at: date, as_known_on: datetime, whose: Whose) -> list[Group]:
    """People by the values of some columns and then by the worst status under any directive.

    Each counts once by each set of values, and once in each of their units. Exclusions come last, so whoever
    is excluded everywhere counts as excluded.
    """
    period, columns = StatusPeriod, [PERIOD_COLUMNS[column] for column in by]
    statement = select(*columns, func.min(period.status).label("status")).select_from(period)
    if POST_COLUMNS.intersection(by):
        statement = statement.join(Post, Post.id == period.post_id)
    worst = (
        statement.where(period.position == WHOLE, covers_day(period, as_at), is_known_on(period, as_known_on))
        .where(period.directive_id.in_(select(Directive.id)), whose.matches(period))  # leads the index
        .group_by(period.person_id, period.unit_id, *columns)
        .subquery()
    )
    return _fetch_groups(select(*worst.c, func.count()).group_by(*worst.c))


class DirectiveReach(NamedTuple):
    """The people to whom a directive applies on a day."""

    people: int
    done: int  # of those counted
    counted: int  # all but those exempt or deferred


NOBODY = DirectiveReach(0, 0, 0)


def count_reach(viewer: Viewer, day: date) -> dict[int, DirectiveReach]:
    """By directive, the people to whom it applies on ``day``, as known now, of those the viewer may see."""
    seen, period = visibility_of(viewer), StatusPeriod
    whose = Whose(seen.everyone, seen.unit_ids, seen.direct_reports_of)
    statement = select(period.directive_id, period.status, func.count()).where(
        period.position == WHOLE, covers_day(period, day), is_known_on(period, None), whose.matches(period)
    )
    reach: dict[int, DirectiveReach] = {}
    for key, number, n in db.session.execute(statement.group_by(period.directive_id, period.status)):
        status, (people, done, counted) = Status(number), reach.get(key, NOBODY)
        reach[key] = DirectiveReach(people + n, done + n * status.held, counted + n * (not status.excluded))
    return reach
