"""Where backups are: a folder, or a bucket of S3-compatible storage."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from portal.platform.backups.copies import (
    LONGEST,
    NAME,
    SUFFIX,
    Manifest,
    hash_file,
    parse_manifest,
    read_without_waiting,
    refuse_changed,
    sync_folder,
    write_durably,
)
from portal.platform.backups.settings import BUCKET, BackupSettings
from portal.platform.errors import RuleError
from portal.platform.observability.logs import get_logger

if TYPE_CHECKING:
    from obstore.store import S3Store

_log = get_logger("portal.backups")
RETRIES = 2
SECONDS = 60  # of one request, its retries included


class StorageError(RuleError):
    """The storage cannot be reached, or does not take or give what it should."""


class Storage(Protocol):
    """A place that holds backups and their manifests. A file in it stands whole or not at all.

    Every method raises StorageError where the place cannot be used.
    """

    place: str  # as people know it

    def names(self) -> set[str]:
        """The names of all files."""

    def read_manifest(self, name: str) -> bytes:
        """What a manifest's file holds, as far as a manifest may go."""

    def add(self, file: Path, manifest: Manifest) -> None:
        """Copy a backup, and then its manifest."""

    def fetch(self, name: str, target: Path) -> None:
        """Copy a file from here to a new one."""

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens if it is gone."""


class FolderStorage:
    """A folder, which may be another machine's that is mounted here."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.place = str(folder)

    def names(self) -> set[str]:
        """The names of all files; a folder that is missing is not made: its disk may not be mounted."""
        with _refused_by(self.place):
            return {entry.name for entry in os.scandir(self.folder) if entry.is_file()}

    def read_manifest(self, name: str) -> bytes:
        """What a manifest's file holds, as far as a manifest may go."""
        with _refused_by(self.place):
            return read_without_waiting(self.folder / name)

    def add(self, file: Path, manifest: Manifest) -> None:
        """Copy a backup, read the copy again, and then write its manifest."""
        target = self.folder / manifest.name
        partial = target.with_name(f".{target.name}.partial")
        with _refused_by(self.place):
            try:
                partial.touch(mode=0o600)
                shutil.copyfile(file, partial)
                with partial.open("rb") as written:
                    os.fsync(written.fileno())
                if hash_file(partial) != manifest.sha256:
                    raise StorageError(f"{self.place} does not give back what was written: check its disk.")
                partial.replace(target)
                sync_folder(self.folder)
                write_durably(self.folder / manifest.file_name, manifest.to_json().encode())
            finally:
                partial.unlink(missing_ok=True)

    def fetch(self, name: str, target: Path) -> None:
        """Copy a file from here to a new one."""
        with _refused_by(self.place):
            shutil.copyfile(self.folder / name, target)

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens if it is gone."""
        with _refused_by(self.place):
            (self.folder / name).unlink(missing_ok=True)


class S3Storage:
    """A bucket, or what is below a prefix in one. An upload that is cut off leaves nothing to see there."""

    def __init__(self, settings: BackupSettings) -> None:
        self.place = settings.copy_to
        self._store = _open_bucket(settings)

    def names(self) -> set[str]:
        """The names of all files."""
        with _refused_by(self.place):
            listed: list[Any] = [entry for batch in self._store.list() for entry in batch]
            return {str(entry["path"]) for entry in listed}

    def read_manifest(self, name: str) -> bytes:
        """What a manifest's file holds, as far as a manifest may go."""
        content = b""
        with _refused_by(self.place):
            for part in self._store.get(name).stream():
                content += bytes(part)
                if len(content) >= LONGEST:
                    break
        return content

    def add(self, file: Path, manifest: Manifest) -> None:
        """Send a backup with its checksums, which the storage checks, and then its manifest."""
        with _refused_by(self.place):
            self._store.put(manifest.name, file)
            if self._store.head(manifest.name)["size"] != manifest.size:
                raise StorageError(f"{self.place} holds another size than was sent of {manifest.name}.")
            self._store.put(manifest.file_name, manifest.to_json().encode())

    def fetch(self, name: str, target: Path) -> None:
        """Copy a file from here to a new one."""
        with _refused_by(self.place), target.open("wb") as written:
            for part in self._store.get(name).stream():
                written.write(part)

    def remove(self, name: str) -> None:
        """Remove a file; nothing happens if it is gone."""
        with _refused_by(self.place):
            self._store.delete(name)


