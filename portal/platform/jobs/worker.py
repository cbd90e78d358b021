"""A worker process: finds waiting jobs in the table, runs them and ends when it is told to."""

import os
import signal
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from time import monotonic, sleep
from typing import Any

from sqlalchemy.exc import OperationalError, SQLAlchemyError

from portal.platform import clock
from portal.platform.audit import Channel, Origin, originating_from
from portal.platform.db import db, transaction
from portal.platform.errors import BusyError, PortalError
from portal.platform.jobs import registry, services
from portal.platform.jobs.models import CancelledError, JobState, StoppedError
from portal.platform.jobs.registry import (
    ClaimedJob,
    ItemFailures,
    JobProgress,
    Routine,
    Task,
    list_low_priority_kinds,
    list_scheduled_tasks,
    task_of_kind,
)
from portal.platform.observability import statements
from portal.platform.observability.logs import get_logger
from portal.platform.processes import peak_memory_mib, yield_to_pages

_log = get_logger("portal.jobs")
SWEEP_SECONDS = 0.5  # between two looks for a waiting job: how long one may wait for an idle worker
RECOVERY_SECONDS = 3  # between two looks for lost jobs, and after an error before the next look
UPKEEP_SECONDS = 60  # between two rounds of starting what is due and deleting what expired
HEARTBEATS_BEFORE_LOST = 6  # this many may fail to be written before a job counts as lost
GOODBYE_SECONDS = 10  # how long a job may take to notice that the worker ends
TRIES = 8  # to write how a job ended, each as long as a writer waits
MOST_REASONS = 100
SCHEDULE = "schedule"  # who starts jobs that nobody asked for, in the audit trail
MOST_MIB = 192  # an embedded worker that had more than this is replaced by a fresh one, between two jobs
UNEXPECTED = (
    "Something went wrong in the portal. Support finds the reason in its log, under this job’s reference."
)
UNKNOWN = "This portal does no jobs of this kind any more."


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """What a worker needs of the application whose jobs it runs.

    Attributes:
        open_context: Opens a context in which the database can be used; each thread opens its own.
        lost_seconds: How long a run may give no heartbeat before its job counts as lost.
        kept_days: How long an ended job is kept.
        upkeep: Called about once a minute in such a context, outside a transaction.
        routines: What it does beside its jobs.
        reason_to_wait: Why nothing can be run now, such as a database of another release; else empty.
    """

    open_context: Callable[[], AbstractContextManager[Any]]
    lost_seconds: int
    kept_days: int
    upkeep: Callable[[datetime], None]
    routines: tuple[Routine, ...] = ()
    reason_to_wait: Callable[[], str] = lambda: ""


