"""The table of jobs: an ordinary row, changed in place, which alone says what state a job is in."""

import uuid
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId

MOST_RUNS = 3  # a job that was cut off in so many runs is not run again


class JobState(StrEnum):
    """Life cycle of a job: waiting, running, and one of three ends."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNENDED_STATES = (JobState.WAITING, JobState.RUNNING)
ENDED_STATES = (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class Job(Base):
    """One piece of background work; the worker that runs it has the ``claim``."""

    __tablename__ = "job"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name="state"),
        Index("ix_job_state_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[uuid.UUID] = mapped_column(unique=True)
    kind: Mapped[str]
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str]
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)  # 0: not yet known
    said: Mapped[str] = mapped_column(default="")  # what the run does at present
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)  # None: a command
    asked_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")  # why it failed, a sentence a line
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    runs: Mapped[int] = mapped_column(default=0)
    claim: Mapped[uuid.UUID | None]  # a new one for each run, so that an earlier run can write nothing more


# Signals that end a job early; no ``PortalError``, so that no task takes one for a bad row.


class CancelledError(Exception):
    """The job was cancelled, or another worker has it now: undo what was not committed and end."""


class StoppedError(CancelledError):
    """The worker is ending: the job goes back to wait for another."""
