"""The table of item statistics: its columns, and how an address sorts it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring.statistics.queries import ItemStatisticsRow

DEFAULT_COLUMN = "item"
# Column -> what it sorts by; None sorts last, either way.
SORT_KEYS: dict[str, Callable[[ItemStatisticsRow], Any]] = {
    DEFAULT_COLUMN: lambda row: row.position,
    "answers": lambda row: row.statistics.answer_count,
    "correct": lambda row: row.statistics.share,
    "agreement": lambda row: row.statistics.correlation,
    "advice": lambda row: len(row.statistics.advice),
}


@dataclass(frozen=True, slots=True)
class StatisticsOrder:
    """A column to sort by, and whether downwards."""

    column: str = DEFAULT_COLUMN
    descending: bool = False

    def next_sort(self, column: str) -> str:
        """What the address says after the head of ``column`` is pressed."""
        return f"-{column}" if self.column == column and not self.descending else column

    def sort_direction(self, column: str) -> str | None:
        """What the head of ``column`` says of itself."""
        if column != self.column:
            return None
        return "descending" if self.descending else "ascending"

    def sort_rows(self, rows: Sequence[ItemStatisticsRow]) -> list[ItemStatisticsRow]:
        """The rows in this order; equals keep the order of the module's files."""
        by = SORT_KEYS[self.column]
        known = [row for row in rows if by(row) is not None]
        unknown = [row for row in rows if by(row) is None]
        return sorted(known, key=by, reverse=self.descending) + unknown


def parse_order(asked: str) -> StatisticsOrder:
    """The order that a text asks for, such as "-correct"; that of the files where it is empty."""
    return StatisticsOrder(asked.removeprefix("-"), asked.startswith("-")) if asked else StatisticsOrder()
