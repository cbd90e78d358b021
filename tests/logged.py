"""The log of a test, read as an operator's tools read it: a JSON object a line."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from portal.platform.audit import current_origin
from portal.platform.observability import logs


class Log:
    """What was logged since the fixture ``log`` began."""

    def __init__(self, file: Path) -> None:
        self.file = file

    @property
    def text(self) -> str:
        """Every line, as it was written."""
        return self.file.read_text()

    def lines(self, event: str = "") -> list[dict[str, Any]]:
        """The lines of an event, or all."""
        lines = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in lines if not event or line["event"] == event]


@contextmanager
def written_to(file: Path) -> Iterator[Log]:
    """Let the portal log to a file in this block."""
    number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(logs, "STANDARD_ERROR", number)
            logs.configure_logs(lambda: current_origin().request_id)
            yield Log(file)
    finally:
        os.close(number)
