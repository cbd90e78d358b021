"""An attacker on the tables of an FOI pack: everything published as equations, solved in whole numbers.

It reads the tables as they are published and shares no code with what hides numbers. Of a hidden number it
finds the exact interval: the least and the greatest value with which all equations can still be met, by
narrowing the bounds of each unknown and, where that decides nothing, by halving one of them.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product

Row = dict[str, str | int]
Unknown = tuple[str, int, str]  # table, row, column
HIDDEN = "[c]"


class System:
    """Sums of unknowns, each between two bounds."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.unknowns: list[Unknown] = []
        self.sums: list[tuple[list[tuple[int, Unknown]], int, int]] = []

    def state(self, terms: Iterable[tuple[int, int | Unknown]], low: int, high: int) -> None:
        """State that a sum of terms, each a factor above 0 and a number or an unknown, is between bounds."""
        known = 0
        parts: list[tuple[int, Unknown]] = []
        for factor, term in terms:
            if isinstance(term, int):
                known += factor * term
            else:
                parts.append((factor, term))
                if term not in self.unknowns:
                    self.unknowns.append(term)
        if parts:
            self.sums.append((parts, low - known, high - known))
        else:
            assert low <= known <= high

    def extent(self, unknown: Unknown) -> tuple[int, int]:
        """The least and the greatest value that the unknown can have."""
        start = dict.fromkeys(self.unknowns, (0, self.most))
        least = self._first(lambda value: start | {unknown: (0, value)}, 0, self.most)
        most = self.most - self._first(
            lambda value: start | {unknown: (self.most - value, self.most)}, 0, self.most
        )
        return least, most

    def allows(self, unknown: Unknown, value: int) -> bool:
        """Whether the unknown can have exactly this value."""
        return self.solvable(dict.fromkeys(self.unknowns, (0, self.most)) | {unknown: (value, value)})

    def solvable_with(self, unknowns: Iterable[Unknown], value: int) -> bool:
        """Whether the unknowns can add up to exactly this value."""
        self.sums.append(([(1, unknown) for unknown in unknowns], value, value))
        try:
            return self.solvable(dict.fromkeys(self.unknowns, (0, self.most)))
        finally:
            self.sums.pop()

    def _first(self, bounds_for, low: int, high: int) -> int:
        """The least value for which the bounds can be met; whatever meets it meets every greater one."""
        while low < high:
            middle = (low + high) // 2
            if self.solvable(bounds_for(middle)):
                high = middle
            else:
                low = middle + 1
        return low

    def solvable(self, bounds: dict[Unknown, tuple[int, int]]) -> bool:
        """Whether whole numbers within the bounds meet every statement."""
        bounds = dict(bounds)
        if not self._narrow(bounds):
            return False
        open_ones = [(high - low, unknown) for unknown, (low, high) in bounds.items() if low < high]
        if not open_ones:
            return True
        _, unknown = min(open_ones)
        low, high = bounds[unknown]
        middle = (low + high) // 2
        halves = ((low, middle), (middle + 1, high))
        return any(self.solvable(bounds | {unknown: half}) for half in halves)

    def _narrow(self, bounds: dict[Unknown, tuple[int, int]]) -> bool:
        """Narrow the bounds until nothing changes; False if nothing is left between two of them."""
        changed = True
        while changed:
            changed = False
            for parts, low, high in self.sums:
                least, most = (sum(f * bounds[u][end] for f, u in parts) for end in (0, 1))
                if least > high or most < low:
                    return False
                for factor, unknown in parts:
                    was = bounds[unknown]
                    now = _bound(factor, was, low - most, high - least)
                    if now[0] > now[1]:
                        return False
                    if now != was:
                        bounds[unknown], changed = now, True
                        least, most = (sum(f * bounds[u][end] for f, u in parts) for end in (0, 1))
        return True


