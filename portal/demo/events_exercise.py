"""The exercises of the fictional force: the shipped ones, and a proposal that waits for a second person."""

from datetime import datetime
from pathlib import Path

from portal.domain.exercises.sources.archive import pack_exercise
from portal.domain.exercises.sources.exercise_folder import DEBRIEF
from portal.domain.exercises.versions.proposals import propose_exercise
from portal.domain.exercises.versions.publishing import publish_exercise_folder
from portal.domain.exercises.versions.queries import list_newest_versions, newest_version, version_files

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
