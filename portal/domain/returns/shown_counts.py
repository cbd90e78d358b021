"""Rounds the numbers of each return as FOI packs are rounded, and adds up what is shown of all forces. Pure.

Each return is rounded by itself, and every sum is of rounded numbers. So all that is shown could itself be
what the forces sent, and would then be shown unchanged: see ``rounding``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from portal.domain.reports.packs.rounding import Rounding, Row
from portal.domain.reports.statistics import Share
from portal.domain.returns.content import WHOLE_DIRECTIVE

Key = TypeVar("Key", int, str)
Parts = tuple[int, int, int]  # people complete, not complete and excluded
BY_FORCE = "force"  # the force hid numbers in its own return
BY_US = "small"  # fewer people than twice the base


@dataclass(frozen=True, slots=True)
class Counts:
    """People of a group: assigned, of them excluded, and of the others complete; None: hidden."""

    assigned: int | None
    excluded: int | None
    complete: int | None

    @property
    def parts(self) -> Parts | None:
        """Complete, not complete and excluded; None where a number is hidden."""
        if self.assigned is None or self.excluded is None or self.complete is None:
            return None
        return self.complete, self.assigned - self.excluded - self.complete, self.excluded


@dataclass(frozen=True, slots=True)
class ShownCounts:
    """Rounded counts as a page or a file shows them.

    Attributes:
        parts: People complete, not complete and excluded; None: hidden, or no return came.
        hidden: Who hid a number: BY_FORCE or BY_US; "" where none is hidden.
    """

    parts: Parts | None = None
    hidden: str = ""

    @property
    def assigned(self) -> int | None:
        """Everybody to whom the directive applied."""
        return sum(self.parts) if self.parts else None

    @property
    def excluded(self) -> int | None:
        """Of them, those exempt or deferred."""
        return self.parts[2] if self.parts else None

    @property
    def complete(self) -> int | None:
        """Of the others, those complete."""
        return self.parts[0] if self.parts else None

    @property
    def not_complete(self) -> int | None:
        """Of the others, those not complete."""
        return self.parts[1] if self.parts else None

    @property
    def share(self) -> Share | None:
        """The people complete, of those counted; None where it cannot be shown."""
        return Share(self.parts[0], self.parts[0] + self.parts[1]) if self.parts else None


@dataclass(frozen=True, slots=True)
class ShownTable(Generic[Key]):
    """The rows of a table, by force or group."""

    rows: Mapping[Key, ShownCounts]

    @property
    def groups(self) -> frozenset[Key]:
        """The rows in the sum: those that are not hidden."""
        return frozenset(key for key, row in self.rows.items() if row.parts)

    @property
    def group_count(self) -> int:
        """Number of rows in the sum."""
        return len(self.groups)

    @property
    def total(self) -> ShownCounts | None:
        """The sum of the rows that are not hidden; None where each is."""
        shown = [row.parts for row in self.rows.values() if row.parts]
        return ShownCounts(add_parts(shown)) if shown else None


def add_parts(rows: Iterable[Sequence[int]]) -> Parts:
    """The sum of each part: complete, not complete and excluded."""
    complete, not_complete, excluded = map(sum, zip(*rows, strict=True))
    return complete, not_complete, excluded


def round_return(counts: Mapping[str, Counts], rounding: Rounding) -> dict[str, ShownCounts]:
    """Round what a force sent of itself, by requirement.

    What belongs together still does: nobody lacks a requirement and is complete, and whoever is not complete
    lacks one.
    """
    sent = counts[WHOLE_DIRECTIVE]
    whole = _round_counts(sent, rounding)
    if not whole.parts:
        return dict.fromkeys(counts, ShownCounts(hidden=whole.hidden))
    shown = {key: _round_counts(each, rounding) for key, each in counts.items()}
    lacking = {
        key: parts[1]
        for key, each in counts.items()
        if key != WHOLE_DIRECTIVE and shown[key].parts and (parts := each.parts)
    }
    incomplete = whole.parts[1]
    least = incomplete if lacking and len(lacking) == len(counts) - 1 else 0
    for key, lack in rounding.round_lacking(lacking, least, incomplete).items():
        of_all = (counts[key].assigned, counts[key].excluded) == (sent.assigned, sent.excluded)
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
    rows = {name: parts for name, counts in groups.items() if (parts := counts.parts) and any(parts)}
    if any(counts.parts is None for counts in groups.values()) or not whole.parts:
        return {}
    rounded = rounding.round_rows(rounding.merge_rows(rows, other), whole.parts, other)
    return rounding.merge_rows(rounded.rows, other)  # one that did not fit can have become too small


def _round_counts(counts: Counts, rounding: Rounding) -> ShownCounts:
    """Round each part and all people, beside the true numbers, so that they add up."""
    if counts.parts is None or counts.assigned is None:
        return ShownCounts(hidden=BY_FORCE)
    if 0 < counts.assigned < 2 * rounding.base:
        return ShownCounts(hidden=BY_US)
    parts = dict(zip(("complete", "not_complete", "excluded"), counts.parts, strict=True))
    people = rounding.round_count(counts.assigned, "people")
    rounded = rounding.round_parts(parts, people, "groups")
    return ShownCounts((rounded["complete"], rounded["not_complete"], rounded["excluded"]))


def _hold_to_whole(
    requirement: ShownCounts, lack: int, whole: ShownCounts, rounding: Rounding
) -> ShownCounts:
    """The numbers of a requirement that so many lack, of no more people than the whole directive has."""
    excluded = min(requirement.excluded or 0, whole.excluded or 0)
    counted = min((requirement.assigned or 0) - excluded, (whole.assigned or 0) - (whole.excluded or 0))
    held = ShownCounts((max(counted - lack, 0), lack, excluded))
    return held if (held.assigned or 0) >= 2 * rounding.base else ShownCounts(hidden=BY_US)
