"""Whom a report may speak of: those its viewer may see at its position, narrowed by filters.

Every number, page and file of a report goes through ``Reach.whose``, so what may be seen is decided here
once, and a filter can only narrow it.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select, true

from portal.monitoring.filters import DUE_DAYS, EVERYONE, LATE_BANDS, Filters
from portal.monitoring.position import Position
from portal.people.models import PersonName
from portal.people.named import named
from portal.people.queries import UnitRow, Viewer, live_units, sight
from portal.standing.queries import Whose


@dataclass(frozen=True)
class Reach:
    """What ``viewer`` may see at a position: everyone, the posts in some units, or direct reports."""

    position: Position
    units: dict[int, UnitRow]  # as they stood at the position
    everyone: bool
    unit_ids: frozenset[int]  # in and under the granted units, by the tree of the position
    manager_id: int | None
    names: tuple[str, ...]  # of the granted units today
    granted: frozenset[int] = frozenset()  # units
    tops: tuple[int, ...] = ()  # those of them that lie below no other today

    @classmethod
    def of(cls, viewer: Viewer, position: Position) -> "Reach":
        """The reach of the grants that ``viewer`` holds now, over the posts and the tree of the position."""
        seen = sight(viewer)
        units = live_units(position.as_at, position.as_known_on)
        unit_ids: set[int] = set()
        names: list[str] = []
        tops: list[int] = []
        if seen.unit_ids:
            today = live_units(position.today)
            tops = [u for u in seen.unit_ids if u not in today or today[u].parent_id not in seen.unit_ids]
            unit_ids = under(units, *seen.granted)
            names = sorted(today[unit_id].name for unit_id in tops if unit_id in today)
        ids = frozenset(unit_ids)
        manager_id, told = seen.direct_reports_of, tuple(names)
        return cls(position, units, seen.everyone, ids, manager_id, told, seen.granted, tuple(tops))

    @property
    def place(self) -> str:
        """Where somebody is who is in sight: "in a unit you can see" or "one of your direct reports"."""
        reports_only = self.manager_id is not None and not self.granted
        return "one of your direct reports" if reports_only else "in a unit you can see"

    def sees(self, post: Any) -> ColumnElement[bool]:
        """That a post is one that this viewer may be told of at the position."""
        if self.everyone:
            return true()
        ways: list[ColumnElement[bool]] = [post.unit_id.in_(sorted(self.unit_ids))] if self.unit_ids else []
        if self.manager_id is not None:
            ways.append(post.line_manager_id == self.manager_id)
        return or_(*ways) if ways else false()

    def whose(self, filters: Filters = EVERYONE) -> Whose:
        """Those whom this viewer may be told of and the filters leave."""
        within = None
        if filters.unit:
            unit_id = self.unit_of(filters.unit)
            within = frozenset() if unit_id is None else frozenset(under(self.units, unit_id))
        return Whose(
            everyone=self.everyone,
            unit_ids=self.unit_ids,
            manager_id=self.manager_id,
            within=within,
            role=filters.role,
            ranks=filters.ranks,
            named=select(PersonName.person_id).where(*named(filters.q)) if filters.q else None,
            statuses=() if filters.nonsense else filters.statuses or None,
            late=LATE_BANDS.get(filters.late),
            due_within=DUE_DAYS.get(filters.due),
        )

    def unit_of(self, path: str) -> int | None:
        """The unit that has this path at the position; None where none has."""
        return next((unit_id for unit_id, unit in self.units.items() if unit.path == path), None)

    def sees_all_of(self, path: str) -> bool:
        """Whether the viewer may be told of everybody in this unit and below."""
        return self.everyone or self.unit_of(path) in self.unit_ids


def under(units: dict[int, UnitRow], *tops: int) -> set[int]:
    """The units ``tops`` themselves and all units below them in the tree ``units``."""
    children: dict[int | None, list[int]] = {}
    for unit_id, unit in units.items():
        children.setdefault(unit.parent_id, []).append(unit_id)
    found, waiting = set(tops), list(tops)
    while waiting:
        below = [child for child in children.get(waiting.pop(), []) if child not in found]
        found.update(below)
        waiting.extend(below)
    return found
