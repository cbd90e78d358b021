"""Counts people from their status periods: those of one directive, and of all directives at once."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from enum import Enum, auto
from typing import Any, NamedTuple

from sqlalchemy import CompoundSelect, case, func, literal, select, union_all

from portal.domain.directives.models import Directive, Exclusion
from portal.domain.people.models import Post
from portal.domain.status.filters import Scope, Whose, covers_day, is_known_on, last_day_in_time
from portal.domain.status.models import Column, Statement, StatusPeriod
from portal.domain.status.rules import WHOLE, Status
from portal.platform.db import db


class CountBy(Enum):
    """What people are counted by."""

    DIRECTIVE = auto()
    UNIT = auto()
    POSITION = auto()  # of a requirement; 0 is the whole directive, by which people are counted otherwise
    STATUS = auto()
    DUE_ON = auto()
    LAST_DAY_IN_TIME = auto()  # the due date, or the end of what lapsed after it
    ROLE = auto()
    RANK = auto()
    REASON = auto()  # of an exemption or deferral


Counted = tuple[Any, ...]  # values of the columns counted by, in their order, and the number of people
Statuses = Sequence[Status] | None  # None: all

PERIOD_COLUMNS: dict[CountBy, Column] = {
    CountBy.DIRECTIVE: StatusPeriod.directive_id,
    CountBy.UNIT: StatusPeriod.unit_id,
    CountBy.POSITION: StatusPeriod.position,
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


def count_periods(scope: Scope, columns: Sequence[CountBy], statuses: Statuses = None) -> list[Counted]:
    """People of ``statuses`` by the values of ``columns``, of which days are ordinals; one statement.

    The last day in time is read from the table only of those expired: an index has the due dates of others.
    """
    if CountBy.LAST_DAY_IN_TIME not in columns:
        return fetch_counted(_select_groups(scope, columns, statuses), columns)
    due = [CountBy.DUE_ON if column is CountBy.LAST_DAY_IN_TIME else column for column in columns]
    others = [status for status in statuses or Status if status is not Status.EXPIRED]
    lapsed = _select_groups(scope, columns, [Status.EXPIRED])
    return fetch_counted(union_all(_select_groups(scope, due, others), lapsed), columns)


def _select_groups(scope: Scope, columns: Sequence[CountBy], statuses: Statuses) -> Statement:
    selected = [PERIOD_COLUMNS[column] for column in columns]
    statement = select(*selected, func.count()).select_from(StatusPeriod)
    if POST_COLUMNS.intersection(columns):
        statement = statement.join(Post, Post.id == StatusPeriod.post_id)
    if CountBy.REASON in columns:
        statement = statement.join(Exclusion, Exclusion.id == StatusPeriod.exclusion_id)
    if statuses is not None:
        statement = statement.where(StatusPeriod.status.in_(statuses))
    conditions = scope.all_positions() if CountBy.POSITION in columns else scope.whole_directive()
    return statement.where(*conditions).group_by(*selected)


def fetch_counted(
    statement: Statement | CompoundSelect[*Counted], columns: Sequence[CountBy | None]
) -> list[Counted]:
    """The rows of a statement by some columns, with each status as a ``Status``."""
    rows = db.session.connection().execute(statement).all()
    if CountBy.STATUS not in columns:
        return [tuple(row) for row in rows]
    place = columns.index(CountBy.STATUS)
    return [(*row[:place], Status(row[place]), *row[place + 1 :]) for row in rows]


def count_periods_over_days(scope: Scope, days: Sequence[date]) -> Iterator[DaysRun]:
    """People by directive, unit and status on runs of ``days``; one statement.

    The index gives equal periods together, so the days are looked up once for each group of them.
    """
    ordinals = [day.toordinal() for day in days]
    for directive_id, unit_id, status, reports, from_on, to_on, people in db.session.execute(
        _select_equal_periods(scope, days)
    ):
        first, last = bisect_left(ordinals, from_on), bisect_right(ordinals, to_on) - 1
        if first <= last:
            yield DaysRun(directive_id, unit_id, bool(reports), Status(status), first, last, int(people))


def _select_equal_periods(scope: Scope, days: Sequence[date]) -> Statement:
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


def count_worst(by: Sequence[CountBy], as_at: date, as_known_on: datetime, whose: Whose) -> list[Counted]:
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
    return fetch_counted(select(*worst.c, func.count()).group_by(*worst.c), [*by, CountBy.STATUS])
