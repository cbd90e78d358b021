"""Whose own page a viewer may open, of the people of a list."""

from collections.abc import Sequence

from portal.db import db
from portal.people.models import Person
from portal.people.queries import Viewer, visible_people


def openable(viewer: Viewer, people: Sequence[int]) -> set[int]:
    """Those of ``people`` whose page ``viewer`` may open. One statement."""
    return set(db.session.scalars(visible_people(viewer).where(Person.id.in_(people))))
