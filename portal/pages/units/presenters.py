"""What the pages of units show: one level of the tree at a time, and previews of changes."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from portal.domain.directives import preview
from portal.domain.directives.descriptions import describe_people_affected
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

MOST_NAMED = 20  # people named in each list of a directive


@dataclass(frozen=True, slots=True)
class UnitListRow:
    """A unit in a list."""

    name: str
    path: str
    label: str
    under: str  # label of the unit above; empty if there is none
    since: date  # under this name and in this place
    people: int  # in it and under it
    units: int  # directly under it


@dataclass(frozen=True, slots=True)
class UnitHistoryEntry:
    """A past, present or future name and place of a unit."""

    name: str
    above: str
    since: date
    until: date | None


class AdministeredUnits:
    """The units of today that the viewer administers."""

    def __init__(self, viewer: Viewer) -> None:
        self.today = clock.today()
        self.workforce: Workforce = read_workforce(self.today)
        self.tree: UnitTree = read_tree()
        self.administered_ids = administered_units(viewer)
        self._children: dict[int | None, list[int]] = {}
        for unit_id, unit in self.workforce.units.items():
            self._children.setdefault(unit.parent_id, []).append(unit_id)

    def administers_unit(self, unit_id: int) -> bool:
        """Whether the viewer administers the unit."""
        return self.administered_ids is None or unit_id in self.administered_ids

    @property
    def top_unit_ids(self) -> list[int]:
        """The highest of the viewer's units."""
        if self.administered_ids is None:
            return self._children.get(None, [])
        units = self.workforce.units
        return [
            unit_id
            for unit_id in self.administered_ids
            if units[unit_id].parent_id not in self.administered_ids
        ]

    def find_unit(self, text: str) -> int:
        """The unit of this path or name.

        Raises:
            NotFoundError: None of the viewer's units has it.
        """
        administered = {
            unit_id: unit for unit_id, unit in self.workforce.units.items() if self.administers_unit(unit_id)
        }
        try:
            return find_current_unit(text, administered)
        except RuleError as error:
            raise NotFoundError(str(error)) from error

    def rows_of(self, unit_ids: Iterable[int]) -> list[UnitListRow]:
        """The units as rows of a list, by path."""
        rows = []
        for unit_id in unit_ids:
            unit, state = self.workforce.units[unit_id], self.tree.state_on(unit_id, self.today)
            above = self.workforce.units.get(unit.parent_id or 0)
            rows.append(
                UnitListRow(
                    unit.name,
                    unit.path,
                    unit.label,
                    above.label if above else "",
                    state.valid_from if state else self.today,
                    len(self.workforce.people_under(unit_id)),
                    len(self._children.get(unit_id, [])),
                )
            )
        return sorted(rows, key=lambda row: paths.split(row.path))

    def rows_below(self, unit_id: int) -> list[UnitListRow]:
        """The units directly under one."""
        return self.rows_of(self._children.get(unit_id, []))

    def rows_named(self, text: str) -> list[UnitListRow]:
        """The viewer's units whose name contains every word."""
        words = text.casefold().split()
        return self.rows_of(
            unit_id
            for unit_id, unit in self.workforce.units.items()
            if self.administers_unit(unit_id) and all(word in unit.name.casefold() for word in words)
        )

    def row_above(self, unit_id: int) -> UnitListRow | None:
        """The unit above, if the viewer administers it."""
        parent = self.workforce.units[unit_id].parent_id
        return self.rows_of([parent])[0] if parent is not None and self.administers_unit(parent) else None

    def list_history(self, unit_id: int) -> list[UnitHistoryEntry]:
        """Every name and place of a unit, newest first."""
        entries = []
        for state in self.tree.states_of(unit_id)[::-1]:
            above = (
                self.tree.label_on(state.parent_id, state.valid_from) if state.parent_id is not None else ""
            )
            until = None if state.valid_to == OPEN_END else state.valid_to
            entries.append(UnitHistoryEntry(state.name, above, state.valid_from, until))
        return entries

    def possible_parents(self, unit_id: int) -> list[tuple[str, str]]:
        """Ids and labels, by path, of the units under which this one can be moved."""
        unit_and_below = {unit_id}
        to_visit = [unit_id]
        while to_visit:
            children = [
                child for child in self._children.get(to_visit.pop(), []) if child not in unit_and_below
            ]
            unit_and_below.update(children)
            to_visit.extend(children)
        parents = [
            (unit.path, str(other), unit.label)
            for other, unit in self.workforce.units.items()
            if other not in unit_and_below
            and self.administers_unit(other)
            and other != self.workforce.units[unit_id].parent_id
        ]
        return [(other, label) for _, other, label in sorted(parents)]


