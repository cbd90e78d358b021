"""Whether what is derived still follows from the facts, and whom a directive reaches."""

from sqlalchemy import func, select

from portal.db import db, stamp, touch
from portal.directives.derived import rebuild_all
from portal.directives.models import Assignment
from portal.directives.reconcile import differences, write
from portal.directives.rules import Worlds
from portal.people.known import known
from portal.people.models import Person

__all__ = ["people_reached", "rebuild_all", "reconcile_all"]


def reconcile_all() -> list[str]:
    """Put every assignment right that does not follow from posts, versions and units.

    Returns:
        A sentence for each that differed; none is expected.
    """
    at = stamp()
    rows = list(differences(db.session.scalars(select(Person.id)), Worlds(), at))
    write(rows, at)
    touch(people={row["person_id"] for row in rows})
    return [
        f"Person {row['person_id']}, directive {row['directive_id']}: assignment from {row['from_on']} "
        f"{'was not due' if row['void'] else 'was wrong' if row['replaces_id'] else 'was missing'}."
        for row in rows
    ]


def people_reached(directive_id: int) -> int:
    """How many people have a known assignment of the directive, past or to come."""
    query = select(func.count(func.distinct(Assignment.person_id)))
    return db.session.scalar(query.where(Assignment.directive_id == directive_id, known(Assignment))) or 0
