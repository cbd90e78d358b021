"""One run of the scheduled backup: made, copied, and the old ones removed.

A run may be killed at any moment and begun again: what it finds whole it keeps, what was cut off it removes.
"""

import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from sqlalchemy import func, select

from config import Config, current_settings
from portal.platform import clock
from portal.platform.backups.copies import (
    Manifest,
    backup,
    encrypt_file,
    hash_file,
    is_sqlite,
    list_incomplete,
    name_backup,
    sync_folder,
    write_durably,
)
from portal.platform.backups.settings import BackupSettings, Kept, choose_kept, last_due_at
from portal.platform.backups.storage import FolderStorage, Storage, list_backups, open_copies
from portal.platform.db import Stamp, db
from portal.platform.errors import ConflictError, RuleError
from portal.platform.jobs.models import Job, JobState
from portal.platform.mail import Letter, Recipient, Relay, connect_relay, hand_over
from portal.platform.operations import readiness
from portal.platform.wording import instant, minutes_words, plural

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


# How backups stand: when the newest was made, how long it took, what would be lost now, what is wrong.
#
# Read from the jobs that made them, so that every machine that serves the portal says the same.

BACKUP = "backup"
REHEARSAL = "backup-rehearsal"
GRACE = timedelta(hours=3)  # after which a backup that was due counts as missed
BY_HAND = timedelta(days=35)  # each month: so long lies between the first Mondays of two of them at most
DAY = timedelta(days=1)
TAKEN, SECONDS, BYTES, NAME = "Taken", "Seconds", "Bytes", "File"  # figures of the jobs' results


