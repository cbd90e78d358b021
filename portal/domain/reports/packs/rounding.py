"""Rounds numbers of people so that tables add up and tell no small number (controlled rounding). Pure.

Every number becomes a multiple of the base, one of the two beside it; a multiple stays. Which of the two is
chosen at random, the nearer one more often, by a secret key and by what is counted: so the same number of the
same thing is rounded alike each time, wherever the sums allow it, and repeating a request averages nothing
out. Sums are those of the rounded parts.

So what is published could itself be the truth, and would then be published unchanged, whatever the key. In
it no number is small. Hence nobody who has the tables and this rule, and tries every force there could be, is
certain of a small number.
"""

import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

Row = Sequence[int]
Cell = tuple[int, int]  # row, column
MOST_TRIES = 50


def is_small(count: int, small: int) -> bool:
    """Whether a count is above zero and below the small number.

    Zero is not small: it says of nobody that they did something.
    """
    return 0 < count < small


@dataclass(frozen=True, slots=True)
class Rounding:
    """How numbers are rounded.

    Attributes:
        base: Every number becomes a multiple of it.
        key: Secret, and of what is counted: two directives have two keys, so that what differs between them
            cannot be told from their rounded numbers.
    """

    base: int
    key: bytes = field(repr=False)

    @classmethod
    def of_subject(cls, base: int, secret: str, subject: str) -> "Rounding":
        """The rounding of one subject's numbers, by the portal's secret."""
        return cls(base, hmac.digest(secret.encode(), f"rounding: {subject}".encode(), "sha256"))

    def prefer_up(self, count: int, *label: str | int) -> float:
        """How much rather a count is rounded up than down: above 0 as often as it is near the one above."""
        words = repr((self.base, count, *label)).encode()
        chance = int.from_bytes(hmac.digest(self.key, words, "sha256")[:7], "big") / 2**56
        return count % self.base / self.base - chance

    def round_count(self, count: int, *label: str | int) -> int:
        """Round one count."""
        return self.floor(count) + (self.base if self.prefer_up(count, *label) > 0 else 0)

    def round_parts(self, parts: Mapping[str, int], total: int, *label: str | int) -> dict[str, int]:
        """Round the parts of a total that is rounded already: they add up to it."""
        wishes = {name: self.prefer_up(count, *label, name) for name, count in parts.items()}
        open_parts = [name for name, count in parts.items() if count % self.base]
        rounded = {name: self.floor(count) for name, count in parts.items()}
        ups = (total - sum(rounded.values())) // self.base
        for name in sorted(open_parts, key=lambda name: -wishes[name])[:ups]:
            rounded[name] += self.base
        return rounded

    def floor(self, count: int) -> int:
        """The multiple at or below a count."""
        return count - count % self.base

    def ceil(self, count: int) -> int:
        """The multiple at or above a count."""
        return count + -count % self.base

    def name_groups(self, people: Mapping[str, int]) -> list[str]:
        """The groups of at least twice the base, in the order given; the others are to be counted together.

        So that those together are not fewer, the smallest of the named ones may join them.
        """
        least = 2 * self.base
        named = sorted((name for name in people if people[name] >= least), key=lambda name: people[name])
        rest = sum(count for count in people.values() if count < least)
        while named and 0 < rest < least:
            rest += people[named.pop(0)]
        return [name for name in people if name in named]

    def merge_rows(self, rows: Mapping[str, Row], other: str) -> dict[str, Row]:
        """The rows of the groups that are named, and the sum of the others."""
        named = self.name_groups({name: sum(row) for name, row in rows.items()})
        others = [row for name, row in rows.items() if name not in named]
        merged = {name: rows[name] for name in named}
        if others:
            merged[other] = [sum(column) for column in zip(*others, strict=True)]
        return merged

    def round_lacking(self, lacking: Mapping[str, int], least: int, most: int) -> dict[str, int]:
        """Round how many lack each requirement: none more than ``most``, all together at least ``least``.

        Whoever lacks one is not complete, and whoever is not complete lacks at least one.
        """
        rounded = {
            key: min(self.round_count(lack, "requirement", key), most) for key, lack in lacking.items()
        }
        while sum(rounded.values()) < least:
            rounded[max((key for key in rounded if rounded[key] < most), key=rounded.__getitem__)] += (
                self.base
            )
        return rounded

    def round_rows(self, rows: Mapping[str, Row], totals: Row, *label: str) -> "RoundedRows":
        """Round the rows of a table whose column totals are rounded already.

        Each cell is rounded, so each column adds up to its total. Each row adds up to a multiple beside its
        true sum, if any choice of cells does that.
        """
        table = _Table(self, list(rows.values()))
        for column, total in enumerate(totals):
            parts = {name: row[column] for name, row in rows.items()}
            rounded = self.round_parts(parts, total, *label, column)
            table.ups |= {
                (place, column) for place, name in enumerate(rows) if rounded[name] > self.floor(parts[name])
            }
        fits = table.settle_rows()
        return RoundedRows(dict(zip(rows, table.list_rows(), strict=True)), fits)


