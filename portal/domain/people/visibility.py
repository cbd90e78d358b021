"""Visibility: whom a viewer may see, decided in one place from the viewer's grants and people's posts.

A manager with a grant on a unit sees the people in and under it; with a grant without a unit, direct reports.
The other roles with sight see the people in and under their unit or, without one, the whole force. If the
force chooses it (``LINE_MANAGER_SIGHT``), today's roster alone shows line managers their direct reports.
Everyone sees themselves. Another system sees what an auditor of its token's unit would see.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    and_,
    bindparam,
    exists,
    false,
    literal,
    or_,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import aliased

from portal.domain.people.models import Person, Post, RoleGrant, Unit, UnitState
from portal.domain.people.positions import is_known_fact
from portal.platform import clock
from portal.platform.db import db, read
from portal.platform.permissions import SIGHT_ROLES, Permission, Role, list_permissions, roles_with

# Other rows of the same tables; made once, because building them is most of a statement's cost.
_POST, _OTHER_POST, _REPORT, _STATE = aliased(Post), aliased(Post), aliased(Post), aliased(UnitState)


@dataclass(frozen=True, slots=True)
class Viewer:
    """The person for whom a page, file or mail is made, and what their grants let them do now."""

    person_id: int
    staff_number: str
    display_name: str  # "Constable Priya Shah", as shown in the header
    has_post: bool
    roles: frozenset[Role]
    permissions: frozenset[Permission]
    line_manager: bool = False  # by today's roster, if that alone shows direct reports in this force
    only_unit_id: int | None = None  # of another system's access token: the unit in and under which it sees

    @property
    def is_system(self) -> bool:
        """Whether it is no person but a command or another system, which has no grants of its own."""
        return self.person_id == NOBODY


NOBODY = 0  # the id of no person
COMMAND_LINE = Viewer(NOBODY, "", "Command line", False, frozenset(Role), list_permissions())


@dataclass(frozen=True, slots=True)
class Visibility:
    """The posts that a viewer may see: all, those in units, and those that name a line manager."""

    everyone: bool
    granted_unit_ids: frozenset[int]
    unit_ids: frozenset[int]  # the granted units and all units under them today
    direct_reports_of: int | None


def visibility_of(viewer: Viewer) -> Visibility:
    """The viewer's visibility by the grants of this instant, for the rows of a report. One statement."""
    if viewer.is_system:
        return _visibility_of_system(viewer.only_unit_id)
    rows = read(_SIGHT, {"person_id": viewer.person_id, "today": clock.today()})
    roles = {role for role, unit_id in rows if unit_id is None}
    return Visibility(
        everyone=bool(roles - {Role.MANAGER}),
        granted_unit_ids=frozenset(unit_id for role, unit_id in rows if role and unit_id is not None),
        unit_ids=frozenset(unit_id for _, unit_id in rows if unit_id is not None),
        direct_reports_of=viewer.person_id if viewer.line_manager or Role.MANAGER in roles else None,
    )


def _visibility_of_system(unit_id: int | None) -> Visibility:
    everyone, granted, units = unit_id is None, frozenset[int](), frozenset[int]()
    if unit_id is not None:
        under = _units_under(_select_unit(unit_id), clock.today())
        granted, units = frozenset({unit_id}), frozenset(db.session.scalars(select(under.c.unit_id)))
    return Visibility(everyone, granted, units, direct_reports_of=None)


def visible_people(
    viewer: Viewer, act: Permission | None = None, among: Collection[int] | None = None
) -> Select[int]:
    """The ids of all people whose page and records ``viewer`` may open, as one statement.

    A person's posts of today decide; for someone without one, those of their posts that ended last.

    Args:
        viewer: The viewer.
        act: Only people to whom the viewer may do this: only roles that allow it count, so that one role's
            sight does not lend another role's powers.
        among: Only these people; no one else's posts are read.
    """
    people = select(Person.id) if among is None else select(Person.id).where(Person.id.in_(among))
    return people.where(is_visible(Person.id, viewer, act, among))


