"""How long the portal keeps what it deletes by itself, from the constants and settings that do it."""

from dataclasses import dataclass
from datetime import timedelta

from config import Config
from portal.domain.accounts import retention, services
from portal.domain.accounts.sign_in.held_forms import FORM_RETENTION
from portal.domain.accounts.sign_in.reset_requests import REQUEST_RETENTION
from portal.domain.imports.queries import FILE_RETENTION
from portal.domain.reports.completion.export_files import KEEP_FOR
from portal.domain.webhooks.retention import DELIVERED_RETENTION, FAILED_RETENTION
from portal.platform.wording import plural


@dataclass(frozen=True, slots=True)
class Period:
    """How long one kind of data is kept."""

    what: str
    words: str


def list_periods(settings: Config) -> list[Period]:
    """Every kind of personal data that the portal deletes by itself, shortest first.

    The one place that turns retention into words: the privacy page, the impact assessment and the copy for a
    person all read it.
    """
    session = timedelta(hours=settings.absolute_hours) + retention.SESSION_RETENTION
    kinds: list[tuple[str, timedelta, str]] = [
        ("A form you sent after your sign-in had ended", FORM_RETENTION, "later"),
        ("Requests at sign-in for a new password", REQUEST_RETENTION, "later"),
        ("Sign-ins to your account that failed", retention.FAILURE_RETENTION, "later"),
        ("A link to set a password", services.LINK_LIFETIME, "after it was made"),
        ("A file of people that was prepared for a manager", KEEP_FOR, "after it was made"),
        ("A file that was loaded but not applied", FILE_RETENTION, "later"),
        ("Your sessions", session, "after you signed in"),
        ("A job that somebody asked for", timedelta(days=settings.jobs_kept_days), "after it ended"),
        ("Messages to connected systems that arrived", DELIVERED_RETENTION, "later"),
        ("Messages to connected systems that failed", FAILED_RETENTION, "later"),
        ("Sign-ins with a force account that were refused", retention.REFUSAL_RETENTION, "after the last"),
        ("The mark of a browser", retention.BROWSER_RETENTION, "after you last signed in from it"),
    ]
    kinds.sort(key=lambda kind: kind[1])
    return [Period(what, f"{_length(length)} {since}") for what, length, since in kinds]


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
