"""Counts people from the status periods: whatever is asked, and over all directives at once."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, literal, select, union_all

from portal.domain.directives.models import Directive, Exclusion
from portal.domain.people.models import Post
from portal.domain.status.filters import AHEAD, LATE, Scope, Whose, holds, is_known, late_since
from portal.domain.status.models import StatusPeriod
from portal.domain.status.periods import WHOLE
from portal.domain.status.rules import Status
from portal.platform.db import db

span: Any = StatusPeriod


class DaysRun(NamedTuple):
    """How many people of a unit had the same status on a run of the days that are counted."""

    unit_id: int
    reports: bool  # their post names the manager of the scope
    status: Status
    first: int  # place of the first of these days
    last: int
    people: int


class PeriodCountSource:
    """Counts the people of a scope from their status periods; see ``counting.CountSource``."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def count_requirements(self) -> Iterator[tuple[int, int, Status, int]]:
        """People by unit, position and status; position 0 is the whole directive."""
        columns = (span.unit_id, span.position, span.status)
        statement = select(*columns, func.count()).where(*self._scope.every()).group_by(*columns)
        for unit_id, position, status, people in db.session.execute(statement):
            yield unit_id, position, Status(status), people

    def count_units(self) -> Iterator[tuple[int, Status, int]]:
        """People by unit and status under the whole directive.

        Those overdue are counted apart from those expired, each by an index alone.
        """
        whose, columns = self._scope.whose, (span.unit_id, span.status)
        apart = [(status,) for status in LATE] if whose.late and not whose.statuses else [whose.statuses]
        for statuses in apart:
            scope = replace(self._scope, whose=replace(whose, statuses=statuses))
            statement = select(*columns, func.count()).where(*scope.wholes()).group_by(*columns)
            for unit_id, status, people in db.session.execute(statement).all():
                yield unit_id, Status(status), people

    def count_posts(self) -> Sequence[tuple[str, str, Status, int]]:
        """People by designated role, rank or grade, and status under the whole directive."""
        columns = (Post.designated_role, Post.rank_or_grade, span.status)
        statement = select(*columns, func.count()).join(Post, Post.id == span.post_id)
        rows = db.session.execute(statement.where(*self._scope.wholes()).group_by(*columns))
        return [(role, rank, Status(status), people) for role, rank, status, people in rows]

    def count_reasons(self) -> dict[str, int]:
        """People exempt or deferred, by reason."""
        excluded = [status for status in Status if status.excluded]
        statement = (
            select(Exclusion.reason, func.count())
            .join(span, span.exclusion_id == Exclusion.id)
            .where(*self._scope.wholes(), span.status.in_(excluded))
            .group_by(Exclusion.reason)
            .order_by(Exclusion.reason)
        )
        return {reason: people for reason, people in db.session.execute(statement)}

    def commonest_due_dates(self, limit: int) -> list[date]:
        """The due dates that most people have, in order."""
        statement = select(span.due_on).where(*self._scope.wholes()).group_by(span.due_on)
        statement = statement.order_by(func.count().desc(), span.due_on).limit(limit)
        return sorted(date.fromordinal(day) for day in db.session.scalars(statement))

    def count_days_left(self) -> Iterator[tuple[Status, int, int]]:
        """Of those who have still to complete: status, days to the last day in time, and people.

        Only who lapsed is read from the table itself: the index holds all that is asked of the others.
        """
        today = self._scope.as_at.toordinal()
        here, since = self._scope.wholes(), late_since(span)
        lapsed = select(span.status, since, func.count()).where(*here, span.status == Status.EXPIRED)
        others = select(span.status, span.due_on, func.count()).where(
            *here, span.status.in_([Status.OVERDUE, *AHEAD])
        )
        parts = (others.group_by(span.status, span.due_on), lapsed.group_by(span.status, since))
        for status, day, people in db.session.execute(union_all(*parts)):
            yield Status(status), day - today, people

    def count_over_days(self, days: Sequence[date]) -> Iterator[DaysRun]:
        """People by unit and status on runs of ``days``; one statement.

        The index gives the groups of equal periods in its order, so that the days are looked for once for
        each group and not for each person.
        """
        placed = _placed(_equal(self._scope, days[0], days[-1]), [day.toordinal() for day in days])
        groups = (placed.c.unit_id, placed.c.reports, placed.c.status, placed.c.first, placed.c.last)
        summed = select(*groups, func.sum(placed.c.people)).where(placed.c.first <= placed.c.last)
        for unit_id, reports, status, first, last, people in db.session.execute(summed.group_by(*groups)):
            yield DaysRun(unit_id, bool(reports), Status(status), first, last, int(people))


