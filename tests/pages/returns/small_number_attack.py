"""Somebody who has every file and page of a month, and works out what is hidden by narrowing intervals.

Unknown are the people complete, not complete and excluded of each force under each requirement. Known is what
is shown, and what everybody knows: the three add up to those assigned, the forces of a total to the total,
and whoever has not completed a requirement has not completed the whole directive.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Cell = tuple[str, str, str]  # requirement, force, column
COLUMNS = ("complete", "not_complete", "excluded")
MOST = 10_000


@dataclass
class Knowledge:
    """Between which numbers each cell lies, and which sums of cells are known to lie between which."""

    low: dict[Cell, int] = field(default_factory=dict)
    high: dict[Cell, int] = field(default_factory=dict)
    sums: list[tuple[dict[Cell, int], float, float]] = field(default_factory=list)

    def learn_cell(self, cell: Cell, number: int | None) -> None:
        """A cell that is shown, or is hidden."""
        self.low[cell] = 0 if number is None else number
        self.high[cell] = MOST if number is None else number

    def learn_sum(self, cells: Iterable[Cell], number: int) -> None:
        self.sums.append((dict.fromkeys(cells, 1), number, number))

    def learn_at_most(self, cell: Cell, others: Iterable[Cell]) -> None:
        """A cell is at most the sum of others."""
        self.sums.append(({**dict.fromkeys(others, -1), cell: 1}, -math.inf, 0))

    def narrow(self) -> None:
        """Narrow every interval until nothing changes any more."""
        changed = True
        while changed:
            changed = False
            for weights, least, most in self.sums:
                lows = sum(self._ends(cell, weight)[0] for cell, weight in weights.items())
                highs = sum(self._ends(cell, weight)[1] for cell, weight in weights.items())
                for cell, weight in weights.items():
                    low, high = self._ends(cell, weight)
                    up, down = most - (lows - low), least - (highs - high)
                    changed |= self._bound(cell, weight, down, up)
                    if changed:
                        break
                if changed:
                    break

    def _ends(self, cell: Cell, weight: int) -> tuple[int, int]:
        ends = (weight * self.low[cell], weight * self.high[cell])
        return min(ends), max(ends)

    def _bound(self, cell: Cell, weight: int, down: float, up: float) -> bool:
        if weight < 0:
            down, up = -up, -down
        low, high = max(self.low[cell], down), min(self.high[cell], up)
        if (low, high) == (self.low[cell], self.high[cell]):
            return False
        assert low <= high, f"{cell}: the attacker believes what is not so"
        self.low[cell], self.high[cell] = int(low), int(high)
        return True


def read_files(documents: Mapping[str, dict], period: str) -> Knowledge:
    """What the files of each requirement tell of a month, narrowed.

    Args:
        documents: The JSON file of each requirement; "" is the whole directive.
        period: The month.
    """
    known = Knowledge()
    for requirement, document in documents.items():
        rows = [row for row in document["rows"] if row["period"] == period]
        total = next(each for each in document["totals"] if each["period"] == period)
        summed = [row["force"] for row in rows if row["number"] and row["hidden"] != "force"]
        for row in rows:
            cells = [(requirement, row["force"], column) for column in COLUMNS]
            for cell in cells:
                known.learn_cell(cell, row[cell[2]])
            if row["assigned"] is not None:
                known.learn_sum(cells, row["assigned"])
        for column in COLUMNS:
            if total.get(column) is not None:
                known.learn_sum([(requirement, force, column) for force in summed], total[column])
    _learn_requirements(known, list(documents))
    known.narrow()
    return known


def _learn_requirements(known: Knowledge, requirements: list[str]) -> None:
    """The whole directive takes all of its requirements; whoever is excluded is so from all."""
    parts = [requirement for requirement in requirements if requirement]
    for force in {cell[1] for cell in known.low}:
        whole = ("", force, "not_complete")
        for part in parts:
            known.learn_at_most((part, force, "not_complete"), [whole])
            known.learn_at_most(("", force, "complete"), [(part, force, "complete")])
            for one, other in (("", part), (part, "")):
                known.learn_at_most((one, force, "excluded"), [(other, force, "excluded")])
        known.learn_at_most(whole, [(part, force, "not_complete") for part in parts])


def learn_groups(
    known: Knowledge, requirement: str, forces: Iterable[str], numbers: Mapping[str, int]
) -> None:
    """A table by role or rank tells sums of these forces, by column; narrowed."""
    for column, number in numbers.items():
        known.learn_sum([(requirement, force, column) for force in forces], number)
    known.narrow()
