"""Finding people by what somebody types, and naming those whom a viewer may see."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, Text, and_, func, literal_column, select
from sqlalchemy.dialects.postgresql import ARRAY

from portal.domain.people.models import PersonName
from portal.domain.people.visibility.rules import Viewer, is_visible
from portal.platform.db import db

_SPACE: ColumnElement[str] = literal_column("' '")  # to the letter what PostgreSQL's index is over
_WHOLE = func.lower(PersonName.surname + _SPACE + PersonName.forenames + _SPACE + PersonName.staff_number)
_PART = 3  # characters: as many as ``parts_of_name`` cuts, so that it says nothing of a shorter word


def name_conditions(text: str) -> list[ColumnElement[bool]]:
    """That every word of ``text`` stands in a person's names or staff number, in any case of letters."""
    return [_name_contains(word) for word in text.lower().replace(",", " ").split()]


def _name_contains(word: str) -> ColumnElement[bool]:
    """That a word stands in one of them: it holds no space, so never lies across two."""
    holds = _WHOLE.contains(word, autoescape=True)
    parts = sorted({word[start : start + _PART] for start in range(len(word) - _PART + 1)})
    if not parts or db.engine.dialect.name != "postgresql":
        return holds
    return and_(func.parts_of_name(_WHOLE, type_=ARRAY(Text)).contains(parts), holds)


class VisibleName(NamedTuple):
    """How a person is named now, for a viewer who may see them."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str


def list_visible_names(viewer: Viewer, person_ids: Collection[int]) -> list[VisibleName]:
    """How these are named, by surname; whom the viewer may not see is left out. One statement."""
    rows = db.session.execute(
        select(PersonName.person_id, PersonName.staff_number, PersonName.surname, PersonName.forenames)
        .where(
            PersonName.person_id.in_(person_ids), is_visible(PersonName.person_id, viewer, among=person_ids)
        )
        .order_by(PersonName.surname, PersonName.forenames, PersonName.staff_number)
    )
    return [VisibleName(*row) for row in rows]
