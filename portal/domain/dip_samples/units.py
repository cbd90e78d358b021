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
    allowed_ids = _allowed_unit_ids(viewer, Permission.SAMPLE_RECORD, units)
    recordable = (
        (row.path, unit_id, row.label)
        for unit_id, row in units.items()
        if allowed_ids is None or unit_id in allowed_ids
    )
    return {unit_id: label for _, unit_id, label in sorted(recordable)}


def list_viewable_units(viewer: Viewer, position: SamplePosition) -> dict[int, str]:
    """The units whose samples a viewer may see, with the labels of a position, in order of paths.

    Whoever sees the whole force sees units that are closed as well: their samples count.
    """
    allowed_ids = _allowed_unit_ids(viewer, Permission.SAMPLE_VIEW, live_units(clock.today()))
    tree = read_tree(position.as_known_on)
    known_ids = set(tree.unit_ids())
    viewable_ids = known_ids if allowed_ids is None else allowed_ids & known_ids
    paths = sorted((tree.last_path_on(unit_id, position.as_at), unit_id) for unit_id in viewable_ids)
    return {unit_id: tree.last_label_on(unit_id, position.as_at) for _, unit_id in paths}


def _allowed_unit_ids(viewer: Viewer, permission: Permission, units: dict[int, UnitRow]) -> set[int] | None:
    """The ids of the units for which a viewer has a permission; None: every unit."""
    if permission not in viewer.permissions:
        return set()
    if viewer.is_system:
        return None if viewer.only_unit_id is None else _with_units_below({viewer.only_unit_id}, units)
    roles = sorted(roles_with(permission))
    granted = db.session.execute(
        select(RoleGrant.role, RoleGrant.unit_id).where(
            is_granted_to(viewer.person_id, clock.today()), RoleGrant.role.in_(roles)
        )
    ).all()
    everywhere = {role for role, unit_id in granted if unit_id is None}
    if everywhere - {Role.MANAGER}:
        return None
    allowed_ids = _with_units_below({unit_id for _, unit_id in granted if unit_id is not None}, units)
    if Role.MANAGER in everywhere or (viewer.line_manager and Role.MANAGER in roles):
        allowed_ids |= _units_of_reports(viewer.person_id)
    return allowed_ids


def _with_units_below(granted: set[int], units: dict[int, UnitRow]) -> set[int]:
    """The granted units and all below them."""
    children: dict[int | None, list[int]] = {}
    for child, unit in units.items():
        children.setdefault(unit.parent_id, []).append(child)
    unit_ids, unvisited = set[int](), list(granted)
    while unvisited:
        unit_id = unvisited.pop()
        if unit_id not in unit_ids:
            unit_ids.add(unit_id)
            unvisited += children.get(unit_id, [])
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
