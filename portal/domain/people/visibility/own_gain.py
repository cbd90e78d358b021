"""Prevents people from widening their own role by moving a unit below the unit of their grant."""

from datetime import date

from sqlalchemy import select

from portal.domain.people.models import RoleGrant
from portal.domain.people.units.changes import UnitChange
from portal.domain.people.units.tree import UnitTree
from portal.domain.people.visibility.rules import is_granted_to
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import RuleError
from portal.platform.permissions import Role


def refuse_own_gain(tree: UnitTree, change: UnitChange, on: date, by: int | None) -> None:
    """Refuse a move that would put more units below a unit on which the mover has a role. One statement.

    Args:
        tree: The units before the move.
        change: The move.
        on: Its first day.
        by: Who moves the unit; None for a command, which may do it.

    Raises:
        RuleError: A role of theirs would apply to more units than before.
    """
    if by is None or not change.moves:
        return
    before = {state.unit_id for state in tree.states_above(change.unit_id, on)}
    after = {state.unit_id for state in tree.states_above(change.states[-1].parent_id, on)}
    rows = db.session.execute(
        select(RoleGrant.role, RoleGrant.unit_id).where(is_granted_to(by, clock.today()))
    )
    own_grants = [(role, unit_id) for role, unit_id in rows]
    for role, unit_id in own_grants:
        if unit_id is None or unit_id not in after - before or _applies_already(role, own_grants, before):
            continue
        raise RuleError(
            f"This would widen your own role: {role.replace('-', ' ').capitalize()} on "
            f"{tree.path_on(unit_id, on)}. Ask another administrator to move the unit."
        )


def _applies_already(role: str, rows: list[tuple[str, int | None]], before: set[int]) -> bool:
    """Whether the same role already applies to the unit before the move."""
    return any(
        other == role and (unit_id in before or (unit_id is None and role != Role.MANAGER))
        for other, unit_id in rows
    )
