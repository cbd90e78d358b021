"""Lists of acts, newest first: a page deep down costs what the first one does."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Select, and_, func, or_, select, union_all

from portal.domain.audit_desk.action_words import actions_of
from portal.domain.audit_desk.filters import START, AuditFilters, Conditions, Place
from portal.domain.audit_desk.sight import AuditSight
from portal.platform.audit.models import AuditEvent
from portal.platform.db import db

_NEWEST_FIRST = (AuditEvent.happened_at.desc(), AuditEvent.id.desc())
BATCH = 1_000  # acts of a file in memory at a time


def list_events(
    sight: AuditSight, filters: AuditFilters, place: Place = START, *, limit: int
) -> Sequence[AuditEvent]:
    """The acts that the reader may see, from a place on. One statement."""
    conditions = [*filters.conditions(), *sight.conditions(filters)]
    if place is not START:
        conditions.append(AuditEvent.happened_at <= place.at)
    statement = select(AuditEvent).order_by(*_NEWEST_FIRST).offset(place.skip).limit(limit)
    if filters.group is None:
        return db.session.scalars(statement.where(*conditions)).all()
    actions = actions_of(filters.group)
    if filters.leads_an_index or not sight.is_whole:
        return db.session.scalars(statement.where(*conditions, AuditEvent.action.in_(actions))).all()
    newest = _select_newest_of_each(actions, conditions, place.skip + limit)
    return db.session.scalars(statement.where(AuditEvent.id.in_(newest))).all()


def _select_newest_of_each(actions: Sequence[str], conditions: Conditions, limit: int) -> Select[int]:
    """The ids of the newest acts of each action: each is read from its own end of the index of actions.

    ``action IN (…)`` would read all acts of all of them, and sort them.
    """
    each = [
        select(AuditEvent.id)
        .where(AuditEvent.action == action, *conditions)
        .order_by(*_NEWEST_FIRST)
        .limit(limit)
        .subquery()
        for action in actions
    ]
    ids = union_all(*(select(one.c.id) for one in each)).subquery()
    return select(ids.c.id)


def newest_id() -> int:
    """The id of the newest act; a file holds acts up to it, so that its count is true."""
    return db.session.scalar(select(func.max(AuditEvent.id))) or 0


def count_events(sight: AuditSight, filters: AuditFilters, newest_id: int, most: int) -> int:
    """How many acts the reader may see, counted up to one more than ``most``."""
    ids = (
        select(AuditEvent.id)
        .where(*_conditions_of_file(sight, filters, newest_id))
        .limit(most + 1)
        .subquery()
    )
    return db.session.scalar(select(func.count()).select_from(ids)) or 0


def list_people_of_events(sight: AuditSight, filters: AuditFilters, newest_id: int) -> set[int]:
    """The ids of everybody whom the acts name and the reader may see."""
    conditions = _conditions_of_file(sight, filters, newest_id)
    people: set[int] = set()
    for column in (AuditEvent.actor_id, AuditEvent.subject_id):
        people.update(db.session.scalars(select(column).where(*conditions, column.is_not(None)).distinct()))
    return sight.visible_among(people)


def stream_events(sight: AuditSight, filters: AuditFilters, newest_id: int) -> Iterator[Sequence[AuditEvent]]:
    """The acts, newest first, ``BATCH`` at a time, each batch by a statement of its own."""
    conditions = _conditions_of_file(sight, filters, newest_id)
    last: AuditEvent | None = None
    while True:
        statement = select(AuditEvent).where(*conditions).order_by(*_NEWEST_FIRST).limit(BATCH)
        if last is not None:
            earlier = AuditEvent.happened_at < last.happened_at
            same = and_(AuditEvent.happened_at == last.happened_at, AuditEvent.id < last.id)
            statement = statement.where(AuditEvent.happened_at <= last.happened_at, or_(earlier, same))
        events = db.session.scalars(statement).all()
        if events:
            yield events
            last = events[-1]
            db.session.expunge_all()
        if len(events) < BATCH:
            return


def _conditions_of_file(sight: AuditSight, filters: AuditFilters, newest_id: int) -> Conditions:
    conditions = [*filters.conditions(), *sight.conditions(filters), AuditEvent.id <= newest_id]
    if filters.group:
        conditions.append(AuditEvent.action.in_(actions_of(filters.group)))
    return conditions
