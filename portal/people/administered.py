"""In which units an administrator's grants of today hold."""

from sqlalchemy import select

from portal import clock
from portal.db import db
from portal.people.models import RoleGrant
from portal.people.queries import Viewer, units_under
from portal.people.sight import granted
from portal.permissions import Role


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
