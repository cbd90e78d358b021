"""Finding people by what somebody types, and naming those whom a viewer may see."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select

from portal.db import db
from portal.people.models import PersonName
from portal.people.sight import Viewer, visible_people


def named(text: str) -> list[ColumnElement[bool]]:
    """That every word of ``text`` stands in a person's names or staff number, in any case of letters."""
    columns = (PersonName.surname, PersonName.forenames, PersonName.staff_number)
    return [
        or_(*(func.lower(column).contains(word, autoescape=True) for column in columns))
        for word in text.lower().replace(",", " ").split()
    ]


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
        .where(PersonName.person_id.in_(person_ids), PersonName.person_id.in_(visible_people(viewer)))
        .order_by(PersonName.surname, PersonName.forenames, PersonName.staff_number)
    )
    return [SeenName(*row) for row in rows]
