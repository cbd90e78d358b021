"""Duties: the kinds of work for which parts of lessons and items are marked, and whose post has which. Pure.

A force says which of its designated roles and ranks belong to each duty; without its word the usual names
count. A duty only folds text and weights a draw: it hides nothing, and nobody is asked less for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from portal.domain.people.rank_order import rank_place

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
