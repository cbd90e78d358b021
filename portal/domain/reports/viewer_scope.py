"""Which people a report includes: those whom its viewer may see at its position, narrowed by filters.

Every number, page and file of a report goes through ``ViewerScope.select_people``, so visibility is decided
once, and a filter can only narrow it.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select, true

from portal.domain.people.models import PersonName, Post
from portal.domain.people.name_search import name_conditions
from portal.domain.people.queries import UnitRow, Viewer, live_units, visibility_of, visible_people
from portal.domain.people.units import paths
from portal.domain.people.units.former_names import FormerUnits, read_former_units
from portal.domain.people.units.tree import UnitTree, read_tree
from portal.domain.people.visibility.rules import is_visible
from portal.domain.reports.parameters import DUE_DAYS, EVERYONE, LATE_BANDS, Filters, Position
from portal.domain.status.counting import measure_later
from portal.domain.status.filters import Later, Scope, Whose
from portal.platform.db import db
from portal.platform.errors import RuleError

DaysByUnit = dict[int, list[tuple[date, date]]]  # runs of days, the first and the last of each
PEOPLE = 10_000  # in one statement: below the databases' limits of bound values


@dataclass(frozen=True)
class ViewerScope:
    """What a viewer may see at a position: everyone, the posts in some units, or direct reports."""

    position: Position
    units: dict[int, UnitRow]  # at the position
    everyone: bool
    unit_ids: frozenset[int]  # in and under the granted units, by the tree of the position
    manager_id: int | None
    names: tuple[str, ...]  # labels of the granted units today
    granted: frozenset[int] = frozenset()  # ids of units
    tops: tuple[int, ...] = ()  # the granted units that are below no other granted unit today
    today_ids: frozenset[int] = frozenset()  # in and under the granted units, by the tree of today
    former: Callable[[], FormerUnits] = field(default=read_former_units, compare=False)

    @classmethod
    def of_viewer(cls, viewer: Viewer, position: Position) -> "ViewerScope":
        """Apply the role grants that the viewer has now to the units of the position."""
        visibility = visibility_of(viewer)
        units = live_units(position.as_at, position.as_known_on)
        unit_ids: set[int] = set()
        names: list[str] = []
        tops: list[int] = []
        if visibility.unit_ids:
            today = live_units(position.today)
            visible_ids = visibility.unit_ids
            tops = [u for u in visible_ids if u not in today or today[u].parent_id not in visible_ids]
            unit_ids = units_under(units, *visibility.granted_unit_ids)
            names = sorted(today[unit_id].label for unit_id in tops if unit_id in today)
        return cls(
            position,
            units,
            visibility.everyone,
            frozenset(unit_ids),
            visibility.direct_reports_of,
            tuple(names),
            granted=visibility.granted_unit_ids,
            tops=tuple(tops),
            today_ids=visibility.unit_ids,
        )

    @property
    def place_words(self) -> str:
        """Who is visible, in words: those "in a unit you can see", or "one of your direct reports"."""
        reports_only = self.manager_id is not None and not self.granted
        return "one of your direct reports" if reports_only else "in a unit you can see"

    def sees_post(self, post: Any) -> ColumnElement[bool]:
        """SQL condition: the viewer may see the post, by the units of the position."""
        return self._posts_of(post, self.unit_ids)

    def may_have_seen(self, post: Any) -> ColumnElement[bool]:
        """SQL condition for posts that the viewer could see on some day; ``saw_post`` decides for each."""
        return self._posts_of(post, self.unit_ids | self._days_in_sight.keys())

    def saw_post(self, post: Any) -> bool:
        """Whether the viewer may see a post on one of its days, by the units then or as known now."""
        if self.everyone or (self.manager_id is not None and post.line_manager_id == self.manager_id):
            return True
        if post.unit_id in self.unit_ids and post.valid_from <= self.position.as_at <= post.valid_to:
            return True
        return is_held_within(post, self._days_in_sight)

    @cached_property
    def _days_in_sight(self) -> DaysByUnit:
        """For each unit, the runs of days on which it was in or under a granted unit, as known now."""
        return {} if self.everyone or not self.granted else days_under(read_tree(), self.granted)

    def _posts_of(self, post: Any, unit_ids: Collection[int]) -> ColumnElement[bool]:
        if self.everyone:
            return true()
        conditions: list[ColumnElement[bool]] = [post.unit_id.in_(sorted(unit_ids))] if unit_ids else []
        if self.manager_id is not None:
            conditions.append(post.line_manager_id == self.manager_id)
        return or_(*conditions) if conditions else false()

    def select_people(self, filters: Filters = EVERYONE) -> Whose:
        """Select the people whom the viewer may see and who match the filters."""
        within = None
        if filters.unit:
            unit_id = self.unit_of(filters.unit)
            within = frozenset() if unit_id is None else frozenset(units_under(self.units, unit_id))
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

    def scope_of(self, *directive_ids: int) -> Scope:
        """Everyone whom the viewer may see, under some directives at this position."""
        at = self.position
        known = at.as_known_on
        later = Later.NOTHING if at.latest else measure_later(directive_ids, [known])[known]
        return Scope(directive_ids, at.as_at, known, self.select_people(), later)

    def unit_of(self, path: str) -> int | None:
        """The unit with this path at the position, else one that ever had it.

        None if there is none, or if it is neither visible nor above a visible unit.
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
        return self.former()

    @cached_property
    def _known_units(self) -> set[int]:
        """Units visible at the position or today, and all units that were ever above them."""
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

    def label_unit(self, filters: Filters) -> Filters:
        """The same filters, which say the label of their unit at the position instead of its names."""
        unit_id = self.unit_of(filters.unit) if filters.unit else None
        unit = self.units.get(unit_id) if unit_id is not None else None
        return replace(filters, unit_label=unit.label) if unit else filters

    def sees_all_of(self, path: str) -> bool:
        """Whether the viewer may see everybody in this unit and below it."""
        return self.everyone or self.unit_of(path) in self.unit_ids


