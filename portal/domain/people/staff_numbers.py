"""Staff numbers: how one is kept however it was typed or copied, and which cannot be one. Pure."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

MOST_CHARACTERS = 50
# What nobody sees though it is no mark of format: joiners and fillers of scripts, and an empty Braille cell.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_TURNING = frozenset(
    "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)  # show letters in another order
_reserved: set[str] = set()


def reserve_numbers(names: Iterable[str]) -> None:
    """Have no person called as these pages are: the application says at its start which it has."""
    _reserved.clear()
    _reserved.update(names)


def fold_staff_number(text: str) -> str:
    r"""The number as the portal keeps it: with plain letters for wide ones, and without what nobody sees.

    What turns the order of letters stays: such a number is refused, for it shows another one.

    >>> fold_staff_number(" Ｄ９００１"), fold_staff_number("D\u200b90\u00ad01")
    ('D9001', 'D9001')
    """
    if text.isascii():
        return text.strip()
    plain = unicodedata.normalize("NFKC", text)
    kept = (
        letter
        for letter in _UNSEEN.sub("", plain)
        if letter in _TURNING or unicodedata.category(letter) != "Cf"
    )
    return unicodedata.normalize("NFKC", "".join(kept)).strip()


def find_number_faults(number: str) -> list[str]:
    """Why nobody can have this staff number; empty if somebody can, or if there is none."""
    shown = "".join(letter if letter.isprintable() else "�" for letter in number[:MOST_CHARACTERS])
    faults = []
    if len(number) > MOST_CHARACTERS:
        faults.append(f"staff_number has more than {MOST_CHARACTERS} characters.")
    if "/" in number:
        faults.append(f"staff_number {shown!r} has a “/” in it, which cannot be part of a page's address.")
    if number in _reserved:
        faults.append(f"staff_number {number!r} is the address of a page.")
    if number and not number.strip("."):
        faults.append(f"staff_number {shown!r} has nothing but dots in it.")
    if not number.isprintable() or number != fold_staff_number(number):
        faults.append(f"staff_number {shown!r} has letters in it that nobody sees. Type it anew.")
    return faults


# The order of ranks: as the police has them, not by letter; staff grades follow by name.

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


# Duties: the kinds of work for which parts of lessons and items are marked, and whose post has which.
# Pure.
#
# A force says which of its designated roles and ranks belong to each duty; without its word the usual
# names count. A duty only folds text and weights a draw: it hides nothing, and nobody is asked less for
# it.

DUTIES = ("response", "contact", "investigation", "custody", "supervisors")
_OF_EVERY_LINE = "supervisors"  # says nothing of the kind of work
SETTING = "duty."  # before a duty's key, among the values that a force fills in
USUAL_NAMES: Mapping[str, tuple[str, ...]] = {
    "response": ("response", "neighbourhood", "roads policing"),
    "contact": ("contact", "control room"),
    "investigation": ("investigation",),
    "custody": ("custody",),
    "supervisors": ("Sergeant", "Inspector", "Chief Inspector", "Superintendent", "Chief Superintendent"),
}


@dataclass(frozen=True, slots=True)
class PostNames:
    """The designated role and the rank or grade of one post."""

    role: str
    rank: str


def duty_words(duties: Sequence[str]) -> str:
    """Duties in words.

    >>> duty_words(["response", "contact", "custody"])
    'response, contact and custody'
    """
    return " and ".join(filter(None, (", ".join(duties[:-1]), *duties[-1:])))


def names_of_duties(values: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The roles and ranks of each duty, as the force wrote them one a line, else the usual ones."""
    written = {duty: values.get(SETTING + duty, "").split("\n") for duty in DUTIES}
    names = {duty: tuple(name.strip() for name in rows if name.strip()) for duty, rows in written.items()}
    return {duty: names[duty] or USUAL_NAMES[duty] for duty in DUTIES}


def duties_of_posts(posts: Iterable[PostNames], values: Mapping[str, str]) -> tuple[str, ...]:
    """The duties of somebody with these posts, in the order of ``DUTIES``: the union over the posts.

    Empty if the kind of work is not known: without a post, or where no role or rank belongs to a duty other
    than that of supervisors. Whoever asks shows all parts open then, and weights nothing.

    >>> duties_of_posts([PostNames("custody", "Staff"), PostNames("Response", "Acting Sergeant")], {})
    ('response', 'custody', 'supervisors')
    >>> duties_of_posts([PostNames("corporate services", "Sergeant")], {})
    ()
    """
    known = list(posts)
    names = names_of_duties(values)
    duties = tuple(
        duty for duty in DUTIES if any(_belongs(post, name) for post in known for name in names[duty])
    )
    return () if set(duties) <= {_OF_EVERY_LINE} else duties


def roles_without_duty(posts: Iterable[PostNames], values: Mapping[str, str]) -> list[str]:
    """The designated roles that belong to no duty, whatever the rank, in alphabetical order."""
    roles: dict[str, bool] = {}  # whether any post with it has a duty
    for post in posts:
        roles[post.role] = roles.get(post.role, False) or bool(duties_of_posts([post], values))
    return sorted(role for role, has_duty in roles.items() if not has_duty)


def _belongs(post: PostNames, name: str) -> bool:
    """Whether a name is the post's role or rank; a rank counts with any prefix, such as “Acting”."""
    folded = name.casefold()
    if folded in (post.role.strip().casefold(), post.rank.strip().casefold()):
        return True
    place = rank_place(name)
    return place is not None and place == rank_place(post.rank)
