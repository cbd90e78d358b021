"""Files of the watched folder: which have arrived, taking one, refusing one, and putting it away.

Other systems write below ``incoming``, in one folder for each kind and profile. A file is taken by moving it
to ``waiting``, which is the portal's alone, and only then looked at: nobody can exchange it meanwhile. From
there it goes to ``done`` or ``quarantine``, below the day. All moves are renames in one file system.
"""

import errno
import fcntl
import os
import pwd
import re
import shutil
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple

from config import current_settings
from portal.platform.errors import RuleError

# Settings of the watched folder, and a sentence for each that is wrong.

NO_NUMBER = -1  # stands in for text that is not a number
LIMITS = {  # the default, the least and the most of each number
    "IMPORT_FOLDER_MOST_ENDED": ("5", 0, 100),
    "IMPORT_FOLDER_SETTLE_SECONDS": ("120", 0, 24 * 60 * 60),
    "IMPORT_FOLDER_KEPT_DAYS": ("30", 1, 3_650),
}


@dataclass(frozen=True, slots=True)
class FolderSettings:
    """Which folder is watched, whose files are taken, and who hears of those that are not imported."""

    path: str  # absolute; empty: none is watched
    owners: tuple[str, ...]  # system users whose files are taken beside the portal's own
    readers: tuple[str, ...]  # staff numbers; empty: whoever may import for the whole force
    most_ended: int  # per cent of posts that a file may end without a person's confirmation
    settle_seconds: int  # without a change, after which a file counts as complete
    kept_days: int  # for files that were imported or set aside

    def list_faults(self) -> Iterator[str]:
        """A sentence for each setting that is wrong."""
        if self.path and not Path(self.path).is_absolute():
            yield "IMPORT_FOLDER is the whole path of a folder, such as /srv/portal-imports"
        values = (self.most_ended, self.settle_seconds, self.kept_days)
        for (name, (_, least, most)), value in zip(LIMITS.items(), values, strict=True):
            if not least <= value <= most:
                yield f"{name} is {least} or more, up to {most}, in digits."


def read_folder_settings(read: Callable[[str], str]) -> FolderSettings:
    """The settings of the watched folder; ``read`` gives the text of one, empty if it is not set."""
    return FolderSettings(
        path=read("IMPORT_FOLDER"),
        owners=_split(read("IMPORT_FOLDER_OWNERS")),
        readers=_split(read("IMPORT_FOLDER_MAIL_TO")),
        most_ended=_number("IMPORT_FOLDER_MOST_ENDED", read("IMPORT_FOLDER_MOST_ENDED")),
        settle_seconds=_number("IMPORT_FOLDER_SETTLE_SECONDS", read("IMPORT_FOLDER_SETTLE_SECONDS")),
        kept_days=_number("IMPORT_FOLDER_KEPT_DAYS", read("IMPORT_FOLDER_KEPT_DAYS")),
    )


def read_own_settings() -> FolderSettings:
    """The settings of the running portal."""
    settings: FolderSettings = current_settings().feature_settings["watched_folder"]
    return settings


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


def _number(name: str, text: str) -> int:
    digits = text or LIMITS[name][0]
    return int(digits) if re.fullmatch(r"[0-9]{1,9}", digits) else NO_NUMBER


INCOMING, WAITING, QUARANTINE, DONE = "incoming", "waiting", "quarantine", "done"
KINDS = ("roster", "completions")  # in this order: completions may be of people who are new in the roster
UNFINISHED = (".filepart", ".part", ".partial", ".tmp", ".crdownload")  # by programs that rename at the end
LONGEST_NAME = 100  # characters, and twice as many bytes: a file system takes 255, and a number is added
NO_ORDINARY_FILE = "It is no ordinary file, but a link, a folder or a device."


