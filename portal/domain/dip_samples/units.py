"""The units whose samples a viewer may see, and those for which a supervisor may record them.

A grant on a unit counts for it and all units below; a manager's grant without a unit, or line management by
the roster where the force chooses it, counts for the units of the direct reports.
"""

from sqlalchemy import select

from portal.domain.dip_samples.queries import SamplePosition
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post, RoleGrant
from portal.domain.people.queries import UnitRow, live_units
from portal.domain.people.units.tree import read_tree
from portal.domain.people.visibility.rules import Viewer, is_granted_to, is_valid_on
from portal.platform import clock
from portal.platform.db import db
from portal.platform.permissions import Permission, Role, roles_with


def list_recordable_units(viewer: Viewer) -> dict[int, str]:
    """The units of today for which a viewer may record samples: their labels by id, in order of paths."""
    units = live_units(clock.today())
    allowed = _allowed_units(viewer, Permission.SAMPLE_RECORD, units)
    chosen = (
        (row.path, found, row.label) for found, row in units.items() if allowed is None or found in allowed
    )
    return {found: label for _, found, label in sorted(chosen)}


def list_viewable_units(viewer: Viewer, position: SamplePosition) -> dict[int, str]:
    """The units whose samples a viewer may see, with the labels of a position, in order of paths.

    Whoever sees the whole force sees units that are closed as well: their samples count.
    """
    allowed = _allowed_units(viewer, Permission.SAMPLE_VIEW, live_units(clock.today()))
    tree = read_tree(position.as_known_on)
    known = set(tree.unit_ids()) if allowed is None else allowed & set(tree.unit_ids())
    paths = sorted((tree.last_path_on(found, position.as_at), found) for found in known)
    return {found: tree.last_label_on(found, position.as_at) for _, found in paths}


def _allowed_units(viewer: Viewer, act: Permission, units: dict[int, UnitRow]) -> set[int] | None:
    """The ids; None: every unit."""
    if act not in viewer.permissions:
        return set()
    if viewer.is_system:
        return None if viewer.only_unit_id is None else _with_units_below({viewer.only_unit_id}, units)
    roles = sorted(roles_with(act))
    granted = db.session.execute(
        select(RoleGrant.role, RoleGrant.unit_id).where(
            is_granted_to(viewer.person_id, clock.today()), RoleGrant.role.in_(roles)
        )
    ).all()
    everywhere = {role for role, unit_id in granted if unit_id is None}
    if everywhere - {Role.MANAGER}:
        return None
    allowed = _with_units_below({unit_id for _, unit_id in granted if unit_id is not None}, units)
    if Role.MANAGER in everywhere or (viewer.line_manager and Role.MANAGER in roles):
        allowed |= _units_of_reports(viewer.person_id)
    return allowed


def _with_units_below(granted: set[int], units: dict[int, UnitRow]) -> set[int]:
    """The granted units and all below them."""
    children: dict[int | None, list[int]] = {}
    for child, unit in units.items():
        children.setdefault(unit.parent_id, []).append(child)
    unit_ids, waiting = set[int](), list(granted)
    while waiting:
        unit_id = waiting.pop()
        if unit_id not in unit_ids:
            unit_ids.add(unit_id)
            waiting += children.get(unit_id, [])
    return unit_ids


def _units_of_reports(person_id: int) -> set[int]:
    """The units in which somebody has a post of today that names this line manager."""
    statement = select(Post.unit_id).where(
        Post.line_manager_id == person_id,
        Post.person_id != person_id,
        is_known_fact(Post),
        is_valid_on(Post, clock.today()),
    )
    return set(db.session.scalars(statement))
