"""What is shown of counts: small numbers are hidden, and others with which they could be worked out. Pure."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from portal.domain.reports.packs.suppression import CountTable, is_small, protect_table
from portal.domain.reports.statistics import Share

Key = TypeVar("Key", bound=Hashable)
BY_FORCE = "force"  # the force hid numbers in its own return
BY_US = "small"  # a number is small, or would give a small one away
_OTHER = "other"


@dataclass(frozen=True, slots=True)
class Counts:
    """People of a group: assigned, of them excluded, and of the others complete; None: hidden."""

    assigned: int | None
    excluded: int | None
    complete: int | None


@dataclass(frozen=True, slots=True)
class ShownCounts:
    """Counts as a page or a file shows them; None: hidden.

    Attributes:
        hidden: Who hid what is hidden: BY_FORCE or BY_US; "" where nothing is.
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
        summed: How many groups are in the sum.
    """

    rows: Mapping[Key, ShownCounts]
    total: ShownCounts | None
    summed: int


def protect_counts(groups: Mapping[Key, Counts], small: int) -> ShownTable[Key]:
    """Hide small numbers of a table whose totals are shown.

    A number is small from 1 to ``small`` less 1. A group of fewer than twice as many people is not shown at
    all. Groups that hid numbers themselves are in no total.

    Args:
        groups: Each with its counts, which add up: complete and excluded are parts of assigned.
        small: The small number.
    """
    full = {key: cells for key, counts in groups.items() if (cells := _split_cells(counts))}
    rows = {key: ShownCounts(assigned=counts.assigned, hidden=BY_FORCE) for key, counts in groups.items()}
    sums = [sum(column) for column in zip(*full.values(), strict=True)] if full else [0, 0, 0]
    width = 2 if is_small(sums[2], small) else 3  # too few are excluded to say how many: nothing says it
    if not full or any(is_small(total, small) for total in sums[:2]):
        return ShownTable({**rows, **dict.fromkeys(full, ShownCounts(hidden=BY_US))}, None, 0)
    shown = _hide_cells({key: cells[:width] for key, cells in full.items()}, small)
    total = _show_cells([*sums[:width]], is_total=True)
    return ShownTable({**rows, **shown}, total, len(full))


def _split_cells(counts: Counts) -> tuple[int, int, int] | None:
    """Complete, not complete and excluded; None where a number is hidden."""
    if counts.assigned is None or counts.excluded is None or counts.complete is None:
        return None
    return counts.complete, counts.assigned - counts.excluded - counts.complete, counts.excluded


def _hide_cells(cells: Mapping[Key, tuple[int, ...]], small: int) -> dict[Key, ShownCounts]:
    keys = list(cells)
    if len(keys) == 1:  # its numbers are the totals
        (only,) = cells.values()
        is_shown = sum(only) >= 2 * small and not any(is_small(count, small) for count in only)
        return {keys[0]: _show_cells(only) if is_shown else ShownCounts(hidden=BY_US)}
    places = {str(place): key for place, key in enumerate(keys)}
    table = protect_table(CountTable(tuple(places), tuple(cells[key] for key in keys)), small, _OTHER)
    shown = dict.fromkeys(keys, ShownCounts(hidden=BY_US))
    if table is not None:
        for name, line in zip(table.rows, table.cells, strict=True):
            if name != _OTHER:
                shown[places[name]] = _show_cells(line, assigned=sum(cells[places[name]]))
    return shown


def _show_cells(
    line: tuple[int | None, ...] | list[int], *, assigned: int | None = None, is_total: bool = False
) -> ShownCounts:
    """The cells of a row; where the excluded are not told, the assigned are not either."""
    complete, not_complete, *excluded = line
    known = [count for count in line if count is not None]
    hidden = "" if len(known) == 3 or is_total else BY_US
    if not excluded:
        return ShownCounts(None, None, complete, not_complete, BY_US)
    whole = assigned if assigned is not None else sum(known)
    return ShownCounts(whole, excluded[0], complete, not_complete, hidden)
