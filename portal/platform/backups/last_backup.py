"""When the last backup of this portal was made, as the instance folder remembers it.

Monitoring asks for it: a backup that silently stopped is found when it is needed, unless its age is watched.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from config import current_settings

NAME = "last-backup.json"  # in the instance folder


@dataclass(frozen=True, slots=True)
class LastBackup:
    """A backup that stood whole when it was noted."""

    made_at: datetime
    size: int  # bytes


def note_backup(made_at: datetime, size: int) -> None:
    """Remember a backup that was made; replaces the one before."""
    file = _file()
    fresh = file.with_name(f".{NAME}")
    fresh.write_text(json.dumps({"made_at": made_at.isoformat(), "bytes": size}))
    fresh.replace(file)


def read_last_backup() -> LastBackup | None:
    """The last backup that was made with this instance folder; None if none was, or it cannot be told."""
    try:
        values = json.loads(_file().read_text())
        return LastBackup(datetime.fromisoformat(values["made_at"]), int(values["bytes"]))
    except (OSError, ValueError, KeyError):
        return None


def _file() -> Path:
    return current_settings().instance / NAME
