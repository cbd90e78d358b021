"""What the address of a report asks to narrow it to, and how it is sorted."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Protocol, runtime_checkable

from portal.domain.people.units import paths
from portal.domain.status.rules import Status
from portal.platform.errors import RuleError


@runtime_checkable
class RepeatedArguments(Protocol):
    """Arguments of which one name may have several values, as those of a web address."""

    def getlist(self, name: str) -> list[str]:
        """All values of a name."""


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
    """Narrows a report to the people that match every filled field; ``known_values`` refuses unknown ones."""

    q: str = ""  # part of a name, or of a staff number
    unit: str = ""  # a unit's path: it and all units under it
    role: str = ""
    rank: str = ""  # one, or several as ``listed`` writes them: any of these
    status: str = ""  # of the person under the whole directive
    late: str = ""  # how long overdue: a key of LATE_BANDS
    due: str = ""  # how soon due, where there is still something to complete: a key of DUE_DAYS

    @property
    def statuses(self) -> tuple[Status, ...]:
        """The statuses asked for; empty where the value is none."""
        if self.status == NOT_COMPLETE:
            return MISSING
        if self.status == LATE:
            return (Status.OVERDUE, Status.EXPIRED)
        return tuple(status for status in Status if status.key == self.status)

    @property
    def ranks(self) -> tuple[str, ...]:
        """The ranks or grades asked for."""
        return _apart(self.rank)

    @property
    def group(self) -> "Filters":
        """Who is asked about, without where they stand."""
        return Filters(unit=self.unit, role=self.role, rank=self.rank)

    @property
    def address(self) -> dict[str, str]:
        """The filled fields, as they stand in an address."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}

    @property
    def names(self) -> list[str]:
        """Which fields are filled; the audit trail keeps no free text."""
        return sorted(self.address)

    @property
    def said(self) -> list[str]:
        """The filled fields in words, as chips, files and papers name them."""
        return [f"{FIELD_WORDS[name]}: {said(name, value)}" for name, value in self.address.items()]

    def __bool__(self) -> bool:
        return bool(self.address)

    def without(self, *names: str) -> "Filters":
        """The same, with these fields emptied."""
        return replace(self, **dict.fromkeys(names, ""))


EVERYONE = Filters()


def said(name: str, value: str) -> str:
    """The value of a field in words; one that no page offers, as it was written."""
    if name == "unit":
        return unit_name(value)
    if name == "rank":
        return " or ".join(_apart(value))
    words = VALUE_WORDS.get(name, {}).get(value)
    return words.lower() if words else value


def unit_name(path: str) -> str:
    """The last name of a unit's path; a text that is no path stays as it was written.

    >>> unit_name("Westshire Police/Serious//Organised"), unit_name("/")
    ('Serious/Organised', '/')
    """
    try:
        return paths.split(path)[-1]
    except RuleError:
        return path


def listed(values: Iterable[str]) -> str:
    """Several values as one text, with commas; a value that holds one stands in quotes.

    >>> listed(["Sergeant", "Inspector"]), listed(["Constable, special"])
    ('Sergeant,Inspector', '"Constable, special"')
    """
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(values)
    return buffer.getvalue()


def _apart(text: str) -> tuple[str, ...]:
    """The values of a text as ``listed`` writes it, each once; whatever else it is, it is one value."""
    try:
        found = next(csv.reader([text]), [])
    except csv.Error:
        found = [text]
    return tuple(dict.fromkeys(value for one in found if (value := one.strip())))


def filters_of(arguments: Mapping[str, str]) -> Filters:
    """The filters that an address asks for; of a field that stands there several times, the first.

    Ranks alone may stand there several times, as a form sends them.
    """
    found = {field.name: arguments.get(field.name, "").strip() for field in fields(Filters)}
    if isinstance(arguments, RepeatedArguments) and len(several := arguments.getlist("rank")) > 1:
        found["rank"] = listed(value for text in several for value in _apart(text))
    return Filters(**found) if _apart(found["rank"]) else Filters(**{**found, "rank": ""})


@dataclass(frozen=True, slots=True)
class Order:
    """A column to sort by, and whether downwards."""

    column: str = "status"
    descending: bool = False

    @property
    def address(self) -> dict[str, str]:
        """Its part of an address; empty for the usual order, the worst first."""
        return {} if self == Order() else {"sort": f"-{self.column}" if self.descending else self.column}

    def pressed(self, column: str) -> "Order":
        """The order after the head of ``column`` is pressed: turned round where it sorts already."""
        return Order(column, self.column == column and not self.descending)

    def direction(self, column: str) -> str | None:
        """What the head of ``column`` says of itself."""
        if column != self.column:
            return None
        return "descending" if self.descending else "ascending"


def order_of(asked: str) -> Order:
    """The order that a text asks for, such as "-due"; the usual one where it is empty."""
    return Order(asked.removeprefix("-"), asked.startswith("-")) if asked else Order()