def open_copies(settings: BackupSettings) -> Storage | None:
    """Where backups are copied to; None if nowhere."""
    if not settings.copy_to:
        return None
    return S3Storage(settings) if settings.copies_to_s3 else FolderStorage(Path(settings.copy_to))


def list_backups(storage: Storage) -> list[Manifest]:
    """Every whole backup of a place, the newest first; one whose manifest cannot be understood is logged.

    Raises:
        StorageError: It cannot be reached.
    """
    names = storage.names()
    manifests = []
    for name in sorted(names):
        if not NAME.fullmatch(name) or f"{name}{SUFFIX}" not in names:
            continue
        manifest = parse_manifest(storage.read_manifest(f"{name}{SUFFIX}"), f"{name}{SUFFIX}")
        if manifest:
            manifests.append(manifest)
        else:
            _log.warning("backup.manifest_unreadable", backup=name, place=storage.place)
    return sorted(manifests, key=lambda manifest: manifest.taken_at, reverse=True)


def fetch_backup(storage: Storage, name: str, folder: Path) -> Path:
    """Copy a backup and its manifest from a place to a folder; returns the path of the backup.

    Args:
        storage: Where to look.
        name: Of its file; empty: the newest.
        folder: Where to put it; it holds none of this name yet.
    """
    manifests = {manifest.name: manifest for manifest in list_backups(storage)}
    manifest = manifests.get(name) if name else next(iter(manifests.values()), None)
    if manifest is None:
        raise RuleError(f"There is no backup {name or 'at all'} in {storage.place}.")
    target = folder / manifest.name
    if target.exists():
        raise RuleError(f"{target} exists: name a folder that does not hold it.")
    partial = target.with_name(f".{target.name}.partial")
    try:
        partial.touch(mode=0o600)
        storage.fetch(manifest.name, partial)
        refuse_changed(partial, manifest)
        partial.replace(target)
        write_durably(folder / manifest.file_name, manifest.to_json().encode())
    except OSError as error:
        raise RuleError(f"{folder} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
    return target


def _open_bucket(settings: BackupSettings) -> "S3Store":
    from obstore.store import S3Store  # an optional package of 15 MiB

    match = BUCKET.fullmatch(settings.copy_to)
    assert match is not None  # the settings are checked at the start
    endpoint = {"endpoint": settings.s3_endpoint} if settings.s3_endpoint else {}
    return S3Store(
        match["bucket"],
        prefix=(match["prefix"] or "").strip("/") or None,
        access_key_id=settings.s3_key_id,
        secret_access_key=settings.s3_secret_key,
        region=settings.s3_region,
        checksum_algorithm="SHA256",
        client_options={"allow_http": urlsplit(settings.s3_endpoint).scheme == "http", "timeout": "1h"},
        retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=SECONDS)},
        **endpoint,  # type: ignore[arg-type]
    )


@contextmanager
def _refused_by(place: str) -> Iterator[None]:
    """Say where something failed, and why, in one sentence."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{place} cannot be used: {error.strerror or error}.") from error
    except Exception as error:
        if not type(error).__module__.startswith("obstore"):
            raise
        raise StorageError(f"{place} cannot be used: {_reason_of(error)}.") from error


def _reason_of(error: Exception) -> str:
    """What a storage answered, without addresses, in which a query may hold a signature."""
    text = str(error)
    if status := re.search(r"status code: (\d{3} [A-Za-z ]+)", text):
        code = re.search(r"<Code>(\w+)</Code>", text)
        hint = ". Check BACKUP_S3_KEY_ID, its secret and what they may do there" * (status[1][:3] == "403")
        return f"it answers {status[1].strip()}{f' ({code[1]})' if code else ''}{hint}"
    if type(error).__name__ == "NotFoundError":
        return "it has no such bucket or file"
    line = next(iter(text.splitlines()), "").rpartition(" - ")[2]
    return re.sub(r"https?://\S+", "its address", line).strip(" .")[:300]
