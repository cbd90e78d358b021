"""Which kinds of job there are: each feature registers its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from portal.jobs.progress import Progress

Arguments = dict[str, Any]
Run = Callable[[Progress, Arguments], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of job: what it is called on pages, what does it, and which page tells more."""

    kind: str
    title: str
    run: Run
    page: Callable[[Arguments], str] | None = None  # the address of the page that it belongs to
    by_hand: str = ""  # what it does, in a sentence, where the page of jobs offers to start it
    due: Callable[[], bool] | None = None  # whether a worker is to begin one by itself
    own: bool = False  # the page is its asker's alone


_tasks: dict[str, Task] = {}


def task(
    kind: str,
    title: str,
    *,
    page: Callable[[Arguments], str] | None = None,
    by_hand: str = "",
    due: Callable[[], bool] | None = None,
    own: bool = False,
) -> Callable[[Run], Run]:
    """Let ``run(progress, arguments)`` do the jobs of this kind.

    It runs in a worker, in an application context and outside a transaction, and opens its own with
    ``portal.db.transaction``. What it returns is kept as the result and shown: sentences under ``said``, any
    other value beside its key. It may be cut off at any
    moment and run again from its start: so it writes in one transaction and calls ``progress.conclude``
    in it, or does what may be done twice. A ``PortalError`` fails the job with its sentence.

    Args:
        kind: Names it in the table, for ever.
        title: Names it on pages, such as "Import of a roster".
        page: From the arguments to the address of the page that the job belongs to.
        by_hand: A sentence on what it does; with it the page of jobs offers to start one without arguments.
        due: Asked by a worker every minute, in an application context: whether it is to begin one without
            arguments. It begins none while one is under way, nor within a quarter of an hour of the last.
        own: Whether that page is shown to whoever asked for the job alone.
    """

    def register(run: Run) -> Run:
        _tasks[kind] = Task(kind, title, run, page, by_hand, due, own)
        return run

    return register


def task_of(kind: str) -> Task | None:
    """The task of this kind; None where no feature does it any more."""
    return _tasks.get(kind)


def title_of(kind: str) -> str:
    """What a kind is called on pages."""
    found = _tasks.get(kind)
    return found.title if found else kind


def offered() -> list[Task]:
    """Those that the page of jobs offers to start, by title."""
    return sorted((one for one in _tasks.values() if one.by_hand), key=lambda one: one.title)


def of_themselves() -> list[Task]:
    """Those that workers begin by themselves."""
    return [one for one in _tasks.values() if one.due is not None]
