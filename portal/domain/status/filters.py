"""Which spans are read: on a day, as known on an instant, of the people whom a reader may be told of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, false, or_, select, true
from sqlalchemy.orm import aliased

from portal.domain.people.models import Post
from portal.domain.status.models import OPEN_KNOWN, StatusPeriod, micros
from portal.domain.status.periods import WHOLE
from portal.domain.status.rules import Status

LATE = (Status.OVERDUE, Status.EXPIRED)
AHEAD = (Status.NOT_STARTED, Status.IN_PROGRESS)


def late_since(whole: Any) -> ColumnElement[int]:
    """The last day in time of somebody overdue: the due date, or the end of what lapsed after it.

    An overdue person may hold other requirements for years to come; the end of those says nothing.
    """
    lapsed = and_(whole.status == Status.EXPIRED, whole.valid_until > whole.due_on)
    found: ColumnElement[int] = case((lapsed, whole.valid_until), else_=whole.due_on)
    return found


def holds(span: Any, as_at: date) -> ColumnElement[bool]:
    """That a span's days contain the day."""
    day = as_at.toordinal()
    return and_(span.from_on <= day, span.to_on >= day)


def is_known(span: Any, as_known_on: datetime | None) -> ColumnElement[bool]:
    """That a span is known on the instant; None: that nothing has superseded it."""
    if as_known_on is None:
        return and_(span.known_to == OPEN_KNOWN)
    at = micros(as_known_on)
    return and_(span.known_from <= at, span.known_to > at)


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose standings are read, by the posts that their rows stand for; every filled field narrows.

    ``everyone``, else those in ``unit_ids`` and those whose post names ``manager_id``: nobody where both
    are empty.
    """

    everyone: bool = False
    unit_ids: frozenset[int] = frozenset()
    manager_id: int | None = None
    within: frozenset[int] | None = None  # units
    standing_in: frozenset[int] | None = None  # units that hold them all: it leads an index there
    role: str = ""
    ranks: tuple[str, ...] = ()  # any of these
    named: Select[Any] | None = None  # ids of people
    people: frozenset[int] | None = None
    statuses: tuple[Status, ...] | None = None  # of the person under the whole directive, as what follows
    late: tuple[int, int] | None = None  # days overdue, at least and at most
    due_within: int | None = None  # days left, of those who have still to complete

    @property
    def by_standing(self) -> bool:
        """Whether it asks where somebody stands, and not only who they are."""
        return self.statuses is not None or self.late is not None or self.due_within is not None

    def same_as(self, other: "Whose") -> bool:
        """Whether spans are of both alike: who sees everyone needs no units for it."""
        mine, others = (
            replace(one, unit_ids=frozenset(), manager_id=None) if one.everyone else one
            for one in (self, other)
        )
        return mine == others

    def theirs(self, span: Any) -> ColumnElement[bool]:
        """That the span is of one of them, wherever these stand.

        Their units are named once: of several lists of the same column an index is not led by each.
        """
        found = [] if self._by_units else [self.seen(span)]
        if (units := self.units) is not None:
            found.append(span.unit_id.in_(units))
        return and_(true(), *found, *self._posts(span), *self._people(span))

    @property
    def _by_units(self) -> bool:
        """Whether units alone say who may be told of."""
        return self.everyone or self.manager_id is None

    @property
    def units(self) -> list[int] | None:
        """The units that they all are in; None: any."""
        seen = None if self.everyone or not self._by_units else self.unit_ids
        given = [units for units in (seen, self.within, self.standing_in) if units is not None]
        return sorted(frozenset.intersection(*given)) if given else None

    def seen(self, span: Any) -> ColumnElement[bool]:
        """That the span is of somebody who may be told of."""
        if self.everyone:
            return true()
        ways: list[ColumnElement[bool]] = []
        if self.unit_ids:
            ways.append(span.unit_id.in_(sorted(self.unit_ids)))
        if self.manager_id is not None:
            ways.append(span.post_id.in_(select(Post.id).where(Post.line_manager_id == self.manager_id)))
        return or_(*ways) if ways else false()

    def _posts(self, span: Any) -> list[ColumnElement[bool]]:
        """That the post is one of the role and the ranks asked for; it is of the span's unit."""
        if not self.role and not self.ranks:
            return []
        posts = select(Post.id)
        posts = posts.where(Post.designated_role == self.role) if self.role else posts
        posts = posts.where(Post.rank_or_grade.in_(self.ranks)) if self.ranks else posts
        if (units := self.units) is not None:
            posts = posts.where(Post.unit_id.in_(units))
        return [span.post_id.in_(posts)]

    def _people(self, span: Any) -> list[ColumnElement[bool]]:
        found: list[ColumnElement[bool]] = []
        if self.named is not None:
            found.append(span.person_id.in_(self.named))
        if self.people is not None:
            found.append(span.person_id.in_(sorted(self.people)))
        return found


@dataclass(frozen=True, slots=True)
class Scope:
    """One directive at one position, and whose rows are read of it."""

    directive_id: int
    as_at: date
    as_known_on: datetime
    whose: Whose
    newest: bool = True  # it may know all that is recorded: then kept sums are asked

    def every(self, span: Any = StatusPeriod) -> list[ColumnElement[bool]]:
        """What is asked of the spans of every requirement and of the whole."""
        found = [*self._here(span), self.whose.theirs(span)]
        if self.whose.by_standing:
            whole = aliased(StatusPeriod)
            stands = [*self._here(whole), whole.position == WHOLE, *self.stands(whole)]
            found.append(span.person_id.in_(select(whole.person_id).where(*stands)))
        return found

    def wholes(self, span: Any = StatusPeriod) -> list[ColumnElement[bool]]:
        """What is asked of the spans of people under the whole directive: one for each person."""
        here = [*self._here(span), span.position == WHOLE, self.whose.theirs(span)]
        return [*here, *self.stands(span)]

    def requirements(self, people: Any, span: Any = StatusPeriod) -> list[ColumnElement[bool]]:
        """What is asked of the spans of the requirements of these people: ids, or a parameter of them."""
        return [
            *self._here(span),
            self.whose.seen(span),
            span.person_id.in_(people),
            span.position > WHOLE,
        ]

    def stands(self, whole: Any = StatusPeriod) -> list[ColumnElement[bool]]:
        """What is asked of where somebody stands under the whole directive."""
        whose, today = self.whose, self.as_at.toordinal()
        found: list[ColumnElement[bool]] = []
        if whose.statuses is not None:
            found.append(_among(whole, whose.statuses))
        if whose.late is not None:
            least, most = whose.late
            since = whole.due_on if whose.statuses == (Status.OVERDUE,) else late_since(whole)
            found += [_among(whole, LATE), since.between(today - most, today - least)]
        if whose.due_within is not None:
            found += [_among(whole, AHEAD), whole.due_on <= today + whose.due_within]
        return found

    def _here(self, span: Any) -> list[ColumnElement[bool]]:
        return [
            span.directive_id == self.directive_id,
            holds(span, self.as_at),
            is_known(span, self.as_known_on),
        ]


def _among(span: Any, statuses: Sequence[Status]) -> ColumnElement[bool]:
    found: ColumnElement[bool] = span.status.in_([int(status) for status in statuses])
    return found
