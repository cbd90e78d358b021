"""How one knowledge follows another: what goes on being known, what ends, and what becomes known.

A row is cut, by days, where it stops to be true; what still holds of it stays known since when it was.
So what was learnt of a day only later are few rows, and the sums of today less those are what was known
of the day before.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from portal.domain.status.models import OPEN_KNOWN
from portal.domain.status.periods import Span, Values

Row = tuple[Span, int, int]  # a span with known_from and known_to
Change = tuple[int, Span, Row]  # the id of a row, what it was, and what it becomes
Place = tuple[int, int]  # directive and position


class Edits(NamedTuple):
    """How the rows of a table become others."""

    changed: list[Change]
    gone: list[int]  # ids
    new: list[Row]


def follow(known: Mapping[Span, int], wanted: Collection[Span], at: int) -> Iterator[Row]:
    """The rows of what was known until ``at`` and of ``wanted``, which is known from then on.

    Args:
        known: What was known, each with the instant since which it was: before ``at``.
        wanted: What is known now.
        at: The instant.

    Yields:
        The rows that hold on, those that are cut or end, and those that begin; each as long as can be.
    """
    yield from ((span, known[span], OPEN_KNOWN) for span in wanted if span in known)
    old = _by_place(span for span in known if span not in wanted)
    new = _by_place(span for span in wanted if span not in known)
    for place in sorted({*old, *new}):
        before, after = old.get(place, []), new.get(place, [])
        for span in before:
            same = _shared(span, after)
            yield from ((_of(span, *days), known[span], OPEN_KNOWN) for days in same)
            yield from ((_of(span, *days), known[span], at) for days in _rest(span, same))
        for span in after:
            yield from ((_of(span, *days), at, OPEN_KNOWN) for days in _rest(span, _shared(span, before)))


def _by_place(spans: Iterable[Span]) -> dict[Place, list[Span]]:
    found: dict[Place, list[Span]] = {}
    for span in sorted(spans, key=lambda one: one.from_on):
        found.setdefault(span[:2], []).append(span)
    return found


def _of(span: Span, first: int, last: int) -> Span:
    return Span(span.directive_id, span.position, first, last, span.values)


def _shared(span: Span, others: Sequence[Span]) -> list[tuple[int, int]]:
    """The days of a span that others say the same of, in order."""
    return [
        (max(span.from_on, other.from_on), min(span.to_on, other.to_on))
        for other in others
        if other.from_on <= span.to_on and other.to_on >= span.from_on and other.values == span.values
    ]


def _rest(span: Span, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The days of a span that are not among these, which are in order."""
    first = span.from_on
    for start, end in taken:
        if first < start:
            yield first, start - 1
        first = end + 1
    if first <= span.to_on:
        yield first, span.to_on


def known_before(rows: Iterable[Row], at: int) -> dict[Span, int]:
    """What was known until ``at``, from the rows that are open or end then: what they were cut from."""
    ending: dict[tuple[Place, Values, int], dict[int, Span]] = {}
    for span, known_from, _ in rows:
        if known_from < at:
            ending.setdefault(_same((span, known_from, at)), {})[span.to_on] = span
    found: dict[Span, int] = {}
    for (_, _, since), spans in ending.items():
        for span in sorted(spans.values()):
            before = spans.pop(span.from_on - 1, None)
            spans[span.to_on] = span if before is None else _of(span, before.from_on, span.to_on)
        found.update((whole, since) for whole in spans.values())
    return found


def edits(held: Mapping[int, Row], rows: Iterable[Row]) -> Edits:
    """How the rows of some ids become these rows; a row is changed only in days and end of knowledge."""
    wanted = set(rows)
    missing: dict[tuple[Place, Values, int], list[Row]] = {}
    for row in sorted(wanted - set(held.values()), key=lambda row: row[0][:4]):
        missing.setdefault(_same(row), []).append(row)
    found = Edits([], [], [])
    for row_id, row in held.items():
        if row in wanted:
            continue
        if others := missing.get(_same(row)):
            alike = next((other for other in others if other[0] == row[0]), others[0])
            others.remove(alike)
            found.changed.append((row_id, row[0], alike))
        else:
            found.gone.append(row_id)
    found.new.extend(row for others in missing.values() for row in others)
    return found


def _same(row: Row) -> tuple[Place, Values, int]:
    """What tells rows apart but days and the end of knowledge."""
    return row[0][:2], row[0].values, row[1]