def _equal(scope: Scope, first: date, last: date) -> Any:
    """How many spans are equal in unit, status and days, of those that reach into these days."""
    whose, columns = scope.whose, [span.unit_id, span.status, span.from_on, span.to_on]
    if whose.manager_id is not None:
        managed = select(Post.id).where(Post.line_manager_id == whose.manager_id)
        columns.append(case((span.post_id.in_(managed), 1), else_=0).label("reports"))
    return (
        select(*columns, func.count().label("people"))
        .where(span.directive_id == scope.directive_id, span.position == WHOLE)
        .where(span.from_on <= last.toordinal(), span.to_on >= first.toordinal())
        .where(is_known(span, scope.as_known_on), whose.theirs(span))
        .group_by(*columns)
        .subquery()
    )


def _placed(equal: Any, days: Sequence[int]) -> Any:
    """The same with the places of the first and the last of the days that they hold."""
    first = case(*((equal.c.from_on <= day, place) for place, day in enumerate(days)))
    last = case(*((equal.c.to_on < day, place - 1) for place, day in enumerate(days)), else_=len(days) - 1)
    return select(
        equal.c.unit_id,
        equal.c.status,
        (equal.c.reports if "reports" in equal.c else literal(0)).label("reports"),
        first.label("first"),
        last.label("last"),
        equal.c.people,
    ).subquery()


def across(as_at: date, as_known_on: datetime, whose: Whose) -> Sequence[tuple[int, Status, int]]:
    """People by unit and the worst status that they have under any directive; each counts once.

    Statuses stand by badness, and exclusions last: whoever is excluded everywhere is excluded.
    """
    worst = (
        select(span.person_id, span.unit_id, func.min(span.status).label("status"))
        .where(span.position == WHOLE, holds(span, as_at), is_known(span, as_known_on))
        .where(span.directive_id.in_(select(Directive.id)), whose.theirs(span))  # it leads the index
        .group_by(span.person_id, span.unit_id)
        .subquery()
    )
    columns = (worst.c.unit_id, worst.c.status)
    rows = db.session.execute(select(*columns, func.count()).group_by(*columns))
    return [(unit_id, Status(status), people) for unit_id, status, people in rows]


def across_posts(as_at: date, as_known_on: datetime, whose: Whose) -> Sequence[tuple[str, str, Status, int]]:
    """The people of ``across`` by designated role, rank or grade, and status; once in each of these."""
    worst = (
        select(Post.designated_role, Post.rank_or_grade, func.min(span.status).label("status"))
        .join(Post, Post.id == span.post_id)
        .where(span.position == WHOLE, holds(span, as_at), is_known(span, as_known_on))
        .where(span.directive_id.in_(select(Directive.id)), whose.theirs(span))  # it leads the index
        .group_by(span.person_id, span.unit_id, Post.designated_role, Post.rank_or_grade)
        .subquery()
    )
    columns = (worst.c.designated_role, worst.c.rank_or_grade, worst.c.status)
    rows = db.session.execute(select(*columns, func.count()).group_by(*columns))
    return [(role, rank, Status(status), people) for role, rank, status, people in rows]
