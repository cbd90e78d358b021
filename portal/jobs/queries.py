"""Reading jobs: one, a page of a list, and how many stand where."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, exists, func, or_, select

from portal.db import db
from portal.errors import NotFoundError
from portal.jobs.models import Job, State
from portal.people.models import PersonName
from portal.people.queries import COMMAND_LINE, Viewer, visible_people

PATIENCE = timedelta(minutes=1)

_COLUMNS = (
    Job.reference,
    Job.kind,
    Job.arguments,
    Job.state,
    Job.done,
    Job.total,
    Job.said,
    Job.asked_by_id,
    Job.asked_at,
    Job.started_at,
    Job.heartbeat_at,
    Job.ended_at,
    Job.reason,
    Job.result,
    Job.runs,
    PersonName.forenames,
    PersonName.surname,
)


def _rows(viewer: Viewer) -> Select[Any]:
    """Jobs, each with the name of who asked for it where the viewer may see that person."""
    person = PersonName.person_id
    seen = or_(person.in_(visible_people(viewer)), person == viewer.person_id)
    return select(*_COLUMNS).select_from(Job).outerjoin(PersonName, (person == Job.asked_by_id) & seen)


def job_row(reference: uuid.UUID, viewer: Viewer = COMMAND_LINE) -> Any:
    """One job with who asked for it.

    Raises:
        NotFoundError: There is no such job.
    """
    row = db.session.execute(_rows(viewer).where(Job.reference == reference)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such job.")
    return row


def state_of(reference: uuid.UUID) -> str | None:
    """Where a job stands; None where it is not kept any more."""
    return db.session.scalar(select(Job.state).where(Job.reference == reference))


def any_ended(before: datetime) -> bool:
    """Whether a job ended before this instant."""
    return bool(db.session.scalar(select(exists(select(Job.id).where(Job.ended_at < before)))))


def counts(asked_by: int | None = None) -> dict[State, int]:
    """How many jobs stand in each state; every state is there.

    Args:
        asked_by: Whose jobs count; None: everybody's.
    """
    counted = select(Job.state, func.count()).group_by(Job.state)
    rows = db.session.execute(counted if asked_by is None else counted.where(Job.asked_by_id == asked_by))
    found = {state: count for state, count in rows}
    return {state: found.get(state, 0) for state in State}


def not_taken_up(at: datetime) -> bool:
    """Whether a job has waited for a minute while no worker shows that it works on another."""
    since = at - PATIENCE
    waits = select(Job.id).where(Job.state == State.WAITING, Job.asked_at < since)
    works = select(Job.id).where(Job.state == State.RUNNING, Job.heartbeat_at >= since)
    return bool(db.session.scalar(select(exists(waits) & ~exists(works))))


def under_way(kind: str) -> uuid.UUID | None:
    """The oldest job of this kind that waits or runs."""
    found = select(Job.reference).where(Job.state.in_((State.WAITING, State.RUNNING)), Job.kind == kind)
    return db.session.scalar(found.order_by(Job.id).limit(1))


def rests(kind: str, since: datetime) -> bool:
    """Whether no job of this kind is under way, and none was asked for since then."""
    newest = select(Job.id).where(Job.kind == kind, Job.asked_at > since)
    return under_way(kind) is None and not db.session.scalar(select(exists(newest)))


def job_rows(
    viewer: Viewer, state: State | None, offset: int, limit: int, asked_by: int | None = None
) -> Sequence[Any]:
    """A slice of the jobs, the newest first; with ``asked_by``, of those that this person asked for."""
    statement = _rows(viewer) if state is None else _rows(viewer).where(Job.state == state)
    if asked_by is not None:
        statement = statement.where(Job.asked_by_id == asked_by)
    return db.session.execute(statement.order_by(Job.id.desc()).offset(offset).limit(limit)).all()
