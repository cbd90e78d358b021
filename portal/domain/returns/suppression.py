"""Hides small numbers, and others from which they could be worked out (disclosure control). Pure.

Whoever has not completed a requirement has not completed the whole directive either. So the tables of all
requirements are looked at together: a group of which one number is hidden is hidden whole, and in each of
them. Its people could then be exchanged for those of other hidden groups, and all that is shown would stay.
"""

from collections import defaultdict
from collections.abc import Collection, Hashable, Mapping
from dataclasses import astuple, dataclass
from typing import Generic, TypeVar

from portal.domain.reports.packs.rounding import is_small
from portal.domain.reports.statistics import Share
from portal.domain.returns.content import WHOLE_DIRECTIVE

Key = TypeVar("Key", bound=Hashable)
Cells = tuple[int, ...]  # complete, not complete and, where it may be told, excluded; or of a derived table
BY_FORCE = "force"  # the force hid numbers in its own return
BY_US = "small"  # a number is small, or would give a small one away
FEWEST_OTHERS = 2  # hidden with a small one: of two hidden groups, each could subtract its own from the sum


@dataclass(frozen=True, slots=True)
class Counts:
    """People of a group: assigned, of them excluded, and of the others complete; None: hidden."""

    assigned: int | None
    excluded: int | None
    complete: int | None

    @property
    def has_hidden_number(self) -> bool:
        """Whether a number is hidden."""
        return None in (self.assigned, self.excluded, self.complete)

    def __add__(self, other: "Counts") -> "Counts":
        """Both groups together; hidden where a number of either is."""
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Counts(*(None if None in pair else sum(pair) for pair in pairs))


@dataclass(frozen=True, slots=True)
class ShownCounts:
    """Counts as a page or a file shows them; None: hidden.

    Attributes:
        hidden: Who hid a number: BY_FORCE or BY_US; "" where none is hidden.
    """

    assigned: int | None = None
    excluded: int | None = None
    complete: int | None = None
    not_complete: int | None = None
    hidden: str = ""

    @property
    def share(self) -> Share | None:
        """The people complete, of those counted; None where it cannot be shown."""
        if self.complete is None or self.not_complete is None:
            return None
        return Share(self.complete, self.complete + self.not_complete)


@dataclass(frozen=True, slots=True)
class ShownTable(Generic[Key]):
    """A table of groups, and the sums of all whose counts are in it.

    Attributes:
        rows: Every group that was given.
        total: The sum over groups that hid nothing; None where it is not shown.
        groups: The groups in the sum.
    """

    rows: Mapping[Key, ShownCounts]
    total: ShownCounts | None
    groups: frozenset[Key]

    @property
    def group_count(self) -> int:
        """Number of groups in the sum."""
        return len(self.groups)

    def shows(self, key: Key) -> bool:
        """Whether the share of a group is shown."""
        return key in self.rows and self.rows[key].share is not None


def protect_counts(groups: Mapping[Key, Counts], small: int) -> ShownTable[Key]:
    """Hide small numbers of one table, as ``protect_together`` does."""
    return protect_together({"": groups}, small)[""]


def protect_together(tables: Mapping[str, Mapping[Key, Counts]], small: int) -> dict[str, ShownTable[Key]]:
    """Hide small numbers of tables of the same groups, one for each requirement, whose totals are shown.

    A number is small from 1 to ``small`` less 1. A group of fewer than twice as many people is not shown at
    all. Groups that hid numbers themselves are in no total of that table.

    Args:
        tables: Of each requirement, the groups with their counts, which add up: complete and excluded are
            parts of assigned.
        small: The small number.
    """
    whole = {
        name: {key: cells for key, counts in groups.items() if (cells := _split_cells(counts))}
        for name, groups in tables.items()
    }
    while True:
        shown = _choose_tables(whole, small)
        few_excluded = any(is_small(_sum_up(cells)[2], small) for cells in shown.values())
        width = 2 if few_excluded else 3  # too few are excluded to show how many anywhere
        parts = [{key: line[:width] for key, line in cells.items()} for cells in shown.values()]
        hidden = _choose_hidden([*parts, *(rows for _, rows in _list_derived_tables(shown))], small)
        if hidden is None:
            shown, hidden = {}, set()
        apart = {key for key in hidden for cells in shown.values() if key not in cells}
        if not apart:
            break
        # Another table has a total without this group, so it could not be exchanged there: it is in none.
        whole = {name: _leave_out(cells, apart) for name, cells in whole.items()}
    return {name: _show_table(groups, shown.get(name, {}), hidden, width) for name, groups in tables.items()}


def _choose_tables(tables: Mapping[str, Mapping[Key, Cells]], small: int) -> dict[str, Mapping[Key, Cells]]:
    """The tables whose sums may be shown, also beside those of the others."""
    shown = {name: cells for name, cells in tables.items() if _may_show_sums(cells, small)}
    while few := [name for name, rows in _list_derived_tables(shown) if is_small(_sum_up(rows)[0], small)]:
        del shown[few[0]]
    return shown


