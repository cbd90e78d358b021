"""Counts of a made-up force in a month: they add up by role and by rank, and grow as a force learns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from random import Random

from portal.domain.reports.packs.rounding import is_small
from portal.domain.returns.content import FORCE, RANK, ROLE, WHOLE_DIRECTIVE, ReturnCount

PARTS: dict[str, tuple[tuple[str, int, float], ...]] = {  # name, per cent of the force, how far behind it is
    ROLE: (
        ("contact", 16, 0.55),
        ("custody", 7, 0.75),
        ("investigation", 27, 0.95),
        ("neighbourhood", 12, 0.7),
        ("response", 38, 1.4),
    ),
    RANK: (
        ("Constable", 62, 1.15),
        ("Sergeant", 17, 0.8),
        ("Inspector", 6, 0.95),
        ("Police staff", 15, 0.6),
    ),
}
REQUIREMENTS = (
    ("module:recognise", "Recognise"),
    ("module:protect", "Protect"),
    ("module:respond", "Respond"),
    ("module:report", "Report"),
)


@dataclass(frozen=True, slots=True)
class ForcePace:
    """How a force learns.

    Attributes:
        assigned: People at the first month.
        begins: The month in which it begins, from 0.
        rate: The part of those still to complete who complete in a month.
        most: The share at which it stops.
        lags: By grouping, how far behind each of its groups is; 1: as far as the force.
    """

    assigned: int
    begins: int
    rate: float
    most: float
    lags: Mapping[str, Sequence[float]]

    def share_after(self, months: int) -> float:
        """The share complete at the end of a month, from 0 to 1; it never falls."""
        return float(self.most * (1 - (1 - self.rate) ** max(months - self.begins + 1, 0)))


def choose_pace(random: Random, headcount: int) -> ForcePace:
    """How a force of this size learns."""
    return ForcePace(
        assigned=round(headcount * random.uniform(0.38, 0.55)),
        begins=random.choice((0, 0, 0, 1, 1, 2, 4)),
        rate=random.uniform(0.07, 0.3),
        most=random.uniform(0.72, 0.99),
        lags={
            grouping: [lag * random.uniform(0.7, 1.4) for _, _, lag in parts]
            for grouping, parts in PARTS.items()
        },
    )


def count_month(pace: ForcePace, month: int, miscounted: int = 0) -> tuple[ReturnCount, ...]:
    """The counts of a month.

    Args:
        pace: How the force learns.
        month: From 0.
        miscounted: People who are counted complete and are not: a later return corrects it.
    """
    assigned = pace.assigned + month * pace.assigned // 200
    excluded = assigned * 5 // 100
    counted = assigned - excluded
    complete = min(counted, round(counted * pace.share_after(month)) + miscounted)
    counts = _count_groups(pace, WHOLE_DIRECTIVE, counted, excluded, complete)
    for place, (key, _) in enumerate(REQUIREMENTS):  # the first module is the one that most have done
        more = (counted - complete) * (4 - place) // 8
        counts += _count_groups(pace, key, counted, excluded, complete + more)
    return tuple(counts)


def _count_groups(
    pace: ForcePace, requirement: str, counted: int, excluded: int, complete: int
) -> list[ReturnCount]:
    counts = [ReturnCount(requirement, FORCE, "", counted + excluded, excluded, complete)]
    for grouping, parts in PARTS.items():
        people = share_out(counted, [weight for _, weight, _ in parts])
        out = share_out(excluded, people)
        done = spread_unevenly(complete, people, pace.lags[grouping])
        counts += [
            ReturnCount(requirement, grouping, name, people[place] + out[place], out[place], done[place])
            for place, (name, _, _) in enumerate(parts)
        ]
    return counts


def hide_counts(counts: Sequence[ReturnCount], small: int) -> tuple[ReturnCount, ...]:
    """The counts of the whole force alone, without those in which a number is small."""
    return tuple(
        replace(count, excluded=None, complete=None) if _has_small(count, small) else count
        for count in counts
        if count.grouping == FORCE
    )


def _has_small(count: ReturnCount, small: int) -> bool:
    assigned, excluded, complete = (number or 0 for number in count.numbers)
    return any(is_small(number, small) for number in (excluded, complete, assigned - excluded - complete))


def spread_unevenly(total: int, people: Sequence[int], lags: Sequence[float]) -> list[int]:
    """A number of people spread exactly over groups: the lower its lag, the more of a group are among them.

    >>> spread_unevenly(50, [40, 40, 20], [0.5, 1, 2]), spread_unevenly(100, [40, 40, 20], [0.5, 1, 2])
    ([27, 19, 4], [40, 40, 20])
    """
    share = total / (sum(people) or 1)
    exact_shares = [each * share**lag for each, lag in zip(people, lags, strict=True)]
    room = [done * (1 - done / each) if each else 0 for done, each in zip(exact_shares, people, strict=True)]
    over = (total - sum(exact_shares)) / (sum(room) or 1)  # taken where a change of the share changes most
    spread = [
        max(0, min(each, round(done + over * part)))
        for done, part, each in zip(exact_shares, room, people, strict=True)
    ]
    for place, each in enumerate(people):  # what rounding left
        spread[place] += min(each - spread[place], max(total - sum(spread), -spread[place]))
    return spread


def share_out(total: int, weights: Sequence[int]) -> list[int]:
    """A number of people shared out by weights, exactly; none gets more than its weight if all do not.

    >>> share_out(10, [1, 1, 1]), share_out(3, [2, 0, 2])
    ([3, 3, 4], [1, 0, 2])
    """
    whole = sum(weights)
    ends = [total * end // whole if whole else 0 for end in accumulate(weights)]
    return [end - start for start, end in zip([0, *ends], ends, strict=False)]
