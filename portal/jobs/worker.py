"""A worker: takes jobs one after the other, shows that it lives, and ends when it is told to."""

import logging
import os
import resource
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event, Thread
from time import monotonic
from typing import Any

from flask import Flask
from huey import Huey
from huey.consumer import Consumer, ConsumerStopped, Scheduler
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from portal import clock
from portal.accounts import tidying
from portal.db import db, transaction
from portal.errors import BusyError, PortalError
from portal.jobs import carrier, claims, queries, services
from portal.jobs.errors import CancelledError, StoppedError
from portal.jobs.models import State
from portal.jobs.progress import Progress
from portal.jobs.registry import of_themselves, task_of
from portal.web.filters import number

SIGNS_BEFORE_LOST = 6  # of life may fail to be written before a job counts as cut off
LOOK_SECONDS = 60  # between two questions whether something is due by itself
REST = timedelta(minutes=15)  # between two jobs that a worker begins by itself
SWEEP_SECONDS = 3  # between two looks at the table for jobs that no message tells of
NEWS_SECONDS = 2  # how long a message may take before the table is believed
GOODBYE_SECONDS = 10  # how long a job may take to hear that the worker ends
TRIES = 8  # to write how a job ended, each as long as a writer waits
MOST_REASONS = 100
MOST_MIB = 256  # an embedded worker that had more than this gives way to a fresh one, between two jobs
UNEXPECTED = (
    "Something went wrong in the portal. Support finds the reason in its log, under this job’s reference."
)
UNKNOWN = "This portal does no jobs of this kind any more."


