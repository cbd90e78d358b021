"""Reads of jobs that concern no person: states, counts, and whether one may be started."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, exists, func, select

from portal.platform.db import db
from portal.platform.errors import NotFoundError
from portal.platform.jobs.models import UNENDED_STATES, Job, JobState

LONGEST_WAIT = timedelta(minutes=1)
NEWEST = 2_000  # jobs that figures look at: an hour of many, or weeks
OF_LATE = timedelta(days=1)


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


@dataclass(frozen=True, slots=True)
class JobKindFigures:
    """How the jobs of one kind stand."""

    kind: str
    waiting: int = 0
    running: int = 0
    oldest_waiting_at: datetime | None = None  # when it was asked for
    oldest_running_at: datetime | None = None  # when its run started
    failed: int = 0  # of late
    last_done_at: datetime | None = None  # of the newest jobs


def read_job_figures(at: datetime) -> list[JobKindFigures]:
    """How the jobs of each kind stand; of ended ones only the newest are looked at. Two statements."""
    unended = select(Job.kind, Job.state, func.count(), func.min(Job.asked_at), func.min(Job.started_at))
    by_kind: dict[str, dict[str, Any]] = {}
    for kind, state, count, asked_at, started_at in db.session.execute(
        unended.where(Job.state.in_(UNENDED_STATES)).group_by(Job.kind, Job.state)
    ):
        oldest_at = asked_at if state == JobState.WAITING else started_at
        by_kind.setdefault(kind, {}).update({state: count, f"oldest_{state}_at": oldest_at})
    newest = select(Job.kind, Job.state, Job.ended_at).order_by(Job.id.desc()).limit(NEWEST).subquery()
    ended = newest.c.ended_at
    failures = func.sum(case((and_(newest.c.state == JobState.FAILED, ended > at - OF_LATE), 1), else_=0))
    done = func.max(case((newest.c.state == JobState.DONE, ended)))
    for kind, failed, last_done_at in db.session.execute(
        select(newest.c.kind, failures, done).group_by(newest.c.kind)
    ):
        by_kind.setdefault(kind, {}).update(failed=int(failed), last_done_at=last_done_at)
    return [JobKindFigures(kind, **values) for kind, values in sorted(by_kind.items())]
