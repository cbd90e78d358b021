"""From a folder on disk to bytes in memory: nothing outside the folder is read, nothing unknown is kept."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from portal.platform.formats.faults import Faults

KEY_PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MODULE_PATHS = (
    re.compile(r"module\.toml"),
    re.compile(r"job-aid\.md"),
    re.compile(r"lessons/[^/]+\.md"),
    re.compile(r"items/[^/]+\.toml"),
    re.compile(r"media/[^/]+"),
)
INVISIBLE = re.compile("[\\x00-\\x08\\x0b-\\x1f\\x7f\\ufeff]")
GUIDES_FOLDER = "_guides"
GUIDE_PATHS = (re.compile(r"[^/]+\.md"), re.compile(r"media/[^/]+"))
MAX_FILES = 1_000
MAX_TEXT_BYTES = 512 * 1024  # bytes of one text file
MAX_MEDIA_BYTES = 64 * 1024 * 1024  # bytes of one media file
MAX_FOLDER_BYTES = 256 * 1024 * 1024  # bytes of one module

SHARED_FILE_NAMES = ("_sources.toml", "_force.toml", "_glossary.toml")


def read_folder(
    folder: Path, faults: Faults, places: Sequence[re.Pattern[str]] = MODULE_PATHS
) -> dict[str, bytes]:
    """Every file of one module's folder (or of that of guides) by its path with ``/``, in order of path.

    Links and files that are neither files nor folders are refused and not followed; a file in a place
    that the format does not name is refused by name.
    """
    files: dict[str, bytes] = {}
    total = 0
    for path in _list_files(folder, folder.name, faults):
        name = path.relative_to(folder).as_posix()
        shown = f"{folder.name}/{name}"
        if not any(place.fullmatch(name) for place in places):
            faults.add(shown, None, _misplaced_reason(name, folder.name))
            continue
        content = _read_content(path, shown, faults)
        total += len(content)
        if len(files) >= MAX_FILES or total > MAX_FOLDER_BYTES:
            faults.add(
                folder.name, None, f"Keep a module under {MAX_FILES} files and {MAX_FOLDER_BYTES >> 20} MB."
            )
            break
        files[name] = content
    return dict(sorted(files.items()))


def read_shared(folder: Path, faults: Faults) -> dict[str, bytes]:
    """The shared files that stand in the folder of all modules; a missing one is left out."""
    found = {}
    for name in SHARED_FILE_NAMES:
        path = folder / name
        if path.is_symlink():
            faults.add(name, None, "Links are not followed. Put the file itself here.")
        elif path.is_file():
            found[name] = _read_content(path, name, faults)
    return found


def module_folders(folder: Path, faults: Faults) -> list[Path]:
    """The modules in the folder of all, by name; whatever else lies there is refused by name."""
    found = []
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            faults.add(path.name, None, "Links are not followed. Put the folder itself here.")
        elif path.is_dir() and not path.name.startswith("_"):
            found.append(path)
        elif path.name not in SHARED_FILE_NAMES and path.name != GUIDES_FOLDER:
            faults.add(path.name, None, _not_a_module_reason(path))
    return found


def read_guides(folder: Path, faults: Faults) -> dict[str, bytes]:
    """Every file of the guides in the folder of all modules; empty where there are none."""
    guides = folder / GUIDES_FOLDER
    if guides.is_symlink():
        return {}  # refused with the other links of the folder
    if guides.is_file():
        faults.add(GUIDES_FOLDER, None, "This must be a folder that holds one Markdown file a guide.")
        return {}
    return read_folder(guides, faults, GUIDE_PATHS) if guides.is_dir() else {}


def decode_text(content: bytes, shown: str, faults: Faults) -> str | None:
    """The file's text; None, with the fault noted, where it is not UTF-8 with LF."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        faults.add(shown, line, "Save the file as UTF-8.")
        return None
    bad = INVISIBLE.search(text)
    if bad is None:
        return text
    number = text.count("\n", 0, bad.start()) + 1
    if bad[0] == "\r":
        faults.add(shown, number, "End lines with LF alone, not CR LF.")
    else:
        faults.add(shown, number, f"Take out the invisible character U+{ord(bad[0]):04X}.")
    return None


def _list_files(folder: Path, shown: str, faults: Faults) -> list[Path]:
    found: list[Path] = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = f"{shown}/{entry.name}"
        if entry.is_symlink():
            faults.add(name, None, "Links are not followed. Put the file itself here.")
        elif entry.is_dir(follow_symlinks=False):
            found += _list_files(Path(entry.path), name, faults)
        elif entry.is_file(follow_symlinks=False):
            found.append(Path(entry.path))
        else:
            faults.add(name, None, "Only files and folders can be published.")
    return found


def _read_content(path: Path, shown: str, faults: Faults) -> bytes:
    most = MAX_MEDIA_BYTES if path.parent.name == "media" else MAX_TEXT_BYTES
    if path.stat().st_size > most:
        faults.add(shown, None, f"Keep this file under {most // 1024} KB.")
        return b""
    return path.read_bytes()


def _misplaced_reason(name: str, folder: str) -> str:
    if folder == GUIDES_FOLDER:
        return f"“{name}” has no place among guides. The folder holds name.md and media/name."
    return (
        f"“{name}” has no place in a module. A module holds module.toml, job-aid.md, lessons/name.md,"
        " items/name.toml and media/name."
    )


def _not_a_module_reason(path: Path) -> str:
    if path.name.startswith("_"):
        return f"“{path.name}” is not known. Shared files are {', '.join(SHARED_FILE_NAMES)}."
    return f"“{path.name}” is not a module's folder. Take it out of the folder of modules."
