"""What the pages of units show: one level of the tree at a time, and what a change would do."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from portal.domain.directives import preview
from portal.domain.directives.preview import AudienceChange, AudienceEffect
from portal.domain.people.name_search import VisibleName, list_visible_names
from portal.domain.people.queries import Viewer
from portal.domain.people.units import paths
from portal.domain.people.units.changes import UnitChange, list_people_ever_in, plan_unit_change
from portal.domain.people.units.search import find_current_unit
from portal.domain.people.units.tree import UnitTree, read_tree
from portal.domain.people.visibility.authorised_units import administered_units
from portal.domain.people.visibility.own_gain import refuse_own_gain
from portal.domain.people.workforce import Workforce, read_workforce
from portal.platform import clock
from portal.platform.db import OPEN_END
from portal.platform.errors import NotFoundError, RuleError

MOST_NAMED = 20  # of those whom a change reaches otherwise, for each directive


@dataclass(frozen=True, slots=True)
class UnitListRow:
    """A unit in a list."""

    name: str
    path: str
    since: date  # under this name and in this place
    people: int  # in it and under it
    units: int  # directly under it


@dataclass(frozen=True, slots=True)
class UnitHistoryEntry:
    """A name and place that a unit had, has or is to have."""

    name: str
    above: str
    since: date
    until: date | None


class AdministeredUnits:
    """The units of today that the viewer administers."""

    def __init__(self, viewer: Viewer) -> None:
        self.today = clock.today()
        self.force: Workforce = read_workforce(self.today)
        self.tree: UnitTree = read_tree()
        self.within = administered_units(viewer)
        self._children: dict[int | None, list[int]] = {}
        for unit_id, unit in self.force.units.items():
            self._children.setdefault(unit.parent_id, []).append(unit_id)

    def administers_unit(self, unit_id: int) -> bool:
        """Whether the viewer administers the unit."""
        return self.within is None or unit_id in self.within

    @property
    def top_unit_ids(self) -> list[int]:
        """Where the viewer's units begin."""
        if self.within is None:
            return self._children.get(None, [])
        units = self.force.units
        return [unit_id for unit_id in self.within if units[unit_id].parent_id not in self.within]

    def find_unit(self, text: str) -> int:
        """The unit of this path or name.

        Raises:
            NotFoundError: None of the viewer's units has it.
        """
        mine = {unit_id: unit for unit_id, unit in self.force.units.items() if self.administers_unit(unit_id)}
        try:
            return find_current_unit(text, mine)
        except RuleError as error:
            raise NotFoundError(str(error)) from error

    def rows_of(self, unit_ids: Iterable[int]) -> list[UnitListRow]:
        """The units in words, by path."""
        found = []
        for unit_id in unit_ids:
            unit, state = self.force.units[unit_id], self.tree.state_on(unit_id, self.today)
            found.append(
                UnitListRow(
                    unit.name,
                    unit.path,
                    state.valid_from if state else self.today,
                    len(self.force.people_under(unit_id)),
                    len(self._children.get(unit_id, [])),
                )
            )
        return sorted(found, key=lambda line: paths.split(line.path))

    def rows_below(self, unit_id: int) -> list[UnitListRow]:
        """The units directly under one."""
        return self.rows_of(self._children.get(unit_id, []))

    def rows_named(self, text: str) -> list[UnitListRow]:
        """The viewer's units whose name holds every word."""
        words = text.casefold().split()
        return self.rows_of(
            unit_id
            for unit_id, unit in self.force.units.items()
            if self.administers_unit(unit_id) and all(word in unit.name.casefold() for word in words)
        )

    def row_above(self, unit_id: int) -> UnitListRow | None:
        """The unit over one, where the viewer administers it."""
        parent = self.force.units[unit_id].parent_id
        return self.rows_of([parent])[0] if parent is not None and self.administers_unit(parent) else None

    def list_history(self, unit_id: int) -> list[UnitHistoryEntry]:
        """Every name and place of a unit, the newest first."""
        found = []
        for state in self.tree.states_of(unit_id)[::-1]:
            over = self.tree.path_on(state.parent_id, state.valid_from) if state.parent_id is not None else ""
            until = None if state.valid_to == OPEN_END else state.valid_to
            found.append(UnitHistoryEntry(state.name, over, state.valid_from, until))
        return found

    def possible_parents(self, unit_id: int) -> list[tuple[str, str]]:
        """The units under which one could be moved: their ids, as a form sends them, and paths."""
        own = {unit_id}
        waiting = [unit_id]
        while waiting:
            under = [child for child in self._children.get(waiting.pop(), []) if child not in own]
            own.update(under)
            waiting.extend(under)
        found = [
            (str(other), unit.path)
            for other, unit in self.force.units.items()
            if other not in own
            and self.administers_unit(other)
            and other != self.force.units[unit_id].parent_id
        ]
        return sorted(found, key=lambda pair: pair[1])


