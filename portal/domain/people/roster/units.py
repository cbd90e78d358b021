"""Finds the units of a roster's rows, and plans which to create and from which day each must exist.

A path is looked up on the post's first day; if no unit had it then, today, and otherwise on the first later
day on which a unit has it. So the old and the new path of a renamed or moved unit mean the same unit, and
reading a file twice gives the same result.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, TypeAlias

from portal.domain.people.roster.rows import RosterRow
from portal.domain.people.units.tree import KnownUnitState, UnitTree

UnitNames: TypeAlias = tuple[str, ...]
UnitRef: TypeAlias = int | UnitNames  # a unit's id, or the names of one that is to be created


class NewUnit(NamedTuple):
    """A unit to create from a day, below one that exists or is created before it."""

    names: UnitNames
    parent: UnitRef | None
    valid_from: date


@dataclass(slots=True)
class UnitPlan:
    """Units to create, upper ones first, and first states that must begin earlier."""

    new_units: list[NewUnit] = field(default_factory=list)
    # With the new ``valid_from``; ``id`` is the state that each replaces.
    extended_states: list[KnownUnitState] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.new_units or self.extended_states)


def plan_units(rows: Iterable[RosterRow], tree: UnitTree, today: date) -> tuple[dict[int, UnitRef], UnitPlan]:
    """The unit of each row, by its line, and the changes after which all of them exist."""
    finder = _UnitFinder(tree, today)
    refs: dict[int, UnitRef] = {}
    needed: dict[tuple[UnitRef, date], None] = {}
    parents: dict[UnitNames, UnitRef | None] = {}
    for row in sorted(rows, key=lambda row: row.valid_from):
        refs[row.line] = ref = finder.find_unit(row.unit, row.valid_from) or row.unit
        needed[ref, row.valid_from] = None
        above: UnitRef | None = ref
        while isinstance(above, tuple) and above not in parents:
            names = above
            above = (finder.find_unit(names[:-1], row.valid_from) or names[:-1]) if names[1:] else None
            parents[names] = above
    first_days = _first_day_of_each_unit(needed, parents, tree)
    created = [NewUnit(n, parent, first_days[n]) for n, parent in parents.items() if n in first_days]
    earlier = [
        tree.states_of(unit_id)[0]._replace(valid_from=day)
        for unit_id, day in first_days.items()
        if isinstance(unit_id, int) and day < tree.states_of(unit_id)[0].valid_from
    ]
    return refs, UnitPlan(sorted(created, key=lambda unit: (len(unit.names), unit.names)), earlier)


class _UnitFinder:
    """Finds units by path, remembering every answer."""

    def __init__(self, tree: UnitTree, today: date) -> None:
        self._tree, self._today = tree, today
        self._units: dict[tuple[UnitNames, date], int | None] = {}

    def find_unit(self, names: UnitNames, day: date) -> int | None:
        """The unit these names mean in a row that begins on ``day``."""
        if (names, day) not in self._units:
            units = (self._tree.find_unit(names, when) for when in self._days_to_try(day))
            self._units[names, day] = next((unit for unit in units if unit is not None), None)
        return self._units[names, day]

    def _days_to_try(self, day: date) -> Iterator[date]:
        yield day
        yield self._today
        yield from self._tree.changes_after(day)


def _first_day_of_each_unit(
    needed: Iterable[tuple[UnitRef, date]], parents: dict[UnitNames, UnitRef | None], tree: UnitTree
) -> dict[UnitRef, date]:
    """The earliest day on which each unit, and each unit above it, must exist."""
    first_days: dict[UnitRef, date] = {}
    for ref, day in needed:
        above: UnitRef | None = ref
        while above is not None and first_days.get(above, date.max) > day:
            first_days[above] = day
            above = parents[above] if isinstance(above, tuple) else _parent_on(tree, above, day)
    return first_days


def _parent_on(tree: UnitTree, unit_id: int, day: date) -> int | None:
    states = tree.states_of(unit_id)
    state = tree.state_on(unit_id, day) or (states[0] if states[0].valid_from > day else states[-1])
    return state.parent_id
