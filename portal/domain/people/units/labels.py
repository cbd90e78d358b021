"""Labels of units: as many names as tell a unit apart from all others of its day."""

from collections import Counter
from collections.abc import Mapping, Sequence


def label_units(names: Mapping[int, Sequence[str]]) -> dict[int, str]:
    """The label of every unit: its own name after the fewest names above it that no other unit shares.

    >>> label_units({1: ["Force"], 2: ["Force", "North", "Team A"], 3: ["Force", "South", "Team A"]})
    {1: 'Force', 2: 'North, Team A', 3: 'South, Team A'}

    Args:
        names: Of all units of one day: the names from the force down, by id.
    """
    ends = Counter(tuple(chain[start:]) for chain in names.values() for start in range(len(chain)))
    return {unit_id: ", ".join(_shortest_end(chain, ends)) for unit_id, chain in names.items()}


def _shortest_end(chain: Sequence[str], ends: Mapping[tuple[str, ...], int]) -> Sequence[str]:
    """The last names of the chain that end no other chain; the whole chain if another one goes further up."""
    unique = (chain[start:] for start in reversed(range(len(chain))) if ends[tuple(chain[start:])] == 1)
    return next(unique, chain)
