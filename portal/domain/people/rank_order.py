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


def rank_place(rank: str) -> int | None:
    """The place of a rank on the ladder from 0, with any prefix and for specials; None of a staff grade.

    >>> rank_place("Acting Detective Sergeant") == rank_place("Sergeant"), rank_place("Admin")
    (True, None)
    """
    return _PLACES.get(" ".join(word for word in _words_of(rank) if word != _SPECIAL))


def rank_key(rank: str) -> tuple[int, bool, str]:
    """What to sort ranks and grades by: rank, special constables first, then name; staff grades last.

    >>> sorted(["Sergeant", "Admin", "Detective Constable", "Constable", "Special Constable"], key=rank_key)
    ['Special Constable', 'Constable', 'Detective Constable', 'Sergeant', 'Admin']
    """
    place = rank_place(rank)
    return len(_LADDER) if place is None else place, _SPECIAL not in _words_of(rank), rank


def _words_of(rank: str) -> list[str]:
    return [word for word in re.findall(r"[a-z]+", rank.lower()) if word not in _PREFIXES]


def sort_ranks(ranks: Iterable[str]) -> list[str]:
    """The distinct ranks and grades, from the lowest rank to the highest, then staff grades by name."""
    return sorted(set(ranks), key=rank_key)