class JobRunner:
    """Claims and runs jobs, for any number of threads of one process."""

    def __init__(self, setup: WorkerSetup, stopping: Event) -> None:
        self.setup, self.stopping = setup, stopping
        self.own: set[uuid.UUID] = set()  # jobs that this process runs now

    def claim_next_job(self, *, low_priority: bool = False) -> ClaimedJob | None:
        """Claim the next job of low priority, or of all others, if one waits; None if another was faster."""
        with self.setup.open_context():
            kinds = list_low_priority_kinds()
            reference = registry.find_waiting_job(kinds, low_priority=low_priority)
            return registry.claim_job(reference, clock.now()) if reference else None

    def run_claimed_job(self, job: ClaimedJob) -> None:
        """Run a job until it is done, failed or cancelled, or put back to wait because the worker ends."""
        self.own.add(job.reference)
        origin = Origin(Channel.JOB, job.kind, request_id=str(job.reference))
        try:
            with self.setup.open_context(), self._write_heartbeats(job), originating_from(origin):
                self._run_task(job)
        finally:
            self.own.discard(job.reference)

    def _run_task(self, job: ClaimedJob) -> None:
        log = _log.bind(job=job.reference, kind=job.kind)
        log.info("job.started")
        started, count = monotonic(), statements.start_count()
        task, reason = task_of_kind(job.kind), ""
        progress = JobProgress(job, self.stopping, low_priority=task is not None and task.low_priority)
        result: dict[str, Any] | None = None
        try:
            if task is None:
                raise PortalError(UNKNOWN)
            result = task.run(progress, job.arguments)
        except StoppedError:
            _write_patiently(lambda: registry.release_job(job))
            return
        except CancelledError:
            log.info("job.cancelled")
            return
        except PortalError as error:
            reason = _shorten_reason(str(error))
        except Exception:
            log.exception("job.failed")
            reason = UNEXPECTED
        if not progress.concluded:
            state = JobState.FAILED if reason else JobState.DONE
            values = {"reason": reason, "result": result}
            _write_patiently(lambda: registry.end_job(job, state, clock.now(), **values))
        log.info(
            "job.ended",
            state=JobState.FAILED if reason else JobState.DONE,
            milliseconds=round(1000 * (monotonic() - started)),
            statements=count.sent,
        )

    @contextmanager
    def _write_heartbeats(self, job: ClaimedJob) -> Iterator[None]:
        """Record every few seconds that the run is alive, whatever the job does meanwhile."""
        ended = Event()
        interval = self.setup.lost_seconds / HEARTBEATS_BEFORE_LOST

        def write_until_ended() -> None:
            while not ended.wait(interval):
                with self.setup.open_context():
                    try:
                        registry.write_heartbeat(job, clock.now())
                    except SQLAlchemyError:  # the job itself may hold SQLite's write lock
                        _log.info("job.heartbeat_missed", job=job.reference)

        thread = Thread(target=write_until_ended, name="heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


class Worker:
    """Threads that run jobs, and one for those of low priority, so that no other job waits for these.

    The main thread recovers lost jobs and watches for a reason to end.

    A worker ends on SIGTERM, on Ctrl-C and with its terminal. An embedded one ends with the process that
    started it instead, whose terminal is not its own.
    """

    def __init__(self, setup: WorkerSetup, threads: int, *, embedded: bool = False) -> None:
        self.setup = setup
        self.runner = JobRunner(setup, Event())
        self.parent = os.getppid() if embedded else None
        self._is_looking = Lock()
        self._threads = [
            *(Thread(target=self._run_jobs, name=f"job-{number}", daemon=True) for number in range(threads)),
            Thread(target=self._run_low_priority_jobs, name="low-priority job", daemon=True),
            *(
                Thread(target=self._repeat_routine, args=(routine,), name=routine.name, daemon=True)
                for routine in setup.routines
            ),
        ]
        self._next_upkeep = 0.0

    def run_until_told_to_end(self) -> None:
        """Run jobs until a signal comes or ``must_end``; jobs that run then go back to wait."""
        signals: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda received, _: signals.append(received))
        if self.parent is not None:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        for thread in self._threads:
            thread.start()
        next_recovery = 0.0
        while not signals and not self.must_end():
            if monotonic() >= next_recovery:
                if not self.setup.reason_to_wait():
                    self.maintain_jobs()
                next_recovery = monotonic() + RECOVERY_SECONDS
            sleep(SWEEP_SECONDS)
        self.runner.stopping.set()
        last = monotonic() + GOODBYE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, last - monotonic()))

    def must_end(self) -> bool:
        """Whether an embedded worker is without its parent, or idle and larger than a fresh one would be."""
        if self.parent is None:
            return False
        return os.getppid() != self.parent or (not self.runner.own and peak_memory_mib() > MOST_MIB)

    def maintain_jobs(self) -> None:
        """Put lost jobs back to wait and, once a minute, start what is due and delete what expired."""
        try:
            with self.setup.open_context(), originating_from(Origin(Channel.JOB, SCHEDULE)):
                now = clock.now()
                lost_before = now - timedelta(seconds=self.setup.lost_seconds)
                registry.requeue_lost_jobs(lost_before, now, frozenset(self.runner.own))
                if monotonic() >= self._next_upkeep:
                    self._next_upkeep = monotonic() + UPKEEP_SECONDS
                    start_due_jobs(now)
                    delete_expired_jobs(now - timedelta(days=self.setup.kept_days))
                    self.setup.upkeep(now)
        except Exception as error:
            _log.warning("jobs.not_maintained", reason=type(error).__name__)

    def _run_low_priority_jobs(self) -> None:
        """Run one job of low priority after another, while no other job waits for it and pages go first."""
        yield_to_pages()
        self._run_jobs(low_priority=True)

    def _run_jobs(self, low_priority: bool = False) -> None:
        """Run one job after another; of the idle threads, one at a time looks for the next."""
        stopping = self.runner.stopping
        while not stopping.is_set():
            if self.setup.reason_to_wait():
                stopping.wait(RECOVERY_SECONDS)
                continue
            try:
                with nullcontext() if low_priority else self._is_looking:
                    job = self.runner.claim_next_job(low_priority=low_priority)
                    if job is None:
                        stopping.wait(SWEEP_SECONDS)
                if job:
                    self.runner.run_claimed_job(job)
            except (Exception, SystemExit) as error:  # such as a database that restarts
                _log.warning("jobs.not_run", reason=type(error).__name__)
                stopping.wait(RECOVERY_SECONDS)

    def _repeat_routine(self, routine: Routine) -> None:
        """Run a routine until the worker ends; a fault of one run ends that run alone."""
        stopping = self.runner.stopping
        while not stopping.wait(routine.seconds):
            if self.setup.reason_to_wait():
                continue
            try:
                with self.setup.open_context():
                    routine.run(stopping)
            except Exception as error:  # such as a database that restarts
                _log.warning("routine.failed", routine=routine.name, reason=type(error).__name__)
                stopping.wait(RECOVERY_SECONDS)


def list_due_tasks(now: datetime) -> Iterator[Task]:
    """Scheduled tasks of which a job is to be started now, as a worker does within a minute."""
    failures = ItemFailures("task")
    for task in list_scheduled_tasks():
        is_due = False
        with failures.of(task.kind):
            is_due = bool(task.due and services.is_idle_since(task.kind, now - task.rest) and task.due())
        if is_due:
            yield task


def start_due_jobs(now: datetime) -> None:
    """Start scheduled jobs that are due; if two workers do so at once, the second starts nothing."""
    for task in list_due_tasks(now):
        with transaction():
            if services.is_idle_since(task.kind, now - task.rest):
                services.start_job(task.kind, {}, by=None, at=now)


def delete_expired_jobs(ended_before: datetime) -> None:
    """Delete jobs that ended before this instant, without taking the write lock if there are none."""
    if services.has_expired_jobs(ended_before):
        with transaction():
            services.delete_expired_jobs(ended_before)


def _shorten_reason(reason: str) -> str:
    """As many lines of a reason as a page can show."""
    lines = reason.splitlines()
    more = [f"{len(lines) - MOST_REASONS:,} more."] if len(lines) > MOST_REASONS else []
    return "\n".join(lines[:MOST_REASONS] + more)


def _write_patiently(write: Callable[[], object]) -> None:
    """Write how a job ended, even if another process holds the database for long."""
    db.session.rollback()
    for tries_left in reversed(range(TRIES)):
        try:
            write()
        except (OperationalError, BusyError):
            if not tries_left:
                raise
        else:
            return
