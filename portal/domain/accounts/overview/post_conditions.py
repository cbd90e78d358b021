"""What the lists of accounts and of sessions ask about posts and units."""

from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased

from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post
from portal.domain.people.queries import UnitRow, Viewer
from portal.domain.people.units.search import find_current_or_former_unit
from portal.domain.people.visibility.authorised_units import administered_units
from portal.domain.people.visibility.rules import is_valid_on


def has_post(person_id: Any, day: date) -> ColumnElement[bool]:
    """WHERE clause: the person of this id column has a post on ``day``; looked up for each row."""
    post = aliased(Post)
    return exists().where(post.person_id == person_id, is_known_fact(post), is_valid_on(post, day))


def has_post_below(
    person_id: Any, text: str, viewer: Viewer, units: Mapping[int, UnitRow], day: date
) -> ColumnElement[bool]:
    """WHERE clause: the person has a post in the unit that ``text`` names, or in one below it.

    Two statements find the unit, and a few more where the viewer does not administer the whole force.

    Args:
        person_id: The id column.
        text: The unit's path or name.
        viewer: Who looks; only units that they administer are found.
        units: All units of ``day``.
        day: The day.

    Raises:
        NotFoundError: No such unit has this path or name.
        RuleError: Several units have this name.
    """
    administered = administered_units(viewer)
    searched = units if administered is None else {u: units[u] for u in units.keys() & administered}
    post = aliased(Post)
    below = _units_below(find_current_or_former_unit(text, searched), units)
    posts = select(post.person_id).where(post.unit_id.in_(below), is_known_fact(post), is_valid_on(post, day))
    return cast(ColumnElement[bool], person_id.in_(posts))


def _units_below(unit_id: int, units: Mapping[int, UnitRow]) -> set[int]:
    """The unit and all below it."""
    below, size = {unit_id}, 0
    while len(below) > size:
        size = len(below)
        below |= {child for child, unit in units.items() if unit.parent_id in below}
    return below


def main_unit(day: date) -> Any:
    """The unit of the person's main post, or else of their first, for a statement about ``PersonName``."""
    post = aliased(Post)
    return (
        select(post.unit_id)
        .where(post.person_id == PersonName.person_id, is_known_fact(post), is_valid_on(post, day))
        .order_by(post.post_key)  # the main post, "", comes first
        .limit(1)
        .correlate(PersonName)
        .scalar_subquery()
    )
