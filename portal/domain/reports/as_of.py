"""Which position a report shows: as at a London day, as known on an instant, read generously."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from portal.platform import clock
from portal.platform.clock import read_day
from portal.platform.errors import BadInputError

FIELDS = ("as_at", "as_known_on")
EARLIEST = date(1900, 1, 1)  # a year is looked back from it, and nobody who learns here worked before
TOO_EARLY = "Choose 1 January 1900 or a later day."
_LOST_PLUS = re.compile(r" (\d{2}:?\d{2})$")  # an address turns the + of an offset into a space


class PositionError(BadInputError):
    """A date or an instant of the address cannot be read or lies ahead.

    Attributes:
        field: The name of the field it came from: ``as_at`` or ``as_known_on``.
    """

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        super().__init__([reason])


@dataclass(frozen=True, slots=True)
class Position:
    """The two times of a report, both settled."""

    as_at: date  # London calendar day, not after today
    as_known_on: datetime  # UTC; the newest committed stamp or earlier
    today: date
    latest: bool  # nothing newer is known: the default knowledge

    @property
    def forecast(self) -> bool:
        """Whether the day lies after what was known of it: an outlook, not evidence."""
        return self.as_at > clock.london_day(self.as_known_on) and not self.latest

    @property
    def past(self) -> bool:
        """Whether something else than today, as known now, is shown."""
        return self.as_at != self.today or not self.latest

    @property
    def known_then(self) -> bool:
        """Whether the knowledge is that of the day itself."""
        return not self.latest and clock.london_day(self.as_known_on) == self.as_at

    @property
    def address(self) -> dict[str, str]:
        """Its part of an address; empty for today as known now."""
        pairs: dict[str, str] = {}
        if self.past:
            pairs["as_at"] = self.as_at.isoformat()
        if not self.latest:
            pairs["as_known_on"] = clock.format_utc(self.as_known_on)
        return pairs

    @property
    def pinned(self) -> dict[str, str]:
        """As ``address``, but with both times written out, so that a file asked for later is the same."""
        return {"as_at": self.as_at.isoformat(), "as_known_on": clock.format_utc(self.as_known_on)}


def position(as_at: str, as_known_on: str, *, now: datetime, newest: datetime | None) -> Position:
    """The position that two texts ask for; empty ones mean today and now.

    Args:
        as_at: A day, such as "30 April 2026", "30/4/2026" or "2026-04-30".
        as_known_on: A day, which means its end in London, or an ISO 8601 instant with its offset.
        now: This instant.
        newest: The newest committed stamp; knowledge ends there.

    Raises:
        PositionError: A text cannot be read, or asks for what is still to come or was long before.
    """
    today = clock.london_day(now)
    day = _day("as_at", as_at) if as_at.strip() else today
    if day > today:
        raise PositionError(
            "as_at", "The position can be shown for today or an earlier day, not for a day to come."
        )
    if day < EARLIEST:
        raise PositionError("as_at", TOO_EARLY)
    last = newest or now
    end = max(now, last)  # stamps rise even where the machine's clock stepped back
    asked = _instant(as_known_on, today, end) if as_known_on.strip() else end
    if asked > end:
        raise PositionError(
            "as_known_on", "As known on must be now or earlier: nothing is known from later yet."
        )
    if asked <= clock.end_of_day(EARLIEST - timedelta(days=1)):  # no day of it: year 1 has no London time
        raise PositionError("as_known_on", TOO_EARLY)
    latest = asked >= last
    return Position(day, last if latest else asked, today, latest)


def iso(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The pairs of an address with each day written as ISO 8601; what is no day stays as it is."""
    return [
        (name, day.isoformat() if name in FIELDS and (day := read_day(text)) else text)
        for name, text in pairs
    ]


def _day(field: str, text: str) -> date:
    day = read_day(text)
    if day is None:
        raise PositionError(field, "Write a date such as 30 April 2026.")
    return day


def _instant(text: str, today: date, now: datetime) -> datetime:
    """The end of the named day, which for today is now, or the named instant."""
    day = read_day(text)
    if day is not None:
        return now if day == today else clock.end_of_day(day)
    try:
        written = datetime.fromisoformat(_LOST_PLUS.sub(r"+\1", text.strip()))
        instant = written.astimezone(UTC) if written.tzinfo else None
    except (ValueError, OverflowError):
        instant = None
    if instant is None:
        reason = (
            "Write a date such as 30 April 2026, or an instant with its offset such as 2026-04-30T12:00:00Z."
        )
        raise PositionError("as_known_on", reason)
    return instant
