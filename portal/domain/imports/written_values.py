"""How other systems write days, times, scores and outcomes, read as the portal's own files write them.

A value in the documented form is read as it is. What may mean two things is only read once somebody has said
which: `DateOrder` and `ScoreForm` are those answers.
"""

import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from dateutil import parser

from portal.platform import clock

COMPLETED, LEFT_OUT = "completed", "-"  # what an outcome means; the second one's row is left out
EMPLOYED, ENDS = "employed", "ends"  # what an employment means; the second one's post ends with the import


class DateOrder(StrEnum):
    """Which of two numbers of a date is the day."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


class ScoreForm(StrEnum):
    """What a bare number of a score is of."""

    OF_ONE = "of_one"
    PERCENT = "percent"
    IGNORED = "ignored"


class NumberForm(StrEnum):
    """What a text with an “@” says of a person's staff number."""

    BY_EMAIL = "by_email"
    BEFORE_AT = "before_at"
    AS_IT_IS = "as_it_is"


_NUMBERS = re.compile(r"(?P<first>\d{1,2})(?P<sign>[/. -])(?P<second>\d{1,2})(?P=sign)(?P<rest>\d{4}\b.*)")
_YEAR_FIRST = re.compile(r"\d{4}[/.-]\d.*")
_SHORT_YEAR = re.compile(r"(?P<day>\d{1,2}([/.-])\d{1,2}\2)(?P<year>\d{2})(?!\d)")
_SERIAL = re.compile(r"[2-7]\d{4}(\.\d+)?")  # a spreadsheet's day number, from 1954 to 2119
_SERIAL_START = datetime(1899, 12, 30)
_PLACE = re.compile(r"(?P<time>.+) (?P<zone>[A-Z][A-Za-z]+(/[A-Z][A-Za-z_]+)+)")
_ZONES: dict[str, tzinfo] = {"GMT": UTC, "UTC": UTC, "BST": timezone(timedelta(hours=1))}
_LONGEST = 60  # characters of a day or a time: longer texts are neither
_NO_DAY = datetime(1, 1, 31)  # what is missing in a text is taken from here, and then not found in the text
_PERCENT = re.compile(r"(?P<marks>\d{1,3}(?:\.\d+)?) ?%")
_PART = re.compile(r"(?P<marks>\d{1,4}(?:\.\d+)?) ?(?:/|of|out of) ?(?P<most>\d{1,4})")
_NUMBER = re.compile(r"\d{1,3}(\.\d+)?")
_COMPLETED_WORDS = frozenset(
    {"passed", "pass", "completed", "complete", "yes", "y", "true", "successful", "attended"}
)
_EMPLOYED_WORDS = frozenset({"true", "yes", "y", "active", "enabled", "current", "employed"})
_NOT_COMPLETED_WORDS = frozenset(
    {"failed", "fail", "incomplete", "not completed", "not complete", "in progress", "not started", "no", "n"}
    | {"false", "started", "enrolled", "not attempted", "browsed", "withdrawn", "did not attend", "n/a"}
    | {"not yet started", "not applicable", "-", "–", "—"}
)


def list_orders(texts: Iterable[str]) -> list[DateOrder]:
    """The orders in which the days of a column may be read, the likelier one first.

    None where all days are written so that either order reads them alike, such as ISO dates. One, day first,
    where the days of the column say so themselves. Two are a question: also where only month first fits, or
    a number may be a spreadsheet's day.
    """
    distinct = set(texts)
    day_first, month_first = _split_by_order(distinct)
    is_open = any(map(_SERIAL.fullmatch, distinct)) or month_first - day_first
    if is_open or (day_first and day_first == month_first):
        return list(DateOrder)[:: -1 if len(month_first) > len(day_first) else 1]
    return [DateOrder.DAY_FIRST] if day_first else []


def list_mixed(texts: Iterable[str]) -> tuple[str, ...]:
    """A text that only has the day first and one that only has the month first; else empty.

    >>> list_mixed(["14/03/2026", "2/1/2026", "03/14/2026"])
    ('14/03/2026', '03/14/2026')
    """
    distinct = list(dict.fromkeys(texts))
    day_first, month_first = _split_by_order(distinct)
    pairs = zip(
        (text for text in distinct if text in day_first - month_first),
        (text for text in distinct if text in month_first - day_first),
        strict=False,
    )
    return next(pairs, ())


def depends_on_order(text: str) -> bool:
    """Whether the order of day and month matters to this text."""
    return bool(_NUMBERS.fullmatch(text))


def _split_by_order(texts: Iterable[str]) -> list[set[str]]:
    """The days in numbers that can be read day first, and those that can be read month first."""
    numbers = [text for text in texts if depends_on_order(text)]
    return [{text for text in numbers if read_time(text, order)} for order in DateOrder]


def read_day(text: str, order: DateOrder) -> str | None:
    """The day as ISO 8601; None for any other text, for a year of two digits, and for a time after midnight.

    >>> read_day("3/4/2026", DateOrder.DAY_FIRST), read_day("3/4/2026", DateOrder.MONTH_FIRST)
    ('2026-04-03', '2026-03-04')
    """
    read = _read_moment(text, order)
    if not isinstance(read, datetime):
        return read.isoformat() if read else None
    local = read.astimezone(clock.LONDON)
    return None if local.time() != time() else local.date().isoformat()


def read_time(text: str, order: DateOrder) -> str | None:
    """The day, or the instant in UTC, as ISO 8601; None for any other text. A bare time is London's.

    >>> read_time("14/03/2026 10:22", DateOrder.DAY_FIRST), read_time("14 Mar 2026", DateOrder.DAY_FIRST)
    ('2026-03-14T10:22:00Z', '2026-03-14')
    """
    read = _read_moment(text, order)
    return clock.format_utc(read) if isinstance(read, datetime) else read.isoformat() if read else None


