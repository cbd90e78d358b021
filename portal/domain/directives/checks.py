"""Whether what is derived still follows from the facts, and whom a directive reaches."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from portal.domain.directives.assignments import find_differences, write_assignments
from portal.domain.directives.fact_loader import RuleHistory
from portal.domain.directives.models import Assignment
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Person
from portal.platform.db import db, stamp, touch

__all__ = [
    "differences_of",
    "everybody",
    "people_reached",
    "reconcile_all",
]


def reconcile_all() -> list[str]:
    """Put every assignment right that does not follow from posts, versions and units.

    Returns:
        A sentence for each that differed; none is expected.
    """
    at = stamp()
    rows = list(find_differences(db.session.scalars(select(Person.id)), RuleHistory(), at))
    write_assignments(rows, at)
    touch(people={row["person_id"] for row in rows})
    return [_said(row) for row in rows]


def everybody() -> list[int]:
    """Every person there is or was."""
    return list(db.session.scalars(select(Person.id).order_by(Person.id)))


def differences_of(people: Sequence[int], history: RuleHistory, at: datetime) -> list[str]:
    """A sentence for each assignment of these people that does not follow, as known on ``at``."""
    return [_said(row) for row in find_differences(people, history, at)]


def _said(row: Mapping[str, Any]) -> str:
    wrong = "was not due" if row["void"] else "was wrong" if row["replaces_id"] else "was missing"
    return (
        f"Person {row['person_id']}, directive {row['directive_id']}: "
        f"assignment from {row['from_on']} {wrong}."
    )


def people_reached(directive_id: int) -> int:
    """How many people have a known assignment of the directive, past or to come."""
    query = select(func.count(func.distinct(Assignment.person_id)))
    return (
        db.session.scalar(query.where(Assignment.directive_id == directive_id, is_known_fact(Assignment)))
        or 0
    )
