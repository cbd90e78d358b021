"""The sortable columns of the table of item statistics, and its order in an address."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring.statistics.queries import ItemStatisticsRow
from portal.domain.authoring.statistics.verdicts import VERDICTS

DEFAULT_COLUMN = "item"
# Sort key by column; rows without a value sort last in both directions.
SORT_KEYS: dict[str, Callable[[ItemStatisticsRow], Any]] = {
    DEFAULT_COLUMN: lambda row: row.position,
    "answers": lambda row: row.statistics.answer_count,
    "correct": lambda row: row.statistics.share,
    "agreement": lambda row: row.statistics.correlation,
    "thirds": lambda row: row.thirds.discrimination,
    "time": lambda row: row.seconds,
    "advice": lambda row: VERDICTS.index(row.verdict) if row.verdict else None,
}


@dataclass(frozen=True, slots=True)
class StatisticsOrder:
    """A column to sort by, and the direction."""

    column: str = DEFAULT_COLUMN
    descending: bool = False

    def next_sort(self, column: str) -> str:
        """The sort parameter of the address behind the heading of ``column``."""
        return f"-{column}" if self.column == column and not self.descending else column

    def sort_direction(self, column: str) -> str | None:
        """The value of ``aria-sort`` on the heading of ``column``; None where it is not sorted by."""
        if column != self.column:
            return None
        return "descending" if self.descending else "ascending"

    def sort_rows(self, rows: Sequence[ItemStatisticsRow]) -> list[ItemStatisticsRow]:
        """The rows in this order; equal rows keep the order of the module's files."""
        sort_key = SORT_KEYS[self.column]
        known = [row for row in rows if sort_key(row) is not None]
        unknown = [row for row in rows if sort_key(row) is None]
        return sorted(known, key=sort_key, reverse=self.descending) + unknown


def parse_order(text: str) -> StatisticsOrder:
    """Parse a sort parameter such as "-correct"; the order of the files where it is empty."""
    return StatisticsOrder(text.removeprefix("-"), text.startswith("-")) if text else StatisticsOrder()
