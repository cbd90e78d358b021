"""The parameters of a report, as an address or a command gives them: position, filters and order.

The position is as_at, a London day, with as_known_on, an instant; people write both in many ways.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Protocol, runtime_checkable

from portal.domain.people import units
from portal.domain.status.rules import Status
from portal.platform import clock
from portal.platform.db import read_stamps
from portal.platform.errors import BadInputError, RuleError

FIELDS = ("as_at", "as_known_on")
EARLIEST = date(1900, 1, 1)  # reports look back a year from it, and nobody who learns here worked before
TOO_EARLY = "Choose 1 January 1900 or a later date."


class PositionError(BadInputError):
    """A date or time in the address cannot be read, lies ahead, or is before 1900.

    Attributes:
        field: The name of the field it came from: ``as_at`` or ``as_known_on``.
    """

    def __init__(self, field: str, reason: str) -> None:
        self.field = field
        super().__init__([reason])


@dataclass(frozen=True, slots=True)
class Position:
    """The two times of a report: as_at and as_known_on."""

    as_at: date  # London calendar day, not after today
    as_known_on: datetime  # UTC; the newest committed stamp or earlier
    today: date
    latest: bool  # as_known_on is the newest stamp: the default

    @property
    def forecast(self) -> bool:
        """Whether as_at is later than as_known_on: the report is an outlook, not evidence."""
        return self.as_at > clock.london_day(self.as_known_on) and not self.latest

    @property
    def past(self) -> bool:
        """Whether the position is another than today as known now."""
        return self.as_at != self.today or not self.latest

    @property
    def known_then(self) -> bool:
        """Whether as_known_on falls on the day as_at."""
        return not self.latest and clock.london_day(self.as_known_on) == self.as_at

    @property
    def address(self) -> dict[str, str]:
        """The position as arguments of an address; empty for today as known now."""
        pairs: dict[str, str] = {}
        if self.past:
            pairs["as_at"] = self.as_at.isoformat()
        if not self.latest:
            pairs["as_known_on"] = clock.format_utc(self.as_known_on)
        return pairs

    @property
    def pinned(self) -> dict[str, str]:
        """Like ``address``, but always with both times, so that a file requested later is the same."""
        return {"as_at": self.as_at.isoformat(), "as_known_on": clock.format_utc(self.as_known_on)}


def parse_position(
    as_at: str, as_known_on: str, *, now: datetime, newest: datetime | None, ahead: datetime | None = None
) -> Position:
    """Parse the position that two texts name; empty ones mean today and now.

    Args:
        as_at: A day, such as "30 April 2026", "30/4/2026" or "2026-04-30".
        as_known_on: A day, which means its end in London; a London time such as "9:00 on 15 May 2026"; or an
            ISO 8601 instant with its offset.
        now: The current instant.
        newest: The newest committed stamp.
        ahead: The stamp of a change that is being written: until it is there, nothing is known on a later
            instant than the newest stamp.

    Raises:
        PositionError: A text cannot be read, or names a time in the future or before 1900.
    """
    today = clock.london_day(now)
    day = _parse_day("as_at", as_at, today) if as_at.strip() else today
    if day > today:
        raise PositionError(
            "as_at", "Enter today's date or an earlier one. A position cannot be shown for a future date."
        )
    if day < EARLIEST:
        raise PositionError("as_at", TOO_EARLY)
    newest_stamp = newest or now
    end = max(now, newest_stamp)  # stamps rise even if the machine's clock was set back
    if ahead is not None:  # stamps that others take meanwhile may be earlier than the clock
        end = newest_stamp
    instant = _parse_instant(as_known_on, today, end) if as_known_on.strip() else end
    if instant > end:
        raise PositionError("as_known_on", "As known on must be now or earlier.")
    if instant <= clock.end_of_day(
        EARLIEST - timedelta(days=1)
    ):  # its day may not exist: year 1 has no London
        raise PositionError("as_known_on", TOO_EARLY)
    latest = instant >= newest_stamp
    return Position(day, newest_stamp if latest else instant, today, latest)


def read_position(as_at: str, as_known_on: str, *, now: datetime) -> Position:
    """The position that two texts name, by the newest stamp of this moment. One statement.

    Raises:
        PositionError: A text cannot be read, or names a time in the future or before 1900.
    """
    newest, ahead = read_stamps()
    return parse_position(as_at, as_known_on, now=now, newest=newest, ahead=ahead)


def read_position_today(now: datetime) -> Position:
    """Today, with all that is known at this instant. One statement."""
    return read_position("", "", now=now)


def write_days_as_iso(pairs: Iterable[tuple[str, str]], today: date) -> list[tuple[str, str]]:
    """The arguments of an address, with the days and times of a position written as ISO 8601."""
    return [(name, write_as_iso(text, today) if name in FIELDS else text) for name, text in pairs]


def write_as_iso(text: str, today: date) -> str:
    """A day or a London time as ISO 8601; any other text unchanged.

    >>> day = date(2026, 5, 16)
    >>> write_as_iso("30/4/2026", day), write_as_iso("yesterday at 9:00", day), write_as_iso("soon", day)
    ('2026-04-30', '2026-05-15T08:00:00Z', 'soon')
    """
    if day := clock.read_day(text, today):
        return day.isoformat()
    instant = clock.read_london_time(text, today)
    return text if instant is None else clock.format_utc(instant)


def _parse_day(field: str, text: str, today: date) -> date:
    day = clock.read_day(text, today)
    if day is None:
        raise PositionError(field, "Enter a date, such as 30 April 2026.")
    return day


def _parse_instant(text: str, today: date, now: datetime) -> datetime:
    """The named instant, or the end of the named day, which for today is now."""
    day = clock.read_day(text, today)
    if day is not None:
        return now if day == today else clock.end_of_day(day)
    instant = clock.read_instant(text, today)
    if instant is None:
        raise PositionError("as_known_on", "Enter a date, or a date and time, such as 9:00 on 15 May 2026.")
    return instant


@runtime_checkable
class RepeatedArguments(Protocol):
    """Arguments that may be repeated, as in a web address."""

    def getlist(self, name: str) -> list[str]:
        """All values of an argument."""


NOT_COMPLETE = "not_complete"
LATE = "late"
MISSING = tuple(status for status in Status if not status.held and not status.excluded)

NAMES = ("q", "unit", "role", "rank", "status", "late", "due")

STATUS_WORDS = {
    NOT_COMPLETE: "Not complete",
    LATE: "Overdue or expired",
    **{status.key: status.label for status in Status},
}
LATE_BANDS = {"1-30": (1, 30), "31-90": (31, 90), "over-90": (91, 1_000_000)}  # days overdue
LATE_WORDS = {"1-30": "1 to 30 days", "31-90": "31 to 90 days", "over-90": "More than 90 days"}
DUE_DAYS = {"30": 30}
DUE_WORDS = {"30": "In the next 30 days"}
FIELD_WORDS = {
    "q": "Name or number",
    "unit": "Unit",
    "role": "Role",
    "rank": "Rank or grade",
    "status": "Status",
    "late": "Overdue by",
    "due": "Due",
}
VALUE_WORDS = {"status": STATUS_WORDS, "late": LATE_WORDS, "due": DUE_WORDS}
SORTS = ("status", "person", "due", "rank", "role", "unit")


@dataclass(frozen=True, slots=True)
class Filters:
    """Filters of a report: it lists the people who match every filled field.

    ``known_values`` refuses values that the viewer cannot know.
    """

    q: str = ""  # part of a name, or of a staff number
    unit: str = ""  # a unit's path: it and all units under it
    role: str = ""
    rank: str = ""  # one, or several as ``join_values`` writes them: any of these
    status: str = ""  # of the person under the whole directive
    late: str = ""  # how long overdue: a key of LATE_BANDS
    due: str = ""  # how soon due, if anything is still to complete: a key of DUE_DAYS
    unit_label: str = field(default="", compare=False)  # no filter: how pages write the unit

    @property
    def statuses(self) -> tuple[Status, ...]:
        """The statuses that the filter selects; empty if the value is unknown."""
        if self.status == NOT_COMPLETE:
            return MISSING
        if self.status == LATE:
            return (Status.OVERDUE, Status.EXPIRED)
        return tuple(status for status in Status if status.key == self.status)

    @property
    def ranks(self) -> tuple[str, ...]:
        """The ranks or grades that the filter selects."""
        return split_values(self.rank)

    @property
    def group(self) -> "Filters":
        """The filters on people alone: unit, role and rank, without name and status."""
        return replace(EVERYONE, unit=self.unit, role=self.role, rank=self.rank, unit_label=self.unit_label)

    @property
    def address(self) -> dict[str, str]:
        """The filled fields as arguments of an address."""
        return {name: value for name in NAMES if (value := getattr(self, name))}

    @property
    def names(self) -> list[str]:
        """Names of the filled fields: the audit trail keeps no free text."""
        return sorted(self.address)

    @property
    def in_words(self) -> list[str]:
        """The filled fields in words, as pages and files show them."""
        return [f"{FIELD_WORDS[name]}: {self.words_of(name)}" for name in self.address]

    def words_of(self, name: str) -> str:
        """The value of a field in words, as ``value_in_words`` writes it, with the unit's label if known."""
        label = self.unit_label if name == "unit" else ""
        return label or value_in_words(name, getattr(self, name))

    def __bool__(self) -> bool:
        return bool(self.address)

    def without(self, *names: str) -> "Filters":
        """The same filters with these fields emptied."""
        return replace(self, **dict.fromkeys(names, ""))


