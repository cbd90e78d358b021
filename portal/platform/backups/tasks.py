"""Jobs that back up, rehearse a restore, and say by mail what is wrong with backups.

Each looks at what stands and does what is missing, so it may be cut off at any moment and run again.
"""

import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, select, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from config import current_settings
from portal.platform import clock
from portal.platform.backups import copies
from portal.platform.backups.copies import (
    POSTGRESQL_TABLES,
    SQLITE_TABLES,
    Manifest,
    WrongIdentityError,
    count_rows,
    decrypt_file,
    is_sqlite,
    refuse_changed,
)
from portal.platform.backups.making import (
    BACKUP,
    DAY,
    REHEARSAL,
    BackupRun,
    Report,
    can_mail,
    describe_run,
    figures_of,
    hold_folder,
    read_backup_status,
    run_backup,
    send_report,
)
from portal.platform.backups.restore import SqliteTarget, check_schema
from portal.platform.backups.settings import BackupSettings
from portal.platform.backups.storage import FolderStorage, Storage, fetch_backup, list_backups, open_copies
from portal.platform.db import db
from portal.platform.errors import PortalError, RuleError
from portal.platform.jobs.models import Job, JobState
from portal.platform.jobs.registry import Arguments, JobProgress, Task
from portal.platform.operations import readiness
from portal.platform.wording import plural

if TYPE_CHECKING:
    from portal.platform.backups.postgresql_target import PostgresqlTarget


# Restores the newest backup into a scratch database and compares it with what its manifest says.

MOST_DIFFERENCES = 10


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """What one rehearsal restored."""

    manifest: Manifest
    place: str  # where the backup was taken from
    seconds: float  # from fetching it to the last comparison

    @property
    def sentences(self) -> list[str]:
        """What it did."""
        manifest = self.manifest
        rows = f"{sum(manifest.counts.values()):,} rows of {plural(len(manifest.counts), 'table')}"
        return [
            f"Restored {manifest.name} from {self.place} into a scratch database ({self.seconds:.0f} s).",
            f"All is as its manifest says: {rows}, newest stamp {manifest.newest_stamp or 'none'}.",
        ]


def rehearse(
    settings: BackupSettings, identity_file: Path | None, *, waits: bool, report: Report
) -> Rehearsal:
    """Restore the newest backup, from the second place if there is one, beside the portal that runs.

    Args:
        settings: They name the folder of backups.
        identity_file: Opens encrypted backups.
        waits: Whether to wait while a backup is under way.
        report: Is told what begins.

    Raises:
        ConflictError: A backup is under way.
    """
    with hold_folder(settings, report if waits else None) as work:
        begun = monotonic()
        storage = open_copies(settings) or FolderStorage(settings.path)
        manifest = next(iter(list_backups(storage)), None)
        if manifest is None:
            raise RuleError(f"There is no backup in {storage.place}, so none can be rehearsed.")
        report(f"Fetching {manifest.name}")
        file = _fetch_file(storage, manifest, work)
        if manifest.encrypted:
            file = _decrypt_file(file, work, identity_file)
        report(f"Restoring {manifest.name}")
        _restore_scratch(file, manifest, work)
        return Rehearsal(manifest, storage.place, monotonic() - begun)


def _fetch_file(storage: Storage, manifest: Manifest, work: Path) -> Path:
    if not isinstance(storage, FolderStorage):
        return fetch_backup(storage, manifest.name, work)
    file = storage.folder / manifest.name
    refuse_changed(file, manifest)
    return file


def _decrypt_file(file: Path, work: Path, identity_file: Path | None) -> Path:
    if identity_file is None:
        raise WrongIdentityError(
            f"{file.name} is encrypted: name the identity that opens it with --identity FILE."
        )
    plain = work / "plain"
    decrypt_file(file, plain, identity_file)
    return plain


def _restore_scratch(file: Path, manifest: Manifest, work: Path) -> None:
    """Check the copy as a restore does, compare it with the manifest, and upgrade it to this release."""
    kind = "sqlite" if is_sqlite() else "postgresql"
    if manifest.database != kind:
        raise RuleError(f"{manifest.name} is of {manifest.database}, and the portal's database of {kind}.")
    target = _scratch_target(work)
    try:
        with target.copy_of_backup(file) as copy, copies.open_engine(copy) as engine:
            revision = check_schema(engine, target)
            _refuse_differences(engine, manifest)
            if revision != readiness.head():
                copies.upgrade_database(engine, readiness.head())
    except (DBAPIError, sqlite3.Error) as error:
        cause = readiness.in_one_line(error)
        raise RuleError(f"{manifest.name} could not be restored ({cause}).") from error


def _scratch_target(work: Path) -> "SqliteTarget | PostgresqlTarget":
    if is_sqlite():
        return SqliteTarget(URL.create("sqlite", database=str(work / "portal.sqlite")))
    from portal.platform.backups.postgresql_target import PostgresqlTarget  # 9 MiB, unused beside SQLite

    target = PostgresqlTarget(db.engine.url, rehearsing=True)
    target.refuse_without_rights()
    return target