def units_under(units: dict[int, UnitRow], *tops: int) -> set[int]:
    """The units ``tops`` themselves and all units below them in the tree ``units``."""
    children: dict[int | None, list[int]] = {}
    for unit_id, unit in units.items():
        children.setdefault(unit.parent_id, []).append(unit_id)
    unit_ids, unread = set(tops), list(tops)
    while unread:
        below = [child for child in children.get(unread.pop(), []) if child not in unit_ids]
        unit_ids.update(below)
        unread.extend(below)
    return unit_ids


def days_under(tree: UnitTree, tops: Collection[int]) -> DaysByUnit:
    """For each unit, the runs of days on which it is one of ``tops`` or below one."""
    runs: DaysByUnit = defaultdict(list)
    edges = [date.min, *tree.edges_after(date.min), date.max]
    for first, after in pairwise(edges):
        for unit_id in units_under(tree_on(tree, first), *tops):
            runs[unit_id].append((first, after - timedelta(days=1)))
    return runs


def is_held_within(post: Any, days: DaysByUnit) -> bool:
    """Whether a post is held on one of these days of its unit."""
    return any(
        first <= post.valid_to and post.valid_from <= last for first, last in days.get(post.unit_id, ())
    )


def tree_on(tree: UnitTree, day: date) -> dict[int, UnitRow]:
    """The units of a day with their parents, without paths."""
    states = ((unit_id, tree.state_on(unit_id, day)) for unit_id in tree.unit_ids())
    return {unit_id: UnitRow(state.name, state.parent_id, "") for unit_id, state in states if state}


def linkable_people(viewer: Viewer, people: Sequence[int]) -> set[int]:
    """The people among ``people`` whose page the viewer may open. One statement."""
    return set(db.session.scalars(visible_people(viewer, among=people)))


def list_seen_managers(viewer: Viewer) -> frozenset[str]:
    """The staff numbers of line managers whose page the viewer may open. One statement."""
    named = select(Post.line_manager_id).where(Post.line_manager_id.is_not(None))
    statement = select(PersonName.staff_number).where(PersonName.person_id.in_(named))
    return frozenset(db.session.scalars(statement.where(is_visible(PersonName.person_id, viewer))))


def numbers_and_names(people: Sequence[int], most: int) -> list[tuple[int, str, str]]:
    """Id, staff number and name of the first ``most`` people by surname; erased people are left out."""
    names: list[tuple[str, str, str, int]] = []
    columns = (PersonName.surname, PersonName.staff_number, PersonName.forenames, PersonName.person_id)
    for first in range(0, len(people), PEOPLE):
        batch = PersonName.person_id.in_(people[first : first + PEOPLE])
        statement = select(*columns).where(batch).order_by(*columns[:2]).limit(most)
        rows = db.session.execute(statement)
        names += [(surname, number, forenames, person_id) for surname, number, forenames, person_id in rows]
    return [
        (person_id, number, f"{surname}, {forenames}")
        for surname, number, forenames, person_id in sorted(names)[:most]
    ]
