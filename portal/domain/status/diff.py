"""Diffs two versions of a person's status periods into rows to keep, close and insert.

A row is split, by days, where it stops being true; what still holds of it keeps its ``known_from``. So a
late-arriving fact changes few rows, and a report of an earlier instant is that of today less those rows.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from portal.domain.status.models import OPEN_KNOWN
from portal.domain.status.periods import Period, PeriodValues

Place = tuple[int, int]  # directive and position
Days = tuple[int, int]  # first and last


class KnownPeriod(NamedTuple):
    """A row of the table: a status period over the transaction time in which it is known."""

    period: Period
    known_from: int
    known_to: int = OPEN_KNOWN

    @property
    def is_open(self) -> bool:
        """Whether nothing has superseded it."""
        return self.known_to == OPEN_KNOWN


@dataclass(slots=True)
class RowEdits:
    """How the stored rows of a person become others: ``known_to`` changes, or a row gives way to new ones."""

    closed: dict[int, tuple[KnownPeriod, KnownPeriod]] = field(
        default_factory=dict
    )  # before and after, by id
    deleted: dict[int, KnownPeriod] = field(default_factory=dict)  # by id
    inserted: list[KnownPeriod] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.closed or self.deleted or self.inserted)

    def open_periods(self) -> Iterator[tuple[Period, int]]:
        """The periods that are open from now on, with 1, and those that no longer are, with -1."""
        gone = (*(before for before, _ in self.closed.values()), *self.deleted.values())
        come = (*(after for _, after in self.closed.values()), *self.inserted)
        for rows, sign in ((gone, -1), (come, 1)):
            yield from ((row.period, sign) for row in rows if row.is_open)


def diff_periods(stored: Mapping[int, KnownPeriod], expected: set[Period], at: int) -> RowEdits:
    """The edits after which exactly the expected periods are known from ``at`` on, and what was known stays.

    Rows inserted earlier in this transaction that no longer apply are deleted, and rows that it split and
    that hold after all become whole: settling twice leaves what settling once would.

    Args:
        stored: The rows that are open or were closed at ``at``, by id.
        expected: The periods that hold now.
        at: The stamp of this transaction.
    """
    rows = stored.values()
    if len(rows) == len(expected) and expected == {row.period for row in rows if row.is_open}:
        return RowEdits()
    return diff_rows(stored, supersede_periods(restore_known_before(rows, at), expected, at))


def supersede_periods(
    known: Mapping[Period, int], expected: Collection[Period], at: int
) -> Iterator[KnownPeriod]:
    """The rows of what was known until ``at`` and of what is known from then on.

    Args:
        known: The periods known until then, each with its ``known_from``, which is before ``at``.
        expected: The periods known from then on.
        at: The instant.

    Yields:
        The rows that stay open, those that are split or closed, and those that begin; as few as can be.
    """
    yield from (KnownPeriod(period, known[period]) for period in expected if period in known)
    old = _by_place(period for period in known if period not in expected)
    new = _by_place(period for period in expected if period not in known)
    for place in sorted({*old, *new}):
        before, after = old.get(place, []), new.get(place, [])
        for period in before:
            same, since = _shared_days(period, after), known[period]
            yield from (KnownPeriod(period.on_days(days), since) for days in same)
            yield from (KnownPeriod(period.on_days(days), since, at) for days in _other_days(period, same))
        for period in after:
            rest = _other_days(period, _shared_days(period, before))
            yield from (KnownPeriod(period.on_days(days), at) for days in rest)


def _by_place(periods: Iterable[Period]) -> dict[Place, list[Period]]:
    by_place: dict[Place, list[Period]] = {}
    for period in sorted(periods, key=lambda each: each.from_on):
        by_place.setdefault(period[:2], []).append(period)
    return by_place


def _shared_days(period: Period, others: Sequence[Period]) -> list[Days]:
    """The days of a period on which others have the same values, in order."""
    return [
        (max(period.from_on, other.from_on), min(period.to_on, other.to_on))
        for other in others
        if other.from_on <= period.to_on and other.to_on >= period.from_on and other.values == period.values
    ]


def _other_days(period: Period, taken: Sequence[Days]) -> Iterator[Days]:
    """The days of a period that are not among these, which are in order."""
    first = period.from_on
    for start, end in taken:
        if first < start:
            yield first, start - 1
        first = end + 1
    if first <= period.to_on:
        yield first, period.to_on


def restore_known_before(rows: Iterable[KnownPeriod], at: int) -> dict[Period, int]:
    """The periods known until ``at``, with their ``known_from``, joined again where ``at`` split them."""
    by_last_day: dict[tuple[Place, PeriodValues, int], dict[int, Period]] = {}
    for period, known_from, _ in rows:
        if known_from < at:
            same = (period[:2], period.values, known_from)
            by_last_day.setdefault(same, {})[period.to_on] = period
    known: dict[Period, int] = {}
    for (_, _, since), periods in by_last_day.items():
        for period in sorted(periods.values()):
            before = periods.pop(period.from_on - 1, None)
            if before is not None:
                periods[period.to_on] = period.on_days((before.from_on, period.to_on))
        known.update((whole, since) for whole in periods.values())
    return known


def diff_rows(stored: Mapping[int, KnownPeriod], expected: Iterable[KnownPeriod]) -> RowEdits:
    """How the stored rows become the expected ones."""
    missing = {row[:2]: row for row in expected}  # what is known of a period from an instant on ends once
    edits = RowEdits()
    for row_id, row in stored.items():
        after = missing.pop(row[:2], None)
        if after is None:
            edits.deleted[row_id] = row
        elif after != row:
            edits.closed[row_id] = (row, after)
    edits.inserted.extend(missing.values())
    return edits
