"""How long data is kept, from what ends it: constants and settings, and the force's classes of retention."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from config import Config
from portal.domain.accounts import retention, services
from portal.domain.accounts.sign_in import FORM_RETENTION, REQUEST_RETENTION
from portal.domain.imports.queries import FILE_RETENTION
from portal.domain.imports.staged import KEPT_FOR
from portal.domain.reports.export_files import KEEP_FOR
from portal.domain.retention.classes import (
    class_of_key,
    list_feature_classes,
    list_retention_classes,
    period_words,
)
from portal.feature import KeptPeriod, list_features
from portal.platform.wording import plural


@dataclass(frozen=True, slots=True)
class StatedPeriod:
    """How long one kind of data is kept."""

    what: str
    words: str


def list_periods(settings: Config) -> list[StatedPeriod]:
    """Every kind of personal data that the portal deletes by itself, shortest first."""
    kinds = sorted(_kinds(settings).values(), key=lambda kind: kind[1])
    return [StatedPeriod(what, f"{_length(length)} {since}") for what, length, since in kinds]


def list_disposed(months: Mapping[str, int]) -> list[StatedPeriod]:
    """What the force disposes of after a time, two people agreeing, in the order of the classes.

    Args:
        months: The period of each class (``retention/queries.py``).
    """
    return [StatedPeriod(row.goes, _class_words(row.key, months)) for row in list_retention_classes()]


def kept_words(settings: Config, months: Mapping[str, int]) -> dict[str, str]:
    """How long the data of a table is kept, in words, by the register's key.

    Args:
        settings: Of this portal.
        months: The period of each class (``retention/queries.py``).
    """
    kinds = {key: f"{_length(length)} {since}" for key, (_, length, since) in _kinds(settings).items()}
    classes = {row.key: _class_words(row.key, months) for row in list_retention_classes()}
    by_class = {**_BY_CLASS, **{found.row.key: found.words for found in list_feature_classes()}}
    return {**_UNTIL, **kinds, **{key: words.format_map(classes) for key, words in by_class.items()}}


def _class_words(key: str, months: Mapping[str, int]) -> str:
    """How long a class is kept: "2 years from the day of the act"."""
    return f"{period_words(months[key])} from {class_of_key(key).runs_from}"


def _kinds(settings: Config) -> dict[str, tuple[str, timedelta, str]]:
    """Each kind by the register's key, how long it is kept and since when.

    The one place that names the constants and settings by which the portal deletes: the privacy page, the
    impact assessment and the copy for a person all read it.
    """
    session = timedelta(hours=settings.absolute_hours) + retention.SESSION_RETENTION
    return {
        "form": ("A form you sent after your sign-in had ended", FORM_RETENTION, "after you sent it"),
        "reset": ("Requests at sign-in for a new password", REQUEST_RETENTION, "after they were made"),
        "failure": ("Sign-ins to your account that failed", retention.FAILURE_RETENTION, "after they failed"),
        "link": ("A link to set a password", services.LINK_LIFETIME, "after it was made"),
        "prepared": ("A file of people that was prepared for a manager", KEEP_FOR, "after it was made"),
        "kept": ("A completion of somebody who is not on the roster yet", KEPT_FOR, "after it was kept"),
        "file": ("A file that was loaded but not applied", FILE_RETENTION, "after it was loaded"),
        "session": ("Your sessions", session, "after you signed in"),
        "job": (
            "A job that somebody asked for",
            timedelta(days=settings.jobs_kept_days),
            "after it ended",
        ),
        **{kept.key: (kept.what, kept.length, kept.since) for kept in _list_kept_by_features()},
        "refusal": (
            "Sign-ins with a force account that were refused",
            retention.REFUSAL_RETENTION,
            "after the last",
        ),
        "browser": (
            "The mark of a browser",
            retention.BROWSER_RETENTION,
            "after you last signed in from it",
        ),
    }


def _list_kept_by_features() -> list[KeptPeriod]:
    return [kept for feature in list_features() for kept in feature.periods]


_UNTIL = {  # what no period ends by itself
    "record": "for as long as the force keeps training records",
    "name": "until it is corrected or erased",
    "saved": "until its owner deletes it, or the owner’s name is erased",
    "proof": "it is not deleted: it shows what the force did with personal data",
    "current": "until it changes: only the last state is kept",
    "minutes": "for minutes",
}
# What goes with a class of retention, by the register's key. Two people dispose of a class; a hold delays it.
_BY_CLASS = {
    "leavers": "until it changes or is removed, at the latest {leavers}",
    "own": "until you erase it or your account is closed, at the latest {leavers}",
    "texts": "of exercises {texts}; of those shown to a line manager {copies}; of comments on requests "
    "{requests}; of all others until they are erased",
    "copies": "the text beside it {copies}; that there was one, for as long as the force keeps training "
    "records",
    "audit": "entries about sign-ins and looks {access}; all others {audit}",
    "mail": "{mail}",
    "invitation": "{mail}, or with the account: {leavers}",
    "imports": "the name of the file {imports}; that it was loaded, for as long as the force keeps training "
    "records",
}


def _length(length: timedelta) -> str:
    """A length of time in words, in days and hours or in minutes.

    >>> [_length(timedelta(days=7, hours=12)), _length(timedelta(hours=24)), _length(timedelta(minutes=60))]
    ['7 days 12 hours', '24 hours', '60 minutes']
    """
    minutes = length // timedelta(minutes=1)
    if minutes <= 60:
        return plural(minutes, "minute")
    if length <= timedelta(days=1):
        return plural(minutes // 60, "hour")
    hours = (length - timedelta(days=length.days)) // timedelta(hours=1)
    return plural(length.days, "day") + (f" {plural(hours, 'hour')}" if hours else "")
