"""What is built on assignments, higher up, and can be built again from the facts alone."""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from portal.people.queries import Viewer

Rebuild = Callable[[bool], list[str]]

_rebuilds: list[Rebuild] = []


def derived(rebuild: Rebuild) -> Rebuild:
    """Have ``directives reconcile --rebuild`` call this; told whether to write, it says what differed."""
    _rebuilds.append(rebuild)
    return rebuild


def rebuild_all(write: bool) -> list[str]:
    """Compare all that is derived with the facts, put it right with ``write``, and say what differed."""
    return [difference for rebuild in _rebuilds for difference in rebuild(write)]


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
