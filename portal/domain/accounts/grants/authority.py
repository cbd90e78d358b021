"""Which accounts and units an administrator may act on, so that nobody can widen their own powers."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, not_, or_, select
from sqlalchemy.orm import aliased

from config import current_settings
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Person, Post, RoleGrant
from portal.domain.people.queries import Viewer, live_units
from portal.domain.people.units.tree import read_tree
from portal.domain.people.visibility.authorised_units import administered_units
from portal.domain.people.visibility.rules import (
    is_granted_to,
    is_line_manager,
    is_valid_on,
    is_visible,
    visible_people,
)
from portal.platform import clock
from portal.platform.db import db
from portal.platform.permissions import Permission, Role

__all__ = [
    "OUTSIDE",
    "CurrentGrant",
    "administered_units",
    "administers_person",
    "grantable_units",
    "is_administered",
    "is_in_administration",
    "list_current_grants",
    "people_administered",
    "people_in_administration",
]

OUTSIDE = (
    "This account is not yours to change: its owner works, has a role or manages people "
    "outside the units that you administer."
)


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
    """Whether the viewer may change the person's account."""
    return db.session.scalar(people_administered(viewer).where(Person.id == person_id)) is not None


def is_administered(person_id: Any, viewer: Viewer) -> ColumnElement[bool]:
    """WHERE clause: the viewer may change the account of the person of this id column.

    An administrator of a unit may do so for people with a post there who have no role outside it and, as
    line manager, see nobody outside it: whoever sets another's password could use what that account sees.
    """
    units = administered_units(viewer)
    if units is None:
        return is_in_administration(person_id, viewer)
    today = clock.today()
    has_post_there = select(Post.person_id).where(
        is_known_fact(Post), is_valid_on(Post, today), Post.unit_id.in_(sorted(units))
    )
    has_role_elsewhere = exists().where(
        is_granted_to(person_id, today),
        or_(RoleGrant.unit_id.is_(None), RoleGrant.unit_id.not_in(sorted(units))),
    )
    return and_(
        person_id.in_(has_post_there),
        not_(has_role_elsewhere),
        not_(_has_reports_elsewhere(person_id, units, today)),
    )


def _has_reports_elsewhere(person_id: Any, units: Collection[int], today: date) -> ColumnElement[bool]:
    """WHERE clause: the roster alone shows the person direct reports outside these units.

    A line manager of today opens reports of earlier days too, so every post that ever named them counts.
    """
    if not current_settings().line_managers_see:
        return false()
    report = aliased(Post)
    named = (report.line_manager_id == person_id, report.person_id != person_id)
    elsewhere = exists().where(*named, report.unit_id.not_in(sorted(units)))
    return and_(is_line_manager(person_id, today), elsewhere)


def people_administered(viewer: Viewer) -> Select[int]:
    """The ids of ``is_administered``, for a statement that reads grants itself."""
    return select(Person.id).where(is_administered(Person.id, viewer))


def is_in_administration(person_id: Any, viewer: Viewer) -> ColumnElement[bool]:
    """WHERE clause: the viewer may look at the account of the person of this id column.

    Only grants as administrator count, so that the sight of another role opens no account.
    """
    return is_visible(person_id, viewer, Permission.ACCOUNT_ADMINISTER)


def people_in_administration(viewer: Viewer) -> Select[int]:
    """The ids of ``is_in_administration``, for a statement that reads grants itself."""
    return visible_people(viewer, Permission.ACCOUNT_ADMINISTER)


def grantable_units(viewer: Viewer) -> list[tuple[int, str]]:
    """The units on which the viewer may grant a role, with their labels, sorted by path."""
    administered = administered_units(viewer)
    units = [
        (unit.path, unit_id, unit.label)
        for unit_id, unit in live_units(clock.today()).items()
        if administered is None or unit_id in administered
    ]
    return [(unit_id, label) for _, unit_id, label in sorted(units)]
