"""Whose accounts an administrator may act on: rules against lending oneself more than one holds."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, or_, select

from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post, RoleGrant
from portal.domain.people.queries import Viewer, live_units, may_see
from portal.domain.people.units.tree import read_tree
from portal.domain.people.visibility.authorised_units import administered_units
from portal.domain.people.visibility.rules import is_granted_to, is_valid_on
from portal.domain.people.workforce import Workforce
from portal.platform import clock
from portal.platform.db import db
from portal.platform.permissions import Role

__all__ = [
    "CurrentGrant",
    "administered_units",
    "administers_person",
    "grantable_units",
    "list_current_grants",
    "people_administered_in",
]


@dataclass(frozen=True, slots=True)
class CurrentGrant:
    """A role that a person holds today, and where."""

    role: Role
    unit_id: int | None
    unit_path: str  # empty where the grant names no unit
    since: date
    until: date  # its last day


def list_current_grants(person_id: int) -> list[CurrentGrant]:
    """The roles the person holds today, by role and unit."""
    today = clock.today()
    rows = db.session.execute(
        select(
            RoleGrant.role, RoleGrant.unit_id, func.min(RoleGrant.valid_from), func.max(RoleGrant.valid_to)
        )
        .where(is_granted_to(person_id, today))
        .group_by(RoleGrant.role, RoleGrant.unit_id)
    ).all()
    tree = read_tree() if any(row.unit_id for row in rows) else None
    found = [
        CurrentGrant(
            Role(role), unit_id, tree.last_path_on(unit_id, today) if tree and unit_id else "", since, until
        )
        for role, unit_id, since, until in rows
    ]
    return sorted(found, key=lambda held: (held.role, held.unit_path))


def administers_person(viewer: Viewer, person_id: int) -> bool:
    """Whether the viewer may change the person's account.

    An administrator of a unit may for those who have a post there and hold no role outside it: a link to
    another's account is worth what that account may do.
    """
    units = administered_units(viewer)
    if units is None:
        return may_see(viewer, person_id)
    posts = db.session.scalars(
        select(Post.unit_id).where(
            Post.person_id == person_id, is_known_fact(Post), is_valid_on(Post, clock.today())
        )
    ).all()
    beyond = any(held.unit_id not in units for held in list_current_grants(person_id))
    return any(unit_id in units for unit_id in posts) and not beyond


def people_administered_in(units: set[int], force: Workforce) -> set[int]:
    """Whose accounts an administrator of these units may change."""
    held_beyond = db.session.scalars(
        select(RoleGrant.person_id).where(
            is_valid_on(RoleGrant, force.day),
            RoleGrant.ended_at.is_(None),
            or_(RoleGrant.unit_id.is_(None), RoleGrant.unit_id.not_in(units)),
        )
    )
    there = {person_id for unit_id in units for person_id in force.people_under(unit_id)}
    return there.difference(held_beyond)


def grantable_units(viewer: Viewer) -> list[tuple[int, str]]:
    """The units on which the viewer may grant a role, by path."""
    within = administered_units(viewer)
    found = [
        (unit_id, unit.path)
        for unit_id, unit in live_units(clock.today()).items()
        if within is None or unit_id in within
    ]
    return sorted(found, key=lambda pair: pair[1])
