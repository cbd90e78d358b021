"""Suggests balanced syndicates. Pure: the same people give the same suggestion.

Sizes differ by one at most and lie within the limits where the numbers allow it. Roles are dealt out evenly;
then people of the same role change places until no change puts fewer of one unit or rank together.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

_UNIT_WEIGHT, _RANK_WEIGHT = 2, 1  # colleagues of one unit together matter more than equals of one rank


@dataclass(frozen=True, slots=True)
class Member:
    """A person to be grouped, by what is to be mixed."""

    id: int
    role: str
    rank: str
    unit: str


def suggest_syndicates(people: Sequence[Member], *, syndicates: int, least: int, most: int) -> dict[int, int]:
    """The number of a syndicate, from 1, for each person.

    Args:
        people: Everybody with a place.
        syndicates: How many there may be; fewer are used where they would be too small.
        least: People in one.
        most: People in one; more only where there are not places for all.
    """
    if not people:
        return {}
    used_count = count_syndicates_used(len(people), syndicates=syndicates, least=least, most=most)
    in_order = sorted(people, key=lambda member: (member.role, member.unit, member.rank, member.id))
    groups = {member.id: 1 + position % used_count for position, member in enumerate(in_order)}
    _spread_units_and_ranks(in_order, groups)
    return groups


def count_syndicates_used(people: int, *, syndicates: int, least: int, most: int) -> int:
    """How many syndicates so many people fill: as many as are not too small, but enough for all."""
    needed = -(-people // most)
    return max(1, min(syndicates, max(needed, people // least)))


def count_crowding(people: Sequence[Member], groups: Mapping[int, int]) -> int:
    """How often two of one unit, or of one rank, are in one syndicate; less is better."""
    units = Counter((groups[member.id], member.unit) for member in people)
    ranks = Counter((groups[member.id], member.rank) for member in people)
    return _UNIT_WEIGHT * _count_pairs(units) + _RANK_WEIGHT * _count_pairs(ranks)


def _count_pairs(counts: Counter[tuple[int, str]]) -> int:
    return sum(count * (count - 1) // 2 for count in counts.values())


def _spread_units_and_ranks(people: Sequence[Member], groups: dict[int, int]) -> None:
    """Swap people of one role while that helps; sizes and roles stay as they are."""
    units = Counter((groups[member.id], member.unit) for member in people)
    ranks = Counter((groups[member.id], member.rank) for member in people)
    improved = True
    while improved:  # each swap lowers the crowding, which is never negative
        improved = False
        for member, other in combinations(people, 2):
            first, second = groups[member.id], groups[other.id]
            if member.role != other.role or first == second:
                continue
            gain = _UNIT_WEIGHT * _count_pairs_saved(units, first, second, member.unit, other.unit)
            gain += _RANK_WEIGHT * _count_pairs_saved(ranks, first, second, member.rank, other.rank)
            if gain > 0:
                groups[member.id], groups[other.id] = second, first
                _swap_counts(units, first, second, member.unit, other.unit)
                _swap_counts(ranks, first, second, member.rank, other.rank)
                improved = True


def _count_pairs_saved(
    counts: Counter[tuple[int, str]], first: int, second: int, leaving: str, joining: str
) -> int:
    """How many pairs fewer there are if ``leaving`` and ``joining`` change places."""
    if leaving == joining:
        return 0
    saved = counts[first, leaving] - 1 - counts[second, leaving]
    return saved + counts[second, joining] - 1 - counts[first, joining]


def _swap_counts(
    counts: Counter[tuple[int, str]], first: int, second: int, leaving: str, joining: str
) -> None:
    counts[first, leaving] -= 1
    counts[second, leaving] += 1
    counts[second, joining] -= 1
    counts[first, joining] += 1
