"""Counts people by status from one of two sources, which give the same answers.

Status counts are summed in advance, for everybody at once. Status periods have a row for each person: they
answer every question, and take as long as there are people. ``is_summed`` alone chooses between them.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum, auto
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    case,
    func,
    literal,
    not_,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import aliased

from portal.domain.directives.models import Directive, Exclusion
from portal.domain.people.models import Person, Post
from portal.domain.status.models import (
    ENDED_LATE,
    FIRST_AHEAD,
    HAS_FIRST_DAY,
    OPENED_LATE,
    Column,
    Kind,
    Statement,
    StatusCount,
    StatusCountSnapshot,
    StatusGroup,
    StatusPeriod,
    evening_of,
)
from portal.domain.status.rules import WHOLE, Status
from portal.platform.clock import to_microseconds
from portal.platform.db import Stamp, db

# Conditions on status periods: on a day, as known on an instant, of the people whom a viewer may see.

LATE = (Status.OVERDUE, Status.EXPIRED)
AHEAD = (Status.NOT_STARTED, Status.IN_PROGRESS)

Condition = ColumnElement[bool]
Periods = type[StatusPeriod]  # the table, or an alias of it


def last_day_in_time(period: Periods | type[StatusCount]) -> Column:
    """The due date, or of somebody expired the end of validity where that is later.

    An overdue person may have other requirements valid for years to come; those do not count.
    """
    if issubclass(period, StatusCount):
        return period.since_on
    lapsed = and_(period.status == Status.EXPIRED, period.valid_until > period.due_on)
    return case((lapsed, period.valid_until), else_=period.due_on)


def covers_day(period: Periods, day: date) -> Condition:
    """That a period's days contain the day."""
    return and_(period.from_on <= day.toordinal(), period.to_on >= day.toordinal())


def is_known_on(period: Periods, as_known_on: datetime | None) -> Condition:
    """That a period is known on the instant; None: that it is known now."""
    if as_known_on is None:
        return and_(period.known_from < FIRST_AHEAD, period.known_to >= FIRST_AHEAD)
    at = to_microseconds(as_known_on)
    return and_(period.known_from <= at, period.known_to > at)


def late_arrivals(
    days: tuple[date, date], since: datetime, until: datetime | None = None
) -> Iterator[tuple[bool, list[Condition]]]:
    """Periods known on only one of two instants, in parts that share none: each is found by an index.

    A part says whether its periods are those known on the earlier instant, and the conditions on them.

    Facts are mostly recorded on the day from which they are true. Periods that became known, or ended, after
    the evening of their first day have indexes of their own; others that did so after an instant begin on the
    instant's day or later.

    Args:
        days: First and last day: periods of any day between them.
        since: The earlier instant.
        until: The later one; None: now.
    """
    period, (first, last) = StatusPeriod, (day.toordinal() for day in days)
    start, end = to_microseconds(since), FIRST_AHEAD - 1 if until is None else to_microseconds(until)
    on_days = [period.from_on <= last, period.to_on >= first]
    ended = [period.known_from <= start, period.known_to > start, period.known_to <= end]
    opened = [period.known_from > start, period.known_from <= end, period.known_to > end]
    for known_before, rows, late in ((True, ended, ENDED_LATE), (False, opened, OPENED_LATE)):
        yield known_before, [*rows, late, *on_days]
        if start < evening_of(last):
            begun_since = [HAS_FIRST_DAY, period.from_on >= since.astimezone(UTC).toordinal()]
            yield known_before, [*rows, not_(late), *begun_since, *on_days]


