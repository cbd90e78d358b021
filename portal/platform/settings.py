"""The settings of the running application, for code that knows nothing of the web framework."""

from collections.abc import Callable

from config import Config

_readers: list[Callable[[], Config]] = []


def read_settings_from(reader: Callable[[], Config]) -> None:
    """Have ``current_settings`` ask ``reader``. The application calls this once, at its start."""
    _readers[:] = [reader]


def current_settings() -> Config:
    """The settings of the application that runs now.

    Raises:
        RuntimeError: No application has said where its settings are.
    """
    if not _readers:
        raise RuntimeError("No application runs.")
    return _readers[0]()
