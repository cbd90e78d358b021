"""The kinds of job: each room describes its own, and the application hands over the list."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from threading import Event
from typing import Any

from portal.platform.jobs.progress import JobProgress

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