class FolderEntry(NamedTuple):
    """A file by its place: the kind of import, the profile and its name."""

    kind: str
    profile: str
    name: str

    @property
    def place(self) -> str:
        """Its path below the folder it is in."""
        return f"{self.kind}/{self.profile}/{self.name}"


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What is below ``incoming``: complete files in the order to take them, others, what is never taken."""

    complete: list[FolderEntry]
    arriving: list[FolderEntry]
    refused: list[str]  # a sentence for each

    @property
    def count(self) -> int:
        """The number of files that are not taken yet."""
        return len(self.complete) + len(self.arriving)


class WatchedFolder:
    """The folder of the settings."""

    def __init__(self, settings: FolderSettings) -> None:
        self.root, self.settle_seconds = Path(settings.path), settings.settle_seconds
        self.owners = {os.geteuid(), *_user_ids(settings.owners)}

    def find_fault(self) -> str:
        """Why the folder cannot be used, with what to do; empty if it can. Nothing is changed."""
        if not self.root.is_dir():
            return f"{self.root} is no folder that the portal can open: make it, or correct IMPORT_FOLDER."
        for name in (INCOMING, WAITING, QUARANTINE, DONE):
            folder = self.root / name
            if not folder.is_dir():
                if not _is_open(self.root):
                    return f"{folder} is missing: make it, with the portal's user as its owner."
            elif name != INCOMING and not _is_open(folder):
                return f"{folder} cannot be written: make the portal's user its owner."
        return ""

    def make_folders(self) -> str:
        """Make the sub-folders that are missing; return why the folder cannot be used, empty if it can."""
        if fault := self.find_fault():
            return fault
        try:
            for name in (*(f"{INCOMING}/{kind}" for kind in KINDS), WAITING, QUARANTINE, DONE):
                (self.root / name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return f"{error.filename} cannot be made: {error.strerror}."
        return ""

    def list_shut_profiles(self) -> list[str]:
        """Folders of profiles from which files cannot be taken, because the portal may not write there."""
        return [str(folder) for folder in self.list_profile_folders() if not _is_open(folder)]

    def list_profile_folders(self) -> list[Path]:
        """The folders below ``incoming`` into which other systems write."""
        places = [self.root / INCOMING / kind for kind in KINDS]
        return [Path(entry) for place in places for entry in _scan(place) if _is_folder(entry)]

    def list_arrivals(self) -> Arrivals:
        """What is below ``incoming``; a file is complete once nothing of it has changed for a while."""
        arrivals = Arrivals([], [], [])
        for kind in KINDS:
            written_at: dict[FolderEntry, int] = {}
            for folder in _scan(self.root / INCOMING / kind):
                if refusal := _refusal_of_folder(folder):
                    arrivals.refused.append(f"{kind}/{shown_name(folder.name)} {refusal}")
                    continue
                for file in _scan(Path(folder)):
                    self._sort_file(FolderEntry(kind, folder.name, file.name), file, written_at, arrivals)
            arrivals.complete.extend(sorted(written_at, key=lambda entry: (written_at[entry], entry)))
        return arrivals

    def _sort_file(
        self,
        entry: FolderEntry,
        file: os.DirEntry[str],
        written_at: dict[FolderEntry, int],
        arrivals: Arrivals,
    ) -> None:
        if _is_folder(file):
            name = shown_name(entry.name)
            arrivals.refused.append(
                f"{entry.kind}/{entry.profile}/{name} is a folder, and stays where it is."
            )
            return
        status = _status_of(file)
        if status is None:
            return
        if not self._is_quiet(status) or file.name.startswith(".") or file.name.lower().endswith(UNFINISHED):
            arrivals.arriving.append(entry)
        else:
            written_at[entry] = status.st_mtime_ns

    def _is_quiet(self, status: os.stat_result) -> bool:
        """Whether nothing of a file has changed for a while.

        By its change of status: unlike the time of modification no program can set it, and a rename counts.
        """
        return time.time() - status.st_ctime >= self.settle_seconds

    def claim_file(self, entry: FolderEntry) -> FolderEntry | None:
        """Move an arrived file to ``waiting``; None if it is gone, or another with its name waits there."""
        claimed = entry._replace(name=shown_name(entry.name))
        target = self.root / WAITING / claimed.place
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(target):
            return None
        try:  # by descriptors: whoever may exchange the profile's folder by a link moves nothing from there
            with _opened(self.root / INCOMING / entry.kind / entry.profile) as source:
                os.rename(entry.name, target, src_dir_fd=source)
        except (FileNotFoundError, NotADirectoryError):
            return None
        return claimed

    def list_waiting(self) -> list[FolderEntry]:
        """The files in ``waiting`` that have not changed for a while."""
        return [
            FolderEntry(kind, folder.name, file.name)
            for kind in KINDS
            for folder in _scan(self.root / WAITING / kind)
            for file in _scan(Path(folder))
            if (status := _status_of(file)) and self._is_quiet(status)
        ]

    def read_file(self, entry: FolderEntry, most_bytes: int) -> bytes:
        """The bytes of a waiting file.

        Raises:
            PermissionError: The portal may not read it.
        """
        place = self.root / WAITING / entry.place
        self._refuse_file(place.lstat(), most_bytes)
        try:
            descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.ENXIO):  # a link or a socket, made meanwhile
                raise RuleError(NO_ORDINARY_FILE) from error
            raise
        with _closing(descriptor):
            self._refuse_file(os.fstat(descriptor), most_bytes)  # of what is read, whatever it was before
            with os.fdopen(descriptor, "rb", closefd=False) as file:
                return file.read(most_bytes + 1)

    def _refuse_file(self, status: os.stat_result, most_bytes: int) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise RuleError(NO_ORDINARY_FILE)
        if status.st_nlink > 1:
            raise RuleError("It has a second name on this machine (a hard link).")
        if status.st_uid not in self.owners:
            raise RuleError(
                "It belongs to a user of this machine whose files are not taken (IMPORT_FOLDER_OWNERS)."
            )
        if status.st_size > most_bytes:
            raise RuleError(f"It is larger than {most_bytes // 1024 // 1024} MB: split it.")

    def is_waiting(self, entry: FolderEntry) -> bool:
        """Whether the file is in ``waiting``."""
        return os.path.lexists(self.root / WAITING / entry.place)

    def size_of(self, entry: FolderEntry) -> int:
        """The size of a waiting file in bytes."""
        return (self.root / WAITING / entry.place).lstat().st_size

    def choose_place(self, folder: str, day: date, entry: FolderEntry) -> str:
        """A free place for a waiting file below ``done`` or ``quarantine``, as a path below the root."""
        stem, dot, ending = entry.name.rpartition(".")
        for number in range(1, 10_000):
            name = shown_name(entry.name if number == 1 else f"{stem}-{number}{dot}{ending}")
            place = f"{folder}/{day.isoformat()}/{entry._replace(name=name).place}"
            if not os.path.lexists(self.root / place):
                return place
        raise FileExistsError(f"{folder}/{day.isoformat()} is full of files named {entry.name}")

    def put_away(self, entry: FolderEntry, place: str) -> None:
        """Move a waiting file to a place."""
        target = self.root / place
        target.parent.mkdir(parents=True, exist_ok=True)
        (self.root / WAITING / entry.place).rename(target)

    def list_expired(self, before: date) -> list[Path]:
        """The folders of days before this one, in ``done`` and ``quarantine``."""
        days = [
            Path(day) for place in (DONE, QUARANTINE) for day in _scan(self.root / place) if _is_folder(day)
        ]
        return [day for day in days if _is_day(day.name) and day.name < before.isoformat()]

    def remove_expired(self, before: date) -> None:
        """Remove files that were put away before this day."""
        for day in self.list_expired(before):
            shutil.rmtree(day, ignore_errors=True)

    @contextmanager
    def hold_alone(self) -> Iterator[bool]:
        """Whether no other process works on the folder; nobody else does until the block ends."""
        descriptor = os.open(self.root / WAITING, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(descriptor)  # ends the lock, as the end of the process does


def list_unknown_users(names: Iterable[str]) -> list[str]:
    """Those names that no user of this machine has."""
    return [name for name in names if not list(_user_ids([name]))]


def shown_name(name: str) -> str:
    """A file's name as it can be shown and stored."""
    text = name.encode("utf-8", "replace").decode()
    shown = "".join(filter(str.isprintable, text))[-LONGEST_NAME:]
    shown = shown.encode()[-2 * LONGEST_NAME :].decode(errors="ignore")
    return "file" if shown in {"", ".", ".."} else shown  # these name no file


def _user_ids(names: Iterable[str]) -> Iterator[int]:
    for name in names:
        try:
            yield pwd.getpwnam(name).pw_uid
        except KeyError:
            continue


def _scan(place: Path) -> list[os.DirEntry[str]]:
    """The entries of a folder, by name; none where it is missing or shut."""
    try:
        with os.scandir(place) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


@contextmanager
def _closing(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _opened(folder: Path) -> AbstractContextManager[int]:
    """The descriptor of a folder, which is no link to one."""
    return _closing(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW))


def _refusal_of_folder(folder: os.DirEntry[str]) -> str:
    if not _is_folder(folder) or not folder.name.isprintable():
        return "is in no profile’s folder."
    return "" if _is_open(Path(folder)) else "cannot be written by the portal’s user."


def _status_of(file: os.DirEntry[str]) -> os.stat_result | None:
    try:
        return file.stat(follow_symlinks=False)
    except OSError:  # gone meanwhile
        return None


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)


def _is_open(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.W_OK | os.X_OK)


def _is_day(name: str) -> bool:
    try:
        return date.fromisoformat(name).isoformat() == name
    except ValueError:
        return False
