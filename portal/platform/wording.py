"""Dates, numbers and names as pages say them, in GOV.UK style.

Every filter is a plain function of its arguments; none asks the time.
"""

from datetime import date as calendar_date
from datetime import datetime
from decimal import ROUND_DOWN, Decimal

from portal.platform.clock import LONDON, london_time


def date(day: calendar_date | None) -> str:
    """The day in words; an instant gives its London day, nothing gives an empty text.

    >>> date(calendar_date(2026, 4, 30))
    '30 April 2026'
    """
    if day is None:
        return ""
    if isinstance(day, datetime):
        day = day.astimezone(LONDON).date()
    return f"{day.day} {day:%B %Y}"


def month_words(day: calendar_date) -> str:
    """The month that a day is in.

    >>> month_words(calendar_date(2026, 4, 1))
    'April 2026'
    """
    return f"{day:%B %Y}"


def instant(moment: datetime | None) -> str:
    """The instant in London time and words, such as "09:14 on 30 April 2026"."""
    return "" if moment is None else f"{clock_time(moment)} on {date(moment)}"


def clock_time(moment: datetime | None) -> str:
    """The London time of day of an instant, such as "09:14"."""
    return "" if moment is None else london_time(moment)


def minutes_words(minutes: int) -> str:
    """A length of time in hours and minutes.

    >>> minutes_words(100)
    '1 hour 40 minutes'
    >>> minutes_words(120)
    '2 hours'
    """
    hours, rest = divmod(max(minutes, 0), 60)
    parts = [plural(hours, "hour")] if hours else []
    if rest or not hours:
        parts.append(plural(rest, "minute"))
    return " ".join(parts)


def days_words(days: int) -> str:
    """How far a day lies from today, for use beside its date, never instead of it.

    >>> [days_words(n) for n in (12, 1, 0, -1, -209)]
    ['in 12 days', 'tomorrow', 'today', 'yesterday', '209 days ago']
    """
    near = {0: "today", 1: "tomorrow", -1: "yesterday"}
    if days in near:
        return near[days]
    return f"in {number(days)} days" if days > 0 else f"{number(-days)} days ago"


def percent_cut(part: int | Decimal, whole: int) -> str:
    """The share in whole per cent, cut and never rounded up, so that 100% means all of them.

    Nothing out of nothing is no share at all and is shown as a dash.

    >>> percent_cut(412, 494), percent_cut(999, 1000), percent_cut(0, 0)
    ('83%', '99%', '–')
    """
    return f"{part * 100 // whole}%" if whole else "–"


def score_words(raw: Decimal, maximum: int) -> str:
    """A score as marks and in per cent, both cut, so that none just below a pass mark reads as a pass.

    >>> score_words(Decimal("11.8125"), 12), score_words(Decimal("9.5999"), 12)
    ('11.8 of 12 (98%)', '9.5 of 12 (79%)')
    """
    return f"{marks_words(raw)} of {maximum} ({percent_cut(raw, maximum)})"


def marks_words(marks: Decimal | str) -> str:
    """Marks with one decimal at most, cut.

    >>> marks_words("0.8750"), marks_words(Decimal("1.0000"))
    ('0.8', '1')
    """
    return f"{Decimal(marks).quantize(Decimal('0.1'), ROUND_DOWN)}".removesuffix(".0")


def percent_exact(share: Decimal) -> str:
    """A share that somebody set, in per cent with every place that it has.

    >>> percent_exact(Decimal("0.975")), percent_exact(Decimal("1"))
    ('97.5%', '100%')
    """
    return f"{(share * 100).normalize():f}%"


def fraction(part: int, whole: int) -> str:
    """How many of how many.

    >>> fraction(412, 1494)
    '412 of 1,494'
    """
    return f"{number(part)} of {number(whole)}"


def number(value: int) -> str:
    """The number with commas between thousands.

    >>> number(2060)
    '2,060'
    """
    return f"{value:,}"


def size_words(size: int) -> str:
    """A number of bytes as people read it.

    >>> size_words(1), size_words(150_000), size_words(2_500_000), size_words(10 * 1024 * 1024)
    ('1 KB', '147 KB', '2.4 MB', '10 MB')
    """
    kilobytes = -(-size // 1024)
    return f"{kilobytes} KB" if kilobytes < 1024 else f"{size / 1024 / 1024:.1f} MB".replace(".0 MB", " MB")


def plural(count: int, one: str, many: str | None = None) -> str:
    """The count and its noun; the plural adds an s where it is not given.

    >>> plural(1, "person", "people"), plural(2060, "row")
    ('1 person', '2,060 rows')
    """
    return f"{number(count)} {one if count == 1 else many or f'{one}s'}"
