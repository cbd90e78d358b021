"""Settings of backups, and a sentence for each that is wrong."""

import importlib.util
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from portal.platform.clock import LONDON

Read = Callable[[str, str], str]  # the value of a setting, or a default
MOST_KEPT = 1_000
NO_NUMBER = -1  # stands in for text that is not a number
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
PUBLIC_KEY = re.compile(r"age1[02-9ac-hj-np-z]{58}")
BUCKET = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/(?P<prefix>[\x21-\x7e]*))?")
EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+")


class Kept(NamedTuple):
    """Of how many days, weeks and months with a backup the newest one is kept."""

    days: int
    weeks: int
    months: int


@dataclass(frozen=True, slots=True)
class BackupSettings:
    """When and where backups are made, for whom they are encrypted, and where they are copied to."""

    folder: str  # empty: the portal makes no backups by itself
    at: str  # time of day, in London
    kept: Kept
    public_keys: tuple[str, ...]  # empty: backups are not encrypted
    copy_to: str  # an absolute path, s3:// and a bucket, or empty
    s3_endpoint: str  # empty: Amazon's own
    s3_region: str
    s3_key_id: str = field(repr=False)
    s3_secret_key: str = field(repr=False)
    rehearsal_days: int  # between two rehearsals; 0: none
    identity_file: str  # opens encrypted backups for rehearsals
    mail_to: tuple[str, ...]  # who hears of rehearsals and of what fails

    @property
    def path(self) -> Path:
        """The folder in which backups are made."""
        return Path(self.folder)

    @property
    def time_of_day(self) -> time:
        """When a backup is made each day, in London."""
        return time.fromisoformat(self.at)

    @property
    def copies_to_s3(self) -> bool:
        """Whether backups are copied to S3-compatible storage."""
        return self.copy_to.startswith("s3:")

    @property
    def can_open(self) -> bool:
        """Whether a job can open the backups: they are not encrypted, or it has an identity."""
        return bool(self.identity_file or not self.public_keys)

    def list_faults(self) -> Iterator[str]:
        """A sentence for each setting that is wrong; none repeats a value."""
        if self.folder and not Path(self.folder).is_absolute():
            yield "BACKUP_DIR is the path of a folder that begins with /, such as /var/backups/portal"
        if not self.folder and (self.copy_to or self.public_keys):
            yield "BACKUP_DIR must be set too, or no backup is made."
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", self.at):
            yield "BACKUP_AT is a time of day in London such as 02:15."
        yield from self._number_faults()
        if not all(map(PUBLIC_KEY.fullmatch, self.public_keys)):
            yield "BACKUP_PUBLIC_KEYS lists public keys of age, which begin with age1, never an identity."
        if not all(map(EMAIL.fullmatch, self.mail_to)):
            yield "BACKUP_MAIL_TO lists email addresses, with spaces between them."
        yield from self._copy_faults()

    def _number_faults(self) -> Iterator[str]:
        numbers = dict(zip(("DAYS", "WEEKS", "MONTHS"), self.kept, strict=True))
        for name, count in numbers.items():
            least = 1 if name == "DAYS" else 0
            if not least <= count <= MOST_KEPT:
                yield f"BACKUP_KEEP_{name} is {least} or more, up to {MOST_KEPT}, in digits."
        if not 0 <= self.rehearsal_days <= MOST_KEPT:
            yield f"BACKUP_REHEARSAL_DAYS is 0 or more, up to {MOST_KEPT}, in digits."

    def _copy_faults(self) -> Iterator[str]:
        if not self.copy_to:
            return
        if not self.copies_to_s3:
            if not Path(self.copy_to).is_absolute() or self.copy_to == self.folder:
                yield (
                    "BACKUP_COPY_TO is s3:// and the name of a bucket, or the path of another folder than"
                    " BACKUP_DIR, such as /mnt/backups/portal"
                )
            return
        if not BUCKET.fullmatch(self.copy_to):
            yield "BACKUP_COPY_TO is s3:// and the name of a bucket, such as s3://portal-backups/west"
        if not (self.s3_key_id and self.s3_secret_key):
            yield "BACKUP_S3_KEY_ID and BACKUP_S3_SECRET_KEY must be set too: BACKUP_COPY_TO needs both."
        parts = urlsplit(self.s3_endpoint)
        if self.s3_endpoint and not (
            parts.hostname and (parts.scheme == "https" or parts.hostname in LOOPBACK)
        ):
            yield "BACKUP_S3_ENDPOINT is an https address, such as https://s3.example.police.uk"
        if importlib.util.find_spec("obstore") is None:
            yield (
                "BACKUP_COPY_TO needs the package obstore: "
                "install it with python -m pip install --require-hashes -r requirements/production.txt"
            )


