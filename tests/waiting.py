"""Waiting for what comes to pass, however busy the machine is."""

import time
from collections.abc import Callable

PATIENCE = 120.0  # seconds, of which an idle machine needs few


def until(holds: Callable[[], object], seconds: float = PATIENCE) -> None:
    """Wait until it holds.

    Raises:
        AssertionError: It did not within so many seconds.
    """
    last = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < last, "it did not come to pass"
        time.sleep(0.02)
