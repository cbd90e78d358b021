"""The one place that asks the time: instants in UTC, days in London."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

from portal.platform.observability.logs import get_logger

_log = get_logger("portal.clock")
LONDON = ZoneInfo("Europe/London")
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MOST_AHEAD = timedelta(minutes=1)  # of the newest stamp: beyond it, the clock was or is wrong
SILENT_SECONDS = 60  # between two lines of the log that say so
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})([-/.])(?P<month>\d{1,2})\2(?P<day>\d{1,2})")
_DAY_FIRST = re.compile(r"(?P<day>\d{1,2})[/. -](?P<month>\d{1,2})[/. -](?P<year>\d{4}|\d{2})")
_IN_WORDS = re.compile(  # such as "Thursday 30th of April 2026" or "30-Apr-26"
    r"(?:[a-z]{3,9}\.?,? )?(?P<day>\d{1,2})(?:st|nd|rd|th)?(?: of)?[ -]?"
    r"(?P<word>[a-z]{3,9})\.?,?[ -]?(?P<year>\d{4}|\d{2})"
)
_MONTH_WORD_FIRST = re.compile(
    r"(?:[a-z]{3,9}\.?,? )?(?P<word>[a-z]{3,9})\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?,? (?P<year>\d{4})"
)
_TIME = (
    r"(?P<hour>\d{1,2})(?:[:.](?P<minute>\d{2})(?::(?P<second>\d{2}(?:\.\d{1,6})?))?)?"
    r" ?(?P<half>am|pm)?(?: ?\(?(?P<zone>gmt|bst)\)?)?|(?P<noon>noon|midday)"
)
_TIME_THEN_DAY = re.compile(rf"(?:at )?(?:{_TIME})(?: on|,)? (?P<rest>.+)")  # such as "9:00 on 15 May 2026"
_DAY_THEN_TIME = re.compile(rf"(?:on )?(?P<rest>.+?)(?: at|,)? (?:{_TIME})")
_LOST_PLUS = re.compile(r" (\d{2}:?\d{2})$")  # an address turns the + of an offset into a space
_LONGEST = 60  # characters of a day or a time: longer texts are neither
_RELATIVE = {"yesterday": -1, "today": 0, "tomorrow": 1}
_ZONES = {"gmt": 0, "bst": 1}  # hours before UTC


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


def london_time(instant: datetime) -> str:
    """The London time of day, such as "09:14"; with GMT where it is the second of two equal times.

    >>> london_time(datetime(2026, 10, 25, 1, 30, tzinfo=UTC))
    '01:30 GMT'
    """
    local = instant.astimezone(LONDON)
    return f"{local:%H:%M}{' GMT' * local.fold}"


def format_utc(instant: datetime) -> str:
    """The instant in UTC, ISO 8601 with Z, to the microsecond where it has any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def format_day_or_instant(when: date | datetime) -> str:
    """The day as ISO 8601 has it, or the instant as ``format_utc`` writes it."""
    return format_utc(when) if isinstance(when, datetime) else when.isoformat()


def to_microseconds(instant: datetime) -> int:
    """The instant as tables keep it: whole microseconds since 1970, exactly."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def from_microseconds(microseconds: int) -> datetime:
    """The instant, in UTC, that a table keeps as microseconds since 1970."""
    return EPOCH + timedelta(microseconds=microseconds)


def read_day(text: str, today: date | None = None) -> date | None:
    """The day that ``text`` names as people write it, day before month; None where it names none.

    Args:
        text: Such as "30 April 2026", "30 Apr 26", "30/4/2026", "2026-04-30", "today" or "yesterday".
        today: The day that "today" means; None: the London day of this instant.

    >>> read_day("30 April 2026") == read_day("30/4/2026") == read_day("2026-04-30")
    True
    """
    words = _fold_text(text)
    if words in _RELATIVE:
        return (today or london_day(now())) + timedelta(days=_RELATIVE[words])
    for pattern in (_YEAR_FIRST, _DAY_FIRST, _IN_WORDS, _MONTH_WORD_FIRST):
        if match := pattern.fullmatch(words):
            return _day_of(match.groupdict())
    return None


def _fold_text(text: str) -> str:
    """The text in lower case with single spaces; empty if it is too long for a day or a time."""
    words = " ".join(text.lower().split()).strip(" .,")
    return words if len(words) <= _LONGEST else ""


def _day_of(parts: dict[str, str]) -> date | None:
    """The day with this day, year and month, by number or by the first letters of its name."""
    word = parts.get("word", "")
    year = int(parts["year"]) + 2000 * (len(parts["year"]) == 2)
    months = [
        n for n, name in enumerate(_MONTHS, start=1) if word and (name.startswith(word) or word == name[:4])
    ]
    month = int(parts["month"]) if "month" in parts else months[0] if months else 0
    try:
        return date(year, month, int(parts["day"]))
    except ValueError:
        return None


def read_instant(text: str, today: date | None = None) -> datetime | None:
    """The instant that ``text`` names: a London time on a day, or ISO 8601 with its offset; None for others.

    >>> read_instant("9:00 on 15 May 2026") == read_instant("2026-05-15T08:00:00Z")
    True
    """
    return read_london_time(text, today) or _read_iso_instant(text)


def read_london_time(text: str, today: date | None = None) -> datetime | None:
    """The instant of a London time on a day, in UTC; None for any other text.

    A time that London has twice is the first of the two, unless GMT stands beside it.

    Args:
        text: Such as "9:00 on 15 May 2026", "30 Apr 2026 at 14:05" or "yesterday at 9.30pm".
        today: As for ``read_day``.
    """
    words = _fold_text(text)
    for pattern in (_TIME_THEN_DAY, _DAY_THEN_TIME):
        match = pattern.fullmatch(words)
        day = read_day(match["rest"], today) if match else None
        if match and day is not None and (match["minute"] or match["half"] or match["noon"]):
            return _time_on_day(day, match.groupdict())
    return None


def _time_on_day(day: date, parts: dict[str, str | None]) -> datetime | None:
    """The instant of a time on a London day; None if there is no such time."""
    hour, half = int(parts["hour"] or 12), parts["half"]
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + 12 * (half == "pm")
    try:
        local = time.fromisoformat(f"{hour:02}:{parts['minute'] or '00'}:{parts['second'] or '00'}")
        if zone := parts["zone"]:
            return datetime.combine(day, local, UTC) - timedelta(hours=_ZONES[zone])
        return datetime.combine(day, local, LONDON).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _read_iso_instant(text: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(_LOST_PLUS.sub(r"+\1", text.strip()))
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):
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
    _log.error("clock.behind_stamps", newest_stamp=newest, clock=now, see="docs/runbook/clock.md")