def _refuse_differences(engine: Engine, manifest: Manifest) -> None:
    """Refuse a copy that holds another number of rows, or another newest stamp, than the manifest says."""
    is_embedded = engine.dialect.name == "sqlite"
    tables, as_text = (SQLITE_TABLES, "") if is_embedded else (POSTGRESQL_TABLES, "::text")
    with engine.connect() as connection:

        def read(statement: str) -> Any:
            return connection.execute(text(statement)).all()

        counts = count_rows(read, tables)
        newest = read(f"SELECT max(recorded_at){as_text} FROM stamp")[0][0] or ""  # noqa: S608 - of above
    differences = [
        f"{table} has {counts.get(table, 0):,} rows, not {manifest.counts.get(table, 0):,}"
        for table in sorted(counts.keys() | manifest.counts.keys())
        if counts.get(table, 0) != manifest.counts.get(table, 0)
    ]
    if newest != manifest.newest_stamp:
        differences.append(f"the newest stamp is {newest or 'none'}, not {manifest.newest_stamp or 'none'}")
    if differences:
        raise RuleError(
            f"{manifest.name}, restored, is not what its manifest says: "
            f"{'; '.join(differences[:MOST_DIFFERENCES])}."
        )


ALARM = "backup-alarm"
RETRY = timedelta(hours=1)  # after a backup that failed


def make_backup(job: JobProgress, _arguments: Arguments) -> dict[str, Any]:
    """Back up if that is due or a person asked for it; copy, and remove the old ones."""
    always = job.asked_by_id is not None
    return backup_result(
        run_backup(_require_settings(), always=always, waits=True, report=_reporting_to(job))
    )


def backup_result(run: BackupRun) -> dict[str, Any]:
    """The result of a job that backed up."""
    return {"said": describe_run(run), **_describe_backup(run.newest, run.newest.seconds)}


def rehearse_restore(job: JobProgress, _arguments: Arguments) -> dict[str, Any]:
    """Restore the newest backup into a scratch database, compare, and report by mail."""
    settings = _require_settings()
    identity_file = Path(settings.identity_file) if settings.identity_file else None
    return rehearsal_result(rehearse(settings, identity_file, waits=True, report=_reporting_to(job)))


def rehearsal_result(rehearsal: Rehearsal) -> dict[str, Any]:
    """The result of a job that rehearsed a restore, after it was mailed; what fails is mailed as trouble."""
    config, sentences = current_settings(), rehearsal.sentences
    if can_mail(config):
        try:
            send_report(config, "the newest backup was restored for a rehearsal", sentences)
        except PortalError as error:
            sentences = [*sentences, f"The report could not be mailed: {error}"]
    return {"said": sentences, **_describe_backup(rehearsal.manifest, rehearsal.seconds)}


def mail_troubles(_job: JobProgress, _arguments: Arguments) -> dict[str, Any]:
    """Say by mail what is wrong with backups; without an answer of the relay, it is tried again."""
    config = current_settings()
    troubles = read_backup_status(config.backup, clock.now()).troubles
    if not troubles:
        return {"said": ["Nothing is wrong any more, so nothing was sent."]}
    sentences = [trouble.sentence for trouble in troubles]
    send_report(config, "something is wrong with backups", sentences)
    return {"said": [f"Mailed to {', '.join(config.backup.mail_to)}.", *sentences]}


def makes_backups() -> bool:
    """Whether the portal has a place for backups."""
    return bool(current_settings().backup.folder)


def is_backup_due() -> bool:
    """Whether the backup of the day is not made yet."""
    return makes_backups() and read_backup_status(current_settings().backup, clock.now()).is_due


def is_rehearsal_due() -> bool:
    """Whether a backup stands that a job can open, and none was restored for so many days."""
    settings = current_settings().backup
    if not settings.folder:
        return False
    status = read_backup_status(settings, clock.now())
    if status.backup is None or status.rehearsal_due_at is None or status.by_hand:
        return False
    return status.rehearsal_due_at <= status.now


def is_alarm_due() -> bool:
    """Whether something is wrong of which no mail went since it began, nor within a day."""
    config = current_settings()
    if not (config.backup.folder and can_mail(config)):
        return False
    now = clock.now()
    troubles = read_backup_status(config.backup, now).troubles
    if not troubles:
        return False
    mailed = select(Job.asked_at).where(Job.kind == ALARM, Job.state == JobState.DONE)
    last = db.session.scalar(mailed.order_by(Job.id.desc()).limit(1))
    return last is None or now - last >= DAY or any(last < trouble.since for trouble in troubles)


def _reporting_to(job: JobProgress) -> Report:
    return lambda words: job.report_progress(0, 0, words)


def _require_settings() -> BackupSettings:
    settings = current_settings().backup
    if not settings.folder:
        raise RuleError("BACKUP_DIR is not set, so the portal has no place for backups.")
    return settings


def _describe_backup(manifest: Manifest, seconds: float) -> dict[str, Any]:
    return figures_of(clock.format_utc(manifest.taken_at), seconds, manifest.name, manifest.size)


TASKS = (
    Task(
        BACKUP,
        "Backup",
        make_backup,
        due=is_backup_due,
        offered=makes_backups,
        rest=RETRY,
        by_hand="Backs up the database now, copies it to the second place if there is one, and removes old "
        "backups.",
    ),
    Task(
        REHEARSAL,
        "Rehearsal of a restore",
        rehearse_restore,
        due=is_rehearsal_due,
        offered=lambda: makes_backups() and current_settings().backup.can_open,
        rest=DAY,  # between two that failed
        by_hand="Restores the newest backup into a scratch database, compares every table with what the "
        "backup should hold, and removes the scratch database. The portal’s own is not touched.",
    ),
    Task(ALARM, "Mail about backups", mail_troubles, due=is_alarm_due),
)
