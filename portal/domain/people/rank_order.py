"""The order of ranks: as the police has them, not by letter; staff grades follow by name."""

import re
from collections.abc import Iterable

_LADDER = (  # from the lowest; each with the ways in which rosters write it
    ("constable", "pc", "dc", "sc"),
    ("sergeant", "sgt", "ps", "ds"),
    ("inspector", "insp", "di"),
    ("chief inspector", "ci", "cinsp", "dci"),
    ("superintendent", "supt"),
    ("chief superintendent", "csupt", "dcs"),
    ("commander",),
    ("deputy assistant commissioner", "dac"),
    ("assistant chief constable", "assistant commissioner", "acc"),
    ("deputy chief constable", "deputy commissioner", "dcc"),
    ("chief constable", "commissioner", "cc"),
)
_PLACES = {name: place for place, names in enumerate(_LADDER) for name in names}
_PREFIXES = {"acting", "detective", "det", "police", "probationary", "student", "temporary"}
_SPECIAL = "special"  # before the rank that they hold among special constables


def rank_key(rank: str) -> tuple[int, bool, str]:
    """What to sort ranks and grades by: rank, special constables first, then name; staff grades last.

    >>> sorted(["Sergeant", "Admin", "Detective Constable", "Constable", "Special Constable"], key=rank_key)
    ['Special Constable', 'Constable', 'Detective Constable', 'Sergeant', 'Admin']
    """
    words = [word for word in re.findall(r"[a-z]+", rank.lower()) if word not in _PREFIXES]
    name = " ".join(word for word in words if word != _SPECIAL)
    return _PLACES.get(name, len(_LADDER)), _SPECIAL not in words, rank


def sort_ranks(ranks: Iterable[str]) -> list[str]:
    """The distinct ranks and grades, from the lowest rank to the highest, then staff grades by name."""
    return sorted(set(ranks), key=rank_key)
