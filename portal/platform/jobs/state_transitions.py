"""State transitions of jobs: each is one UPDATE that names the state it expects.

Each runs in a short transaction of its own, separate from the job's, and takes no stamp.
"""

import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, select, update
from sqlalchemy.orm import Session

from portal.platform.audit.models import AuditEvent, Outcome
from portal.platform.db import db
from portal.platform.jobs.models import MOST_RUNS, Job, JobState

LOST_TOO_OFTEN = (
    "The portal was stopped in the middle of it {runs} times. Try again, or ask support to look at the log."
)
_LOW_KINDS: BindParameter[Any] = bindparam("low_priority_kinds", expanding=True)
_OLDEST_WAITING = select(Job.reference).where(Job.state == JobState.WAITING).order_by(Job.id).limit(1)
_NEXT_OF_LOW_PRIORITY = _OLDEST_WAITING.where(Job.kind.in_(_LOW_KINDS))
_NEXT_OF_OTHERS = _OLDEST_WAITING.where(Job.kind.not_in(_LOW_KINDS))


@dataclass(frozen=True, slots=True)
class ClaimedJob:
    """A job that this worker, and no other, runs now."""

    reference: uuid.UUID
    claim: uuid.UUID
    kind: str
    arguments: dict[str, Any]
    asked_by_id: int | None


@contextmanager
def separate_transaction() -> Iterator[Session]:
    """A short writing transaction beside the one of ``db.session``; committed at its end."""
    with Session(db.engine, join_transaction_mode="create_savepoint") as session:
        session.connection(execution_options={"portal_writes": True})
        yield session
        session.commit()


def find_waiting_job(
    low_priority_kinds: Sequence[str] = (), *, low_priority: bool = False
) -> uuid.UUID | None:
    """The oldest job that waits, of all kinds but those of low priority, or of these alone.

    An index leads to those that wait, so that workers may ask often.
    """
    statement = _NEXT_OF_LOW_PRIORITY if low_priority else _NEXT_OF_OTHERS
    with Session(db.engine) as session:
        return session.scalar(statement, {"low_priority_kinds": list(low_priority_kinds)})


def claim_job(reference: uuid.UUID, at: datetime) -> ClaimedJob | None:
    """Claim a waiting job; None if it no longer waits: another worker has it, or it was cancelled."""
    claim = uuid.uuid4()
    with separate_transaction() as session:
        row = session.execute(
            update(Job)
            .where(Job.reference == reference, Job.state == JobState.WAITING)
            .values(
                state=JobState.RUNNING,
                claim=claim,
                runs=Job.runs + 1,
                started_at=at,
                heartbeat_at=at,
                done=0,
                total=0,
                said="",
            )
            .returning(Job.kind, Job.arguments, Job.asked_by_id)
            .execution_options(synchronize_session=False)
        ).one_or_none()
    return ClaimedJob(reference, claim, *row) if row else None


def update_claimed_job(session: Any, reference: uuid.UUID, claim: uuid.UUID, values: dict[str, Any]) -> bool:
    """Update the job that the run with this claim has; False if that run no longer has it."""
    return _update_if(session, _has_claim(reference, claim), values)


def write_heartbeat(job: ClaimedJob, at: datetime) -> None:
    """Record that the run is alive. It waits for long: the job itself may hold SQLite's write lock."""
    with Session(db.engine, join_transaction_mode="create_savepoint") as session:
        update_claimed_job(session, job.reference, job.claim, {"heartbeat_at": at})
        session.commit()


def release_job(job: ClaimedJob) -> None:
    """Put a job back to wait; the run that ends here is not counted."""
    values = {"state": JobState.WAITING, "claim": None, "runs": Job.runs - 1, "said": ""}
    with separate_transaction() as session:
        update_claimed_job(session, job.reference, job.claim, values)


def end_job(job: ClaimedJob, state: JobState, at: datetime, **values: Any) -> bool:
    """End the job that this run has; False if the run no longer has it."""
    values |= {"state": state, "ended_at": at, "claim": None}
    with separate_transaction() as session:
        is_ended = update_claimed_job(session, job.reference, job.claim, values)
        if is_ended and state is JobState.FAILED:
            _record_failure(session, job.reference, job.kind, job.asked_by_id, at)
        return is_ended


def _record_failure(
    session: Session, reference: uuid.UUID, kind: str, asked_by_id: int | None, at: datetime
) -> None:
    detail = {"kind": kind, "job": str(reference)}
    columns = {"happened_at": at, "actor_id": asked_by_id, "action": "job.failed", "detail": detail}
    session.add(AuditEvent(**columns, outcome=Outcome.FAILED))


def requeue_lost_jobs(lost_before: datetime, at: datetime, own: frozenset[uuid.UUID]) -> list[uuid.UUID]:
    """Put back to wait each job whose heartbeat stopped; one that was lost too often fails.

    Args:
        lost_before: A run whose last heartbeat is older than this is lost.
        at: This instant.
        own: Jobs that this very process runs, whatever their heartbeats say.
    """
    columns = (Job.reference, Job.claim, Job.runs, Job.heartbeat_at, Job.kind, Job.asked_by_id)
    silent = select(*columns).where(Job.state == JobState.RUNNING, Job.heartbeat_at < lost_before)
    with Session(db.engine) as session:
        lost_runs = [run for run in session.execute(silent) if run.reference not in own]
    requeued = []
    for run in lost_runs:
        values: dict[str, Any] = {"state": JobState.WAITING, "said": "", "claim": None}
        if run.runs >= MOST_RUNS:
            reason = LOST_TOO_OFTEN.format(runs=run.runs)
            values = {"state": JobState.FAILED, "ended_at": at, "reason": reason, "claim": None}
        with separate_transaction() as session:
            still_silent = (*_has_claim(run.reference, run.claim), Job.heartbeat_at == run.heartbeat_at)
            if not _update_if(session, still_silent, values):
                continue
            if run.runs < MOST_RUNS:
                requeued.append(run.reference)
            else:
                _record_failure(session, run.reference, run.kind, run.asked_by_id, at)
    return requeued


def _has_claim(reference: uuid.UUID, claim: uuid.UUID) -> tuple[ColumnElement[bool], ...]:
    """Conditions that the run with this claim still has the job."""
    return (Job.reference == reference, Job.claim == claim, Job.state == JobState.RUNNING)


def _update_if(session: Any, conditions: tuple[ColumnElement[bool], ...], values: dict[str, Any]) -> bool:
    """Whether a job met the conditions and was updated."""
    statement = update(Job).where(*conditions).values(**values)
    result = session.execute(statement, execution_options={"synchronize_session": False})
    return bool(result.rowcount)