def _list_derived_tables(tables: Mapping[str, Mapping[Key, Cells]]) -> list[tuple[str, dict[Key, Cells]]]:
    """List what can be worked out by subtracting tables of requirements and of the whole directive.

    One for each requirement: how many people of a group have completed it and not all requirements. And one
    of them all: how often people lack more than one, which for two requirements is how many lack both. The
    second number of a row is the people of the group.

    Returns:
        Each with the name of a table that it needs: where that is not shown, it cannot be worked out.
    """
    directive = tables.get(WHOLE_DIRECTIVE, {})
    requirements = {name: cells for name, cells in tables.items() if name != WHOLE_DIRECTIVE}
    derived = [(name, _subtract_complete(cells, directive)) for name, cells in requirements.items()]
    lacking: dict[Key, Cells] = {
        key: (sum(cells[key][1] for cells in requirements.values()) - line[1], sum(line))
        for key, line in directive.items()
        if all(key in cells for cells in requirements.values())
    }
    derived += [(name, lacking) for name in list(requirements)[-1:]]
    return [(name, rows) for name, rows in derived if rows]


def _subtract_complete(requirement: Mapping[Key, Cells], directive: Mapping[Key, Cells]) -> dict[Key, Cells]:
    return {
        key: (requirement[key][0] - line[0], sum(line))
        for key, line in directive.items()
        if key in requirement
    }


def _sum_up(cells: Mapping[Key, Cells]) -> list[int]:
    return [sum(column) for column in zip(*cells.values(), strict=True)]


def _leave_out(cells: Mapping[Key, Cells], keys: set[Key]) -> dict[Key, Cells]:
    return {key: row for key, row in cells.items() if key not in keys}


def _may_show_sums(cells: Mapping[Key, Cells], small: int) -> bool:
    """Whether neither the complete, the not complete nor all people of a table are few."""
    if not cells:
        return False
    complete, not_complete, excluded = _sum_up(cells)
    few = is_small(complete + not_complete + excluded, 2 * small)
    return not (few or is_small(complete, small) or is_small(not_complete, small))


def _show_table(
    groups: Mapping[Key, Counts], summed: Mapping[Key, Cells], hidden: set[Key], width: int
) -> ShownTable[Key]:
    """The table of groups, of which those in the total that are not hidden are shown."""
    rows = {
        key: _show_cells(summed[key][:width]) if key in summed and key not in hidden else _hide_row(counts)
        for key, counts in groups.items()
    }
    total = _show_cells(tuple(_sum_up(summed)[:width])) if summed else None
    return ShownTable(rows, total, frozenset(summed))


def _hide_row(counts: Counts) -> ShownCounts:
    if _split_cells(counts) is None:
        return ShownCounts(assigned=counts.assigned, hidden=BY_FORCE)
    return ShownCounts(hidden=BY_US)


def _split_cells(counts: Counts) -> Cells | None:
    """Complete, not complete and excluded; None where a number is hidden."""
    if counts.assigned is None or counts.excluded is None or counts.complete is None:
        return None
    return counts.complete, counts.assigned - counts.excluded - counts.complete, counts.excluded


def _choose_hidden(tables: Collection[Mapping[Key, Cells]], small: int) -> set[Key] | None:
    """The groups with a small number in any table, and others, of fewest people first, until all are safe.

    The choice depends only on sums that every reader can work out anyway. So a reader who knows this rule
    learns neither which groups had a small number, nor a number from which groups were chosen.

    Returns:
        None if hiding every group would not be enough.
    """
    rows_by_group: dict[Key, list[Cells]] = defaultdict(list)
    for table in tables:
        for key, cells in table.items():
            rows_by_group[key].append(cells)
    hidden = {key for key, rows in rows_by_group.items() if any(_is_disclosive(row, small) for row in rows)}
    if not hidden:
        return hidden
    others = sorted(
        rows_by_group.keys() - hidden, key=lambda key: (sum(map(sum, rows_by_group[key])), str(key))
    )
    for count, key in enumerate(others, start=1):
        hidden.add(key)
        if count >= FEWEST_OTHERS and _are_safe(tables, hidden, small):
            return hidden
    return None


def _is_disclosive(row: Cells, small: int) -> bool:
    """Whether a number of a group is small, or the group has few people."""
    return any(is_small(count, small) for count in row) or is_small(sum(row), 2 * small)


def _are_safe(tables: Collection[Mapping[Key, Cells]], hidden: set[Key], small: int) -> bool:
    """Whether the sums of the hidden groups leave every small value possible for each of them.

    That holds where one group may have the greatest small number, another one that is not small, and each of
    the others 1. A sum of 0 hides nobody.
    """
    least = (small - 1) + small + (len(hidden) - 2)
    sums = (map(sum, zip(*(table[key] for key in hidden if key in table), strict=True)) for table in tables)
    return all(not 0 < number < least for of in sums for number in of)


def _show_cells(row: Cells) -> ShownCounts:
    """The numbers of a row; where the excluded are not shown, the assigned are not either."""
    complete, not_complete, *excluded = row
    if not excluded:
        return ShownCounts(None, None, complete, not_complete, BY_US)
    return ShownCounts(sum(row), excluded[0], complete, not_complete)
