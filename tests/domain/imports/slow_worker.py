"""A real worker that stops for a while in the middle of an import, once the posts are written."""

import os
import time
from pathlib import Path
from typing import Any

from portal.commands.jobs import run_worker
from portal.domain.people import roster_store

written = roster_store.write_plan


def write(*given: Any, **more: Any) -> Any:
    """As it is, and then leave a mark and wait to be killed."""
    done = written(*given, **more)
    Path(os.environ["INSTANCE_DIR"], "in-the-middle").touch()
    time.sleep(600)
    return done


if __name__ == "__main__":
    roster_store.write_plan = write
    from wsgi import app

    run_worker(app, 1)
