"""Counts the statements that a thread sends to a database, and logs the slow ones.

A slow statement is named by the place in the portal's code that sent it. Its text is logged as the driver
gets it, with placeholders; the values never are.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, event

from portal.platform.observability.logs import ROOT, get_logger

MOST_TEXT = 1_500  # characters of a statement in the log
OWN_CODE = str(ROOT / "portal")
NOT_SENDERS = (  # pass statements on for others
    str(ROOT / "portal" / "platform" / "db.py"),
    str(ROOT / "portal" / "platform" / "audit"),  # writes what the session holds before an event
    str(ROOT / "portal" / "platform" / "observability"),
)

_log = get_logger("portal.statements")
_slow_seconds = [float("inf")]


class StatementCount(local):
    """What this thread has sent since ``start_count``."""

    sent = 0
    slow = 0
    started = 0.0


_count = StatementCount()


def start_count() -> StatementCount:
    """Begin to count the statements of this thread; the object goes on counting."""
    _count.sent = _count.slow = 0
    return _count


def log_slower_than(seconds: float) -> None:
    """Log statements that take longer from now on, until the first row is there."""
    _slow_seconds[0] = seconds


@contextmanager
def log_none() -> Iterator[None]:
    """Log no slow statement in the block: whoever typed a command reads what it says, not SQL."""
    before, _slow_seconds[0] = _slow_seconds[0], float("inf")
    try:
        yield
    finally:
        _slow_seconds[0] = before


def count_statements(engine: Engine) -> None:
    """Count what is sent through this engine, and time it."""
    event.listen(engine, "before_cursor_execute", _note_start)
    event.listen(engine, "after_cursor_execute", _note_end)


def _note_start(*_: object) -> None:
    count = _count
    count.sent += 1
    count.started = perf_counter()


def _note_end(_connection: object, _cursor: object, statement: str, *_: Any) -> None:
    seconds = perf_counter() - _count.started
    if seconds >= _slow_seconds[0]:
        _count.slow += 1
        _log.warning(
            "statement.slow",
            milliseconds=round(1000 * seconds),
            sender=_find_sender(),
            statement=" ".join(statement.split())[:MOST_TEXT],
        )


def _find_sender() -> str:
    """The function of the portal that sent the statement of this thread.

    A question before which the session writes what it holds did not send that: it is named as what follows.
    """
    frame, writes_first = sys._getframe(1), False
    while frame.f_back is not None:
        frame = frame.f_back
        file = frame.f_code.co_filename
        writes_first |= frame.f_code.co_name == "_autoflush"
        if file.startswith(OWN_CODE) and not file.startswith(NOT_SENDERS):
            place = f"{file[len(str(ROOT)) + 1 :]}:{frame.f_lineno} {frame.f_code.co_name}"
            return f"before {place}" if writes_first else place
    return ""
