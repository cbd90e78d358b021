"""Asking for a job, cancelling it, trying it again; in the caller's transaction."""

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select, update

from portal.audit.services import log
from portal.db import db
from portal.errors import ConflictError, RuleError
from portal.jobs.models import Job, State
from portal.jobs.queries import job_row
from portal.jobs.registry import task_of

ENDED = (State.DONE, State.FAILED, State.CANCELLED)
MOST_EXPIRED = 500  # in one transaction
STARTED = "jobs_started"  # in the session's info: to be carried to a worker after the commit


def start(kind: str, arguments: dict[str, Any], *, by: int | None, at: datetime) -> uuid.UUID:
    """Ask for a job; a worker takes it up once the caller's transaction is committed.

    Args:
        kind: One that is registered.
        arguments: Values that JSON can hold: references, not data.
        by: The person who asks, who may watch and cancel it; None for a command.
        at: This instant.

    Raises:
        RuleError: No feature does jobs of this kind.
    """
    if task_of(kind) is None:
        raise RuleError(f"The portal does no jobs of the kind “{kind}”.")
    reference = uuid.uuid4()
    row = {"reference": reference, "kind": kind, "arguments": arguments, "asked_by_id": by, "asked_at": at}
    db.session.execute(insert(Job).values(state=State.WAITING, **row))
    log("job.asked", actor_id=by, job=str(reference), kind=kind)
    _carry(reference)
    return reference


def cancel(reference: uuid.UUID, *, by: int | None, at: datetime) -> None:
    """End a job that waits or runs; what a running one has not committed is rolled back.

    Raises:
        NotFoundError: There is no such job.
        ConflictError: It has ended already.
    """
    changed = _change(
        reference, (State.WAITING, State.RUNNING), state=State.CANCELLED, ended_at=at, claim=None
    )
    if not changed:
        raise ConflictError(f"The job cannot be cancelled: it is {job_row(reference).state} already.")
    log("job.cancelled", actor_id=by, job=str(reference))


def again(reference: uuid.UUID, *, by: int | None, at: datetime) -> None:
    """Let a job that failed or was cancelled wait for a worker once more, from its start.

    Raises:
        NotFoundError: There is no such job.
        ConflictError: It neither failed nor was cancelled.
    """
    fresh: dict[str, Any] = {"done": 0, "total": 0, "said": "", "reason": "", "runs": 0, "result": None}
    fresh |= {"started_at": None, "heartbeat_at": None, "ended_at": None, "claim": None, "asked_at": at}
    if not _change(reference, (State.FAILED, State.CANCELLED), state=State.WAITING, **fresh):
        raise ConflictError(f"The job cannot be tried again: it is {job_row(reference).state}.")
    log("job.asked_again", actor_id=by, job=str(reference))
    _carry(reference)


def expire(ended_before: datetime) -> int:
    """Remove jobs that ended before this instant, the oldest first and ``MOST_EXPIRED`` at most; how many.

    What they did stays: it is in the portal's tables and in the audit trail, never in the job.
    """
    over = select(Job.id).where(Job.state.in_(ENDED), Job.ended_at < ended_before)
    old = db.session.scalars(over.order_by(Job.id).limit(MOST_EXPIRED)).all()
    if old:
        db.session.execute(delete(Job).where(Job.id.in_(old), Job.state.in_(ENDED)))
    return len(old)


def _change(reference: uuid.UUID, expected: tuple[State, ...], **values: Any) -> bool:
    statement = update(Job).where(Job.reference == reference, Job.state.in_(expected)).values(**values)
    done: Any = db.session.execute(statement, execution_options={"synchronize_session": False})
    return bool(done.rowcount)


def _carry(reference: uuid.UUID) -> None:
    db.session.info.setdefault(STARTED, []).append(reference)
