"""The files of an exercise's folder: which paths the format allows, and how they are read."""

import re
from pathlib import Path

from portal.domain.catalogue.sources.folder_reader import read_folder
from portal.platform.formats.faults import Faults

EXERCISE_FILE = "exercise.toml"
BRIEFING, FACILITATOR, DEBRIEF = "briefing.md", "facilitator.md", "debrief.md"
SHEETS = (BRIEFING, FACILITATOR, DEBRIEF)
EXERCISE_PATHS = (
    re.compile(r"exercise\.toml"),
    *(re.compile(re.escape(name)) for name in SHEETS),
    re.compile(r"injects/[^/]+\.md"),
    re.compile(r"media/[^/]+"),
)


def inject_path(key: str) -> str:
    """The path of an inject in its exercise's folder.

    >>> inject_path("first-call")
    'injects/first-call.md'
    """
    return f"injects/{key}.md"


def read_exercise(folder: Path, faults: Faults) -> dict[str, bytes]:
    """Read every file of one exercise's folder by its path, in order; links and other paths are refused."""
    return read_folder(folder, faults, EXERCISE_PATHS, _misplaced_reason)


def is_exercise(folder: Path) -> bool:
    """Whether the folder is that of one exercise: it has ``exercise.toml``, or injects if that is missing."""
    injects = folder / "injects"
    is_inside = (injects / EXERCISE_FILE).exists()  # an exercise whose key is “injects”
    return (folder / EXERCISE_FILE).is_file() or (injects.is_dir() and not is_inside)


def exercise_folders(folder: Path, faults: Faults) -> list[Path]:
    """Return the exercises' folders in the folder of all exercises, by name; anything else is refused."""
    folders = []
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            faults.add(path.name, None, "Links are not followed. Put the folder itself here.")
        elif path.is_dir():
            folders.append(path)
        else:
            reason = f"“{path.name}” is not an exercise's folder. Take it out of the folder of exercises."
            faults.add(path.name, None, reason)
    return folders


def refuse_paths(key: str, files: dict[str, bytes], faults: Faults) -> None:
    """Add a fault for each path that the format does not allow."""
    for path in files:
        if not any(pattern.fullmatch(path) for pattern in EXERCISE_PATHS):
            faults.add(f"{key}/{path}", None, _misplaced_reason(path))


def _misplaced_reason(name: str) -> str:
    return (
        f"“{name}” does not belong in an exercise. An exercise may contain {EXERCISE_FILE}, {BRIEFING},"
        f" {FACILITATOR}, {DEBRIEF}, injects/name.md and media/name."
    )