@dataclass(frozen=True, slots=True)
class Whose:
    """The people whose periods are read, by the post of each period; every field that is set narrows.

    Visible are ``everyone``, or else those in ``unit_ids`` and those whose post names ``manager_id``: nobody
    where both are empty.
    """

    everyone: bool = False
    unit_ids: frozenset[int] = frozenset()
    manager_id: int | None = None
    within: frozenset[int] | None = None  # units
    unit_hint: frozenset[int] | None = None  # at least every unit that they are in: for the index
    role: str = ""
    ranks: tuple[str, ...] = ()  # any of these
    named: Select[int] | None = None  # ids of people
    people: frozenset[int] | None = None
    statuses: tuple[Status, ...] | None = None  # under the whole directive, as the next two
    late: tuple[int, int] | None = None  # days overdue, at least and at most
    due_within: int | None = None  # days left, of those who have still to complete

    @property
    def in_all_units(self) -> bool:
        """Whether it selects no units, so that a count over days needs none."""
        return self.everyone and self.within is None

    @property
    def selects_by_status(self) -> bool:
        """Whether it selects by status, and not only by who people are."""
        return self.statuses is not None or self.late is not None or self.due_within is not None

    def same_as(self, other: "Whose") -> bool:
        """Whether both select the same periods: whoever sees everyone needs no units for it."""
        mine, others = (
            replace(whose, unit_ids=frozenset(), manager_id=None) if whose.everyone else whose
            for whose in (self, other)
        )
        return mine == others

    def matches(self, period: Periods) -> Condition:
        """That the period is of one of these people, whatever their status."""
        conditions = [*self._visibility_conditions(period), *self._post_conditions(period)]
        if self.named is not None:
            conditions.append(period.person_id.in_(self.named))
        if self.people is not None:
            conditions.append(period.person_id.in_(sorted(self.people)))
        return and_(true(), *conditions)

    @property
    def units(self) -> list[int] | None:
        """The units that all of them are in; None: any."""
        visible = self.unit_ids if not self.everyone and self.manager_id is None else None
        limits = [units for units in (visible, self.within, self.unit_hint) if units is not None]
        return sorted(frozenset.intersection(*limits)) if limits else None

    def _visibility_conditions(self, period: Periods) -> list[Condition]:
        """One list of units: with several conditions on the same column, no index is led by each."""
        conditions: list[Condition] = []
        if not self.everyone and self.manager_id is not None:
            managed = select(Post.id).where(Post.line_manager_id == self.manager_id)
            ways = [period.unit_id.in_(sorted(self.unit_ids))] if self.unit_ids else []
            conditions.append(or_(*ways, period.post_id.in_(managed)))
        if (units := self.units) is not None:
            conditions.append(period.unit_id.in_(units))
        return conditions

    def _post_conditions(self, period: Periods) -> list[Condition]:
        """That the post has the role and one of the ranks; it is of the period's unit."""
        if (posts := self.select_by_post(Post)) is None:
            return []
        units = self.units
        return [period.post_id.in_(posts if units is None else posts.where(Post.unit_id.in_(units)))]

    def select_by_post(self, table: type[Post | StatusGroup]) -> Select[int] | None:
        """The ids of the posts, or of the groups, with the role and one of the ranks; None: all of them."""
        conditions = [table.designated_role == self.role] if self.role else []
        conditions += [table.rank_or_grade.in_(self.ranks)] if self.ranks else []
        return select(table.id).where(*conditions) if conditions else None


class Later(Enum):
    """How much was recorded after the instant of a scope."""

    NOTHING = auto()  # unless it is recorded while the report is read
    LITTLE = auto()  # it is undone
    MUCH = auto()  # undoing it would take longer than reading all periods


@dataclass(frozen=True, slots=True)
class Scope:
    """Directives as at a day, as known on an instant, and the people whose periods are read."""

    directive_ids: tuple[int, ...]
    as_at: date
    as_known_on: datetime
    whose: Whose
    later: Later = Later.NOTHING  # decides what is read, not what the answer is

    def all_positions(self) -> list[Condition]:
        """Conditions on the periods of every requirement and of the whole directive."""
        conditions = [*self._position_conditions(StatusPeriod), self.whose.matches(StatusPeriod)]
        if self.whose.selects_by_status:
            whole = aliased(StatusPeriod)
            of_status = (*self._position_conditions(whole), whole.position == WHOLE)
            people = select(whole.person_id).where(*of_status, *self.status_conditions(whole))
            conditions.append(StatusPeriod.person_id.in_(people))
        return conditions

    def whole_directive(self) -> list[Condition]:
        """Conditions on the periods of people under each whole directive: one for each person."""
        period = StatusPeriod
        whole = (*self._position_conditions(period), period.position == WHOLE)
        return [*whole, self.whose.matches(period), *self.status_conditions(period)]

    def status_conditions(self, whole: Periods | type[StatusCount]) -> list[Condition]:
        """Conditions on the status, days late and days left under the whole directive."""
        whose, today = self.whose, self.as_at.toordinal()
        conditions: list[Condition] = []
        if whose.statuses is not None:
            conditions.append(whole.status.in_(whose.statuses))
        if whose.late is not None:
            least, most = whose.late
            only_overdue = whose.statuses == (Status.OVERDUE,)  # then an index has their last days
            last_day = whole.due_on if only_overdue else last_day_in_time(whole)
            conditions += [whole.status.in_(LATE), last_day.between(today - most, today - least)]
        if whose.due_within is not None:
            conditions += [whole.status.in_(AHEAD), whole.due_on <= today + whose.due_within]
        return conditions

    def _position_conditions(self, period: Periods) -> list[Condition]:
        return [
            period.directive_id.in_(self.directive_ids),
            covers_day(period, self.as_at),
            is_known_on(period, self.as_known_on),
        ]


# Counts people from their status periods: those of one directive, and of all directives at once.


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
