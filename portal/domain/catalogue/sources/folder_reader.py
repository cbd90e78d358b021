"""Reading of folders into memory; files outside the folder are not followed, unknown ones are refused."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from portal.platform.formats.faults import Faults

COMMON_SENSE = "common-sense.toml"  # beside a module's bank, for its audit alone: no learner is shown it
KEY_PATTERN = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
MODULE_PATHS = (
    re.compile(r"module\.toml"),
    re.compile(r"job-aid\.md"),
    re.compile(re.escape(COMMON_SENSE)),
    re.compile(r"briefing\.md"),
    re.compile(r"lessons/[^/]+\.(?:md|toml)"),
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
    folder: Path,
    faults: Faults,
    places: Sequence[re.Pattern[str]] = MODULE_PATHS,
    misplaced: Callable[[str], str] | None = None,
) -> dict[str, bytes]:
    """Read every file of a module's folder, or another's, by its path with ``/``, in order.

    Links and special files are not followed but refused; so is a file whose path the format does not allow.

    Args:
        folder: The folder.
        faults: The list to which faults are added.
        places: The paths that the format allows.
        misplaced: Says of another path why it is refused; by default as for modules and guides.
    """
    files: dict[str, bytes] = {}
    total = 0
    for path in _list_files(folder, folder.name, faults):
        name = path.relative_to(folder).as_posix()
        shown_path = f"{folder.name}/{name}"
        if not any(place.fullmatch(name) for place in places):
            reason = misplaced(name) if misplaced else _misplaced_reason(name, folder.name)
            faults.add(shown_path, None, reason)
            continue
        content = _read_content(path, shown_path, faults)
        total += len(content)
        if len(files) >= MAX_FILES or total > MAX_FOLDER_BYTES:
            faults.add(
                folder.name,
                None,
                f"Keep this folder under {MAX_FILES} files and {MAX_FOLDER_BYTES >> 20} MB.",
            )
            break
        files[name] = content
    return dict(sorted(files.items()))


def read_shared(folder: Path, faults: Faults) -> dict[str, bytes]:
    """Read the shared files in the folder of all modules; a missing one is left out."""
    files = {}
    for name in SHARED_FILE_NAMES:
        path = folder / name
        if path.is_symlink():
            faults.add(name, None, "Links are not followed. Put the file itself here.")
        elif path.is_file():
            files[name] = _read_content(path, name, faults)
    return files


def module_folders(folder: Path, faults: Faults) -> list[Path]:
    """Return the modules' folders in the folder of all modules, by name; anything else is refused."""
    folders = []
    for path in sorted(folder.iterdir()):
        if path.is_symlink():
            faults.add(path.name, None, "Links are not followed. Put the folder itself here.")
        elif path.is_dir() and not path.name.startswith("_"):
            folders.append(path)
        elif path.name not in SHARED_FILE_NAMES and path.name != GUIDES_FOLDER:
            faults.add(path.name, None, _not_a_module_reason(path))
    return folders


def read_guides(folder: Path, faults: Faults) -> dict[str, bytes]:
    """Read every file of the guides in the folder of all modules; empty if there are none."""
    guides = folder / GUIDES_FOLDER
    if guides.is_symlink():
        return {}  # refused with the other links of the folder
    if guides.is_file():
        faults.add(GUIDES_FOLDER, None, "This must be a folder with one Markdown file for each guide.")
        return {}
    return read_folder(guides, faults, GUIDE_PATHS) if guides.is_dir() else {}


def decode_text(content: bytes, shown_path: str, faults: Faults) -> str | None:
    """Decode a file's text; None, with a fault added, if it is not UTF-8 with LF line ends."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        faults.add(shown_path, line, "Save the file as UTF-8.")
        return None
    invisible = INVISIBLE.search(text)
    if invisible is None:
        return text
    number = text.count("\n", 0, invisible.start()) + 1
    if invisible[0] == "\r":
        faults.add(shown_path, number, "End lines with LF alone, not CR LF.")
    else:
        faults.add(shown_path, number, f"Take out the invisible character U+{ord(invisible[0]):04X}.")
    return None


def _list_files(folder: Path, shown_path: str, faults: Faults) -> list[Path]:
    paths: list[Path] = []
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name = f"{shown_path}/{entry.name}"
        if entry.is_symlink():
            faults.add(name, None, "Links are not followed. Put the file itself here.")
        elif entry.is_dir(follow_symlinks=False):
            paths += _list_files(Path(entry.path), name, faults)
        elif entry.is_file(follow_symlinks=False):
            paths.append(Path(entry.path))
        else:
            faults.add(name, None, "Only files and folders can be published.")
    return paths


def _read_content(path: Path, shown_path: str, faults: Faults) -> bytes:
    limit = MAX_MEDIA_BYTES if path.parent.name == "media" else MAX_TEXT_BYTES
    if path.stat().st_size > limit:
        faults.add(shown_path, None, f"Keep this file under {limit // 1024} KB.")
        return b""
    return path.read_bytes()


def _misplaced_reason(name: str, folder: str) -> str:
    if folder == GUIDES_FOLDER:
        return f"“{name}” does not belong among guides. The folder may contain name.md and media/name."
    return (
        f"“{name}” does not belong in a module. A module may contain module.toml, job-aid.md,"
        " briefing.md, lessons/name.md, lessons/name.toml, items/name.toml and media/name."
    )


def _not_a_module_reason(path: Path) -> str:
    if path.name.startswith("_"):
        return f"“{path.name}” is not known. Shared files are {', '.join(SHARED_FILE_NAMES)}."
    return f"“{path.name}” is not a module's folder. Take it out of the folder of modules."
