"""Which of many people may read a row of a report: the rule of ``rules.py``, for many viewers at once."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import select

from portal.domain.people.models import RoleGrant
from portal.domain.people.queries import UnitRow, live_units
from portal.domain.people.visibility.rules import is_valid_on
from portal.platform.db import db
from portal.platform.permissions import SIGHT_ROLES, Role

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
