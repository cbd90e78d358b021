"""Searches people by typed words, and names people whom a viewer may see."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, Text, and_, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from portal.domain.people.models import PersonName
from portal.domain.people.visibility.rules import Viewer, is_visible
from portal.platform.db import db

_SPACE: ColumnElement[str] = literal_column("' '")  # exactly as in PostgreSQL's index
_FULL_TEXT = func.lower(PersonName.surname + _SPACE + PersonName.forenames + _SPACE + PersonName.staff_number)
_PART = 3  # characters of the parts that ``parts_of_name`` makes; it cannot find a shorter word


def name_conditions(text: str) -> list[ColumnElement[bool]]:
    """WHERE clauses: every word of ``text`` is in the person's names or staff number, in any letter case."""
    return [_name_contains(word) for word in text.lower().replace(",", " ").split()]


def _name_contains(word: str) -> ColumnElement[bool]:
    """WHERE clause for one word; it has no space in it, so it never matches across two names."""
    contains_word = _FULL_TEXT.contains(word, autoescape=True)
    parts = sorted({word[start : start + _PART] for start in range(len(word) - _PART + 1)})
    if not parts or db.engine.dialect.name != "postgresql":
        return contains_word
    return and_(func.parts_of_name(_FULL_TEXT, type_=ARRAY(Text)).contains(parts), contains_word)


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
