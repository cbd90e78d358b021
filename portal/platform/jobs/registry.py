"""The kinds of job: each room describes its own, and the application hands over the list."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from time import monotonic
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, bindparam, select, update
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from portal.platform import clock
from portal.platform.audit import AuditEvent, Outcome
from portal.platform.db import db
from portal.platform.errors import BusyError, PortalError, UnwritableError
from portal.platform.jobs.models import MOST_RUNS, CancelledError, Job, JobState, StoppedError
from portal.platform.observability.logs import get_logger
from portal.platform.presence import Rest
from portal.platform.wording import plural

# State transitions of jobs: each is one UPDATE that names the state it expects.
#
# Each runs in a short transaction of its own, separate from the job's, and takes no stamp.

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


# Items over which a job walks: what is wrong with one is that one's failure, and the others are done.

# Of no item: the job ends, or nothing can be read or written at present.
NO_ITEMS = (CancelledError, BusyError, UnwritableError, OperationalError, InterfaceError)
_log = get_logger("portal.items")


class ItemFailures:
    """Keeps a job going past items that fail, and counts them.

    Args:
        noun: What one item is.
        passes: Further errors that are of no item, and end the walk.
    """

    def __init__(self, noun: str, *passes: type[Exception]) -> None:
        self.noun, self.count = noun, 0
        self.passes: tuple[type[Exception], ...] = (*NO_ITEMS, *passes)

    @contextmanager
    def of(self, item: object, record: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Do what is in the block to one item; if that fails, log it, undo it and go on after the block.

        Args:
            item: What tells it from others in the log: never a name.
            record: Writes down what became of it.
        """
        try:
            yield
        except self.passes:
            raise
        except Exception:
            self.count += 1
            _log.exception("item.failed", noun=self.noun, item=str(item))
            if not is_writing():  # a savepoint in a transaction is undone already
                db.session.rollback()
            record()

    @property
    def sentences(self) -> list[str]:
        """What the job says of them: nothing, if none failed."""
        if not self.count:
            return []
        return [f"{plural(self.count, self.noun)} failed. Support finds the reason in its log."]

    def end_job(self, said: list[str]) -> dict[str, list[str]]:
        """The result of the job, after all items were tried.

        Raises:
            PortalError: Some failed, so the job is listed as failed.
        """
        if self.count:
            raise PortalError("\n".join([*said, *self.sentences]))
        return {"said": said}


def is_writing() -> bool:
    """Whether this thread is in a transaction that writes, and so may hold a lock."""
    session = db.session()
    return session.in_transaction() and bool(
        session.connection().get_execution_options().get("portal_writes")
    )


# Progress reporting and cancellation.

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
        job: ClaimedJob,
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
            with separate_transaction() as session:
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
        if not update_claimed_job(session, self.reference, self._claim, values):
            raise CancelledError


Arguments = dict[str, Any]
REST = timedelta(minutes=15)  # between two jobs of one kind that a worker starts by itself
Run = Callable[[JobProgress, Arguments], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of job.

    ``run`` is called in a worker, where the database can be used, outside a transaction, and opens its own
    with ``portal.platform.db.transaction``. What it returns is kept as the result and shown: sentences under
    ``said``, any other value beside its key. It may be cut off at any moment and run again from its start:
    so it writes in one transaction and calls ``progress.conclude_job`` in it, or does what may be done twice.
    A ``PortalError`` fails the job with its sentence.

    Attributes:
        kind: Identifies it in the table, for ever.
        title: Its name on pages, such as "Import of a roster".
        run: Does a job with these arguments.
        page: Gives the address of the page that a job with these arguments belongs to.
        by_hand: A sentence on what it does; with it the page of jobs offers to start one without arguments.
        offered: Whether that page offers it now; None: always.
        due: Called by a worker every minute: whether to start one without arguments. None is started while
            one has not ended, nor within ``rest`` of the last.
        own: Whether that page is shown only to the person who asked for the job.
        rest: How long a worker waits after it started one by itself.
        low_priority: Whether each worker does these jobs in one thread of their own, to which all else goes
            first: no record waits for a job of this kind, and no other job is to.
    """

    kind: str
    title: str
    run: Run
    page: Callable[[Arguments], str] | None = None
    by_hand: str = ""
    due: Callable[[], bool] | None = None
    own: bool = False
    rest: timedelta = REST
    low_priority: bool = False
    offered: Callable[[], bool] | None = None


@dataclass(frozen=True, slots=True)
class Routine:
    """What a worker does again and again beside its jobs, in a thread of its own; no job, and not listed.

    For work that has a queue of its own and waits for others, so that jobs never wait for it. Several workers
    may do it at once, and one may be killed at any moment.

    Attributes:
        name: Of its thread, and in the log.
        run: Called where the database can be used, outside a transaction; ends soon once the event is set.
        seconds: Between the end of one call and the next.
    """

    name: str
    run: Callable[[Event], object]
    seconds: float


TASKS_BY_KIND: dict[str, Task] = {}


def set_tasks(tasks: Iterable[Task]) -> None:
    """Have workers and pages know these tasks, and no others. The application does this at its start."""
    TASKS_BY_KIND.clear()
    TASKS_BY_KIND.update((task.kind, task) for task in tasks)


def task_of_kind(kind: str) -> Task | None:
    """The task of this kind; None if no room does it any more."""
    return TASKS_BY_KIND.get(kind)


def title_of_kind(kind: str) -> str:
    """The name of a kind on pages."""
    task = TASKS_BY_KIND.get(kind)
    return task.title if task else kind


def list_offered_tasks() -> list[Task]:
    """Tasks that the page of jobs offers to start now, by title."""
    tasks = [task for task in TASKS_BY_KIND.values() if task.by_hand and (not task.offered or task.offered())]
    return sorted(tasks, key=lambda task: task.title)


def list_low_priority_kinds() -> list[str]:
    """Kinds of low priority: their jobs run when no other waits."""
    return sorted(kind for kind, task in TASKS_BY_KIND.items() if task.low_priority)


def list_scheduled_tasks() -> list[Task]:
    """Tasks that workers start by themselves when they are due."""
    return [task for task in TASKS_BY_KIND.values() if task.due is not None]
