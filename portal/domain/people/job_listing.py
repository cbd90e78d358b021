"""Queries about jobs, with the names of the people who started them, if the viewer may see these."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, or_, select

from portal.domain.people.models import PersonName
from portal.domain.people.queries import COMMAND_LINE, Viewer, visible_people
from portal.platform.db import db
from portal.platform.errors import NotFoundError
from portal.platform.jobs.models import Job, JobState

_COLUMNS = (
    *(column for column in Job.__table__.columns if column.name not in {"id", "claim"}),
    PersonName.forenames,
    PersonName.surname,
)


def get_job_row(reference: uuid.UUID, viewer: Viewer = COMMAND_LINE) -> Any:
    """One job with the person who asked for it.

    Raises:
        NotFoundError: There is no such job.
    """
    row = db.session.execute(_select_jobs(viewer).where(Job.reference == reference)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such job.")
    return row


def list_job_rows(
    viewer: Viewer, state: JobState | None, offset: int, limit: int, asked_by: int | None = None
) -> Sequence[Any]:
    """A slice of the jobs, the newest first; with ``asked_by``, of those that this person asked for."""
    statement = _select_jobs(viewer)
    if state is not None:
        statement = statement.where(Job.state == state)
    if asked_by is not None:
        statement = statement.where(Job.asked_by_id == asked_by)
    return db.session.execute(statement.order_by(Job.id.desc()).offset(offset).limit(limit)).all()


def _select_jobs(viewer: Viewer) -> Select[Any]:
    person_id = PersonName.person_id
    is_visible = or_(person_id.in_(visible_people(viewer)), person_id == viewer.person_id)
    return (
        select(*_COLUMNS).select_from(Job).outerjoin(PersonName, (person_id == Job.asked_by_id) & is_visible)
    )
