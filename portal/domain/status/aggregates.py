"""Sums over many people at once: over days, by rank and role, and by how long somebody is late."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import case, func, literal, select, union_all

from portal.domain.directives.models import Directive
from portal.domain.people.models import Post
from portal.domain.status import count_reader
from portal.domain.status.filters import AHEAD, LATE, Scope, Whose, holds, is_known, late_since
from portal.domain.status.models import StatusPeriod
from portal.domain.status.periods import WHOLE
from portal.domain.status.rules import Status
from portal.platform.db import db

span: Any = StatusPeriod


class Stretch(NamedTuple):
    """How many people of a unit stood the same on some of the days asked about, one after the other."""

    unit_id: int
    reports: bool  # their post names the manager of the scope
    status: Status
    first: int  # place of the first of these days
    last: int
    people: int


def stretches(scope: Scope, days: Sequence[date]) -> Iterator[Stretch]:
    """Where people stood under the whole directive on each of ``days``, which rise; one statement.

    The scope's own day is not asked for. The index gives the groups of equal spans in its order, so that
    the days are looked for once for each group and not for each person.
    """
    kept = count_reader.over_days(scope, days)
    if kept is not None:
        places = {day.toordinal(): place for place, day in enumerate(days)}
        yield from (
            Stretch(unit_id, False, Status(status), places[day], places[day], people)
            for day, unit_id, status, people in kept
        )
        return
    placed = _placed(_equal(scope, days[0], days[-1]), [day.toordinal() for day in days])
    groups = (placed.c.unit_id, placed.c.reports, placed.c.status, placed.c.first, placed.c.last)
    summed = select(*groups, func.sum(placed.c.people)).where(placed.c.first <= placed.c.last)
    for unit_id, reports, status, first, last, people in db.session.execute(summed.group_by(*groups)):
        yield Stretch(unit_id, bool(reports), Status(status), first, last, int(people))


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


def by_post(scope: Scope) -> Sequence[tuple[str, str, Status, int]]:
    """How many people by designated role, rank or grade, and status under the whole directive."""
    rows: Any = count_reader.by_post(scope)
    if rows is None:
        columns = (Post.designated_role, Post.rank_or_grade, span.status)
        statement = select(*columns, func.count()).join(Post, Post.id == span.post_id)
        rows = db.session.execute(statement.where(*scope.wholes()).group_by(*columns))
    return [(role, rank, Status(status), people) for role, rank, status, people in rows]


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


def days_left(scope: Scope) -> Sequence[tuple[Status, int, int]]:
    """Of those who have still to complete: status, days to the last day in time, and people.

    The days are below zero where it is past. Only who lapsed is read from the table itself: the index
    holds all that is asked of the others.
    """
    today = scope.as_at.toordinal()
    if (kept := count_reader.by_days(scope)) is not None:
        return [
            (Status(status), (since if status in LATE else due) - today, people)
            for status, due, since, _, people in kept
            if status in (*LATE, *AHEAD)
        ]
    here, since = scope.wholes(), late_since(span)
    lapsed = select(span.status, since, func.count()).where(*here, span.status == Status.EXPIRED)
    others = select(span.status, span.due_on, func.count()).where(
        *here, span.status.in_([Status.OVERDUE, *AHEAD])
    )
    statement = union_all(others.group_by(span.status, span.due_on), lapsed.group_by(span.status, since))
    return [(Status(status), day - today, people) for status, day, people in db.session.execute(statement)]
