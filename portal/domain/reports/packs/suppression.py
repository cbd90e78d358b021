"""Hides small numbers of people in a table, so that none can be worked out from what is left. Pure.

A table has a row for each group of people and a column for each status. Its totals are always published, so
a hidden cell is safe only if other hidden cells of its row and its column can make up for it. How far they
can is the flow through the network of hidden cells, which is exact for whole numbers.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

Counts = Sequence[Sequence[int]]
Cell = tuple[int, int]  # row, column


class CountTable(NamedTuple):
    """People by group and status. Every person is in one cell."""

    rows: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class ProtectedTable(NamedTuple):
    """A table whose small groups are merged and whose hidden cells are None."""

    rows: tuple[str, ...]
    totals: tuple[int, ...]  # of each row
    cells: tuple[tuple[int | None, ...], ...]

    @property
    def hidden(self) -> frozenset[Cell]:
        """The hidden cells."""
        return frozenset(
            (row, column)
            for row, cells in enumerate(self.cells)
            for column, count in enumerate(cells)
            if count is None
        )


def is_small(count: int, small: int) -> bool:
    """Whether a count is above zero and below the small number.

    Zero is not small: it says of nobody that they did something.
    """
    return 0 < count < small


def merge_columns(totals: Sequence[int], small: int) -> list[list[int]]:
    """Merge columns whose total is small with a neighbour, until none is.

    The neighbour is the next column, or for the last the one before: it depends on places, not on counts.

    Returns:
        The numbers of the merged columns, in order.

    >>> merge_columns([40, 12, 3, 30], 5), merge_columns([40, 12, 30, 2], 5), merge_columns([2, 40, 9], 5)
    ([[0], [1], [2, 3]], [[0], [1], [2, 3]], [[0, 1], [2]])
    """
    merged = [[column] for column in range(len(totals))]
    while len(merged) > 1:
        sums = [sum(totals[column] for column in columns) for columns in merged]
        place = next((place for place, total in enumerate(sums) if is_small(total, small)), None)
        if place is None:
            break
        left = min(place, len(merged) - 2)
        merged[left : left + 2] = [merged[left] + merged[left + 1]]
    return merged


def protect_table(table: CountTable, small: int, other: str) -> ProtectedTable | None:
    """Merge the groups that are too small to name, then hide cells until every hidden one is safe.

    Args:
        table: The groups, each with its people by status.
        small: The small number, at least 3; a group of fewer than twice as many people is not named.
        other: The name of the merged groups.

    Returns:
        None if fewer than two groups are left.
    """
    named = sorted(range(len(table.rows)), key=lambda row: (-sum(table.counts[row]), row))
    merged: list[int] = []
    while named and sum(table.counts[named[-1]]) < 2 * small:
        merged.append(named.pop())
    while named:
        if merged and sum(map(sum, _pick(table.counts, merged))) < 2 * small:
            merged.append(named.pop())
            continue
        rows = [*sorted(named), *([-1] if merged else [])]
        if len(rows) < 2:
            return None
        counts = [table.counts[row] if row >= 0 else _add_rows(table.counts, merged) for row in rows]
        hidden = choose_hidden_cells(counts, small)
        if hidden is not None:
            return _as_published([table.rows[row] if row >= 0 else other for row in rows], counts, hidden)
        merged.append(named.pop())
    return None


def _pick(counts: Counts, rows: Sequence[int]) -> list[Sequence[int]]:
    return [counts[row] for row in rows]


def _add_rows(counts: Counts, rows: Sequence[int]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*_pick(counts, rows), strict=True)))


def _as_published(names: Sequence[str], counts: Counts, hidden: frozenset[Cell]) -> ProtectedTable:
    cells = tuple(
        tuple(None if (row, column) in hidden else count for column, count in enumerate(line))
        for row, line in enumerate(counts)
    )
    return ProtectedTable(tuple(names), tuple(map(sum, counts)), cells)


def choose_hidden_cells(counts: Counts, small: int) -> frozenset[Cell] | None:
    """The small cells, and others that keep them from being worked out by subtraction.

    Which others depends on places, totals, what is published in the end, and which cells are small: on no
    other number that stays hidden, so that the choice tells nothing more.

    Returns:
        None if hiding every cell would not be enough.
    """
    every = {(row, column) for row, line in enumerate(counts) for column in range(len(line))}
    primary = {cell for cell in every if is_small(counts[cell[0]][cell[1]], small)}
    hidden = set(primary)
    while unsafe := next((c for c in sorted(hidden) if not _is_safe(counts, hidden, c, small)), None):
        options = [added for added in _list_rectangles(counts, hidden, unsafe) if added]
        if hidden == every:
            return None
        safe = (added for added in options if _is_safe(counts, hidden | added, unsafe, small))
        hidden |= next(safe, options[0] if options else every)
    return frozenset(hidden)


def _list_rectangles(counts: Counts, hidden: set[Cell], cell: Cell) -> list[set[Cell]]:
    """What is to be hidden for each rectangle with this cell in one corner: the fewest new cells first.

    Of equally many, later columns come first, which keeps the first; then groups of few people.
    """
    row, column = cell
    options = [
        ({(row, c), (r, column), (r, c)} - hidden, -c, sum(counts[r]), r)
        for r in range(len(counts))
        for c in range(len(counts[0]))
        if r != row and c != column
    ]
    return [added for added, *_ in sorted(options, key=lambda option: (len(option[0]), *option[1:]))]


def _is_safe(counts: Counts, hidden: set[Cell], cell: Cell, small: int) -> bool:
    """Whether a hidden cell can be told neither alone nor with the others of its row or of its column.

    A small one could be any number from 1 to the small number less 1; another as many numbers as that.
    """
    row, column = cell
    count = counts[row][column]
    in_row = sum(counts[r][c] for r, c in hidden if r == row)
    in_column = sum(counts[r][c] for r, c in hidden if c == column)
    if is_small(in_row, small) or is_small(in_column, small):
        return False
    if is_small(count, small):
        up, down = small - 1 - count, count - 1
        return _has_room(counts, hidden, cell, up, 1) and _has_room(counts, hidden, cell, down, -1)
    low, high = interval(counts, hidden, cell, small)
    return high - low >= small - 2


def _has_room(counts: Counts, hidden: set[Cell], cell: Cell, people: int, sign: int) -> bool:
    return _measure_room(counts, hidden, cell, people, sign) >= people


def interval(counts: Counts, hidden: set[Cell], cell: Cell, most: int) -> tuple[int, int]:
    """The least and the greatest number that a hidden cell could be, to a reader of all others and of totals.

    Args:
        counts: The true numbers.
        hidden: The hidden cells.
        cell: One of them.
        most: How far to look in each direction.
    """
    count = counts[cell[0]][cell[1]]
    down = _measure_room(counts, hidden, cell, min(most, count), -1)
    return count - down, count + _measure_room(counts, hidden, cell, most, 1)


def _measure_room(counts: Counts, hidden: set[Cell], cell: Cell, most: int, sign: int) -> int:
    """By how much a hidden cell can rise (``sign`` 1) or fall (-1), at most ``most``.

    People are pushed along paths from the cell's row to its column, over cells that rise and fall by turns.
    """
    values = {place: counts[place[0]][place[1]] for place in hidden if place != cell}
    room = 0
    while room < most and (path := _find_path(values, cell, sign)):
        falling = path[0::2] if sign > 0 else path[1::2]
        step = min(most - room, *(values[place] for place in falling))
        for place in path:
            values[place] += -step if place in falling else step
        room += step
    return room


def _find_path(values: dict[Cell, int], cell: Cell, sign: int) -> list[Cell] | None:
    """The cells of a shortest path from the cell's row to its column; every second one falls, so is not 0."""
    row, column = cell
    paths: list[list[Cell]] = [[]]
    seen = {("row", row)}
    for path in paths:
        for place, line in _next_cells(values, path, row, sign):
            if line in seen:
                continue
            if line == ("column", column):
                return [*path, place]
            seen.add(line)
            paths.append([*path, place])
    return None


def _next_cells(
    values: dict[Cell, int], path: list[Cell], start: int, sign: int
) -> Iterator[tuple[Cell, tuple[str, int]]]:
    """The cells with which a path can go on, each with the row or column that it leads to."""
    along_row = len(path) % 2 == 0
    line = (path[-1][0] if path else start) if along_row else path[-1][1]
    for place, count in sorted(values.items()):
        if place[0 if along_row else 1] != line or (along_row == (sign > 0) and not count):
            continue
        yield place, ("column", place[1]) if along_row else ("row", place[0])