def read_backup_settings(read: Read, read_secret: Callable[[str], str]) -> BackupSettings:
    """The settings as they are written.

    Args:
        read: Gives the value of a name, or a default.
        read_secret: Gives the value of a secret, which may stand in a file.
    """

    def number(name: str, default: int) -> int:
        text = read(name, "") or str(default)
        return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else NO_NUMBER

    return BackupSettings(
        folder=read("BACKUP_DIR", ""),
        at=read("BACKUP_AT", "") or "02:15",
        kept=Kept(
            number("BACKUP_KEEP_DAYS", 14), number("BACKUP_KEEP_WEEKS", 8), number("BACKUP_KEEP_MONTHS", 6)
        ),
        public_keys=tuple(read("BACKUP_PUBLIC_KEYS", "").replace(",", " ").split()),
        copy_to=read("BACKUP_COPY_TO", ""),
        s3_endpoint=read("BACKUP_S3_ENDPOINT", ""),
        s3_region=read("BACKUP_S3_REGION", "") or "eu-west-2",
        s3_key_id=read_secret("BACKUP_S3_KEY_ID"),
        s3_secret_key=read_secret("BACKUP_S3_SECRET_KEY"),
        rehearsal_days=number("BACKUP_REHEARSAL_DAYS", 7),
        identity_file=read("BACKUP_IDENTITY_FILE", ""),
        mail_to=tuple(read("BACKUP_MAIL_TO", "").replace(",", " ").split()),
    )


# When a backup is due, and which of those made before are kept.

ALL_KEPT = timedelta(days=2)  # one made by hand after an accident must not remove the one from before it


def last_due_at(now: datetime, at: time) -> datetime:
    """The newest instant, up to now, at which a backup was due: that time of day in London.

    >>> last_due_at(datetime(2026, 6, 1, 1, 14, tzinfo=UTC), time(2, 15)).isoformat()
    '2026-05-31T01:15:00+00:00'
    """
    today = now.astimezone(LONDON).date()
    due = datetime.combine(today, at, LONDON).astimezone(UTC)
    if due > now:
        due = datetime.combine(today - timedelta(days=1), at, LONDON).astimezone(UTC)
    return due


def choose_kept(moments: Sequence[datetime], kept: Kept, now: datetime) -> set[datetime]:
    """Which backups are kept: the newest of each of the newest days, weeks and months that have one.

    All of the last two days are kept too.

    Days are London's, weeks begin on Monday. Days without a backup do not count, so that a portal that was
    off for a month does not lose its old backups with the first new one. The newest is always kept.

    Args:
        moments: When each backup was made, in any order.
        kept: How many days, weeks and months; at least one day.
        now: This instant.
    """
    newest_first = sorted(moments, reverse=True)
    spans: tuple[tuple[int, Callable[[date], object]], ...] = (
        (kept.days, lambda day: day),
        (kept.weeks, lambda day: day.isocalendar()[:2]),
        (kept.months, lambda day: (day.year, day.month)),
    )
    chosen = {moment for moment in moments if now - moment < ALL_KEPT}
    for count, span_of in spans:
        newest_of_span: dict[object, datetime] = {}
        for moment in newest_first:
            newest_of_span.setdefault(span_of(moment.astimezone(LONDON).date()), moment)
        chosen.update(list(newest_of_span.values())[:count])
    return chosen