@dataclass(frozen=True, slots=True)
class DoneJob:
    """The newest job of a kind that was done."""

    taken_at: datetime  # of the backup that it made or restored
    ended_at: datetime
    seconds: float
    size: int


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that is wrong with backups, in sentences, and since when it may be."""

    sentence: str
    since: datetime


@dataclass(frozen=True, slots=True)
class BackupStatus:
    """How backups stand at one instant."""

    now: datetime
    due_at: datetime  # the newest instant at which one was due
    backup: DoneJob | None
    rehearsal: DoneJob | None
    rehearsal_due_at: datetime | None  # of the next one; None: none is wanted, or there is nothing to restore
    by_hand: bool  # whether only a person can rehearse, with the identity that no job has
    failures: dict[str, str]  # why the newest job of each kind failed, if it failed after the newest done one

    @property
    def is_due(self) -> bool:
        """Whether a backup is to be made now."""
        return self.backup is None or self.backup.taken_at < self.due_at

    @property
    def gap(self) -> timedelta | None:
        """How much time would be lost now; None if there is no backup."""
        return self.now - self.backup.taken_at if self.backup else None

    @property
    def troubles(self) -> list[Trouble]:
        """What is wrong."""
        never = datetime.fromtimestamp(0, UTC)
        since = self.backup.ended_at if self.backup else never
        troubles = []
        if reason := self.failures.get(BACKUP):
            troubles.append(Trouble(f"The newest backup failed: {reason}", since))
        elif self.backup and self.is_due and self.now - self.due_at > GRACE:
            sentence = f"The backup that was due at {instant(self.due_at)} was not made."
            troubles.append(Trouble(sentence, since))
        if reason := self.failures.get(REHEARSAL):
            since = self.rehearsal.ended_at if self.rehearsal else never
            troubles.append(Trouble(f"The newest backup could not be restored: {reason}", since))
        elif self.by_hand and self.rehearsal_due_at and self.now - self.rehearsal_due_at > DAY:
            sentence = (
                f"The rehearsal by hand that was due at {instant(self.rehearsal_due_at)} was not made:"
                " run backups rehearse --identity FILE."
            )
            troubles.append(Trouble(sentence, self.rehearsal_due_at + DAY))
        return troubles

    @property
    def sentences(self) -> list[str]:
        """How backups stand, without what is wrong."""
        if self.backup is None:
            return ["No backup has been made yet."]
        made = (
            f"The newest backup is of {instant(self.backup.taken_at)}. It has {self.backup.size:,} bytes"
            f" and took {_length_words(self.backup.seconds)}."
        )
        if self.rehearsal is None:
            return [made, "None has been restored for a rehearsal yet."]
        return [
            made,
            f"The last rehearsal, at {instant(self.rehearsal.ended_at)}, restored the backup of"
            f" {instant(self.rehearsal.taken_at)} in {_length_words(self.rehearsal.seconds)}.",
        ]


def read_backup_status(settings: BackupSettings, now: datetime) -> BackupStatus:
    """How backups stand now, in five statements."""
    done = {kind: _newest_done(kind) for kind in (BACKUP, REHEARSAL)}
    return BackupStatus(
        now,
        last_due_at(now, settings.time_of_day),
        done[BACKUP],
        done[REHEARSAL],
        _find_next_rehearsal(settings, done[REHEARSAL]),
        not settings.can_open,
        {kind: reason for kind, job in done.items() if (reason := _reason_since(kind, job))},
    )


def describe_gap(status: BackupStatus) -> str:
    """What would be lost if the database were lost now, in a sentence."""
    if status.backup is None or status.gap is None:
        return "If the database were lost now, everything would be lost."
    after = select(func.count()).select_from(Stamp).where(Stamp.recorded_at > status.backup.taken_at)
    records = plural(db.session.scalar(after) or 0, "change")
    minutes = int(status.gap.total_seconds()) // 60
    span = f"last {minutes_words(minutes)}" if minutes else "last minute"
    return f"If the database were lost now, the {span} would be lost: {records}."


def _length_words(seconds: float) -> str:
    """A length of time in words.

    >>> _length_words(0.4), _length_words(1.9), _length_words(150)
    ('less than a second', '1 second', '2 minutes')
    """
    if seconds < 1:
        return "less than a second"
    return plural(int(seconds), "second") if seconds < 120 else minutes_words(int(seconds) // 60)


def figures_of(taken_at: str, seconds: float, name: str, size: int) -> dict[str, Any]:
    """What the result of a job says beside its sentences, for ``read_backup_status`` and for people."""
    return {NAME: name, TAKEN: taken_at, SECONDS: round(seconds, 1), BYTES: size}


def _find_next_rehearsal(settings: BackupSettings, last: DoneJob | None) -> datetime | None:
    """When a restore is to be rehearsed next: by a job at once where none was, by hand after a month."""
    if not (settings.folder and settings.rehearsal_days):
        return None
    days = timedelta(days=settings.rehearsal_days)
    period = days if settings.can_open else max(days, BY_HAND)
    if last:
        return last.ended_at + period
    backups = select(func.min(Job.ended_at)).where(Job.kind == BACKUP, Job.state == JobState.DONE)
    first: datetime | None = db.session.scalar(backups)
    return first + period if first and not settings.can_open else first


def _newest_done(kind: str) -> DoneJob | None:
    done = select(Job.ended_at, Job.result).where(Job.kind == kind, Job.state == JobState.DONE)
    row = db.session.execute(done.order_by(Job.id.desc()).limit(1)).one_or_none()
    if row is None or not row.result or TAKEN not in row.result:
        return None
    result = row.result
    taken_at = datetime.fromisoformat(result[TAKEN])
    return DoneJob(taken_at, row.ended_at, float(result[SECONDS]), int(result[BYTES]))


def _reason_since(kind: str, done: DoneJob | None) -> str:
    """Why the newest job failed; empty if it did not, or one was done since."""
    failed = select(Job.ended_at, Job.reason).where(Job.kind == kind, Job.state == JobState.FAILED)
    row = db.session.execute(failed.order_by(Job.id.desc()).limit(1)).one_or_none()
    if row is None or (done and row.ended_at <= done.ended_at):
        return ""
    return str(row.reason)


# Mails about backups, straight through the relay: a rehearsal's outcome, and what is wrong.

REPORT_NAME = "Whoever looks after the portal"


def send_report(config: Config, subject: str, sentences: list[str]) -> None:
    """Mail these sentences to each address of ``BACKUP_MAIL_TO``; it is for operators, and names no person.

    Raises:
        RelayError: The relay cannot be used.
        PortalError: It did not take a mail.
    """
    lines = [*sentences, f"See {config.address}/jobs and, in the release, docs/operating/backup.md."]
    relay = _relay_of(config)
    with connect_relay(relay) as connection:
        for email in config.backup.mail_to:
            letter = Letter(
                Recipient(REPORT_NAME, email),
                f"{config.force_name} learning portal: {subject}",
                "\n\n".join(lines) + "\n",
                "".join(f"<p>{escape(line)}</p>" for line in lines),
            )
            hand_over(
                connection, letter, relay=relay, reference=uuid.uuid4(), host=_host_of(config), at=clock.now()
            )


def can_mail(config: Config) -> bool:
    """Whether there is a relay, and somebody to write to."""
    return bool(config.smtp_host and config.backup.mail_to)


def _host_of(config: Config) -> str:
    return config.address.partition("://")[2].partition("/")[0].partition(":")[0]


def _relay_of(config: Config) -> Relay:
    return Relay(
        config.smtp_host, config.smtp_port, config.smtp_tls, config.smtp_user, config.smtp_password,
        config.smtp_from, config.smtp_seconds, config.smtp_per_minute, config.smtp_authorities,
    )  # fmt: skip
