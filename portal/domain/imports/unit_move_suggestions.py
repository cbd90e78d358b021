"""Suggests that a roster renames or moves units: the same people have a new unit path from one day on."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from portal.domain.people.roster.plan import KnownPost, RosterBaseline, RosterPlan
from portal.domain.people.units import paths

Names = tuple[str, ...]
LEAST_SHARE = 0.8  # of the people in and below the old path
LEAST_PEOPLE = 2


class UnitMoveSuggestion(NamedTuple):
    """A path whose people move to a path that does not exist yet."""

    old: str
    new: str
    on: date
    people: int
    renamed: bool  # otherwise it is moved

    @property
    def command(self) -> str:
        """The command that renames or moves the unit."""
        verb = "rename" if self.renamed else "move"
        return f'units {verb} "{self.old}" "{self.new}" --on {self.on.isoformat()}'


def suggest_unit_moves(plan: RosterPlan, baseline: RosterBaseline) -> list[UnitMoveSuggestion]:
    """Suggest renames and moves that explain the posts in units that are to be created."""
    created = {unit.names for unit in plan.unit_plan.new_units}
    if not created:
        return []
    known_posts = {post.id: post for posts in baseline.posts.values() for post in posts}
    unit_paths = _UnitPaths(baseline)
    people_moved: Counter[tuple[Names, Names, date]] = Counter()
    for unit_id, start, names in _list_moves(plan, known_posts):
        old = unit_paths.path_of_unit(unit_id, start - timedelta(days=1))
        pair = _shortest_difference(old, names, created)
        if pair:
            people_moved[(*pair, start)] += 1
    suggestions = []
    for (old, new, on), people in sorted(people_moved.items()):
        people_before = _count_people_under(old, baseline, unit_paths, on - timedelta(days=1))
        if people >= LEAST_PEOPLE and people >= LEAST_SHARE * people_before:
            renamed = old[:-1] == new[:-1]
            suggestions.append(UnitMoveSuggestion(paths.join(old), paths.join(new), on, people, renamed))
    return suggestions


def _list_moves(plan: RosterPlan, known_posts: Mapping[int, KnownPost]) -> Iterable[tuple[int, date, Names]]:
    """Old unit, first day and new path of each post that begins in a unit that is to be created."""
    units_before: dict[tuple[str, str, date], int] = {}  # by person, post key and last day
    for change in plan.post_changes:
        post = known_posts.get(change.replaces_id or 0)
        if post is not None and isinstance(post.values.unit, int) and not change.void:
            values = change.values
            units_before[values.staff_number, values.post_key, values.valid_to] = post.values.unit
    for change in plan.post_changes:
        values = change.values
        if isinstance(values.unit, tuple):
            day_before = values.valid_from - timedelta(days=1)
            unit_id = units_before.get((values.staff_number, values.post_key, day_before))
            if unit_id is not None:
                yield unit_id, values.valid_from, values.unit


def _shortest_difference(old: Names, new: Names, created: set[Names]) -> tuple[Names, Names] | None:
    """Both paths without their common end, as far up as the new path's units are to be created."""
    if not old:
        return None
    while old[1:] and new[1:] and old[-1] == new[-1] and new[:-1] in created:
        old, new = old[:-1], new[:-1]
    return old, new


class _UnitPaths:
    """Paths of units as names, remembered for each unit and day."""

    def __init__(self, baseline: RosterBaseline) -> None:
        self._tree = baseline.tree
        self._paths: dict[tuple[int, date], Names] = {}

    def path_of_unit(self, unit_id: int, day: date) -> Names:
        if (unit_id, day) not in self._paths:
            above = [state.name for state in self._tree.states_above(unit_id, day)]
            self._paths[unit_id, day] = tuple(above[::-1])
        return self._paths[unit_id, day]


def _count_people_under(old: Names, baseline: RosterBaseline, unit_paths: _UnitPaths, day: date) -> int:
    people = {
        number
        for (number, _), posts in baseline.posts.items()
        for post in posts
        if post.values.valid_from <= day <= post.values.valid_to
        and isinstance(post.values.unit, int)
        and unit_paths.path_of_unit(post.values.unit, day)[: len(old)] == old
    }
    return len(people)
