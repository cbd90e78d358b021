"""Who the people of a list are, and whose own page a viewer may open."""

from collections.abc import Sequence

from sqlalchemy import select

from portal.domain.people.models import PersonName
from portal.domain.people.queries import Viewer, visible_people
from portal.platform.db import db

PEOPLE = 10_000  # read by one statement: below the databases' limits of bound values


def openable(viewer: Viewer, people: Sequence[int]) -> set[int]:
    """Those of ``people`` whose page ``viewer`` may open. One statement."""
    return set(db.session.scalars(visible_people(viewer, among=people)))


def numbers_and_names(people: Sequence[int], most: int) -> list[tuple[int, str, str]]:
    """Id, staff number and name of the first ``most`` of those who still have a name, by surname."""
    found: list[tuple[str, str, str, int]] = []
    columns = (PersonName.surname, PersonName.staff_number, PersonName.forenames, PersonName.person_id)
    for first in range(0, len(people), PEOPLE):
        some = PersonName.person_id.in_(people[first : first + PEOPLE])
        statement = select(*columns).where(some).order_by(*columns[:2]).limit(most)
        found += [
            (surname, number, name, one) for surname, number, name, one in db.session.execute(statement)
        ]
    return [(one, number, f"{surname}, {name}") for surname, number, name, one in sorted(found)[:most]]
