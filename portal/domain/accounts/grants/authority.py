"""Which accounts and units an administrator may act on, so that nobody can widen their own powers."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select

from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post, RoleGrant
from portal.domain.people.queries import Viewer, live_units, may_see
from portal.domain.people.units.tree import read_tree
from portal.domain.people.visibility.authorised_units import administered_units
from portal.domain.people.visibility.rules import is_granted_to, is_valid_on, is_visible
from portal.domain.people.workforce import Workforce
from portal.platform import clock
from portal.platform.db import db
from portal.platform.permissions import Role

__all__ = [
    "CurrentGrant",
    "administered_units",
    "administers_person",
    "grantable_units",
    "is_administered",
    "list_current_grants",
    "people_administered_in",
]


@dataclass(frozen=True, slots=True)
class CurrentGrant:
    """A role that a person has today, and where."""

    role: Role
    unit_id: int | None
    unit_label: str  # empty where the grant names no unit
    since: date
    until: date  # its last day


def list_current_grants(person_id: int) -> list[CurrentGrant]:
    """The roles that the person has today, by role and unit."""
    today = clock.today()
    rows = db.session.execute(
        select(
            RoleGrant.role, RoleGrant.unit_id, func.min(RoleGrant.valid_from), func.max(RoleGrant.valid_to)
        )
        .where(is_granted_to(person_id, today))
        .group_by(RoleGrant.role, RoleGrant.unit_id)
    ).all()
    tree = read_tree() if any(row.unit_id for row in rows) else None
    grants = [
        CurrentGrant(
            Role(role), unit_id, tree.last_label_on(unit_id, today) if tree and unit_id else "", since, until
        )
        for role, unit_id, since, until in rows
    ]
    return sorted(grants, key=lambda grant: (grant.role, grant.unit_label))


def administers_person(viewer: Viewer, person_id: int) -> bool:
    """Whether the viewer may change the person's account.

    An administrator of a unit may do so for people with a post there and no role outside it: whoever makes a
    link to set another's password could use that account's roles.
    """
    units = administered_units(viewer)
    if units is None:
        return may_see(viewer, person_id)
    posts = db.session.scalars(
        select(Post.unit_id).where(
            Post.person_id == person_id, is_known_fact(Post), is_valid_on(Post, clock.today())
        )
    ).all()
    has_role_elsewhere = any(grant.unit_id not in units for grant in list_current_grants(person_id))
    return any(unit_id in units for unit_id in posts) and not has_role_elsewhere


def is_administered(person_id: Any, viewer: Viewer) -> ColumnElement[bool]:
    """WHERE clause: ``administers_person`` holds for the person of this id column."""
    units = administered_units(viewer)
    if units is None:
        return is_visible(person_id, viewer)
    today = clock.today()
    has_post_there = select(Post.person_id).where(
        is_known_fact(Post), is_valid_on(Post, today), Post.unit_id.in_(sorted(units))
    )
    has_role_elsewhere = exists().where(
        is_granted_to(person_id, today),
        or_(RoleGrant.unit_id.is_(None), RoleGrant.unit_id.not_in(sorted(units))),
    )
    return and_(person_id.in_(has_post_there), not_(has_role_elsewhere))


def people_administered_in(units: set[int], force: Workforce) -> set[int]:
    """The people whose accounts an administrator of these units may change."""
    people_with_role_elsewhere = db.session.scalars(
        select(RoleGrant.person_id).where(
            is_valid_on(RoleGrant, force.day),
            RoleGrant.ended_at.is_(None),
            or_(RoleGrant.unit_id.is_(None), RoleGrant.unit_id.not_in(units)),
        )
    )
    people_in_units = {person_id for unit_id in units for person_id in force.people_under(unit_id)}
    return people_in_units.difference(people_with_role_elsewhere)


def grantable_units(viewer: Viewer) -> list[tuple[int, str]]:
    """The units on which the viewer may grant a role, with their labels, sorted by path."""
    administered = administered_units(viewer)
    units = [
        (unit.path, unit_id, unit.label)
        for unit_id, unit in live_units(clock.today()).items()
        if administered is None or unit_id in administered
    ]
    return [(unit_id, label) for _, unit_id, label in sorted(units)]
