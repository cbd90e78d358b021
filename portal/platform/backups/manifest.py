"""What a scheduled backup holds, in a file of JSON beside it: written last, removed first.

So a backup is whole where its manifest stands, and a file without one is never taken for a backup.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from portal.platform import clock
from portal.platform.errors import RuleError

FORMAT = 1
SUFFIX = ".json"
NAME = re.compile(r"portal-(\d{8}T\d{6}Z)\.backup(?:\.age)?")
PARTIAL = re.compile(r"\.portal-\d{8}T.*\.partial")
PART = 1024**2  # bytes read at once
LONGEST = 1024**2  # bytes of a manifest that are read: one has a line for each table
_TYPES: dict[str, tuple[type, ...]] = {  # of the values in the file
    **dict.fromkeys(("name", "taken_at", "sha256", "database", "revision", "newest_stamp"), (str,)),
    "seconds": (int, float),
    "size": (int,),
    "encrypted": (bool,),
    "counts": (dict,),
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one backup holds, and by which its file and its restored copy are judged."""

    name: str  # of its file, in the same folder
    taken_at: datetime  # nothing recorded before is missing in it
    seconds: float  # that it took
    size: int  # bytes of the file
    sha256: str  # of the file, in hexadecimal
    database: str  # sqlite or postgresql
    encrypted: bool
    revision: str  # of the schema
    newest_stamp: str  # the newest fact in it, as the database writes it; empty: there is none
    counts: dict[str, int]  # rows of each table

    @property
    def file_name(self) -> str:
        """The name of the manifest's own file."""
        return f"{self.name}{SUFFIX}"

    def to_json(self) -> str:
        """The text of the file."""
        values = {"format": FORMAT, **asdict(self), "taken_at": clock.format_utc(self.taken_at)}
        return json.dumps(values, indent=1) + "\n"


def parse_manifest(content: bytes, name: str) -> Manifest | None:
    """The manifest that a file of this name holds; None if it is none, or is another backup's."""
    try:
        values: dict[str, Any] = json.loads(content, parse_constant=int)  # which refuses NaN and Infinity
        if values.pop("format") != FORMAT or f"{values['name']}{SUFFIX}" != name:
            return None
        numbers = values["counts"].values()
        if any(type(values[key]) not in _TYPES[key] for key in values) or not {*map(type, numbers)} <= {int}:
            return None
        taken_at = datetime.fromisoformat(values["taken_at"])
        if not NAME.fullmatch(values["name"]) or taken_at.tzinfo is None:
            return None
        return Manifest(**values | {"taken_at": taken_at.astimezone(UTC)})
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None


def name_backup(taken_at: datetime, *, encrypted: bool) -> str:
    """The name of the file of a backup; names sort by time."""
    return f"portal-{taken_at.astimezone(UTC):%Y%m%dT%H%M%SZ}.backup{'.age' * encrypted}"


def list_incomplete(names: Iterable[str]) -> list[str]:
    """Of the names in a folder, what a backup left that was cut off: parts, and files without a manifest."""
    present = set(names)
    return sorted(
        name
        for name in present
        if PARTIAL.fullmatch(name) or (NAME.fullmatch(name) and f"{name}{SUFFIX}" not in present)
    )


def hash_file(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as read:
        while part := read.read(PART):
            digest.update(part)
    return digest.hexdigest()


def refuse_changed(file: Path, manifest: Manifest) -> None:
    """Refuse a file that is not the one its manifest describes.

    Raises:
        RuleError: It was cut off, damaged or changed.
    """
    if file.stat().st_size != manifest.size or hash_file(file) != manifest.sha256:
        raise RuleError(f"{file} is not what {manifest.file_name} beside it says: it is damaged or cut off.")


def manifest_beside(file: Path) -> Manifest | None:
    """The manifest of this file; None if none stands beside it.

    Raises:
        RuleError: Something stands there that is no file.
    """
    beside = file.with_name(file.name + SUFFIX)
    if beside.exists() and not beside.is_file():
        raise RuleError(f"{beside} is not a file: remove it, or put the backup's manifest there.")
    try:
        return parse_manifest(read_without_waiting(beside), beside.name)
    except OSError:
        return None


def read_without_waiting(file: Path) -> bytes:
    """What a small file holds; where a pipe stands in its place, nobody is waited for."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as read:
        return read.read(LONGEST) or b""


def write_durably(target: Path, content: bytes) -> None:
    """Write a small file, which then stands whole or not at all, whatever happens meanwhile."""
    partial = target.with_name(f".{target.name}.partial")
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as written:
        written.write(content)
        written.flush()
        os.fsync(written.fileno())
    partial.replace(target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Flush a folder to the disk, so that new names in it survive a power cut."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
