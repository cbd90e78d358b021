"""How other systems write days, times, scores and outcomes, read as the portal's own files write them.

A value in the documented form is read as it is. What may mean two things is only read once somebody has said
which: `DateOrder` and `ScoreForm` are those answers.
"""

import re
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum

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


_NUMBERS = re.compile(r"(?P<first>\d{1,2})(?P<sign>[/.-])(?P<second>\d{1,2})(?P=sign)(?P<rest>\d{4}\b.*)")
_SHORT_YEAR = re.compile(r"(?P<day>\d{1,2}([/.-])\d{1,2}\2)(?P<year>\d{2})(?!\d)")
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")
_SERIAL = re.compile(r"[2-7]\d{4}(\.\d+)?")  # a spreadsheet's day number, from 1954 to 2119
_SERIAL_START = datetime(1899, 12, 30)
_PERCENT = re.compile(r"(?P<marks>\d{1,3}(?:\.\d+)?) ?%")
_PART = re.compile(r"(?P<marks>\d{1,4}(?:\.\d+)?) ?(?:/|of|out of) ?(?P<most>\d{1,4})")
_NUMBER = re.compile(r"\d{1,3}(\.\d+)?")
_COMPLETED_WORDS = frozenset(
    {"passed", "pass", "completed", "complete", "yes", "y", "true", "successful", "attended"}
)
_EMPLOYED_WORDS = frozenset({"true", "yes", "y", "active", "enabled", "current", "employed"})
_NOT_COMPLETED_WORDS = frozenset(
    {"failed", "fail", "incomplete", "not completed", "not complete", "in progress", "not started", "no", "n"}
    | {"false", "started", "enrolled", "not attempted", "browsed", "withdrawn", "did not attend"}
)


def list_orders(texts: Iterable[str]) -> list[DateOrder]:
    """The orders in which the days of a column may be read, the likelier one first.

    None where all days are written so that either order reads them alike, such as ISO dates. One, day first,
    where the days of the column say so themselves. Two are a question: also where only month first fits, or
    a number may be a spreadsheet's day.
    """
    distinct = set(texts)
    day_first, month_first = (
        {text for text in distinct if _NUMBERS.fullmatch(text) and read_time(text, order)}
        for order in DateOrder
    )
    is_open = any(map(_SERIAL.fullmatch, distinct)) or month_first - day_first
    if is_open or (day_first and day_first == month_first):
        return list(DateOrder)[:: -1 if len(month_first) > len(day_first) else 1]
    return [DateOrder.DAY_FIRST] if day_first else []


def read_day(text: str, order: DateOrder) -> str | None:
    """The day as ISO 8601; None for any other text, for a year of two digits, and for a time after midnight.

    >>> read_day("3/4/2026", DateOrder.DAY_FIRST), read_day("3/4/2026", DateOrder.MONTH_FIRST)
    ('2026-04-03', '2026-03-04')
    """
    plain = _in_plain_order(text, order)
    if day := clock.read_day(plain):
        return day.isoformat()
    instant = clock.read_london_time(plain)
    local = instant.astimezone(clock.LONDON) if instant else None
    return local.date().isoformat() if local and local.time() == time() else None


def read_time(text: str, order: DateOrder) -> str | None:
    """The day, or the instant of a London time in UTC, as ISO 8601; None for any other text.

    >>> read_time("14/03/2026 10:22", DateOrder.DAY_FIRST), read_time("14 Mar 2026", DateOrder.DAY_FIRST)
    ('2026-03-14T10:22:00Z', '2026-03-14')
    """
    plain = _in_plain_order(text, order)
    if day := clock.read_day(plain):
        return day.isoformat()
    instant = clock.read_london_time(plain)
    return clock.format_utc(instant) if instant else None


def _in_plain_order(text: str, order: DateOrder) -> str:
    """The text with the day before the month, as the clock reads it; empty without a year of four digits."""
    if _SERIAL.fullmatch(text):
        seconds = int((Decimal(text) * 86_400).to_integral_value())
        return (_SERIAL_START + timedelta(seconds=seconds)).isoformat(" ").removesuffix(" 00:00:00")
    match = _NUMBERS.fullmatch(text)
    if match and order is DateOrder.MONTH_FIRST:
        return f"{match['second']}/{match['first']}/{match['rest']}"
    return text.replace("T", " ", 1) if _YEAR.match(text) else text if _YEAR.search(text) else ""


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
    words = " ".join(text.lower().replace("_", " ").replace("-", " ").split())
    return COMPLETED if words in _COMPLETED_WORDS else LEFT_OUT if words in _NOT_COMPLETED_WORDS else None


def read_employment(text: str) -> str | None:
    """`EMPLOYED` for the words that systems use of people who work there; None for any other text.

    >>> read_employment("True"), read_employment("False")
    ('employed', None)
    """
    return EMPLOYED if text.strip().lower() in _EMPLOYED_WORDS else None
