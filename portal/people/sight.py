"""Whom a viewer may see, decided in one place from the grants held now and from people's posts.

A manager granted a unit sees who is in and under it; one granted none sees direct reports. The other
roles with sight see in and under their unit or, without one, the whole force. Everyone sees themselves.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from portal import clock
from portal.db import db
from portal.people.known import known
from portal.people.models import Person, Post, RoleGrant, UnitState
from portal.permissions import SIGHT_ROLES, Permission, Role, roles_with


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person as the one who looks: who they are, and what their live grants let them do now."""

    person_id: int
    staff_number: str
    display_name: str  # "Constable Priya Shah", as shown in the header
    has_post: bool
    roles: frozenset[Role]
    permissions: frozenset[Permission]


COMMAND_LINE = Viewer(0, "", "Command line", False, frozenset(Role), frozenset(Permission))


@dataclass(frozen=True, slots=True)
class Sight:
    """Whose posts a viewer may see: all, those in the units, and those that name a line manager."""

    everyone: bool
    granted: frozenset[int]  # units
    unit_ids: frozenset[int]  # these and all units under them today
    direct_reports_of: int | None


def sight(viewer: Viewer) -> Sight:
    """What the viewer's grants of this instant give sight of, for the rows of a report. One statement."""
    if viewer == COMMAND_LINE:
        return Sight(everyone=True, granted=frozenset(), unit_ids=frozenset(), direct_reports_of=None)
    today = clock.today()
    under = _units_seen(viewer.person_id, today)
    grants = select(RoleGrant.role, RoleGrant.unit_id).where(_gives_sight(viewer.person_id, today))
    rows = db.session.execute(
        union_all(grants, select(literal(""), under.c.unit_id))  # "": reached through a unit
    ).all()
    roles = {role for role, unit_id in rows if unit_id is None}
    return Sight(
        everyone=bool(roles - {Role.MANAGER}),
        granted=frozenset(unit_id for role, unit_id in rows if role and unit_id is not None),
        unit_ids=frozenset(unit_id for _, unit_id in rows if unit_id is not None),
        direct_reports_of=viewer.person_id if Role.MANAGER in roles else None,
    )


def visible_people(
    viewer: Viewer, act: Permission | None = None, among: Collection[int] | None = None
) -> Select[int]:
    """The ids of all people whose page and records ``viewer`` may open, as one statement.

    A person's posts of today decide; for someone without one, those of their posts that ended last.

    Args:
        viewer: Who looks.
        act: Only those to whom the viewer may do this: seen by a grant of a role that carries it, so that
            one role's sight does not lend another role's powers.
        among: Only of these people: no one else's posts are read.
    """
    everyone = select(Person.id) if among is None else select(Person.id).where(Person.id.in_(among))
    if viewer == COMMAND_LINE:
        return everyone
    me, today = viewer.person_id, clock.today()
    roles = SIGHT_ROLES if act is None else SIGHT_ROLES & roles_with(act)
    unlimited = [_gives_sight(me, today, roles), RoleGrant.unit_id.is_(None)]
    under = _units_seen(me, today, roles)
    post = aliased(Post)
    seen = select(post.person_id).where(
        or_(
            post.unit_id.in_(select(under.c.unit_id)),
            and_(
                post.line_manager_id == me,
                exists().where(*unlimited, RoleGrant.role == Role.MANAGER),
            ),
        ),
        _speaks(post, today),
    )
    if among is not None:
        seen = seen.where(post.person_id.in_(among))
    return everyone.where(
        or_(
            Person.id == me,
            exists().where(*unlimited, RoleGrant.role != Role.MANAGER),
            Person.id.in_(seen),
        )
    )


def may_see(viewer: Viewer, person_id: int, act: Permission | None = None) -> bool:
    """Whether ``viewer`` may open the person's page and records, or do ``act`` to them. One statement."""
    found = db.session.scalar(visible_people(viewer, act, [person_id]))
    return found is not None


def live(row: Any, day: date) -> ColumnElement[bool]:
    """That a row with ``valid_from`` and ``valid_to`` holds on ``day``."""
    return and_(row.valid_from <= day, row.valid_to >= day)


def granted(person_id: Any, day: date) -> ColumnElement[bool]:
    """That a role grant is the person's, holds on ``day`` and has not been revoked."""
    return and_(RoleGrant.person_id == person_id, live(RoleGrant, day), RoleGrant.ended_at.is_(None))


def _gives_sight(person_id: int, day: date, roles: frozenset[Role] = SIGHT_ROLES) -> ColumnElement[bool]:
    return and_(granted(person_id, day), RoleGrant.role.in_(sorted(roles)))


def _units_seen(person_id: int, day: date, roles: frozenset[Role] = SIGHT_ROLES) -> Any:
    """Granted units and, by the tree of ``day`` as now known, all units under them."""
    by_unit = (_gives_sight(person_id, day, roles), RoleGrant.unit_id.is_not(None))
    seed = select(RoleGrant.unit_id).where(*by_unit)
    under = seed.cte(recursive=True)
    state = aliased(UnitState)
    below = (
        select(state.unit_id)
        .join(under, state.parent_id == under.c.unit_id)
        .where(known(state), live(state, day))
    )
    return under.union(below)


def _speaks(post: Any, day: date) -> ColumnElement[bool]:
    """That a post is known and decides who sees its holder: live, or the last to end of someone without."""
    current, other = aliased(Post), aliased(Post)
    holds_one = exists().where(current.person_id == post.person_id, known(current), live(current, day))
    ended_later = exists().where(
        other.person_id == post.person_id, known(other), other.valid_to < day, other.valid_to > post.valid_to
    )
    last = and_(post.valid_to < day, ~holds_one.correlate(post), ~ended_later.correlate(post))
    return and_(known(post), or_(live(post, day), last))
