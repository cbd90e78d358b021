"""Who may act on one person: the inverse of ``visible_people``."""

from sqlalchemy import and_, exists, or_, select

from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post, RoleGrant
from portal.domain.people.queries import live_units
from portal.domain.people.visibility.rules import decides_visibility, is_valid_on
from portal.platform import clock
from portal.platform.db import db
from portal.platform.permissions import SIGHT_ROLES, Permission, Role, roles_with


def overseers_of(person_id: int, act: Permission) -> set[int]:
    """The people with a post whose grants of today let them do ``act`` to the person. Three statements.

    For acts that no manager may do: line management does not count.
    """
    today = clock.today()
    unit_ids = db.session.scalars(
        select(Post.unit_id).where(Post.person_id == person_id, decides_visibility(Post, today))
    ).all()
    units, unit_and_above = live_units(today), set()
    for unit_id in unit_ids:
        above: int | None = unit_id
        while above is not None and above not in unit_and_above:
            unit_and_above.add(above)
            above = units[above].parent_id if above in units else None
    roles = (SIGHT_ROLES & roles_with(act)) - {Role.MANAGER}
    g = RoleGrant
    rows = select(g.person_id).where(
        is_valid_on(g, today),
        g.ended_at.is_(None),
        g.role.in_(sorted(roles)),
        or_(g.unit_id.is_(None), g.unit_id.in_(sorted(unit_and_above))),
        exists().where(and_(Post.person_id == g.person_id, is_known_fact(Post), is_valid_on(Post, today))),
    )
    return set(db.session.scalars(rows))
