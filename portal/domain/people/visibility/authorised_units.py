"""The units in which a viewer's grants of today allow an act."""

from collections.abc import Collection

from sqlalchemy import select

from portal.domain.people.models import RoleGrant
from portal.domain.people.queries import Viewer, units_under
from portal.domain.people.visibility.rules import is_granted_to
from portal.platform import clock
from portal.platform.db import db
from portal.platform.permissions import Permission, Role, roles_with


def administered_units(viewer: Viewer) -> set[int] | None:
    """The units that the viewer administers today; None: the whole force."""
    return _units_with_roles(viewer, [Role.ADMINISTRATOR])


def units_allowing(viewer: Viewer, act: Permission) -> set[int] | None:
    """The units in which the viewer's grants of today allow an act; None: in the whole force.

    For acts that no manager may do: a manager's grant without a unit is for direct reports alone.
    """
    if not viewer.is_system:
        return _units_with_roles(viewer, roles_with(act))
    if act not in viewer.permissions:
        return set()
    return None if viewer.only_unit_id is None else units_under(viewer.only_unit_id, clock.today())


def _units_with_roles(viewer: Viewer, roles: Collection[Role]) -> set[int] | None:
    today = clock.today()
    granted_on = db.session.scalars(
        select(RoleGrant.unit_id).where(
            is_granted_to(viewer.person_id, today), RoleGrant.role.in_(sorted(roles))
        )
    ).all()
    if None in granted_on:
        return None
    units: set[int] = set()
    for unit_id in granted_on:
        units |= units_under(unit_id or 0, today)
    return units
