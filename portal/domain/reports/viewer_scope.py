"""Whom a report may speak of: those its viewer may see at its position, narrowed by filters.

Every number, page and file of a report goes through ``Reach.whose``, so what may be seen is decided here
once, and a filter can only narrow it.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select, true

from portal.domain.people.models import PersonName, Post
from portal.domain.people.name_search import name_conditions
from portal.domain.people.queries import UnitRow, Viewer, live_units, visibility_of
from portal.domain.people.units import paths
from portal.domain.people.units.former_names import FormerUnits, read_former_units
from portal.domain.people.units.tree import read_tree
from portal.domain.reports.as_of import Position
from portal.domain.reports.filters import DUE_DAYS, EVERYONE, LATE_BANDS, Filters
from portal.domain.status.queries import Whose
from portal.platform.db import db
from portal.platform.errors import RuleError


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
    today_ids: frozenset[int] = frozenset()  # in and under the granted units, by the tree of today

    @classmethod
    def of(cls, viewer: Viewer, position: Position) -> "Reach":
        """The reach of the grants that ``viewer`` holds now, over the posts and the tree of the position."""
        seen = visibility_of(viewer)
        units = live_units(position.as_at, position.as_known_on)
        unit_ids: set[int] = set()
        names: list[str] = []
        tops: list[int] = []
        if seen.unit_ids:
            today = live_units(position.today)
            tops = [u for u in seen.unit_ids if u not in today or today[u].parent_id not in seen.unit_ids]
            unit_ids = under(units, *seen.granted_unit_ids)
            names = sorted(today[unit_id].name for unit_id in tops if unit_id in today)
        ids = frozenset(unit_ids)
        manager_id, told = seen.direct_reports_of, tuple(names)
        granted = (seen.granted_unit_ids, tuple(tops), seen.unit_ids)
        return cls(position, units, seen.everyone, ids, manager_id, told, *granted)

    @property
    def place(self) -> str:
        """Where somebody is who is in sight: "in a unit you can see" or "one of your direct reports"."""
        reports_only = self.manager_id is not None and not self.granted
        return "one of your direct reports" if reports_only else "in a unit you can see"

    def sees_post(self, post: Any) -> ColumnElement[bool]:
        """That the viewer may know of a post, by the tree of the position."""
        return self._posts_of(post, self.unit_ids)

    def may_have_seen(self, post: Any) -> ColumnElement[bool]:
        """That a post's unit was in sight on some day, or that it names the viewer: ``saw_post`` decides."""
        return self._posts_of(post, self.unit_ids | self._days_in_sight.keys())

    def saw_post(self, post: Any) -> bool:
        """Whether the viewer may know of a post on some day of it, by the units as known now or here."""
        if self.everyone or (self.manager_id is not None and post.line_manager_id == self.manager_id):
            return True
        at = self.position.as_at
        if post.unit_id in self.unit_ids and post.valid_from <= at <= post.valid_to:
            return True
        days = self._days_in_sight.get(post.unit_id, ())
        return any(first <= post.valid_to and post.valid_from <= last for first, last in days)

    @cached_property
    def _days_in_sight(self) -> dict[int, list[tuple[date, date]]]:
        """The runs of days on which each unit lay in or under a granted one, as known now."""
        runs: dict[int, list[tuple[date, date]]] = defaultdict(list)
        if self.everyone or not self.granted:
            return runs
        tree = read_tree()
        edges = [date.min, *tree.edges_after(date.min), date.max]
        for first, after in pairwise(edges):
            states = ((unit_id, tree.state_on(unit_id, first)) for unit_id in tree.unit_ids())
            units = {unit_id: UnitRow(one.name, one.parent_id, "") for unit_id, one in states if one}
            for unit_id in under(units, *self.granted):
                runs[unit_id].append((first, after - timedelta(days=1)))
        return runs

    def _posts_of(self, post: Any, unit_ids: Collection[int]) -> ColumnElement[bool]:
        if self.everyone:
            return true()
        ways: list[ColumnElement[bool]] = [post.unit_id.in_(sorted(unit_ids))] if unit_ids else []
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
            named=select(PersonName.person_id).where(*name_conditions(filters.q)) if filters.q else None,
            statuses=filters.statuses or None,
            late=LATE_BANDS.get(filters.late),
            due_within=DUE_DAYS.get(filters.due),
        )

    def unit_of(self, path: str) -> int | None:
        """The unit that has this path at the position, else one that ever had it.

        None where none has, or none that is in sight or above what is.
        """
        unit_id = self._paths.get(path)
        if unit_id is not None and (
            self.everyone or unit_id in self.unit_ids or unit_id in self._known_units
        ):
            return unit_id
        return self._former_unit(path)

    @cached_property
    def _paths(self) -> dict[str, int]:
        return {unit.path: unit_id for unit_id, unit in self.units.items()}

    @cached_property
    def _former_units(self) -> FormerUnits:
        return read_former_units()

    @cached_property
    def _known_units(self) -> set[int]:
        """The units in sight, by the trees of the position and of today, and all that ever lay above them."""
        reports: set[int] = set()
        if self.manager_id is not None:
            statement = select(Post.unit_id).where(Post.line_manager_id == self.manager_id).distinct()
            reports = set(db.session.scalars(statement))
        return self._former_units.units_above(self.unit_ids | self.today_ids | reports)

    def _former_unit(self, path: str) -> int | None:
        try:
            names = paths.split(path)
        except RuleError:
            return None
        return self._former_units.find_unit(names, None if self.everyone else self._known_units)

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
