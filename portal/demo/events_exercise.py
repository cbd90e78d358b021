"""The exercises of the fictional force: the shipped ones, and a proposal that waits for a second person."""

from datetime import datetime
from pathlib import Path

from portal.domain.exercises.sources import DEBRIEF, pack_exercise
from portal.domain.exercises.versions import (
    list_newest_versions,
    newest_version,
    propose_exercise,
    publish_exercise_folder,
    version_files,
)

NOTE = "Last time three people asked who they could talk to afterwards. The debrief says it now."
ADDED = "\nIn this fictional force, ask at the front desk of the training centre for peer support.\n"


def publish_exercises(folder: Path, at: datetime) -> None:
    """Publish every exercise of a folder; what is published already stays as it is."""
    publish_exercise_folder(folder, at=at)


def propose_change(author: int, at: datetime) -> None:
    """Propose the first exercise with a longer debrief, for a publisher to read.

    Args:
        author: Who sends it.
        at: When, later than its version was published.
    """
    line = list_newest_versions()[0]
    version = newest_version(line.key)
    files = version_files(version.id) if version else {}
    files[DEBRIEF] += ADDED.encode()
    propose_exercise(pack_exercise(line.key, files), note=NOTE, by=author, at=at)
