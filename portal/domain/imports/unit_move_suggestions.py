"""Units that a roster seems to rename or move: the same people stand in a new path from one day on."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from portal.domain.people.roster.plan import KnownPost, RosterBaseline, RosterPlan
from portal.domain.people.units import paths

Names = tuple[str, ...]
LEAST_SHARE = 0.8  # of the people under the old path
LEAST_PEOPLE = 2


class UnitMoveSuggestion(NamedTuple):
    """A path whose people all move to a path that does not stand yet."""

    old: str
    new: str
    on: date
    people: int
    renamed: bool  # else it is moved

    @property
    def command(self) -> str:
        """What would do it without a new unit."""
        verb = "rename" if self.renamed else "move"
        return f'units {verb} "{self.old}" "{self.new}" --on {self.on.isoformat()}'


def suggest_unit_moves(made: RosterPlan, world: RosterBaseline) -> list[UnitMoveSuggestion]:
    """Renames and moves that would explain the posts in units that are to be created."""
    created = {unit.names for unit in made.unit_plan.new_units}
    if not created:
        return []
    held = {post.id: post for posts in world.posts.values() for post in posts}
    named = _UnitPaths(world)
    moved: Counter[tuple[Names, Names, date]] = Counter()
    for cut, start, names in _list_moves(made, held):
        old = named.path_of_unit(cut, start - timedelta(days=1))
        pair = _shortest_difference(old, names, created)
        if pair:
            moved[(*pair, start)] += 1
    found = []
    for (old, new, on), people in sorted(moved.items()):
        there = _people_under(old, world, named, on - timedelta(days=1))
        if people >= LEAST_PEOPLE and people >= LEAST_SHARE * there:
            renamed = old[:-1] == new[:-1]
            found.append(UnitMoveSuggestion(paths.join(old), paths.join(new), on, people, renamed))
    return found


def _list_moves(made: RosterPlan, held: Mapping[int, KnownPost]) -> Iterable[tuple[int, date, Names]]:
    """The unit left, the first day and the new path of each post in a unit that is to be created."""
    before: dict[tuple[str, str, date], int] = {}
    for change in made.post_changes:
        post = held.get(change.replaces_id or 0)
        if post is not None and isinstance(post.values.unit, int) and not change.void:
            values = change.values
            before[values.staff_number, values.post_key, values.valid_to] = post.values.unit
    for change in made.post_changes:
        values = change.values
        if isinstance(values.unit, tuple):
            left = before.get((values.staff_number, values.post_key, values.valid_from - timedelta(days=1)))
            if left is not None:
                yield left, values.valid_from, values.unit


def _shortest_difference(old: Names, new: Names, created: set[Names]) -> tuple[Names, Names] | None:
    """The upper ends of two paths that end alike, as far up as the new one is to be created."""
    if not old:
        return None
    while old[1:] and new[1:] and old[-1] == new[-1] and new[:-1] in created:
        old, new = old[:-1], new[:-1]
    return old, new


class _UnitPaths:
    """Paths of units as names, each climbed once a day."""

    def __init__(self, world: RosterBaseline) -> None:
        self._tree = world.tree
        self._found: dict[tuple[int, date], Names] = {}

    def path_of_unit(self, unit_id: int, day: date) -> Names:
        if (unit_id, day) not in self._found:
            above = [state.name for state in self._tree.states_above(unit_id, day)]
            self._found[unit_id, day] = tuple(above[::-1])
        return self._found[unit_id, day]


def _people_under(old: Names, world: RosterBaseline, named: _UnitPaths, day: date) -> int:
    people = {
        number
        for (number, _), posts in world.posts.items()
        for post in posts
        if post.values.valid_from <= day <= post.values.valid_to
        and isinstance(post.values.unit, int)
        and named.path_of_unit(post.values.unit, day)[: len(old)] == old
    }
    return len(people)
