"""Reads of jobs that concern no person: states, counts, and whether one may be started."""

import uuid
from datetime import datetime, timedelta

from sqlalchemy import exists, func, select

from portal.platform.db import db
from portal.platform.errors import NotFoundError
from portal.platform.jobs.models import UNENDED_STATES, Job, JobState

LONGEST_WAIT = timedelta(minutes=1)


def find_state(reference: uuid.UUID) -> str | None:
    """The state of a job; None if it is not kept any more."""
    return db.session.scalar(select(Job.state).where(Job.reference == reference))


def get_state(reference: uuid.UUID) -> str:
    """The state of a job.

    Raises:
        NotFoundError: There is no such job.
    """
    state = find_state(reference)
    if state is None:
        raise NotFoundError("There is no such job.")
    return state


def has_expired_jobs(ended_before: datetime) -> bool:
    """Whether a job ended before this instant."""
    return bool(db.session.scalar(select(exists(select(Job.id).where(Job.ended_at < ended_before)))))


def count_jobs(asked_by: int | None = None) -> dict[JobState, int]:
    """How many jobs are in each state; every state is there.

    Args:
        asked_by: Counts only the jobs of this person; None: all jobs.
    """
    statement = select(Job.state, func.count()).group_by(Job.state)
    if asked_by is not None:
        statement = statement.where(Job.asked_by_id == asked_by)
    counts = {state: count for state, count in db.session.execute(statement)}
    return {state: counts.get(state, 0) for state in JobState}


def are_jobs_neglected(at: datetime) -> bool:
    """Whether a job has waited for a minute while no worker shows that it works on another."""
    since = at - LONGEST_WAIT
    waits = select(Job.id).where(Job.state == JobState.WAITING, Job.asked_at < since)
    works = select(Job.id).where(Job.state == JobState.RUNNING, Job.heartbeat_at >= since)
    return bool(db.session.scalar(select(exists(waits) & ~exists(works))))


def find_unended_job(kind: str) -> uuid.UUID | None:
    """The oldest job of this kind that waits or runs."""
    unended = select(Job.reference).where(Job.state.in_(UNENDED_STATES), Job.kind == kind)
    return db.session.scalar(unended.order_by(Job.id).limit(1))


def is_idle_since(kind: str, since: datetime) -> bool:
    """Whether no job of this kind waits or runs, and none was asked for since then."""
    newer = select(Job.id).where(Job.kind == kind, Job.asked_at > since)
    return find_unended_job(kind) is None and not db.session.scalar(select(exists(newer)))
