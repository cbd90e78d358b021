"""Forgetting the rate limits that a process counts in its memory."""

from portal.pages.layout.access import limiter


def reset_limits() -> None:
    """Forget every count, after the storage's own timer has run: it fails where it is emptied meanwhile."""
    limiter.storage.timer.join()  # type: ignore[attr-defined]
    limiter.reset()