def _bound(factor: int, was: tuple[int, int], below: int, above: int) -> tuple[int, int]:
    """The bounds of one unknown, if the rest of its sum can miss the lower or upper bound by this much."""
    low, high = was
    return max(low, high + -(-below // factor)), min(high, low + above // factor)


def equations_of(tables: dict[str, Sequence[Row]]) -> System:
    """Everything that a reader of all tables knows."""
    statuses = {str(row["group"]): row["people"] for row in tables["statuses"] if row["status"] == "All"}
    everyone = statuses.pop("Everyone")
    assert isinstance(everyone, int)
    system = System(everyone)
    columns = {label.lower().replace(" ", "_"): total for label, total in statuses.items()}
    _state_statuses(system, tables["statuses"])
    for key in ("units", "ranks", "roles"):
        if key in tables:
            _state_groups(system, key, tables[key], columns)
    if "requirements" in tables:
        _state_requirements(system, tables["requirements"], columns, everyone)
    return system


STATUSES = {
    "complete": (0,),
    "overdue": (1,),
    "not_yet_due": (2,),
    "not_counted": (3,),
    "not_complete": (1, 2),
    "all_statuses": (0, 1, 2, 3),
}


def statuses_of(column: str) -> tuple[int, ...]:
    """The places of the status groups that a column counts."""
    return tuple(place for name in column.split("_or_") for place in STATUSES[name])


def insiders_equations(tables: dict[str, Sequence[Row]], groups: dict[tuple[str, str, str], int]) -> System:
    """What somebody knows who knows the unit, rank and role of everybody, and of nobody the status.

    The unknowns are the people of each such group by status.
    """
    system = System(max(groups.values()))
    for place, people in enumerate(groups.values()):
        system.state([(1, ("group", place, str(status))) for status in range(4)], people, people)
    for part, key in enumerate(("units", "ranks", "roles")):
        for cells, value in list_cells(tables.get(key, ()), part, groups):
            if isinstance(value, int):
                system.state([(1, cell) for cell in cells], value, value)
    return system


Exchange = tuple[tuple[Unknown, Unknown], tuple[Unknown, Unknown]]


def count_steps(
    people: dict[Unknown, int], shown: Sequence[set[Unknown]], cell: set[Unknown], way: int
) -> int:
    """How far a hidden cell rises (``way`` 1) or falls (-1) in other worlds that show the same; at most ten.

    From world to world two people exchange their statuses, so that no shown number changes.
    """
    people = dict(people)
    marks = {u: sum(1 << bit for bit, cells in enumerate(shown) if u in cells) for u in people}
    for steps in range(10):
        exchange = next(_list_exchanges(people, marks, cell, way), None)
        if exchange is None:
            return steps
        for unknown, change in zip((*exchange[0], *exchange[1]), (-1, -1, 1, 1), strict=True):
            people[unknown] += change
    return 10


def _list_exchanges(
    people: dict[Unknown, int], marks: dict[Unknown, int], cell: set[Unknown], way: int
) -> Iterator[Exchange]:
    """The exchanges that move the cell one step and change nothing that is shown."""
    some = [unknown for unknown, count in people.items() if count]
    for one, other in product(some, some):
        (_, here, status), (_, there, another) = one, other
        given, taken = (one, other), (("group", here, another), ("group", there, status))
        if sum(unknown in cell for unknown in taken) - sum(unknown in cell for unknown in given) != way:
            continue
        (a, b), (c, d) = ([marks[unknown] for unknown in pair] for pair in (given, taken))
        if here != there and a ^ b == c ^ d and a & b == c & d:
            yield given, taken


def list_cells(rows: Sequence[Row], part: int, groups: dict[tuple[str, str, str], int]):
    """The unknowns of each cell of a table of groups, and what is published of it."""
    names = {next(iter(row.values())) for row in rows}
    for row in rows:
        name, *columns = row
        places = [
            place
            for place, group in enumerate(groups)
            if row[name] == "Everyone"
            or group[part] == row[name]
            or (group[part] not in names and str(row[name]).startswith("Other "))
        ]
        for column in columns:
            if column not in ("people", "percentage_of_everyone"):
                statuses = statuses_of(column)
                yield {("group", p, str(s)) for p in places for s in statuses}, row[column]


def _term(key: str, place: int, row: Row, column: str) -> int | Unknown:
    value = row[column]
    if value == HIDDEN:
        return (key, place, column)
    assert isinstance(value, int)
    return value


def _state_statuses(system: System, rows: Sequence[Row]) -> None:
    """The statuses of a group add up to it."""
    groups: dict[str, list[tuple[int, int | Unknown]]] = {}
    for place, row in enumerate(rows):
        if row["status"] != "All":
            groups.setdefault(str(row["group"]), []).append((1, _term("statuses", place, row, "people")))
    for row in rows:
        if row["status"] == "All" and row["group"] in groups:
            system.state(groups[str(row["group"])], int(row["people"]), int(row["people"]))


def _state_groups(system: System, key: str, rows: Sequence[Row], statuses: dict[str, int]) -> None:
    """Rows and columns add up to their totals, and each percentage is what it says."""
    *groups, everyone = rows
    columns = [name for name in list(everyone)[1:] if name not in ("people", "percentage_of_everyone")]
    assert sum(int(everyone[name]) for name in columns) == everyone["people"] == system.most
    assert all(everyone[name] == total for name, total in statuses.items() if name in columns)
    for place, row in enumerate(groups):
        people = int(row["people"])
        system.state([(1, _term(key, place, row, column)) for column in columns], people, people)
        percentage = row.get("percentage_of_everyone", HIDDEN)
        if isinstance(percentage, int):
            complete = _term(key, place, row, "complete")
            system.state([(100, complete)], percentage * people, (percentage + 1) * people - 1)
    for column in columns:
        terms = [(1, _term(key, place, row, column)) for place, row in enumerate(groups)]
        system.state(terms, int(everyone[column]), int(everyone[column]))


def _state_requirements(system: System, rows: Sequence[Row], columns: dict[str, int], everyone: int) -> None:
    """Whoever is complete has completed each requirement; whoever is not has not completed one of them."""
    share = "not_complete" in rows[0]
    rest = "not_complete" if share else "not_complete_or_not_counted"
    total = everyone - columns["not_counted"] if share else everyone
    missing = total - columns["complete"]
    terms = []
    for place, row in enumerate(rows):
        complete, other = (_term("requirements", place, row, name) for name in ("complete", rest))
        system.state([(1, complete), (1, other)], total, total)
        system.state([(1, complete)], columns["complete"], total)
        terms.append((1, other))
    system.state(terms, missing, len(rows) * total)
