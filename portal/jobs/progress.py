"""What a running job says of itself, and how it hears that it shall end."""

import uuid
from threading import Event
from time import monotonic
from typing import Any

from portal import clock
from portal.db import db
from portal.jobs import claims
from portal.jobs.errors import CancelledError, StoppedError
from portal.jobs.models import State

SECONDS_BETWEEN = 0.5  # two writes of progress; the calls between them cost nothing


class Progress:
    """Given to the function that does a job.

    Attributes:
        reference: The job's own.
        asked_by_id: The person who asked for it; None for a command.
    """

    def __init__(
        self,
        job: claims.Claimed,
        stopping: Event | None = None,
        seconds_between: float = SECONDS_BETWEEN,
    ) -> None:
        self.reference: uuid.UUID = job.reference
        self.asked_by_id = job.asked_by_id
        self.concluded = False
        self._claim = job.claim
        self._stopping = stopping or Event()
        self._between = seconds_between
        self._next = 0.0

    def tell(self, done: int, total: int, said: str = "") -> None:
        """Say how far the job is; call it as often as convenient.

        Inside the job's own transaction on SQLite, where nobody else can write, it becomes visible with
        the commit; everywhere else at once.

        Raises:
            CancelledError: The job shall end; what was not committed is to be rolled back.
        """
        if self._stopping.is_set() and not self.concluded:
            raise StoppedError
        if self.concluded or (monotonic() < self._next and done < total):
            return
        self._next = monotonic() + self._between
        self._write(done=done, total=total, said=said, heartbeat_at=clock.now())

    def conclude(self, result: dict[str, Any] | None = None) -> None:
        """Call the job done in the transaction under way: both are committed, or neither is.

        So a job that was cut off after its commit is never run again, and one that was cancelled before
        it changes nothing.

        Raises:
            CancelledError: The job was cancelled, or another worker has it.
        """
        ended = {"state": State.DONE, "ended_at": clock.now(), "result": result, "claim": None}
        if not claims.write(db.session, self.reference, self._claim, **ended):
            raise CancelledError
        self.concluded = True

    def _write(self, **values: Any) -> None:
        if _writes_on_sqlite():
            held = claims.write(db.session, self.reference, self._claim, **values)
        else:
            with claims.aside() as session:
                held = claims.write(session, self.reference, self._claim, **values)
        if not held:
            raise CancelledError


def _writes_on_sqlite() -> bool:
    """Whether this thread holds SQLite's one write lock: another connection would wait for it for ever."""
    session = db.session()
    if db.engine.dialect.name != "sqlite" or not session.in_transaction():
        return False
    return bool(session.connection().get_execution_options().get("portal_writes"))
