"""Whose sight reaches a person or a unit, and how nobody widens their own."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import and_, exists, or_, select

from portal.domain.people.models import Post, RoleGrant
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import UnitRow, live_units, units_under
from portal.domain.people.units import UnitChange, UnitTree
from portal.domain.people.visibility import Viewer, decides_visibility, is_granted_to, is_valid_on
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import RuleError
from portal.platform.permissions import SIGHT_ROLES, Permission, Role, roles_with

# The units in which a viewer's grants of today allow an act.


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


# Who may act on one person: the inverse of ``visible_people``.


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


# Prevents people from widening their own role by moving a unit below the unit of their grant.


def refuse_own_gain(tree: UnitTree, change: UnitChange, on: date, by: int | None) -> None:
    """Refuse a move that would put more units below a unit on which the mover has a role. One statement.

    Args:
        tree: The units before the move.
        change: The move.
        on: Its first day.
        by: Who moves the unit; None for a command, which may do it.
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


# Which of many people may read a row of a report: the rule of ``rules.py``, for many viewers at once.

BATCH = 500  # people in one statement
# Roles that give sight, with their units, by holder.
RolesByHolder = Mapping[int, Collection[tuple[str, int | None]]]


class ReportReaders:
    """Decides who may read a row, by the grants of a day and, if the force says so, by line management."""

    def __init__(self, roles: RolesByHolder, units: Mapping[int, UnitRow], *, line_managers: bool) -> None:
        self._roles, self._units, self._by_roster = roles, units, line_managers

    def may_read(self, viewer_id: int, unit_id: int, manager_id: int | None) -> bool:
        """Whether the person may read a row whose post is in this unit and names this line manager."""
        is_direct_report = manager_id == viewer_id
        if is_direct_report and self._by_roster:
            return True
        unit_and_above = self._unit_and_above(unit_id)
        return any(
            granted in unit_and_above if granted is not None else role != Role.MANAGER or is_direct_report
            for role, granted in self._roles.get(viewer_id, ())
        )

    def _unit_and_above(self, unit_id: int) -> set[int]:
        """The unit and those above it."""
        chain: set[int] = set()
        above: int | None = unit_id
        while above is not None and above in self._units and above not in chain:
            chain.add(above)
            above = self._units[above].parent_id
        return chain


def find_report_readers(people: Collection[int], day: date, *, line_managers: bool) -> ReportReaders:
    """The readers among ``people`` on ``day``. A statement for each five hundred, and one for the units.

    Args:
        people: The possible readers.
        day: The day whose grants and units count.
        line_managers: Whether the roster alone gives line managers sight of their direct reports.
    """
    roles: dict[int, list[tuple[str, int | None]]] = defaultdict(list)
    sorted_people = sorted(people)
    for start in range(0, len(sorted_people), BATCH):
        g, batch = RoleGrant, sorted_people[start : start + BATCH]
        rows = select(g.person_id, g.role, g.unit_id).where(
            g.person_id.in_(batch), is_valid_on(g, day), g.ended_at.is_(None), g.role.in_(sorted(SIGHT_ROLES))
        )
        for person_id, role, unit_id in db.session.execute(rows):
            roles[person_id].append((role, unit_id))
    return ReportReaders(roles, live_units(day) if roles else {}, line_managers=line_managers)
