"""One run of the scheduled backup: made, copied, and the old ones removed.

A run may be killed at any moment and begun again: what it finds whole it keeps, what was cut off it removes.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

from config import current_settings
from portal.platform import clock
from portal.platform.backups.backup import backup, is_sqlite
from portal.platform.backups.encryption import encrypt_file
from portal.platform.backups.manifest import (
    Manifest,
    hash_file,
    list_incomplete,
    name_backup,
    sync_folder,
    write_durably,
)
from portal.platform.backups.rotation import choose_kept, last_due_at
from portal.platform.backups.settings import BackupSettings, Kept
from portal.platform.backups.storage import FolderStorage, Storage, list_backups, open_copies
from portal.platform.errors import ConflictError, RuleError
from portal.platform.operations import readiness
from portal.platform.wording import plural

LOCK = ".backup.lock"
WORK = ".backup-work"  # in the instance folder: what is not encrypted yet, or not any more
SECONDS_BETWEEN = 2.0  # two looks whether another backup has ended
Report = Callable[[str], None]  # is told in words what begins; may raise, which ends the run


@dataclass(slots=True)
class BackupRun:
    """What one run did."""

    newest: Manifest
    is_new: bool
    copied: list[str] = field(default_factory=list)
    removed: int = 0  # here and among the copies
    kept: int = 0
    not_removed: str = ""  # why old copies stand where they are; empty: none do


def run_backup(settings: BackupSettings, *, always: bool, waits: bool, report: Report) -> BackupRun:
    """Make the backup that is due, copy what is not copied yet, and remove what is not kept any more.

    Args:
        settings: They name a folder.
        always: Whether to make one although none is due.
        waits: Whether to wait while another backup or a rehearsal is under way.
        report: Is told what begins.

    Raises:
        ConflictError: Another backup or a rehearsal is under way.
        RuleError: It cannot be made, or not be copied. What was made before stands.
    """
    with hold_folder(settings, report if waits else None) as work:
        here = FolderStorage(settings.path)
        _remove_incomplete(here)
        manifests = list_backups(here)
        newest = manifests[0] if manifests else None
        if is_new := always or newest is None or newest.taken_at < _find_last_due(settings):
            report("Backing up")
            newest = _make_backup(settings, work)
            manifests = [newest, *manifests]
        assert newest is not None
        run = BackupRun(newest, is_new)
        removed = _remove_old(here, manifests, settings.kept)
        run.removed, run.kept = removed, len(manifests) - removed
        if copies := open_copies(settings):
            report(f"Copying to {copies.place}")
            _copy_missing(here, copies, run, settings.kept)
    return run


def _find_last_due(settings: BackupSettings) -> datetime:
    return last_due_at(clock.now(), settings.time_of_day)


@contextmanager
def hold_folder(settings: BackupSettings, waiting: Report | None) -> Iterator[Path]:
    """Be the only one who makes, removes or rehearses backups; gives an empty folder to work in.

    Args:
        settings: They name the folder of backups.
        waiting: Is told every few seconds that another runs; None: do not wait.

    Raises:
        ConflictError: Another is, and nobody waits.
        RuleError: A folder is missing or cannot be written.
    """
    work = current_settings().instance / WORK
    lock = _open_lock(settings)
    try:
        _take_lock(lock, waiting)
        shutil.rmtree(work, ignore_errors=True)  # of a run that was killed
        try:
            work.mkdir(mode=0o700)
        except OSError as error:
            raise RuleError(f"{work} cannot be made: {error.strerror}.") from error
        try:
            yield work
        finally:
            shutil.rmtree(work, ignore_errors=True)
    finally:
        os.close(lock)


def _open_lock(settings: BackupSettings) -> int:
    try:
        return os.open(settings.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise RuleError(
            f"{settings.folder} cannot be written ({error.strerror}): make the folder BACKUP_DIR for the user"
            " who runs the portal. No backup was made."
        ) from error


def _take_lock(lock: int, waiting: Report | None) -> None:
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is None:
                raise ConflictError("Another backup or a rehearsal is under way: try again later.") from None
            waiting("Another backup or a rehearsal is under way")
            sleep(SECONDS_BETWEEN)
        else:
            return


def _make_backup(settings: BackupSettings, work: Path) -> Manifest:
    taken_at, begun = clock.now().replace(microsecond=0), monotonic()
    file = settings.path / name_backup(taken_at, encrypted=bool(settings.public_keys))
    if file.exists():
        raise ConflictError("A backup was made in this very second: try again.")
    # Nothing unencrypted touches the folder of encrypted backups, which may be another machine's.
    plain = work / file.stem if settings.public_keys else file
    made = backup(plain)
    if settings.public_keys:
        _write_encrypted(plain, file, settings.public_keys)
    manifest = Manifest(
        name=file.name,
        taken_at=taken_at,
        sha256=hash_file(file),
        seconds=round(monotonic() - begun, 1),
        size=file.stat().st_size,
        database="sqlite" if is_sqlite() else "postgresql",
        encrypted=bool(settings.public_keys),
        revision=readiness.head(),
        newest_stamp=made.newest_stamp or "",
        counts=made.counts,
    )
    try:
        sync_folder(file.parent)
        write_durably(file.with_name(manifest.file_name), manifest.to_json().encode())
    except OSError as error:
        file.unlink(missing_ok=True)
        raise _unwritable_error(file, error) from error
    return manifest


def _write_encrypted(plain: Path, file: Path, public_keys: tuple[str, ...]) -> None:
    partial = file.with_name(f".{file.name}.partial")
    try:
        partial.touch(mode=0o600)
        encrypt_file(plain, partial, public_keys)
        partial.replace(file)
    except OSError as error:
        raise _unwritable_error(file, error) from error
    finally:
        partial.unlink(missing_ok=True)
        plain.unlink(missing_ok=True)


def _unwritable_error(file: Path, error: OSError) -> RuleError:
    return RuleError(f"{file} cannot be written: {error.strerror or error}. No backup was made.")


def _copy_missing(here: FolderStorage, copies: Storage, run: BackupRun, kept: Kept) -> None:
    """Copy each backup that stands here alone, the newest first; then remove old copies.

    Once backups are encrypted, none from before leaves this machine as it is.
    """
    try:
        present = list_backups(copies)
        names = {manifest.name for manifest in present}
        for manifest in list_backups(here):
            if manifest.name not in names and manifest.encrypted >= run.newest.encrypted:
                copies.add(here.folder / manifest.name, manifest)
                run.copied.append(manifest.name)
                present.append(manifest)
    except RuleError as error:
        raise RuleError(
            f"The backup {run.newest.name} stands in {here.place}, but is not copied: {error}"
        ) from error
    try:
        _remove_incomplete(copies)
        run.removed += _remove_old(copies, present, kept)
    except RuleError as error:
        run.not_removed = str(error)


def _remove_incomplete(storage: Storage) -> None:
    for name in list_incomplete(storage.names()):
        storage.remove(name)


def _remove_old(storage: Storage, manifests: list[Manifest], kept: Kept) -> int:
    """Remove what the rotation does not keep; a manifest goes before its file. Returns how many."""
    chosen = choose_kept([manifest.taken_at for manifest in manifests], kept, clock.now())
    old = [manifest for manifest in manifests if manifest.taken_at not in chosen]
    for manifest in old:
        storage.remove(manifest.file_name)
        storage.remove(manifest.name)
    return len(old)


def describe_run(run: BackupRun) -> list[str]:
    """What a run did, in sentences."""
    newest = run.newest
    what = f"{newest.name}, {newest.size:,} bytes in {newest.seconds:.1f} seconds"
    sentences = [f"Backed up: {what}." if run.is_new else f"No backup was due: the newest is {what}."]
    if run.copied:
        sentences.append(f"{plural(len(run.copied), 'backup')} copied to the second place.")
    sentences.append(
        f"{plural(run.removed, 'old backup')} removed, copies included; {plural(run.kept, 'backup')} kept."
    )
    if run.not_removed:
        sentences.append(f"Old copies could not be removed: {run.not_removed}")
    return sentences
