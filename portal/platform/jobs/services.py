"""Starting, cancelling and retrying jobs, in the caller's transaction."""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, case, delete, exists, func, insert, select, update

from portal.platform.audit import log
from portal.platform.db import db
from portal.platform.errors import ConflictError, RuleError, require
from portal.platform.jobs.models import ENDED_STATES, UNENDED_STATES, Job, JobState
from portal.platform.jobs.registry import task_of_kind

# Reads of jobs that concern no person: states, counts, and whether one may be started.

LONGEST_WAIT = timedelta(minutes=1)
NEWEST = 2_000  # jobs that figures look at: an hour of many, or weeks
OF_LATE = timedelta(days=1)


def find_state(reference: uuid.UUID) -> str | None:
    """The state of a job; None if it is not kept any more."""
    return db.session.scalar(select(Job.state).where(Job.reference == reference))


def get_state(reference: uuid.UUID) -> str:
    """The state of a job."""
    return require(find_state(reference), "There is no such job.")


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


MOST_EXPIRED = 500  # in one transaction


def start_job(kind: str, arguments: dict[str, Any], *, by: int | None, at: datetime) -> uuid.UUID:
    """Add a job; a worker claims it within a second of the commit of the caller's transaction.

    Args:
        kind: One that is registered.
        arguments: Values that JSON can hold: references, not data.
        by: The person who asks, who may watch and cancel it; None for a command.
        at: This instant.
    """
    if task_of_kind(kind) is None:
        raise RuleError(f"The portal does no jobs of the kind “{kind}”.")
    reference = uuid.uuid4()
    row = {"reference": reference, "kind": kind, "arguments": arguments, "asked_by_id": by, "asked_at": at}
    db.session.execute(insert(Job).values(state=JobState.WAITING, **row))
    log("job.asked", actor_id=by, job=str(reference), kind=kind)
    return reference


def start_job_once(kind: str, at: datetime) -> None:
    """Add a job without arguments, that nobody asked for, unless one of its kind waits already."""
    is_waiting = exists().where(Job.kind == kind, Job.state == JobState.WAITING)
    if not db.session.scalar(select(is_waiting)):
        start_job(kind, {}, by=None, at=at)


def record_ended_job(
    kind: str, result: dict[str, Any] | None, reason: str, *, started_at: datetime, at: datetime
) -> None:
    """Add a job that a command has done itself, so that it is listed as those of workers are.

    Args:
        kind: One that is registered.
        result: What it did; None if it failed.
        reason: Why it failed; empty if it did not.
        started_at: When the command began.
        at: When it ended.
    """
    state = JobState.FAILED if reason else JobState.DONE
    row = {"kind": kind, "arguments": {}, "state": state, "result": result, "reason": reason, "runs": 1}
    times = {"asked_at": started_at, "started_at": started_at, "heartbeat_at": at, "ended_at": at}
    reference = uuid.uuid4()
    db.session.execute(insert(Job).values(reference=reference, **row, **times))
    log("job.asked", actor_id=None, job=str(reference), kind=kind)


def cancel_job(reference: uuid.UUID, *, by: int | None, at: datetime) -> None:
    """End a job that waits or runs; what a running one has not committed is rolled back."""
    values = {"state": JobState.CANCELLED, "ended_at": at, "claim": None}
    if not _update_job(reference, UNENDED_STATES, values):
        raise ConflictError(f"The job cannot be cancelled: it is {get_state(reference)} already.")
    log("job.cancelled", actor_id=by, job=str(reference))


def retry_job(reference: uuid.UUID, *, by: int | None, at: datetime) -> None:
    """Put a job that failed or was cancelled back to wait, to be run from its start."""
    values: dict[str, Any] = {"done": 0, "total": 0, "said": "", "reason": "", "runs": 0, "result": None}
    values |= {"started_at": None, "heartbeat_at": None, "ended_at": None, "claim": None, "asked_at": at}
    values["state"] = JobState.WAITING
    if not _update_job(reference, (JobState.FAILED, JobState.CANCELLED), values):
        raise ConflictError(f"The job cannot be tried again: it is {get_state(reference)}.")
    log("job.asked_again", actor_id=by, job=str(reference))


def delete_expired_jobs(ended_before: datetime) -> int:
    """Delete jobs that ended before this instant, the oldest first and at most ``MOST_EXPIRED``; how many.

    What they did stays: it is in the portal's tables and in the audit trail, never in the job.
    """
    expired = select(Job.id).where(Job.state.in_(ENDED_STATES), Job.ended_at < ended_before)
    ids = db.session.scalars(expired.order_by(Job.id).limit(MOST_EXPIRED)).all()
    if ids:
        db.session.execute(delete(Job).where(Job.id.in_(ids), Job.state.in_(ENDED_STATES)))
    return len(ids)


def _update_job(reference: uuid.UUID, expected: tuple[JobState, ...], values: dict[str, Any]) -> bool:
    """Whether the job was in one of the expected states and was updated."""
    statement = update(Job).where(Job.reference == reference, Job.state.in_(expected)).values(**values)
    result: Any = db.session.execute(statement, execution_options={"synchronize_session": False})
    return bool(result.rowcount)
