"""Who is still to complete a directive, or about to lose it: for reminders, as known now."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import select

from portal.domain.directives.fact_loader import split_into_batches
from portal.domain.directives.models import Directive
from portal.domain.people.models import Post
from portal.domain.status.filters import holds, is_known
from portal.domain.status.models import StatusPeriod
from portal.domain.status.periods import WHOLE
from portal.domain.status.rules import Status
from portal.platform.db import db

span: Any = StatusPeriod
CHASED = (Status.OVERDUE, Status.EXPIRED, Status.NOT_STARTED, Status.IN_PROGRESS, Status.EXPIRING)


class Chased(NamedTuple):
    """One person under one directive at the end of a day, who may have to be reminded."""

    person_id: int
    directive_id: int
    reference: str
    status: Status
    due_on: date
    valid_until: date | None
    manager_id: int | None  # line manager of the row's post
    unit_id: int  # of the row's post

    @property
    def since(self) -> date:
        """The last day in time: the due date, or the end of what lapsed after it."""
        return max(self.due_on, self.valid_until or self.due_on)


def chased(day: date, people: Collection[int] | None = None) -> list[Chased]:
    """Everyone, or these people, whose standing on ``day`` is one of ``CHASED``, under every directive.

    Ordered by directive and person. One statement for each five hundred people named.
    """
    if people is None:
        return list(_read(day, []))
    named = split_into_batches(sorted(people))
    return [one for some in named for one in _read(day, [span.person_id.in_(some)])]


def _read(day: date, narrowed: Sequence[Any]) -> Iterable[Chased]:
    statement = (
        select(
            span.person_id,
            span.directive_id,
            Directive.reference,
            span.status,
            span.due_on,
            span.valid_until,
            Post.line_manager_id,
            Post.unit_id,
        )
        .join(Directive, Directive.id == span.directive_id)
        .join(Post, Post.id == span.post_id)
        .where(span.position == WHOLE, holds(span, day), is_known(span, None), *narrowed)
        .where(span.status.in_([int(status) for status in CHASED]))
        .order_by(Directive.reference, span.person_id)
    )
    for person_id, directive_id, reference, status, due, until, *post in db.session.execute(statement):
        ends = None if until is None else date.fromordinal(until)
        yield Chased(person_id, directive_id, reference, Status(status), date.fromordinal(due), ends, *post)
