"""Finding people by what somebody types, and naming those whom a viewer may see."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, literal_column, or_, select

from portal.db import db
from portal.people.models import PersonName
from portal.people.sight import Viewer, is_visible

_PARTS = (PersonName.surname, PersonName.forenames, PersonName.staff_number)
_SPACE: ColumnElement[str] = literal_column("' '")
# What PostgreSQL's index of parts of names is over, to the letter. A word holds no space: one part has it.
_WHOLE = func.lower(PersonName.surname + _SPACE + PersonName.forenames + _SPACE + PersonName.staff_number)
_INDEXED = 3  # letters; of a shorter word that index knows nothing: it is not to be read whole


def named(text: str) -> list[ColumnElement[bool]]:
    """That every word of ``text`` stands in a person's names or staff number, in any case of letters."""
    return [_holds(word) for word in text.lower().replace(",", " ").split()]


def _holds(word: str) -> ColumnElement[bool]:
    if len(word) >= _INDEXED:
        return _WHOLE.contains(word, autoescape=True)
    return or_(*(func.lower(part).contains(word, autoescape=True) for part in _PARTS))


class SeenName(NamedTuple):
    """How a person is named now, for a viewer who may see them."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str


def seen_names(viewer: Viewer, person_ids: Collection[int]) -> list[SeenName]:
    """How these are named, by surname; whom the viewer may not see is left out. One statement."""
    rows = db.session.execute(
        select(PersonName.person_id, PersonName.staff_number, PersonName.surname, PersonName.forenames)
        .where(
            PersonName.person_id.in_(person_ids), is_visible(PersonName.person_id, viewer, among=person_ids)
        )
        .order_by(PersonName.surname, PersonName.forenames, PersonName.staff_number)
    )
    return [SeenName(*row) for row in rows]