def _read_moment(text: str, order: DateOrder) -> date | datetime | None:
    """The day, or the instant, that the text names with this order of its numbers."""
    text = " ".join(text.split())
    if len(text) > _LONGEST or not text.isascii():
        return None
    if _SERIAL.fullmatch(text):
        read = _SERIAL_START + timedelta(seconds=int((Decimal(text) * 86_400).to_integral_value()))
        return read.date() if read.time() == time() else read.replace(tzinfo=clock.LONDON)
    if match := _NUMBERS.fullmatch(text):
        day, month = (match["first"], match["second"])[:: 1 if order is DateOrder.DAY_FIRST else -1]
        text = f"{match['rest'][:4]}-{month:0>2}-{day:0>2}{match['rest'][4:]}"
    zone: tzinfo = clock.LONDON
    try:
        if place := _PLACE.fullmatch(text):
            text, zone = place["time"], ZoneInfo(place["zone"])
        moment = _read_iso(text) or _read_words(text)
    except (ValueError, OverflowError, KeyError):  # no such day, time or zone
        return None
    if isinstance(moment, datetime) and moment.tzinfo is None:
        return moment.replace(tzinfo=zone)
    return moment


def _read_iso(text: str) -> date | datetime | None:
    """The day or time of a text in ISO 8601; None for any other text, a week or a bare number."""
    if "W" in text or (text.isdigit() and len(text) != len("20260314")):
        return None
    for read in (date.fromisoformat, datetime.fromisoformat):
        with suppress(ValueError):
            return read(text)
    return None


def _read_words(text: str) -> date | datetime | None:
    """The day or time of a text with a month's name, or with am or pm.

    The parser takes what is missing from today and lets numbers mean what it likes, so whatever it reads must
    account for every number of the text.

    Raises:
        ValueError: It names no whole day, or has a number too many.
    """
    read = parser.parse(text, default=_NO_DAY, tzinfos=_find_zone)
    digits = re.findall(r"\d+", text)
    digits.remove(f"{read.year:04}")
    numbers = [int(number) for number in digits]
    for number in (*[read.month] * bool(_YEAR_FIRST.fullmatch(text)), read.day):
        numbers.remove(number)
    if not numbers:
        return read.date()
    hour, *rest = numbers
    said = [hour % 12, *rest, *[0] * (2 - len(rest))]
    return read if said == [read.hour % 12, read.minute, read.second] else None


def _find_zone(name: str | None, offset: int | None) -> tzinfo | None:
    return None if name is None and offset is None else _ZONES[name or ""]


def complete_year(text: str) -> str:
    """The text with a last number of two digits in its day read as a year from 2000 on.

    >>> complete_year("14/03/26, 10:22"), complete_year("14/03/2026")
    ('14/03/2026, 10:22', '14/03/2026')
    """
    match = _SHORT_YEAR.match(text)
    return f"{match['day']}20{match['year']}{text[match.end() :]}" if match else text


def list_score_forms(texts: Iterable[str]) -> list[ScoreForm]:
    """What bare numbers may be of: nothing to ask if there are none, or if they are all parts of one."""
    numbers = [Decimal(text) for text in set(texts) if _NUMBER.fullmatch(text)]
    if not numbers:
        return []
    if max(numbers) > 1:
        return [ScoreForm.PERCENT, ScoreForm.IGNORED]
    if any(0 < number < 1 for number in numbers):
        return [ScoreForm.OF_ONE]
    return [ScoreForm.OF_ONE, ScoreForm.PERCENT, ScoreForm.IGNORED]


def list_number_forms(texts: Iterable[str]) -> list[NumberForm]:
    """How staff numbers may be written: nothing to ask unless one has an “@” in it."""
    return list(NumberForm) if any("@" in text for text in texts) else []


def read_score(text: str, form: ScoreForm | None) -> str | None:
    """The score from 0 to 1, cut to four decimals; empty for a word or an ignored number; None if it is none.

    >>> read_score("85%", None), read_score("17/20", None), read_score("85", ScoreForm.PERCENT)
    ('0.85', '0.85', '0.85')
    """
    if form is ScoreForm.IGNORED or read_outcome(text) == COMPLETED:
        return ""
    match = _PERCENT.fullmatch(text) or _PART.fullmatch(text)
    if match:
        marks, most = Decimal(match["marks"]), Decimal(match.groupdict().get("most", 100))
    elif _NUMBER.fullmatch(text) and form is not None:
        marks, most = Decimal(text), Decimal(100 if form is ScoreForm.PERCENT else 1)
    else:
        return None
    if not most or marks > most:
        return None
    scaled = (marks / most).quantize(Decimal("0.0001"), ROUND_DOWN)
    return f"{scaled.normalize():f}"


def read_outcome(text: str) -> str | None:
    """`COMPLETED` or `LEFT_OUT` for the words that systems use; None for any other text.

    >>> read_outcome("Passed"), read_outcome("In progress"), read_outcome("Exempt")
    ('completed', '-', None)
    """
    words = " ".join(re.sub("[_-]", " ", text.lower()).split()) or text.strip()
    return COMPLETED if words in _COMPLETED_WORDS else LEFT_OUT if words in _NOT_COMPLETED_WORDS else None


def read_employment(text: str) -> str | None:
    """`EMPLOYED` for the words that systems use of people who work there; None for any other text.

    >>> read_employment("True"), read_employment("False")
    ('employed', None)
    """
    return EMPLOYED if text.strip().lower() in _EMPLOYED_WORDS else None
