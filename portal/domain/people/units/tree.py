"""The tree of units through time, in memory: paths, look-up by path, and units above or below."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import select

from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import UnitState
from portal.domain.people.units import paths
from portal.platform.db import db


class KnownUnitState(NamedTuple):
    """A unit's name and parent from a day to a day, as a known fact."""

    id: int
    unit_id: int
    name: str
    parent_id: int | None
    valid_from: date
    valid_to: date


class UnitTree:
    """All known states of units; every method takes the day it is about."""

    def __init__(self, states: Iterable[KnownUnitState]) -> None:
        self._of: dict[int, list[KnownUnitState]] = defaultdict(list)
        self._named: dict[tuple[int | None, str], list[KnownUnitState]] = defaultdict(list)
        self._starts: list[date] = []
        edges: set[int] = set()  # days on which a state begins, or the day after one ends
        for state in sorted(states, key=lambda state: state.valid_from):
            self._of[state.unit_id].append(state)
            self._named[state.parent_id, state.name].append(state)
            if self._starts[-1:] != [state.valid_from]:
                self._starts.append(state.valid_from)
            edges.update((state.valid_from.toordinal(), state.valid_to.toordinal() + 1))
        self._edges = sorted(edges)
        self._labels: dict[int, dict[int, str]] = {}  # by version of the tree

    def unit_ids(self) -> Iterable[int]:
        """Every unit that was ever known."""
        return self._of.keys()

    def states_of(self, unit_id: int) -> list[KnownUnitState]:
        """The unit's states in order of days; never empty for a unit that was ever known."""
        return self._of.get(unit_id, [])

    def state_on(self, unit_id: int, day: date) -> KnownUnitState | None:
        """The unit's state on ``day``; None if it does not exist then."""
        for state in self._of.get(unit_id, ()):  # a plain loop: called for every unit on many days
            if state.valid_from <= day <= state.valid_to:
                return state
        return None

    def find_unit(self, names: Iterable[str], day: date) -> int | None:
        """The unit to which these names, from the force down, lead on ``day``."""
        unit_id: int | None = None
        for name in names:
            states = self._named.get((unit_id, name), [])
            unit_id = next((s.unit_id for s in states if s.valid_from <= day <= s.valid_to), None)
            if unit_id is None:
                return None
        return unit_id

    def states_above(self, unit_id: int | None, day: date) -> Iterator[KnownUnitState]:
        """The unit's state and those of the units above it on ``day``, from below."""
        seen: set[int] = set()
        while unit_id is not None and unit_id not in seen:
            seen.add(unit_id)
            state = self.state_on(unit_id, day)
            if state is None:
                return
            yield state
            unit_id = state.parent_id

    def path_on(self, unit_id: int, day: date) -> str:
        """The unit's path on ``day``."""
        return paths.join(self._names_on(unit_id, day))

    def label_on(self, unit_id: int, day: date) -> str:
        """The unit's label on ``day``, as ``paths.label_units`` gives it; empty if it does not exist then."""
        version = self.version_on(day)
        if version not in self._labels:
            names = {unit: self._names_on(unit, day) for unit in self._of if self.state_on(unit, day)}
            self._labels[version] = paths.label_units(names)
        return self._labels[version].get(unit_id, "")

    def version_on(self, day: date) -> int:
        """A number that is the same for all days between two changes of the tree."""
        return bisect_right(self._edges, day.toordinal())

    def last_path_on(self, unit_id: int, day: date) -> str:
        """The unit's path on ``day`` or, if it no longer exists, on its last day."""
        return self.path_on(unit_id, self._last_day_on(unit_id, day))

    def last_label_on(self, unit_id: int, day: date) -> str:
        """The unit's label on ``day`` or, if it no longer exists, on its last day."""
        return self.label_on(unit_id, self._last_day_on(unit_id, day))

    def edges_after(self, day: date) -> list[date]:
        """The days after ``day`` on which a state begins, or the day after one ended."""
        later = self._edges[bisect_right(self._edges, day.toordinal()) :]
        return [date.fromordinal(edge) for edge in later if edge <= date.max.toordinal()]

    def changes_after(self, day: date) -> list[date]:
        """The days after ``day`` on which a state begins."""
        return self._starts[bisect_right(self._starts, day) :]

    def units_ever_below(self, unit_id: int, day: date) -> set[int]:
        """The unit and every unit that is below it on ``day`` or later."""
        return {
            other
            for other in self._of
            for when in (day, *self.changes_after(day))
            if any(state.unit_id == unit_id for state in self.states_above(other, when))
        } | {unit_id}

    def _names_on(self, unit_id: int, day: date) -> list[str]:
        return [state.name for state in self.states_above(unit_id, day)][::-1]

    def _last_day_on(self, unit_id: int, day: date) -> date:
        """``day``, or the unit's last day before it; of a unit still to come, its first."""
        states = self.states_of(unit_id)
        if not states or self.state_on(unit_id, day):
            return day
        before = [state.valid_to for state in states if state.valid_to < day]
        return before[-1] if before else states[0].valid_from


def read_tree(known_at: datetime | None = None) -> UnitTree:
    """The tree as known at an instant, by default now. One statement."""
    rows = db.session.execute(
        select(
            UnitState.id,
            UnitState.unit_id,
            UnitState.name,
            UnitState.parent_id,
            UnitState.valid_from,
            UnitState.valid_to,
        ).where(is_known_fact(UnitState, known_at))
    )
    return UnitTree(KnownUnitState(*row) for row in rows)