@dataclass(frozen=True, slots=True)
class AffectedPerson:
    """A person to whom a directive would apply differently."""

    name: str
    staff_number: str
    change: AudienceChange


@dataclass(frozen=True, slots=True)
class AffectedGroup:
    """People whom a change affects in the same way."""

    heading: str
    total: int
    people: tuple[AffectedPerson, ...]  # the first of them, as far as the viewer may see them


@dataclass(frozen=True, slots=True)
class UnitDirectiveEffect:
    """What a change does to the audience of one directive."""

    reference: str
    digest: str
    groups: tuple[AffectedGroup, ...]


@dataclass(frozen=True, slots=True)
class UnitChangePreview:
    """What a change would do."""

    path: str
    new_path: str
    on: date
    is_past: bool
    until: date | None  # the day before a later change that is already recorded
    moves: bool
    people: int
    units: int  # below it, which move with it
    effects: tuple[UnitDirectiveEffect, ...]
    basis: str

    @property
    def digest(self) -> str:
        """A hash that is equal for equal changes with equal effects."""
        content = repr((self.path, self.new_path, self.on, self.until, self.people, self.units))
        return hashlib.sha256(
            "".join([content, *(each.digest for each in self.effects)]).encode()
        ).hexdigest()

    @property
    def old_name(self) -> str:
        """The unit's name before."""
        return paths.split(self.path)[-1]


def preview_unit_change(viewer: Viewer, path: str, new_path: str, on: date) -> UnitChangePreview | None:
    """Preview giving the unit at ``path`` the path ``new_path`` from ``on``; None: it already has it.

    People are named as far as ``viewer`` may see them; all are counted.

    Raises:
        NotFoundError: There is no such unit, or no unit above its new place, on that day.
        RuleError: The path is taken, the unit would be under itself, or a role of the viewer's would
            cover more units.
    """
    basis, tree = preview.preview_basis(), read_tree()
    change = plan_unit_change(tree, path, new_path, on=on)
    if change is None:
        return None
    refuse_own_gain(tree, change, on, viewer.person_id)
    workforce = read_workforce(on)
    unit_and_below = [
        unit_id for unit_id in workforce.units if change.unit_id in workforce.unit_and_above(unit_id)
    ]
    return UnitChangePreview(
        path=path,
        new_path=new_path,
        on=on,
        is_past=on < clock.today(),
        until=None if change.until == OPEN_END else change.until,
        moves=change.moves,
        people=len(workforce.people_under(change.unit_id)),
        units=len(unit_and_below) - 1,
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
    changes_by_kind = {"joins": effect.joins, "leaves": effect.leaves, "due_changes": effect.due_changes}
    person_ids = {each.person_id for changes in changes_by_kind.values() for each in changes[:MOST_NAMED]}
    names = {name.person_id: name for name in list_visible_names(viewer, person_ids)}
    groups = []
    for kind, changes in changes_by_kind.items():
        if total := len({change.person_id for change in changes}):
            heading = describe_people_affected(kind, total)
            groups.append(AffectedGroup(heading, total, _affected_people(changes, names)))
    return UnitDirectiveEffect(effect.reference, effect.digest, tuple(groups))


def _affected_people(
    changes: list[AudienceChange], names: dict[int, VisibleName]
) -> tuple[AffectedPerson, ...]:
    return tuple(
        AffectedPerson(f"{name.surname}, {name.forenames}", name.staff_number, each)
        for each in changes[:MOST_NAMED]
        if (name := names.get(each.person_id))
    )
