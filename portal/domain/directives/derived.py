"""What is built on assignments, higher up, and can be built again from the facts alone."""

from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple, Protocol

from portal.domain.directives.audience import Version
from portal.domain.people.queries import Viewer

Rebuild = Callable[[bool], list[str]]

_rebuilds: list[Rebuild] = []


def derived(rebuild: Rebuild) -> Rebuild:
    """Have ``directives reconcile --rebuild`` call this; told whether to write, it says what differed."""
    _rebuilds.append(rebuild)
    return rebuild


def rebuild_all(write: bool) -> list[str]:
    """Compare all that is derived with the facts, put it right with ``write``, and say what differed."""
    return [difference for rebuild in _rebuilds for difference in rebuild(write)]


_counts: list[Rebuild] = []


def counted(check: Rebuild) -> Rebuild:
    """Have every ``directives reconcile`` call this: what is summed from what is derived, soon compared."""
    _counts.append(check)
    return check


def count_all(write: bool) -> list[str]:
    """Compare all that is summed, put it right with ``write``, and say what differed."""
    return [difference for check in _counts for difference in check(write)]


class Reach(NamedTuple):
    """Whom a directive reaches on a day, of those whom somebody may be told of."""

    people: int
    done: int  # of those counted
    counted: int


NOBODY = Reach(0, 0, 0)
Reaches = Callable[[Viewer, date], dict[int, Reach]]

_reaches: list[Reaches] = []


def tells_reach(read: Reaches) -> Reaches:
    """Have the directives' desk ask this how many people each directive reaches, by its id."""
    _reaches.append(read)
    return read


def reach(viewer: Viewer, day: date) -> dict[int, Reach]:
    """How many people each directive reaches on ``day``, of those whom the viewer may be told of."""
    return {key: found for read in _reaches for key, found in read(viewer, day).items()}


class WorkedOut(Protocol):
    """What follows from a version that is not recorded yet, ready to be written under the lock."""

    def moved_on(self) -> bool:
        """Whether a unit or a directive changed since; asked before the version is recorded."""

    def record(self, directive_id: int, version_id: int, at: datetime) -> set[int]:
        """Write what follows, once the version is recorded; whom of it must be worked out again."""


WorksOut = Callable[[Version], WorkedOut]

_works_out: list[WorksOut] = []


def works_out(work: WorksOut) -> WorksOut:
    """Have issuing ask this, before the lock is taken, what follows from a version."""
    _works_out.append(work)
    return work


def work_out(version: Version) -> WorkedOut | None:
    """What follows from a version that is not recorded yet; takes no lock. None: nobody works it out."""
    return next((work(version) for work in _works_out), None)
