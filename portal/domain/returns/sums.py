"""Checks that the counts of a return add up, and that small numbers are hidden where it says so. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from portal.domain.reports.packs.rounding import is_small
from portal.domain.returns.content import (
    COUNTS,
    FORCE,
    GROUPINGS,
    WHOLE_DIRECTIVE,
    ReturnContent,
    ReturnCount,
)

MOST_FAULTS = 20


def list_sum_faults(content: ReturnContent) -> list[str]:
    """List what does not add up, a sentence each, at most ``MOST_FAULTS``; empty: everything does."""
    faults = []
    for find in (_find_missing_or_double, _find_line_faults, _find_group_faults, _find_whole_faults):
        faults += list(find(content))
        if faults:  # what follows would be no more than their echo
            break
    return faults[:MOST_FAULTS]


def describe_group(count: ReturnCount) -> str:
    """The requirement and the group of a count, in words.

    >>> describe_group(ReturnCount("module:respond", "role", "response", 1, 0, 1))
    'module:respond, role response'
    """
    requirement = count.requirement or "the whole directive"
    group = "the force" if count.grouping == FORCE else f"{count.grouping} {count.group}"
    return f"{requirement}, {group}"


def _find_missing_or_double(content: ReturnContent) -> Iterator[str]:
    """Find counts that are there twice, of no requirement of the return, or missing."""
    keys = [key for key, _ in content.requirements]
    yield from (f"{key} is a requirement twice." for key, times in Counter(keys).items() if times > 1)
    known_keys = {WHOLE_DIRECTIVE, *keys}
    for key, times in Counter(count.counted_group for count in content.counts).items():
        if times > 1:
            yield f"{describe_group(ReturnCount(*key, 0, 0, 0))}: is given {times} times."
    for count in content.counts:
        if count.requirement not in known_keys:
            yield f"{describe_group(count)}: is of no requirement of this return."
        if (count.grouping == FORCE) == bool(count.group):
            yield f"{describe_group(count)}: a role or rank has a name, and the force has none here."
    yield from _find_missing(content, keys)


def _find_missing(content: ReturnContent, keys: Sequence[str]) -> Iterator[str]:
    """Find requirements without counts of the force or, where none is hidden, by role and by rank."""
    counted_keys = {(count.requirement, count.grouping) for count in content.counts}
    for key in [WHOLE_DIRECTIVE, *keys]:
        for grouping in GROUPINGS:
            is_needed = grouping == FORCE or content.small_number is None
            if is_needed and (key, grouping) not in counted_keys and not _is_empty(content, key):
                yield f"{key or 'the whole directive'}: has no counts by {grouping}."


def _is_empty(content: ReturnContent, key: str) -> bool:
    """Whether a requirement is counted for the force and applies to nobody, so that no group has people."""
    return any(count.counted_group == (key, FORCE, "") and count.assigned == 0 for count in content.counts)


def _find_line_faults(content: ReturnContent) -> Iterator[str]:
    """Find counts that cannot all be true, and small numbers that should be hidden."""
    for count in content.counts:
        assigned, excluded, complete = count.numbers
        if assigned is not None and (excluded or 0) + (complete or 0) > assigned:
            yield f"{describe_group(count)}: more people are excluded or complete than assigned."
        if content.small_number is None:
            if None in count.numbers:
                yield f"{describe_group(count)}: hides a number, and the return says that none is hidden."
            continue
        shown_numbers = [number for number in count.numbers if number is not None]
        if assigned is not None and excluded is not None and complete is not None:
            shown_numbers.append(assigned - excluded - complete)
        if any(is_small(number, content.small_number) for number in shown_numbers):
            yield f"{describe_group(count)}: shows a number below {content.small_number}."


def _find_group_faults(content: ReturnContent) -> Iterator[str]:
    """Find groups that do not add up to the force, or whose hidden numbers add up to a small one."""
    groups: dict[tuple[str, str], list[ReturnCount]] = defaultdict(list)
    for count in content.counts:
        groups[count.requirement, count.grouping].append(count)
    for (requirement, grouping), counts in groups.items():
        if grouping == FORCE:
            continue
        (force,) = groups[requirement, FORCE]
        part = f"{requirement or 'the whole directive'}, by {grouping}"
        for index, name in enumerate(COUNTS):
            yield from _compare_sum(
                part, name, [count.numbers[index] for count in counts], force.numbers[index], content
            )


def _compare_sum(
    part: str, name: str, numbers: Sequence[int | None], total: int | None, content: ReturnContent
) -> Iterator[str]:
    if total is None:
        return
    difference = total - sum(number for number in numbers if number is not None)
    if None not in numbers:
        if difference:
            yield f"{part}: {name} add up to {total - difference}, and the force has {total}."
    elif difference < 0:
        yield f"{part}: {name} add up to more than the {total} of the force."
    elif is_small(difference, content.small_number or 0):
        yield f"{part}: the hidden {name} add up to a number below {content.small_number}."


def _find_whole_faults(content: ReturnContent) -> Iterator[str]:
    """Find requirements of more people than the whole directive has."""
    whole = next(count for count in content.counts if count.counted_group == (WHOLE_DIRECTIVE, FORCE, ""))
    if whole.assigned is None:
        return
    for count in content.counts:
        if count.grouping == FORCE and (count.assigned or 0) > whole.assigned:
            yield f"{describe_group(count)}: more people are assigned than to the whole directive."
