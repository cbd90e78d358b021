"""What the address of a report asks to narrow it to, and how it is sorted."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from portal.standing.algebra import Status

NOT_COMPLETE = "not_complete"
LATE = "late"
MISSING = tuple(status for status in Status if not status.held and not status.excluded)

STATUS_WORDS = {
    NOT_COMPLETE: "Not complete",
    LATE: "Overdue or expired",
    **{status.key: status.label for status in Status},
}
SORTS = ("status", "person", "due", "rank", "role", "unit")


@dataclass(frozen=True, slots=True)
class Filters:
    """Narrows a report to those whom every filled field matches; an unknown value matches nobody."""

    q: str = ""  # part of a name, or of a staff number
    unit: str = ""  # a unit's path: it and all units under it
    role: str = ""
    rank: str = ""
    status: str = ""  # of the person under the whole directive

    @property
    def statuses(self) -> tuple[Status, ...]:
        """The statuses asked for; empty where the value is none."""
        if self.status == NOT_COMPLETE:
            return MISSING
        if self.status == LATE:
            return (Status.OVERDUE, Status.EXPIRED)
        return tuple(status for status in Status if status.key == self.status)

    @property
    def address(self) -> dict[str, str]:
        """The filled fields, as they stand in an address."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}

    @property
    def names(self) -> list[str]:
        """Which fields are filled; the audit trail keeps no free text."""
        return sorted(self.address)

    def __bool__(self) -> bool:
        return bool(self.address)

    def without(self, name: str) -> "Filters":
        """The same, with one field emptied."""
        return replace(self, **{name: ""})


EVERYONE = Filters()


def filters_of(arguments: Mapping[str, str]) -> Filters:
    """The filters that an address asks for."""
    return Filters(**{field.name: arguments.get(field.name, "").strip() for field in fields(Filters)})


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


def order_of(arguments: Mapping[str, str]) -> Order:
    """The order that an address asks for; the usual one where it asks for none or for nonsense."""
    asked = arguments.get("sort", "")
    column = asked.removeprefix("-")
    return Order(column, asked.startswith("-")) if column in SORTS else Order()
