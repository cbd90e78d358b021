"""Jobs that back up, rehearse a restore, and say by mail what is wrong with backups.

Each looks at what stands and does what is missing, so it may be cut off at any moment and run again.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from config import current_settings
from portal.platform import clock
from portal.platform.backups.making import BackupRun, Report, describe_run, run_backup
from portal.platform.backups.manifest import Manifest
from portal.platform.backups.rehearsal import Rehearsal, rehearse
from portal.platform.backups.reports import can_mail, send_report
from portal.platform.backups.settings import BackupSettings
from portal.platform.backups.status import BACKUP, DAY, REHEARSAL, figures_of, read_backup_status
from portal.platform.db import db
from portal.platform.errors import PortalError, RuleError
from portal.platform.jobs.models import Job, JobState
from portal.platform.jobs.progress import JobProgress
from portal.platform.jobs.registry import Arguments, Task

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