class Hands:
    """Runs jobs in one process."""

    def __init__(self, app: Flask, stopping: Event) -> None:
        self.app, self.stopping = app, stopping
        self.own: set[uuid.UUID] = set()
        self._next_look = 0.0

    def carry_out(self, reference: str) -> None:
        """Run the job, if it still waits, to its end: done, failed, cancelled, or back to those that wait."""
        with self.app.app_context():
            job = claims.claim(uuid.UUID(reference), clock.now())
            if job is None:
                return
            self.own.add(job.reference)
            try:
                with self._alive(job):
                    self._run(job)
            finally:
                self.own.discard(job.reference)

    def _run(self, job: claims.Claimed) -> None:
        log = self.app.logger
        log.info("job started reference=%s kind=%s", job.reference, job.kind)
        progress, reason = Progress(job, self.stopping), ""
        result: dict[str, Any] | None = None
        try:
            task = task_of(job.kind)
            if task is None:
                raise PortalError(UNKNOWN)
            result = task.run(progress, job.arguments)
        except StoppedError:
            _surely(lambda: claims.release(job))
            return
        except CancelledError:
            log.info("job cancelled reference=%s", job.reference)
            return
        except PortalError as error:
            reason = _kept(str(error))
        except Exception:
            log.exception("job failed reference=%s kind=%s", job.reference, job.kind)
            reason = UNEXPECTED
        if not progress.concluded:
            state = State.FAILED if reason else State.DONE
            _surely(lambda: claims.end(job, state, clock.now(), reason=reason, result=result))
        log.info("job ended reference=%s kind=%s", job.reference, job.kind)

    @contextmanager
    def _alive(self, job: claims.Claimed) -> Iterator[None]:
        """Write a sign of life every few seconds, whatever the job does meanwhile."""
        over = Event()
        every = self.app.config["PORTAL"].jobs_lost_seconds / SIGNS_BEFORE_LOST

        def beat() -> None:
            while not over.wait(every):
                with self.app.app_context():
                    try:
                        claims.beat(job, clock.now())
                    except SQLAlchemyError:  # the job itself may hold SQLite's write lock
                        self.app.logger.info("no sign of life written reference=%s", job.reference)

        thread = Thread(target=beat, name="sign-of-life", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def sweep(self, huey: Huey, send: Any) -> None:
        """Find the jobs that no message tells of: cut off in the middle, or their message lost."""
        with self.app.app_context():
            now = clock.now()
            lost = timedelta(seconds=self.app.config["PORTAL"].jobs_lost_seconds)
            found = claims.take_up_again(now - lost, now, frozenset(self.own))
            if not huey.pending_count():
                found += claims.waiting(now - timedelta(seconds=NEWS_SECONDS))
            for reference in dict.fromkeys(found):
                send(str(reference))
            if monotonic() >= self._next_look:
                self._next_look = monotonic() + LOOK_SECONDS
                self.begin_due(now)
                self.expire(now)

    def begin_due(self, now: datetime) -> None:
        """Begin what is due by itself; where two workers do so at once, the second finds nothing to do."""
        for one in of_themselves():
            if one.due is None or not queries.rests(one.kind, now - REST) or not one.due():
                continue
            with transaction():
                if queries.rests(one.kind, now - REST):
                    services.start(one.kind, {}, by=None, at=now)

    def expire(self, now: datetime) -> None:
        """Remove jobs that ended longer ago than they are kept, and kept forms that ran out."""
        before = now - timedelta(days=self.app.config["PORTAL"].jobs_kept_days)
        if queries.any_ended(before):  # most looks find none, and then no writer waits for this one
            with transaction():
                services.expire(before)
        if tidying.any_form_expired(now):
            with transaction():
                tidying.tidy_forms(now)


def _kept(reason: str) -> str:
    """As many lines of a reason as a page can show."""
    lines = reason.splitlines()
    more = [f"{number(len(lines) - MOST_REASONS)} more."] if len(lines) > MOST_REASONS else []
    return "\n".join(lines[:MOST_REASONS] + more)


def _surely(write: Any) -> None:
    """Write how a job ended, even where another process holds the database for long."""
    db.session.rollback()
    for left in reversed(range(TRIES)):
        try:
            write()
        except (OperationalError, BusyError):
            if not left:
                raise
        else:
            return


class Sweeper(Scheduler):  # type: ignore[misc]
    """Looks at the table instead of a timetable: the portal has none."""

    def __init__(self, hands: Hands, huey: Huey, stop_flag: Event, send: Any) -> None:
        super().__init__(huey, stop_flag, SWEEP_SECONDS, periodic=False)
        self.hands, self.send = hands, send

    def loop(self, now: Any = None) -> None:
        """One look."""
        try:
            self.hands.sweep(self.huey, self.send)
        except Exception as error:  # such as a database that restarts: said each time, in a line
            self.hands.app.logger.warning("jobs could not be looked for: %s", type(error).__name__)
        self.stop_flag.wait(SWEEP_SECONDS)


def _end_gently(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


class Workers(Consumer):  # type: ignore[misc]
    """Huey's consumer with threads; ends on SIGTERM, on Ctrl-C and with its terminal.

    An embedded one ends with the process that began it instead, whose terminal is not its own.
    """

    def __init__(self, app: Flask, huey: Huey, workers: int, *, embedded: bool) -> None:
        self.hands = Hands(app, Event())
        self.send = carrier.message(huey, self.hands.carry_out)
        self.parent = os.getppid() if embedded else None
        super().__init__(
            huey,
            workers=workers,
            periodic=False,
            max_delay=1.0,
            graceful_signal="TERM",
            shutdown_timeout=GOODBYE_SECONDS,
        )
        self.hands.stopping = self.stop_flag

    def _create_scheduler(self) -> Sweeper:
        return Sweeper(self.hands, self.huey, self.stop_flag, self.send)

    def start(self) -> None:
        """Start, and let Ctrl-C end as gently as SIGTERM; huey would begin the program anew on SIGHUP."""
        super().start()
        signal.signal(signal.SIGINT, _end_gently)
        signal.signal(signal.SIGHUP, _end_gently if self.parent is None else signal.SIG_IGN)

    def loop(self, health_check_ts: float | None = None) -> Any:
        """Watch for a reason to end."""
        if self.parent is not None and (os.getppid() != self.parent or self._has_grown()):
            self.stop(graceful=True)
            raise ConsumerStopped
        return super().loop(health_check_ts)

    def _has_grown(self) -> bool:
        """Whether a large job, over by now, left this process with memory that a fresh one would not have."""
        return not self.hands.own and peak_mib() > MOST_MIB


def peak_mib() -> int:
    """The most memory that this process has had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def work(app: Flask, workers: int, *, embedded: bool = False) -> None:
    """Run jobs until told to end, or, where embedded, until the process that began this one is gone."""
    logging.getLogger("huey").setLevel(logging.WARNING)
    huey = carrier.huey_of(app.config["PORTAL"])
    try:
        Workers(app, huey, workers, embedded=embedded).run()
    finally:
        huey.storage.close()
