"""A real worker that stops for a while once a file of the watched folder is imported, before it is moved."""

import os
import time
from pathlib import Path
from typing import Any

from portal.commands.jobs import run_worker
from portal.features.watched_folder.folder import WatchedFolder


def put_away(*_given: Any) -> None:
    """Leave a mark and wait to be killed."""
    Path(os.environ["INSTANCE_DIR"], "in-the-middle").touch()
    time.sleep(600)


if __name__ == "__main__":
    WatchedFolder.put_away = put_away  # type: ignore[method-assign]
    from wsgi import app

    run_worker(app, 1)
