"""Whether the counts of a return agree with each other, and hide what they say they hide. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from portal.domain.reports.packs.suppression import is_small
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
    """What does not agree, a sentence each, at most ``MOST_FAULTS``; empty: everything does."""
    faults = []
    for find in (_find_place_faults, _find_line_faults, _find_group_faults, _find_whole_faults):
        faults += list(find(content))
        if faults:  # what follows would be no more than their echo
            break
    return faults[:MOST_FAULTS]


def name_place(count: ReturnCount) -> str:
    """What a count is of, in words.

    >>> name_place(ReturnCount("module:respond", "role", "response", 1, 0, 1))
    'module:respond, role response'
    """
    of = count.requirement or "the whole directive"
    return f"{of}, {count.grouping} {count.group}" if count.grouping != FORCE else f"{of}, the force"


def _find_place_faults(content: ReturnContent) -> Iterator[str]:
    """Counts that are twice, of nothing known, or missing."""
    keys = [key for key, _ in content.requirements]
    yield from (f"{key} is a requirement twice." for key, times in Counter(keys).items() if times > 1)
    known = {WHOLE_DIRECTIVE, *keys}
    for place, times in Counter(count.place for count in content.counts).items():
        if times > 1:
            yield f"{name_place(ReturnCount(*place, 0, 0, 0))}: is given {times} times."
    for count in content.counts:
        if count.requirement not in known:
            yield f"{name_place(count)}: is of no requirement of this return."
        if (count.grouping == FORCE) == bool(count.group):
            yield f"{name_place(count)}: a role or rank has a name, and the force has none here."
    yield from _find_missing(content, keys)


def _find_missing(content: ReturnContent, keys: Sequence[str]) -> Iterator[str]:
    """Requirements without counts of the force or, where none is hidden, by role and by rank."""
    counted = {(count.requirement, count.grouping) for count in content.counts}
    for key in [WHOLE_DIRECTIVE, *keys]:
        for grouping in GROUPINGS:
            is_needed = grouping == FORCE or content.small_number is None
            if is_needed and (key, grouping) not in counted and not _is_empty(content, key):
                yield f"{key or 'the whole directive'}: has no counts by {grouping}."


def _is_empty(content: ReturnContent, key: str) -> bool:
    """Whether a requirement is counted for the force, and applies to nobody: then no group has anybody."""
    return any(count.place == (key, FORCE, "") and count.assigned == 0 for count in content.counts)


def _find_line_faults(content: ReturnContent) -> Iterator[str]:
    """Counts that cannot be, or that say a small number although small ones are hidden."""
    for count in content.counts:
        assigned, excluded, complete = count.numbers
        if assigned is not None and (excluded or 0) + (complete or 0) > assigned:
            yield f"{name_place(count)}: more people are excluded or complete than assigned."
        if content.small_number is None:
            if None in count.numbers:
                yield f"{name_place(count)}: hides a number, and the return says that none is hidden."
            continue
        known = [number for number in count.numbers if number is not None]
        if assigned is not None and excluded is not None and complete is not None:
            known.append(assigned - excluded - complete)
        if any(is_small(number, content.small_number) for number in known):
            yield f"{name_place(count)}: shows a number below {content.small_number}."


def _find_group_faults(content: ReturnContent) -> Iterator[str]:
    """Groups that do not add up to the force, or whose hidden numbers add up to a small one."""
    groups: dict[tuple[str, str], list[ReturnCount]] = defaultdict(list)
    for count in content.counts:
        groups[count.requirement, count.grouping].append(count)
    for (requirement, grouping), counts in groups.items():
        if grouping == FORCE:
            continue
        (force,) = groups[requirement, FORCE]
        of = f"{requirement or 'the whole directive'}, by {grouping}"
        for place, name in enumerate(COUNTS):
            yield from _compare_sum(
                of, name, [c.numbers[place] for c in counts], force.numbers[place], content
            )


def _compare_sum(
    of: str, name: str, numbers: Sequence[int | None], total: int | None, content: ReturnContent
) -> Iterator[str]:
    if total is None:
        return
    rest = total - sum(number for number in numbers if number is not None)
    if None not in numbers:
        if rest:
            yield f"{of}: {name} add up to {total - rest}, and the force has {total}."
    elif rest < 0:
        yield f"{of}: {name} add up to more than the {total} of the force."
    elif is_small(rest, content.small_number or 0):
        yield f"{of}: the hidden {name} add up to a number below {content.small_number}."


def _find_whole_faults(content: ReturnContent) -> Iterator[str]:
    """Requirements of more people than the whole directive has."""
    whole = next(count for count in content.counts if count.place == (WHOLE_DIRECTIVE, FORCE, ""))
    if whole.assigned is None:
        return
    for count in content.counts:
        if count.grouping == FORCE and (count.assigned or 0) > whole.assigned:
            yield f"{name_place(count)}: more people are assigned than to the whole directive."
