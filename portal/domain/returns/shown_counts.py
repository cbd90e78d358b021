"""Rounds the numbers of each return as FOI packs are rounded, and adds up what is shown of all forces. Pure.

Each return is rounded by itself, and every sum is of rounded numbers. So all that is shown could itself be
what the forces sent, and would then be shown unchanged: see ``rounding``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from portal.domain.reports.packs.rounding import Rounding, Row
from portal.domain.reports.statistics import Share
from portal.domain.returns.content import WHOLE_DIRECTIVE

Key = TypeVar("Key", int, str)
BY_FORCE = "force"  # the force hid numbers in its own return
BY_US = "small"  # fewer people than twice the base


@dataclass(frozen=True, slots=True)
class Counts:
    """People of a group: assigned, of them excluded, and of the others complete; None: hidden."""

    assigned: int | None
    excluded: int | None
    complete: int | None

    @property
    def people(self) -> tuple[int | None, int | None]:
        """Everybody, and those excluded."""
        return self.assigned, self.excluded

    @property
    def cells(self) -> tuple[int, int, int] | None:
        """Complete, not complete and excluded; None where a number is hidden."""
        if self.assigned is None or self.excluded is None or self.complete is None:
            return None
        return self.complete, self.assigned - self.excluded - self.complete, self.excluded


@dataclass(frozen=True, slots=True)
class ShownCounts:
    """Rounded counts as a page or a file shows them; None: hidden.

    Attributes:
        hidden: Who hid a number: BY_FORCE or BY_US; "" where none is hidden.
    """

    assigned: int | None = None
    excluded: int | None = None
    complete: int | None = None
    not_complete: int | None = None
    hidden: str = ""

    @classmethod
    def of_cells(cls, complete: int, not_complete: int, excluded: int) -> "ShownCounts":
        """The counts of people in three parts."""
        return cls(complete + not_complete + excluded, excluded, complete, not_complete)

    @property
    def cells(self) -> tuple[int, int, int] | None:
        """Complete, not complete and excluded; None where a number is hidden."""
        return Counts(self.assigned, self.excluded, self.complete).cells

    @property
    def share(self) -> Share | None:
        """The people complete, of those counted; None where it cannot be shown."""
        if self.complete is None or self.not_complete is None:
            return None
        return Share(self.complete, self.complete + self.not_complete)


@dataclass(frozen=True, slots=True)
class ShownTable(Generic[Key]):
    """The rows of a table, by force or group."""

    rows: Mapping[Key, ShownCounts]

    @property
    def groups(self) -> frozenset[Key]:
        """The rows in the sum: those that are not hidden."""
        return frozenset(key for key, row in self.rows.items() if row.cells)

    @property
    def group_count(self) -> int:
        """Number of rows in the sum."""
        return len(self.groups)

    @property
    def total(self) -> ShownCounts | None:
        """The sum of the rows that are not hidden; None where each is."""
        cells = [row.cells for row in self.rows.values() if row.cells]
        return ShownCounts.of_cells(*add_columns(cells)) if cells else None


def add_columns(rows: Iterable[Iterable[int]]) -> list[int]:
    """The sum of each column."""
    return [sum(column) for column in zip(*rows, strict=True)]


def round_return(counts: Mapping[str, Counts], rounding: Rounding) -> dict[str, ShownCounts]:
    """Round what a force sent of itself, by requirement.

    What belongs together still does: nobody lacks a requirement and is complete, and whoever is not complete
    lacks one.
    """
    whole = _round_cells(counts[WHOLE_DIRECTIVE], rounding)
    shown = {
        key: _round_cells(each, rounding) if whole.cells else ShownCounts(hidden=whole.hidden)
        for key, each in counts.items()
    }
    lacking = {
        key: cells[1]
        for key, each in counts.items()
        if key != WHOLE_DIRECTIVE and shown[key].cells and (cells := each.cells)
    }
    if whole.cells:
        least = whole.cells[1] if lacking and len(lacking) == len(counts) - 1 else 0
        for key, lack in rounding.round_lacking(lacking, least, whole.cells[1]).items():
            of_all = counts[key].people == counts[WHOLE_DIRECTIVE].people
            shown[key] = _hold_to_whole(whole if of_all else shown[key], lack, whole, rounding)
    return shown


def round_groups(
    groups: Mapping[str, Counts], whole: ShownCounts, other: str, rounding: Rounding
) -> dict[str, Row]:
    """Round what a force sent by role or by rank, so that it adds up to the whole force as it is shown.

    Args:
        groups: By name.
        whole: The force, which is shown.
        other: The name of the groups of fewer people than twice the base, which are together.
        rounding: Of the force.

    Returns:
        Complete, not complete and excluded by name; empty where a number is hidden.
    """
    rows = {name: cells for name, counts in groups.items() if (cells := counts.cells) and any(cells)}
    if any(counts.cells is None for counts in groups.values()) or not whole.cells:
        return {}
    rounded = rounding.round_rows(rounding.merge_rows(rows, other), whole.cells, other)
    return rounding.merge_rows(rounded.rows, other)  # one that did not fit can have become too small


def _round_cells(counts: Counts, rounding: Rounding) -> ShownCounts:
    """Round each part and all people, beside the true numbers, so that they add up."""
    if counts.cells is None or counts.assigned is None:
        return ShownCounts(hidden=BY_FORCE)
    if 0 < counts.assigned < 2 * rounding.base:
        return ShownCounts(hidden=BY_US)
    parts = dict(zip(("complete", "not_complete", "excluded"), counts.cells, strict=True))
    people = rounding.round_count(counts.assigned, "people")
    return ShownCounts.of_cells(**rounding.round_parts(parts, people, "groups"))


def _hold_to_whole(
    requirement: ShownCounts, lack: int, whole: ShownCounts, rounding: Rounding
) -> ShownCounts:
    """The numbers of a requirement that so many lack, of no more people than the whole directive has."""
    excluded = min(requirement.excluded or 0, whole.excluded or 0)
    counted = min((requirement.assigned or 0) - excluded, (whole.assigned or 0) - (whole.excluded or 0))
    held = ShownCounts.of_cells(max(counted - lack, 0), lack, excluded)
    return held if (held.assigned or 0) >= 2 * rounding.base else ShownCounts(hidden=BY_US)