@dataclass(frozen=True, slots=True)
class AffectedPerson:
    """Somebody whom a directive would reach otherwise, in words."""

    name: str
    staff_number: str
    reached: AudienceChange


@dataclass(frozen=True, slots=True)
class UnitDirectiveEffect:
    """What a change does to one directive."""

    reference: str
    digest: str
    groups: tuple[
        tuple[str, int, tuple[AffectedPerson, ...]], ...
    ]  # what happens, to how many, and the first of them


@dataclass(frozen=True, slots=True)
class UnitChangePreview:
    """What a change would do, before it is made."""

    path: str
    new_path: str
    on: date
    past: bool
    until: date | None  # a change that is known already takes over on the day after
    moves: bool
    people: int
    units: int  # that go along
    effects: tuple[UnitDirectiveEffect, ...]
    basis: str

    @property
    def digest(self) -> str:
        """The same for the same change with the same effect, and for no other."""
        said = repr((self.path, self.new_path, self.on, self.until, self.people, self.units))
        return hashlib.sha256("".join([said, *(each.digest for each in self.effects)]).encode()).hexdigest()

    @property
    def old_name(self) -> str:
        """The unit's name before."""
        return paths.split(self.path)[-1]


def preview_unit_change(viewer: Viewer, path: str, new_path: str, on: date) -> UnitChangePreview | None:
    """What giving the unit at ``path`` the path ``new_path`` from ``on`` would do; None: nothing differs.

    People are named as far as ``viewer`` may see them; all are counted.

    Raises:
        NotFoundError: There is no such unit, or no unit for it to stand under, on that day.
        RuleError: The path is taken, the unit would stand under itself, or a role of the viewer's would
            reach further.
    """
    basis, tree = preview.preview_basis(), read_tree()
    change = plan_unit_change(tree, path, new_path, on=on)
    if change is None:
        return None
    refuse_own_gain(tree, change, on, viewer.person_id)
    force = read_workforce(on)
    under = [unit_id for unit_id in force.units if change.unit_id in force.unit_and_above(unit_id)]
    return UnitChangePreview(
        path=path,
        new_path=new_path,
        on=on,
        past=on < clock.today(),
        until=None if change.until == OPEN_END else change.until,
        moves=change.moves,
        people=len(force.people_under(change.unit_id)),
        units=len(under) - 1,
        effects=tuple(_directive_effects(viewer, tree, change, on)) if change.moves else (),
        basis=basis,
    )


def _directive_effects(
    viewer: Viewer, tree: UnitTree, change: UnitChange, on: date
) -> Iterable[UnitDirectiveEffect]:
    people = list_people_ever_in(tree.units_ever_below(change.unit_id, on))
    for effect in preview.effect_of_move(people, change.states):
        yield _describe_effect(viewer, effect)


def _describe_effect(viewer: Viewer, effect: AudienceEffect) -> UnitDirectiveEffect:
    groups = (
        ("join", effect.joins),
        ("leave", effect.leaves),
        ("have another due date", effect.due_changes),
    )
    wanted = {each.person_id for _, found in groups for each in found[:MOST_NAMED]}
    names = {each.person_id: each for each in list_visible_names(viewer, wanted)}
    return UnitDirectiveEffect(
        effect.reference,
        effect.digest,
        tuple(
            (words, len({each.person_id for each in found}), _affected_people(found, names))
            for words, found in groups
            if found
        ),
    )


def _affected_people(
    found: list[AudienceChange], names: dict[int, VisibleName]
) -> tuple[AffectedPerson, ...]:
    return tuple(
        AffectedPerson(f"{held.surname}, {held.forenames}", held.staff_number, each)
        for each in found[:MOST_NAMED]
        if (held := names.get(each.person_id))
    )
