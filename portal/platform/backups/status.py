"""How backups stand: when the newest was made, how long it took, what would be lost now, what is wrong.

Read from the jobs that made them, so that every machine that serves the portal says the same.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from portal.platform.backups.rotation import last_due_at
from portal.platform.backups.settings import BackupSettings
from portal.platform.db import Stamp, db
from portal.platform.jobs.models import Job, JobState
from portal.platform.wording import instant, minutes_words, plural

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
