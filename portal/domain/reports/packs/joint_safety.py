"""Whether several tables of the same people are safe together, to a reader who knows who is in each group.

A unit may be nearly the same people as a role, so what one table hides, another could tell. Two people who
exchange their statuses leave all tables as they are if each table has them in one row, has both statuses in
one column, or hides all four cells. So every exchange is another world that a reader cannot tell from the
true one. Pure.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from portal.domain.reports.packs.suppression import Cell, Counts, is_small


class TableView(NamedTuple):
    """A table as it divides the people of each smallest group, and their statuses."""

    row_of: Sequence[int]  # of each group
    column_of: Sequence[int]  # of each status
    hidden: frozenset[Cell]


def are_safe_together(views: Sequence[TableView], counts: Counts, small: int) -> bool:
    """Whether hidden cells keep enough possible values, and no two rows differ by few people.

    Args:
        views: The tables.
        counts: People by smallest group and status: those of one group are in one row of every table.
        small: The small number.
    """
    cells = ((view, cell) for view in views for cell in view.hidden)
    return all(_keeps_values(views, view, cell, counts, small) for view, cell in cells) and all(
        _tells_nothing(first, second, counts, small)
        for place, first in enumerate(views)
        for second in views[place + 1 :]
    )


def _keeps_values(
    views: Sequence[TableView], view: TableView, cell: Cell, counts: Counts, small: int
) -> bool:
    """Whether exchanges can give a small cell every small number, and another as many numbers."""
    count = sum(
        people for group, status, people in _list_people(counts) if _place(view, group, status) == cell
    )
    if is_small(count, small):
        return all(
            _count_exchanges(views, view, cell, counts, most=most, rising=rising) >= most
            for most, rising in ((small - 1 - count, True), (count - 1, False))
        )
    up, down = (
        _count_exchanges(views, view, cell, counts, most=small, rising=rising) for rising in (True, False)
    )
    return up + down >= small - 2


def _list_people(counts: Counts) -> Iterator[tuple[int, int, int]]:
    """Group, status and number of people."""
    for group, line in enumerate(counts):
        for status, people in enumerate(line):
            if people:
                yield group, status, people


def _place(view: TableView, group: int, status: int) -> Cell:
    return view.row_of[group], view.column_of[status]


def _count_exchanges(
    views: Sequence[TableView], view: TableView, cell: Cell, counts: Counts, *, most: int, rising: bool
) -> int:
    """How many pairs of different people can exchange statuses so that the cell rises or falls, at least.

    One of each pair is in the cell's row, the other is not; one has a status of the cell's column.
    """
    row, column = cell
    inside, outside = [], []
    for group, status, people in _list_people(counts):
        in_row, in_column = view.row_of[group] == row, view.column_of[status] == column
        if in_row and in_column != rising:
            inside.append((group, status, people))
        elif not in_row and in_column == rising:
            outside.append([group, status, people])
    pairs = 0
    for group, status, left in inside:
        for other in outside:
            if pairs >= most:
                return pairs
            if other[2] and left and _is_unseen(views, (group, status), (other[0], other[1])):
                step = min(left, other[2], most - pairs)
                pairs, left, other[2] = pairs + step, left - step, other[2] - step
    return pairs


def _is_unseen(views: Sequence[TableView], one: Cell, other: Cell) -> bool:
    """Whether no table changes if people of these groups exchange these statuses."""
    for view in views:
        rows = {view.row_of[one[0]], view.row_of[other[0]]}
        columns = {view.column_of[one[1]], view.column_of[other[1]]}
        cells = {(row, column) for row in rows for column in columns}
        if len(rows) > 1 and len(columns) > 1 and not cells <= view.hidden:
            return False
    return True


def _tells_nothing(first: TableView, second: TableView, counts: Counts, small: int) -> bool:
    """Whether no row of one table is another table's rows and a few people, or tells a few of a status."""
    return all(
        not _is_few(rest, (whole, parts), counts, small)
        for whole, parts in ((first, second), (second, first))
        for rest in _list_rests(whole, parts)
    )


def _list_rests(whole: TableView, parts: TableView) -> Iterator[set[int]]:
    """What is left of each row when rows of the other table that are within it are taken away."""
    groups_of: dict[int, set[int]] = {}
    for group, row in enumerate(parts.row_of):
        groups_of.setdefault(row, set()).add(group)
    for row in set(whole.row_of):
        groups = {group for group, own in enumerate(whole.row_of) if own == row}
        within = [part for part in groups_of.values() if part <= groups]
        for taken in (*within, set().union(*within)):
            if taken and taken < groups:
                yield groups - taken


def _is_few(rest: set[int], views: tuple[TableView, TableView], counts: Counts, small: int) -> bool:
    """Whether a group is too small to name, or a small number of it has statuses that both tables tell."""
    by_status = [sum(counts[group][status] for group in rest) for status in range(len(counts[0]))]
    if sum(by_status) < 2 * small:
        return True
    coarser = max((view.column_of for view in views), key=lambda columns: -max(columns))
    totals = [0] * len(by_status)
    for status, people in enumerate(by_status):
        totals[coarser[status]] += people
    return any(is_small(total, small) for total in totals)
