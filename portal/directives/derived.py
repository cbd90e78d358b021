"""What is built on assignments, higher up, and can be built again from the facts alone."""

from collections.abc import Callable

Rebuild = Callable[[bool], list[str]]

_rebuilds: list[Rebuild] = []


def derived(rebuild: Rebuild) -> Rebuild:
    """Have ``directives reconcile --rebuild`` call this; told whether to write, it says what differed."""
    _rebuilds.append(rebuild)
    return rebuild


def rebuild_all(write: bool) -> list[str]:
    """Compare all that is derived with the facts, put it right with ``write``, and say what differed."""
    return [difference for rebuild in _rebuilds for difference in rebuild(write)]
