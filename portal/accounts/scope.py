"""Whose accounts an administrator may act on: rules against lending oneself more than one holds."""

from dataclasses import dataclass

from sqlalchemy import select

from portal import clock
from portal.db import db
from portal.people.known import known
from portal.people.models import Post, RoleGrant
from portal.people.queries import Viewer, live_units, may_see, units_under
from portal.people.sight import granted, live
from portal.permissions import Role


@dataclass(frozen=True, slots=True)
class HeldGrant:
    """A role that a person holds today, and where."""

    role: Role
    unit_id: int | None
    unit_path: str  # empty where the grant names no unit


def grants_of(person_id: int) -> list[HeldGrant]:
    """The roles the person holds today, by role and unit."""
    today = clock.today()
    rows = db.session.execute(
        select(RoleGrant.role, RoleGrant.unit_id).where(granted(person_id, today)).distinct()
    ).all()
    units = live_units(today) if any(unit_id for _, unit_id in rows) else {}
    found = [
        HeldGrant(Role(role), unit_id, units[unit_id].path if unit_id in units else "")
        for role, unit_id in rows
    ]
    return sorted(found, key=lambda held: (held.role, held.unit_path))


def administered_units(viewer: Viewer) -> set[int] | None:
    """The units in which the viewer's administrator grants of today hold; None: the whole force."""
    today = clock.today()
    granted_on = db.session.scalars(
        select(RoleGrant.unit_id).where(
            granted(viewer.person_id, today), RoleGrant.role == Role.ADMINISTRATOR
        )
    ).all()
    if None in granted_on:
        return None
    found: set[int] = set()
    for unit_id in granted_on:
        found |= units_under(unit_id or 0, today)
    return found


def administers(viewer: Viewer, person_id: int) -> bool:
    """Whether the viewer may change the person's account.

    An administrator of a unit may for those who have a post there and hold no role outside it: a link to
    another's account is worth what that account may do.
    """
    units = administered_units(viewer)
    if units is None:
        return may_see(viewer, person_id)
    posts = db.session.scalars(
        select(Post.unit_id).where(Post.person_id == person_id, known(Post), live(Post, clock.today()))
    ).all()
    beyond = any(held.unit_id not in units for held in grants_of(person_id))
    return any(unit_id in units for unit_id in posts) and not beyond


def grantable_units(viewer: Viewer) -> list[tuple[int, str]]:
    """The units on which the viewer may grant a role, by path."""
    within = administered_units(viewer)
    found = [
        (unit_id, unit.path)
        for unit_id, unit in live_units(clock.today()).items()
        if within is None or unit_id in within
    ]
    return sorted(found, key=lambda pair: pair[1])
