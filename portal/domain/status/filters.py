"""Conditions on status periods: on a day, as known on an instant, of the people whom a viewer may see."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from enum import Enum, auto

from sqlalchemy import ColumnElement, Select, and_, case, not_, or_, select, true
from sqlalchemy.orm import aliased

from portal.domain.people.models import Post
from portal.domain.status.models import (
    ENDED_LATE,
    FIRST_AHEAD,
    HAS_FIRST_DAY,
    OPENED_LATE,
    Column,
    StatusCount,
    StatusGroup,
    StatusPeriod,
    evening_of,
)
from portal.domain.status.rules import WHOLE, Status
from portal.platform.clock import to_microseconds

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
