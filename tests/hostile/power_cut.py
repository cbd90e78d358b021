"""What stands on a disk after a power cut: all that was synced, and any part of what was written since.

``power_cut.c`` is compiled by whoever runs this and loaded into the portal's processes; it notes each write
and each sync of the database's files. From its journal the files are built as a disk may hold them.
"""

import random
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).with_suffix(".c")
DATABASE = "portal.sqlite"
ENDINGS = ("", "-wal", "-journal")
RECORD = struct.Struct("=c15sqq")
SECTOR = 512


def build_shim(folder: Path) -> Path:
    """The shim, compiled."""
    shim = folder / "power_cut.so"
    words = ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o", str(shim), str(SOURCE), "-ldl"]
    subprocess.run(words, check=True)
    return shim


def environment(shim: Path, database: Path, journal: Path) -> dict[str, str]:
    """What makes a process tell of this database's files."""
    return {"LD_PRELOAD": str(shim), "POWER_CUT_FILES": str(database), "POWER_CUT_JOURNAL": str(journal)}


@dataclass
class _File:
    """A file as the disk is sure to hold it, and what was written since; None where there is none."""

    synced: bytearray | None
    since: list[tuple[bytes, int, bytes]] = field(default_factory=list)
    promised: int = 0  # changes that were synced
    begun: dict[int, int] = field(default_factory=dict)  # changes made before a sync began, by its number

    def begin_sync(self, number: int) -> None:
        self.begun[number] = self.promised + len(self.since)

    def end_sync(self, number: int) -> None:
        count = max(0, self.begun.pop(number) - self.promised)
        for change in self.since[:count]:
            self.synced = _changed(self.synced, change)
        del self.since[:count]
        self.promised += count

    def after_a_cut(self, chance: random.Random) -> bytearray | None:
        """Each write since the last sync is there, is not there, or is torn at a sector."""
        content, share = self.synced, chance.choice((0, 0.5, 1))
        for does, offset, data in self.since:
            if chance.random() >= share:
                continue
            if does == b"W" and len(data) > SECTOR and chance.random() < 0.3:
                data = data[: SECTOR * chance.randrange(1, len(data) // SECTOR + 1)]
            content = _changed(bytearray(content) if content is not None else None, (does, offset, data))
        return content


def _changed(content: bytearray | None, change: tuple[bytes, int, bytes]) -> bytearray | None:
    does, offset, data = change
    if does == b"U":
        return None
    content = content if content is not None else bytearray()
    if does == b"T":
        del content[offset:]
        content.extend(bytes(offset - len(content)))
    else:
        content.extend(bytes(max(0, offset - len(content))))
        content[offset : offset + len(data)] = data
    return content


def _records(journal: Path) -> Iterator[tuple[bytes, str, int, bytes]]:
    with journal.open("rb") as file:
        while len(head := file.read(RECORD.size)) == RECORD.size:
            does, ending, offset, length = RECORD.unpack(head)
            data = file.read(length) if does == b"W" else b""
            if len(data) < (length if does == b"W" else 0):
                return  # the process was killed in the middle of noting it
            yield does, ending.rstrip(b"\0").decode(), offset, data


@dataclass
class Cut:
    """What a cut left: how many writes were synced, and how many stood in no disk's promise."""

    synced: int = 0
    unsynced: int = 0


def rebuild(before: Path, journal: Path, target: Path, chance: random.Random) -> Cut:
    """Fill ``target`` with an instance folder as it stands after a power cut.

    Args:
        before: The folder as it was before the portal that wrote the journal was started; copied where no
            journal tells of a file.
        journal: What was written since, and synced.
        target: Made.
        chance: Which of the writes that nobody synced the disk holds.
    """
    files = {ending: _File(_read(before / f"{DATABASE}{ending}")) for ending in ENDINGS}
    cut = Cut()
    for does, ending, offset, data in _records(journal):
        if does == b"S":
            files[ending].begin_sync(offset)
        elif does == b"D":
            files[ending].end_sync(offset)
        else:
            files[ending].since.append((does, offset, data))
    cut.synced = sum(file.promised for file in files.values())
    cut.unsynced = sum(len(file.since) for file in files.values())
    shutil.copytree(before, target, ignore=shutil.ignore_patterns(f"{DATABASE}*"))
    for ending, file in files.items():
        content = file.after_a_cut(chance)
        if content is not None:
            (target / f"{DATABASE}{ending}").write_bytes(content)
    return cut


def _read(path: Path) -> bytearray | None:
    return bytearray(path.read_bytes()) if path.exists() else None
