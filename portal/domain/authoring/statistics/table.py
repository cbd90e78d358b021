"""The table of item statistics: its columns, and how an address sorts it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring.statistics.queries import ItemRow

USUAL = "item"
# Column -> what it sorts by; None sorts last, either way.
COLUMNS: dict[str, Callable[[ItemRow], Any]] = {
    USUAL: lambda row: row.position,
    "answers": lambda row: row.figures.answers,
    "correct": lambda row: row.figures.share,
    "agreement": lambda row: row.figures.correlation,
    "advice": lambda row: len(row.figures.advice),
}


@dataclass(frozen=True, slots=True)
class Order:
    """A column to sort by, and whether downwards."""

    column: str = USUAL
    descending: bool = False

    def pressed(self, column: str) -> str:
        """What the address says after the head of ``column`` is pressed."""
        return f"-{column}" if self.column == column and not self.descending else column

    def direction(self, column: str) -> str | None:
        """What the head of ``column`` says of itself."""
        if column != self.column:
            return None
        return "descending" if self.descending else "ascending"

    def sorted(self, rows: Sequence[ItemRow]) -> list[ItemRow]:
        """The rows in this order; equals keep the order of the module's files."""
        by = COLUMNS[self.column]
        known = [row for row in rows if by(row) is not None]
        unknown = [row for row in rows if by(row) is None]
        return sorted(known, key=by, reverse=self.descending) + unknown


def order_of(asked: str) -> Order:
    """The order that a text asks for, such as "-correct"; that of the files where it is empty."""
    return Order(asked.removeprefix("-"), asked.startswith("-")) if asked else Order()