EVERYONE = Filters()


def value_in_words(name: str, value: str) -> str:
    """The value of a field in words; an unknown value as it was written."""
    if name == "unit":
        return unit_name(value)
    if name == "rank":
        return " or ".join(split_values(value))
    words = VALUE_WORDS.get(name, {}).get(value)
    return words.lower() if words else value


def unit_name(path: str) -> str:
    """The names of a unit's path below the force; a text that is not a path is left as it is.

    >>> unit_name("Westshire Police/Response/Serious//Organised"), unit_name("/")
    ('Response, Serious/Organised', '/')
    """
    try:
        names = units.split(path)
    except RuleError:
        return path
    return ", ".join(names[1:] or names)


def join_values(values: Iterable[str]) -> str:
    """Join values with commas; a value that contains a comma is quoted.

    >>> join_values(["Sergeant", "Inspector"]), join_values(["Constable, special"])
    ('Sergeant,Inspector', '"Constable, special"')
    """
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(values)
    return buffer.getvalue()


def split_values(text: str) -> tuple[str, ...]:
    """The distinct values of a text that ``join_values`` wrote; any other text is one value."""
    try:
        values = next(csv.reader([text]), [])
    except csv.Error:
        values = [text]
    return tuple(dict.fromkeys(stripped for value in values if (stripped := value.strip())))


