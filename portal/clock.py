"""The one place that asks the time: instants in UTC, days in London."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")


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
