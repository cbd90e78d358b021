"""Who the people of a list are, and whose own page a viewer may open."""

from collections.abc import Sequence

from sqlalchemy import select

from portal.db import db
from portal.people.models import Person, PersonName
from portal.people.queries import Viewer, visible_people


def openable(viewer: Viewer, people: Sequence[int]) -> set[int]:
    """Those of ``people`` whose page ``viewer`` may open. One statement."""
    return set(db.session.scalars(visible_people(viewer).where(Person.id.in_(people))))


def numbers_and_names(people: Sequence[int]) -> list[tuple[int, str, str]]:
    """Id, staff number and name of those who still have a name, by surname. One statement."""
    columns = (PersonName.person_id, PersonName.staff_number, PersonName.surname, PersonName.forenames)
    statement = select(*columns).where(PersonName.person_id.in_(people))
    rows = db.session.execute(statement.order_by(PersonName.surname, PersonName.staff_number))
    return [(person_id, number, f"{surname}, {forenames}") for person_id, number, surname, forenames in rows]
