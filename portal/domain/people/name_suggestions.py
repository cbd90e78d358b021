"""What somebody meant who searched for people and found nobody: a surname with a letter or two wrong."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select

from portal.domain.people.models import PersonName
from portal.domain.people.name_search import name_conditions, typed_words
from portal.domain.people.visibility.rules import Viewer, is_visible
from portal.platform.db import db
from portal.platform.spelling import fold_letters, near_words

_MOST_TRIED = 8  # searches with another surname, of which the first that finds somebody is suggested


def suggest_search(viewer: Viewer, text: str) -> str:
    """The search with one word replaced by a surname near it; it finds somebody whom the viewer may see.

    Empty if there is none. Two statements; they read each surname once, however many people have it.
    """
    words = typed_words(text)
    surnames = _surnames_by_word(db.session.scalars(_each_surname()))
    alternatives = sorted(
        {
            (faults, differs, surname, " ".join([*words[:at], surname, *words[at + 1 :]]))
            for at, word in enumerate(words)
            for faults, differs, near in near_words(_join_parts(word), surnames)
            for surname in surnames[near]
        }
    )[:_MOST_TRIED]
    if not alternatives:
        return ""
    searches = [search for *_, search in alternatives]
    finds_somebody = db.session.execute(select(*(_find_visible(viewer, search) for search in searches))).one()
    return next((search for search, finds in zip(searches, finds_somebody, strict=True) if finds), "")


def _each_surname() -> Select[Any]:
    """A statement of all surnames, which goes from each to the next in their index."""
    surnames = select(func.min(PersonName.surname).label("surname")).cte("surnames", recursive=True)
    following = (
        select(func.min(PersonName.surname)).where(PersonName.surname > surnames.c.surname).scalar_subquery()
    )
    surnames = surnames.union_all(select(following).where(surnames.c.surname.is_not(None)))
    return select(surnames.c.surname).where(surnames.c.surname.is_not(None))


def _surnames_by_word(surnames: Iterable[str]) -> dict[str, set[str]]:
    """Surnames by their folded letters, and those of several parts by each of them too."""
    by_word = defaultdict(set)
    for surname in surnames:
        parts = fold_letters(surname).replace("-", " ").split()
        for word in {"".join(parts), *parts}:
            by_word[word].add(surname)
    return by_word


def _join_parts(word: str) -> str:
    return fold_letters(word).replace("-", "")


def _find_visible(viewer: Viewer, search: str) -> ColumnElement[bool]:
    conditions = name_conditions(search)
    return select(PersonName.person_id).where(is_visible(PersonName.person_id, viewer), *conditions).exists()