@dataclass(frozen=True, slots=True)
class RoundedRows:
    """A rounded table, and whether each row's sum is beside the true one."""

    rows: dict[str, list[int]]
    fits: bool


@dataclass
class _Table:
    """Cells that are rounded up or down, moved between rows until the rows fit too."""

    rounding: Rounding
    counts: list[Row]
    ups: set[Cell] = field(default_factory=set)

    def list_rows(self) -> list[list[int]]:
        """The rounded cells."""
        base, floor = self.rounding.base, self.rounding.floor
        return [
            [floor(count) + base * ((place, column) in self.ups) for column, count in enumerate(row)]
            for place, row in enumerate(self.counts)
        ]

    def settle_rows(self) -> bool:
        """Move what is rounded up from rows with too much, and to rows with too little; whether all fit."""
        floor, ceil = self.rounding.floor, self.rounding.ceil
        low = [floor(sum(row)) for row in self.counts]
        high = [ceil(sum(row)) for row in self.counts]
        while True:
            sums = [sum(row) for row in self.list_rows()]
            too_much = {place for place, total in enumerate(sums) if total > high[place]}
            too_little = {place for place, total in enumerate(sums) if total < low[place]}
            if not too_much and not too_little:
                return True
            has_room = {place for place, total in enumerate(sums) if total < high[place]}
            can_give = {place for place, total in enumerate(sums) if total > low[place]}
            path = self._find_path(too_much, has_room) or self._find_path(can_give, too_little)
            if path is None:
                return False
            for (giver, column), (taker, _) in path:
                self.ups -= {(giver, column)}
                self.ups |= {(taker, column)}

    def _find_path(self, givers: Collection[int], takers: Collection[int]) -> list[tuple[Cell, Cell]] | None:
        """The shortest way to move one rounding up from a giver to a taker, by rows between them."""
        came_by: dict[int, tuple[Cell, Cell] | None] = dict.fromkeys(sorted(givers))
        seen_columns: set[int] = set()
        queue = list(came_by)
        for row in queue:
            for column in range(len(self.counts[row])):
                if column in seen_columns or (row, column) not in self.ups:
                    continue
                seen_columns.add(column)
                for other in self._list_open(column):
                    if other not in came_by:
                        came_by[other] = ((row, column), (other, column))
                        queue.append(other)
                        if other in takers:
                            return _walk_back(came_by, other)
        return None

    def _list_open(self, column: int) -> list[int]:
        """The rows whose cell in a column is rounded down and may be rounded up."""
        return [
            place
            for place, row in enumerate(self.counts)
            if row[column] % self.rounding.base and (place, column) not in self.ups
        ]


def _walk_back(came_by: Mapping[int, tuple[Cell, Cell] | None], row: int) -> list[tuple[Cell, Cell]]:
    path = []
    while (step := came_by[row]) is not None:
        path.append(step)
        row = step[0][0]
    return path
