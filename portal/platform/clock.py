"""The one place that asks the time: instants in UTC, days in London."""

import logging
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_AHEAD = timedelta(minutes=1)  # of the newest stamp: beyond it, the clock was or is wrong
SILENT_SECONDS = 60  # between two lines of the log that say so
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_NUMBERS = re.compile(r"(\d{1,2})[/. -](\d{1,2})[/. -](\d{4}|\d{2})")
_WORDS = re.compile(r"(?:[a-z]+,? )?(\d{1,2})(?:st|nd|rd|th)? ([a-z]{3,9})\.?,? (\d{4})")


def now() -> datetime:
    """This instant, aware, in UTC."""
    return datetime.now(UTC)


def london_day(instant: datetime) -> date:
    """The London calendar day on which ``instant`` falls."""
    return instant.astimezone(LONDON).date()


def today() -> date:
    """The London calendar day of this instant."""
    return london_day(now())


def end_of_day(day: date) -> datetime:
    """The last microsecond of the London ``day``, in UTC."""
    return datetime.combine(day, time.max, LONDON).astimezone(UTC)


def noon(day: date) -> datetime:
    """Noon in London on ``day``, in UTC: the instant of a fact of which only the day is known."""
    return datetime.combine(day, time(12), LONDON).astimezone(UTC)


def format_utc(instant: datetime) -> str:
    """The instant in UTC, ISO 8601 with Z, to the microsecond where it has any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_microseconds(instant: datetime) -> int:
    """The instant as tables keep it: whole microseconds since 1970, exactly."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def from_microseconds(microseconds: int) -> datetime:
    """The instant, in UTC, that a table keeps as microseconds since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def read_day(text: str) -> date | None:
    """The day that ``text`` names, day before month; None where it names none.

    >>> read_day("30 April 2026") == read_day("30/4/2026") == read_day("2026-04-30")
    True
    """
    words = " ".join(text.lower().split())
    try:
        if match := _ISO_DAY.fullmatch(words):
            return date(*map(int, match.groups()))
        if match := _NUMBERS.fullmatch(words):
            day, month, year = map(int, match.groups())
            return date(year + 2000 if year < 100 else year, month, day)
        if (match := _WORDS.fullmatch(words)) and match[2][:3] in _MONTHS:
            return date(int(match[3]), _MONTHS.index(match[2][:3]) + 1, int(match[1]))
    except ValueError:
        return None
    return None


@dataclass
class StampWarning:
    """When this process may next say that the clock was or is wrong."""

    next_at: float = 0  # by the monotonic clock, which nobody sets


stamp_warning = StampWarning()


def is_ahead(newest: datetime | None, now: datetime) -> bool:
    """Whether the newest stamp lies so far ahead of the clock that one of them was or is wrong."""
    return newest is not None and newest - now > MOST_AHEAD


def warn_of_stamps(newest: datetime | None, now: datetime) -> None:
    """Say in the log that the newest stamp lies ahead of the clock, where it does; at most once a minute."""
    if not is_ahead(newest, now) or monotonic() < stamp_warning.next_at:
        return
    stamp_warning.next_at = monotonic() + SILENT_SECONDS
    logging.getLogger("portal.app").warning(
        "The newest stamp %s lies ahead of this machine's clock %s: see docs/runbook/clock.md", newest, now
    )
