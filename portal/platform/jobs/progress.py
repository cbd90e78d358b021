"""Progress reporting and cancellation."""

import uuid
from threading import Event
from time import monotonic
from typing import Any

from portal.platform import clock
from portal.platform.db import db
from portal.platform.jobs import state_transitions
from portal.platform.jobs.errors import CancelledError, StoppedError
from portal.platform.jobs.items import is_writing
from portal.platform.jobs.models import JobState
from portal.platform.requests_in_hand import Rest

SECONDS_BETWEEN = 0.5  # two writes of progress; the calls between them cost nothing


class JobProgress:
    """Given to the function that does a job.

    Attributes:
        reference: The job's own.
        asked_by_id: The person who asked for it; None for a command.
        concluded: Whether the job was ended in its own transaction.
    """

    def __init__(
        self,
        job: state_transitions.ClaimedJob,
        stopping: Event | None = None,
        seconds_between: float = SECONDS_BETWEEN,
        *,
        low_priority: bool = False,
    ) -> None:
        self.reference: uuid.UUID = job.reference
        self.asked_by_id = job.asked_by_id
        self.concluded = False
        self._claim = job.claim
        self._stopping = stopping or Event()
        self._seconds_between = seconds_between
        self._next_write = 0.0
        self._rest = Rest() if low_priority else None

    def report_progress(self, done: int, total: int, said: str = "") -> None:
        """Record how far the job is; call it as often as convenient.

        One of low priority rests here while many people wait to be signed in, unless it may hold a lock.
        Inside the job's own transaction on SQLite, where nobody else can write, what is recorded becomes
        visible with the commit; everywhere else at once.

        Raises:
            CancelledError: The job must end; what was not committed is to be rolled back.
        """
        if self._rest and not is_writing():
            self._rest.wait_for_others(self._stopping.wait)
        if self._stopping.is_set() and not self.concluded:
            raise StoppedError
        if self.concluded or (monotonic() < self._next_write and done < total):
            return
        self._next_write = monotonic() + self._seconds_between
        values = {"done": done, "total": total, "said": said, "heartbeat_at": clock.now()}
        if db.engine.dialect.name == "sqlite" and is_writing():  # another connection would wait for ever
            self._update_job(db.session, values)
        else:
            with state_transitions.separate_transaction() as session:
                self._update_job(session, values)

    def conclude_job(self, result: dict[str, Any] | None = None) -> None:
        """End the job as done in the transaction under way: both are committed, or neither is.

        So a job that was cut off after its commit is never run again, and one that was cancelled before
        it changes nothing.

        Raises:
            CancelledError: The job was cancelled, or another worker has it.
        """
        values = {"state": JobState.DONE, "ended_at": clock.now(), "result": result, "claim": None}
        self._update_job(db.session, values)
        self.concluded = True

    def _update_job(self, session: Any, values: dict[str, Any]) -> None:
        if not state_transitions.update_claimed_job(session, self.reference, self._claim, values):
            raise CancelledError
