"""A real worker that writes a directive a person a slice, and stops for a while after the third."""

import os
import time
from itertools import count
from pathlib import Path

from sqlalchemy import Engine

from portal.commands.jobs import run_worker
from portal.domain.status import projection_rows, recording

slices = count(1)


def rest(_engine: Engine, _seconds: float) -> None:
    """Leave a mark after the third slice, and wait to be killed."""
    if next(slices) == 3:
        Path(os.environ["INSTANCE_DIR"], "in-the-middle").touch()
        time.sleep(600)


if __name__ == "__main__":
    recording.MOST_AT_ONCE = 0
    projection_rows.SLICE = 1
    projection_rows.let_others_write = rest  # type: ignore[assignment]
    from wsgi import app

    run_worker(app, 1)