def parse_filters(arguments: Mapping[str, str]) -> Filters:
    """Parse the filters of an address. Of a repeated field the first value counts.

    Only ranks may be repeated: a form sends each as an argument of its own.
    """
    values = {name: arguments.get(name, "").strip() for name in NAMES}
    if isinstance(arguments, RepeatedArguments) and len(ranks := arguments.getlist("rank")) > 1:
        values["rank"] = join_values(rank for text in ranks for rank in split_values(text))
    return Filters(**values) if split_values(values["rank"]) else Filters(**{**values, "rank": ""})


@dataclass(frozen=True, slots=True)
class Order:
    """The column that a table is sorted by, and the direction."""

    column: str = "status"
    descending: bool = False

    @property
    def address(self) -> dict[str, str]:
        """The order as arguments of an address; empty for the default, the worst status first."""
        return {} if self == Order() else {"sort": f"-{self.column}" if self.descending else self.column}

    def order_after_click(self, column: str) -> "Order":
        """The order after a click on the head of ``column``: reversed if the table is sorted by it."""
        return Order(column, self.column == column and not self.descending)

    def direction(self, column: str) -> str | None:
        """The direction that the head of ``column`` shows; None if the table is not sorted by it."""
        if column != self.column:
            return None
        return "descending" if self.descending else "ascending"


def parse_order(text: str) -> Order:
    """Parse an order such as "-due"; an empty text means the default order."""
    return Order(text.removeprefix("-"), text.startswith("-")) if text else Order()
