"""Whose turn it is: each change of a job's state is one UPDATE that names the state it expects.

Each runs in a short transaction of its own, beside whatever the job has under way, and takes no stamp.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.db import db
from portal.jobs.models import MOST_RUNS, Job, State

CUT_OFF = (
    "The portal was stopped in the middle of it {runs} times. Try again, or ask support to look at the log."
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job that this worker, and no other, runs now."""

    reference: uuid.UUID
    claim: uuid.UUID
    kind: str
    arguments: dict[str, Any]
    asked_by_id: int | None


@contextmanager
def aside() -> Iterator[Session]:
    """A short writing transaction beside the one of ``db.session``; committed at its end."""
    with Session(db.engine, join_transaction_mode="create_savepoint") as session:
        session.connection(execution_options={"portal_writes": True})
        yield session
        session.commit()


def claim(reference: uuid.UUID, at: datetime) -> Claimed | None:
    """Take a waiting job; None where it waits no more: another has it, or it was cancelled."""
    token = uuid.uuid4()
    with aside() as session:
        row = session.execute(
            update(Job)
            .where(Job.reference == reference, Job.state == State.WAITING)
            .values(
                state=State.RUNNING,
                claim=token,
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
    return Claimed(reference, token, *row) if row else None


def held(reference: uuid.UUID, token: uuid.UUID) -> tuple[Any, ...]:
    """That the run which holds this claim still has the job."""
    return (Job.reference == reference, Job.claim == token, Job.state == State.RUNNING)


def write(session: Any, reference: uuid.UUID, token: uuid.UUID, **values: Any) -> bool:
    """Write to the job that this run has; False where it has it no more."""
    statement = update(Job).where(*held(reference, token)).values(**values)
    done = session.execute(statement, execution_options={"synchronize_session": False})
    return bool(done.rowcount)


def beat(job: Claimed, at: datetime) -> None:
    """Write a sign of life. Patiently: the job itself may hold SQLite's write lock for long."""
    with Session(db.engine, join_transaction_mode="create_savepoint") as session:
        write(session, job.reference, job.claim, heartbeat_at=at)
        session.commit()


def release(job: Claimed) -> None:
    """Put a job back among those that wait; the run that ends here is not counted."""
    with aside() as session:
        write(session, job.reference, job.claim, state=State.WAITING, claim=None, runs=Job.runs - 1, said="")


def end(job: Claimed, state: State, at: datetime, **values: Any) -> bool:
    """End the job that this run has; False where it has it no more."""
    with aside() as session:
        return write(session, job.reference, job.claim, state=state, ended_at=at, claim=None, **values)


def take_up_again(lost_before: datetime, at: datetime, own: frozenset[uuid.UUID]) -> list[uuid.UUID]:
    """Give back to the queue each job whose run went silent; one cut off too often fails.

    Args:
        lost_before: A run whose last sign of life is older than this is lost.
        at: This instant.
        own: Jobs that this very process runs; it knows better.
    """
    silent = select(Job.reference, Job.claim, Job.runs, Job.heartbeat_at).where(
        Job.state == State.RUNNING, Job.heartbeat_at < lost_before
    )
    with Session(db.engine) as session:
        found = [row for row in session.execute(silent) if row.reference not in own]
    again = []
    for row in found:
        with aside() as session:
            if row.runs >= MOST_RUNS:
                values = {"state": State.FAILED, "ended_at": at, "reason": CUT_OFF.format(runs=row.runs)}
            else:
                values = {"state": State.WAITING, "said": ""}
            silent_still = update(Job).where(
                *held(row.reference, row.claim), Job.heartbeat_at == row.heartbeat_at
            )
            changed = session.execute(
                silent_still.values(claim=None, **values), execution_options={"synchronize_session": False}
            ).rowcount  # type: ignore[attr-defined]
        if changed and row.runs < MOST_RUNS:
            again.append(row.reference)
    return again


def waiting(asked_before: datetime) -> list[uuid.UUID]:
    """Jobs that have waited since before this instant, the oldest first."""
    statement = select(Job.reference).where(Job.state == State.WAITING, Job.asked_at < asked_before)
    with Session(db.engine) as session:
        return list(session.scalars(statement.order_by(Job.id).limit(100)))
