"""Paths and labels of units.

A path has the names from the force down, joined by ``/``; a ``/`` inside a name is written ``//``.
A label has as many names as tell a unit apart from all others of its day.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from portal.platform.errors import RuleError


def join(names: Iterable[str]) -> str:
    """The path of a unit whose own name is the last of ``names``.

    >>> join(["Westshire Police", "Serious/Organised"])
    'Westshire Police/Serious//Organised'
    """
    return "/".join(name.replace("/", "//") for name in names)


def split(path: str) -> tuple[str, ...]:
    """The names of a path, from the force down.

    >>> split("Westshire Police/Serious//Organised")
    ('Westshire Police', 'Serious/Organised')

    Raises:
        RuleError: A name is empty, or begins or ends with white space or a slash.
    """
    names = tuple(part.replace("\0", "/") for part in path.replace("//", "\0").split("/"))
    for name in names:
        if not name or name != name.strip().strip("/"):
            raise RuleError(
                f"The unit path {path!r} has an empty name, or one with a space or slash at its ends. "
                "Write names from the force down, joined by '/', with '//' for a slash inside a name."
            )
    return names


def label_units(names: Mapping[int, Sequence[str]]) -> dict[int, str]:
    """The label of every unit: its own name after the fewest names above it that no other unit shares.

    >>> label_units({1: ["Force"], 2: ["Force", "North", "Team A"], 3: ["Force", "South", "Team A"]})
    {1: 'Force', 2: 'North, Team A', 3: 'South, Team A'}

    Args:
        names: Of all units of one day: the names from the force down, by id.
    """
    labels: dict[int, str] = {}
    alike, length = dict(names), 1
    while alike:
        ends = {unit_id: tuple(chain[-length:]) for unit_id, chain in alike.items()}
        counts = Counter(ends.values())
        for unit_id, end in ends.items():
            if counts[end] == 1 or length >= len(names[unit_id]):
                labels[unit_id] = ", ".join(end)
                del alike[unit_id]
        length += 1
    return labels
