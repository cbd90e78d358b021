"""Checks that assignments follow from the facts, and puts right those that do not."""

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


def reconcile_all() -> list[str]:
    """Correct every assignment that does not follow from posts, versions and units.

    Returns:
        A sentence for each that was wrong; none is expected.
    """
    at = stamp()
    rows = list(find_differences(db.session.scalars(select(Person.id)), RuleHistory(), at))
    write_assignments(rows, at)
    touch(people={row["person_id"] for row in rows})
    return [_describe_difference(row) for row in rows]


def list_all_people() -> list[int]:
    """The ids of all people."""
    return list(db.session.scalars(select(Person.id).order_by(Person.id)))


def list_differences(people: Sequence[int], history: RuleHistory, at: datetime) -> list[str]:
    """A sentence for each assignment of these people, as known on ``at``, that is wrong."""
    return [_describe_difference(row) for row in find_differences(people, history, at)]


def _describe_difference(row: Mapping[str, Any]) -> str:
    problem = "was not due" if row["void"] else "was wrong" if row["replaces_id"] else "was missing"
    return (
        f"Person {row['person_id']}, directive {row['directive_id']}: "
        f"assignment from {row['from_on']} {problem}."
    )


def count_people_ever_assigned(directive_id: int) -> int:
    """How many people have a known assignment of the directive: past, present or future."""
    query = select(func.count(func.distinct(Assignment.person_id)))
    return (
        db.session.scalar(query.where(Assignment.directive_id == directive_id, is_known_fact(Assignment)))
        or 0
    )
