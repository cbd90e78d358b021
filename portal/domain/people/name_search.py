"""Searches people by typed words, and names people whom a viewer may see."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, and_, column, func, literal_column, select, table
from sqlalchemy.dialects.postgresql import ARRAY

from portal.domain.people.models import PersonName
from portal.domain.people.visibility.rules import Viewer, is_visible
from portal.platform.db import db
from portal.platform.spelling import fold_letters

MOST_CHARACTERS, MOST_WORDS = 200, 10
_PART = 3  # letters of the parts of names in each database's index; it cannot find a shorter word
_AFTER_ALL = "\U0010ffff"  # sorts after every letter


def name_conditions(text: str) -> list[ColumnElement[bool]]:
    """WHERE clauses: every word of ``text`` is in the person's names or staff number, or begins their email.

    Letter case, accents and apostrophes do not matter. A word of three letters or more is looked up in an
    index of each database's own; a shorter one alone is looked for in every name.
    """
    typed = typed_words(text)
    conditions = [_email_begins_with(word.lower()) for word in typed if "@" in word]
    words = fold_letters(" ".join(word for word in typed if "@" not in word)).split()
    parts = [word for word in words if len(word) >= _PART]
    if parts:
        is_sqlite = db.engine.dialect.name == "sqlite"
        conditions += [_is_in_parts(parts)] if is_sqlite else map(_has_parts_of, parts)
    shorter = [word for word in words if len(word) < _PART]
    return [*conditions, *(PersonName.folded.contains(word, autoescape=True) for word in shorter)]


def typed_words(text: str) -> list[str]:
    """The words of a search for people: what lies between spaces and commas, as many as are looked for."""
    return text[:MOST_CHARACTERS].replace(",", " ").replace("\0", " ").split()[:MOST_WORDS]


def _email_begins_with(word: str) -> ColumnElement[bool]:
    return and_(PersonName.email >= word, PersonName.email < word + _AFTER_ALL)


def _is_in_parts(words: Sequence[str]) -> ColumnElement[bool]:
    """WHERE clause for SQLite; a word has no space in it, so it never matches across two names."""
    index: ColumnElement[str] = literal_column("person_search")
    found: Select[Any] = select(column("rowid")).select_from(table("person_search"))
    phrases = " AND ".join('"{}"'.format(word.replace('"', '""')) for word in words)
    is_found: ColumnElement[bool] = PersonName.person_id.in_(found.where(index.op("MATCH")(phrases)))
    return is_found


def _has_parts_of(word: str) -> ColumnElement[bool]:
    """WHERE clause for PostgreSQL: all parts of the word are there, and the word itself."""
    parts = sorted({word[start : start + _PART] for start in range(len(word) - _PART + 1)})
    has_parts = func.parts_of_name(PersonName.folded, type_=ARRAY(Text)).contains(parts)
    return and_(has_parts, PersonName.folded.contains(word, autoescape=True))


class VisibleName(NamedTuple):
    """The current name of a person whom the viewer may see."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str


def list_visible_names(viewer: Viewer, person_ids: Collection[int]) -> list[VisibleName]:
    """The current names of those of these people whom the viewer may see, by surname. One statement."""
    rows = db.session.execute(
        select(PersonName.person_id, PersonName.staff_number, PersonName.surname, PersonName.forenames)
        .where(
            PersonName.person_id.in_(person_ids), is_visible(PersonName.person_id, viewer, among=person_ids)
        )
        .order_by(PersonName.surname, PersonName.forenames, PersonName.staff_number)
    )
    return [VisibleName(*row) for row in rows]