def is_visible(
    person_id: Any, viewer: Viewer, act: Permission | None = None, among: Collection[int] | None = None
) -> ColumnElement[bool]:
    """WHERE clause: the person of this id column is one of ``visible_people``, for another statement."""
    if viewer.is_system:
        return _is_visible_to_system(person_id, viewer, act, among)
    me, today = viewer.person_id, clock.today()
    roles = SIGHT_ROLES if act is None else SIGHT_ROLES & roles_with(act)
    unlimited = [_gives_sight(me, today, roles), RoleGrant.unit_id.is_(None)]
    by_post = select(_POST.person_id).where(decides_visibility(_POST, today))
    if among is not None:
        by_post = by_post.where(_POST.person_id.in_(among))
    is_direct_report = _POST.line_manager_id == me
    if not (viewer.line_manager and Role.MANAGER in roles):  # otherwise the roster alone shows them
        is_direct_report = and_(is_direct_report, exists().where(*unlimited, RoleGrant.role == Role.MANAGER))
    clauses = [_POST.unit_id.in_(select(_visible_units(me, today, roles).c.unit_id)), is_direct_report]
    if among is not None:  # these use the index of people; otherwise each clause uses an index of its own
        clauses = [or_(*clauses)]
    return or_(
        person_id == me,
        exists().where(*unlimited, RoleGrant.role != Role.MANAGER),
        *(person_id.in_(by_post.where(clause)) for clause in clauses),
    )


def _is_visible_to_system(
    person_id: Any, viewer: Viewer, act: Permission | None, among: Collection[int] | None
) -> ColumnElement[bool]:
    if act is not None and act not in viewer.permissions:
        return false()
    if viewer.only_unit_id is None:
        return true()
    today = clock.today()
    under = _units_under(_select_unit(viewer.only_unit_id), today)
    by_post = select(_POST.person_id).where(decides_visibility(_POST, today))
    if among is not None:
        by_post = by_post.where(_POST.person_id.in_(among))
    in_ids: ColumnElement[bool] = person_id.in_(by_post.where(_POST.unit_id.in_(select(under.c.unit_id))))
    return in_ids


def may_see(viewer: Viewer, person_id: int, act: Permission | None = None) -> bool:
    """Whether ``viewer`` may open the person's page and records, or do ``act`` to them. One statement."""
    return db.session.scalar(visible_people(viewer, act, [person_id])) is not None


def is_valid_on(row: Any, day: date) -> ColumnElement[bool]:
    """WHERE clause: a row with ``valid_from`` and ``valid_to`` is valid on ``day``."""
    return and_(row.valid_from <= day, row.valid_to >= day)


def is_granted_to(person_id: Any, day: date) -> ColumnElement[bool]:
    """WHERE clause: a role grant is the person's, is valid on ``day`` and has not been revoked."""
    return and_(RoleGrant.person_id == person_id, is_valid_on(RoleGrant, day), RoleGrant.ended_at.is_(None))


def is_line_manager(person_id: Any, day: date) -> ColumnElement[bool]:
    """WHERE clause: a known post of somebody else names the person as line manager on ``day``."""
    names_person = (_REPORT.line_manager_id == person_id, _REPORT.person_id != person_id)
    return exists().where(*names_person, is_known_fact(_REPORT), is_valid_on(_REPORT, day))


def _gives_sight(person_id: Any, day: Any, roles: frozenset[Role] = SIGHT_ROLES) -> ColumnElement[bool]:
    return and_(is_granted_to(person_id, day), RoleGrant.role.in_(sorted(roles)))


def _visible_units(person_id: Any, day: Any, roles: frozenset[Role] = SIGHT_ROLES) -> Any:
    """CTE of the granted units and of all units under them on ``day``, as known now."""
    by_unit = (_gives_sight(person_id, day, roles), RoleGrant.unit_id.is_not(None))
    return _units_under(select(RoleGrant.unit_id).where(*by_unit), day)


def _select_unit(unit_id: int) -> Select[Any]:
    return select(Unit.id.label("unit_id")).where(Unit.id == unit_id)


def _units_under(units: Select[Any], day: Any) -> Any:
    """CTE of these units and of all units under them on ``day``, as known now."""
    under = units.cte(recursive=True)
    below = (
        select(_STATE.unit_id)
        .join(under, _STATE.parent_id == under.c.unit_id)
        .where(is_known_fact(_STATE), is_valid_on(_STATE, day))
    )
    return under.union(below)


_ME: Any = bindparam("person_id")
_TODAY: Any = bindparam("today", type_=Date())
_SIGHT = union_all(
    select(RoleGrant.role, RoleGrant.unit_id).where(_gives_sight(_ME, _TODAY)),
    select(literal(""), _visible_units(_ME, _TODAY).c.unit_id),  # "": below a granted unit
)


def decides_visibility(post: Any, day: date) -> ColumnElement[bool]:
    """WHERE clause: a known post decides who sees its person: it is live, or the last one that ended."""
    ends_later = exists().where(
        _OTHER_POST.person_id == post.person_id,
        is_known_fact(_OTHER_POST),
        _OTHER_POST.valid_from <= day,
        _OTHER_POST.valid_to > post.valid_to,
    )
    return and_(
        is_known_fact(post), post.valid_from <= day, or_(post.valid_to >= day, ~ends_later.correlate(post))
    )
