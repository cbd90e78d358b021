"""Starting, cancelling and retrying jobs, in the caller's transaction."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, select, update

from portal.platform.audit.services import log
from portal.platform.db import db
from portal.platform.errors import ConflictError, RuleError
from portal.platform.jobs.models import ENDED_STATES, UNENDED_STATES, Job, JobState
from portal.platform.jobs.queries import get_state
from portal.platform.jobs.registry import task_of_kind

MOST_EXPIRED = 500  # in one transaction


def start_job(kind: str, arguments: dict[str, Any], *, by: int | None, at: datetime) -> uuid.UUID:
    """Add a job; a worker claims it within a second of the commit of the caller's transaction.

    Args:
        kind: One that is registered.
        arguments: Values that JSON can hold: references, not data.
        by: The person who asks, who may watch and cancel it; None for a command.
        at: This instant.

    Raises:
        RuleError: No feature does jobs of this kind.
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
    """End a job that waits or runs; what a running one has not committed is rolled back.

    Raises:
        NotFoundError: There is no such job.
        ConflictError: It has ended already.
    """
    values = {"state": JobState.CANCELLED, "ended_at": at, "claim": None}
    if not _update_job(reference, UNENDED_STATES, values):
        raise ConflictError(f"The job cannot be cancelled: it is {get_state(reference)} already.")
    log("job.cancelled", actor_id=by, job=str(reference))


def retry_job(reference: uuid.UUID, *, by: int | None, at: datetime) -> None:
    """Put a job that failed or was cancelled back to wait, to be run from its start.

    Raises:
        NotFoundError: There is no such job.
        ConflictError: It neither failed nor was cancelled.
    """
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
