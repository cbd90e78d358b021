"""Creates, renames and moves units: every change is a new state, and rows that name a unit stay."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select

from portal.domain.people.models import Post, UnitState
from portal.domain.people.positions import is_known_fact
from portal.platform.audit import log
from portal.platform.db import db, touch
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.wording import date as day_words

# Former names and parents of units, so that an old path still finds its unit.


class FormerUnits:
    """Every state of every unit that was ever recorded, replaced ones too."""

    def __init__(self, states: Iterable[tuple[int, str, int | None, date]]) -> None:
        self._named: dict[str, set[int]] = defaultdict(set)
        self._parents: dict[int, set[int | None]] = defaultdict(set)
        self._newest: dict[int, date] = {}
        for unit_id, name, parent_id, valid_from in states:
            self._named[name].add(unit_id)
            self._parents[unit_id].add(parent_id)
            self._newest[unit_id] = max(valid_from, self._newest.get(unit_id, valid_from))

    def find_unit(self, names: Sequence[str], among: Iterable[int] | None = None) -> int | None:
        """The unit that these names ever led to; of several, the one changed last.

        The names need not have been valid on the same day: if a unit was renamed, and another below it is
        new, both names of the upper one lead to the lower one.

        Args:
            names: From the force down.
            among: Only of these units; None: of all.
        """
        matching: set[int | None] = {None}
        for name in names:
            matching = {unit for unit in self._named.get(name, ()) if self._parents[unit] & matching}
        units = {unit for unit in matching if unit is not None}
        allowed = units if among is None else units.intersection(among)
        return max(allowed, key=lambda unit: (self._newest[unit], unit), default=None)

    def units_above(self, units: Iterable[int]) -> set[int]:
        """These units and every unit that was ever above one of them."""
        lineage: set[int] = set()
        waiting = list(units)
        while waiting:
            unit_id = waiting.pop()
            if unit_id not in lineage:
                lineage.add(unit_id)
                waiting += [unit for unit in self._parents.get(unit_id, ()) if unit is not None]
        return lineage


def read_former_units() -> FormerUnits:
    """Read every state of every unit, in one statement."""
    columns = (UnitState.unit_id, UnitState.name, UnitState.parent_id, UnitState.valid_from)
    return FormerUnits(
        (unit, name, above, since) for unit, name, above, since in db.session.execute(select(*columns))
    )


# Paths and labels of units.
#
# A path has the names from the force down, joined by ``/``; a ``/`` inside a name is written ``//``. A
# label has as many names as tell a unit apart from all others of its day.


def join(names: Iterable[str]) -> str:
    """The path of a unit whose own name is the last of ``names``.

    >>> join(["Westshire Police", "Serious/Organised"])
    'Westshire Police/Serious//Organised'
    """
    return "/".join(name.replace("/", "//") for name in names)


def split(path: str) -> tuple[str, ...]:
    """The names of a path, from the force down.

    >>> split("Westshire Police/Serious//Organised")
    ('Westshire Police', 'Serious/Organised')
    """
    names = tuple(part.replace("\0", "/") for part in path.replace("//", "\0").split("/"))
    for name in names:
        if not name or name != name.strip().strip("/"):
            raise RuleError(
                f"The unit path {path!r} has an empty name, or one with a space or slash at its ends. "
                "Write names from the force down, joined by '/', with '//' for a slash inside a name."
            )
    return names


def label_units(names: Mapping[int, Sequence[str]]) -> dict[int, str]:
    """The label of every unit: its own name after the fewest names above it that no other unit shares.

    >>> label_units({1: ["Force"], 2: ["Force", "North", "Team A"], 3: ["Force", "South", "Team A"]})
    {1: 'Force', 2: 'North, Team A', 3: 'South, Team A'}

    Args:
        names: Of all units of one day: the names from the force down, by id.
    """
    labels: dict[int, str] = {}
    alike, length = dict(names), 1
    while alike:
        ends = {unit_id: tuple(chain[-length:]) for unit_id, chain in alike.items()}
        counts = Counter(ends.values())
        for unit_id, end in ends.items():
            if counts[end] == 1 or length >= len(names[unit_id]):
                labels[unit_id] = ", ".join(end)
                del alike[unit_id]
        length += 1
    return labels


# The tree of units through time, in memory: paths, look-up by path, and units above or below.


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
        return join(self._names_on(unit_id, day))

    def label_on(self, unit_id: int, day: date) -> str:
        """The unit's label on ``day``, as ``paths.label_units`` gives it; empty if it does not exist then."""
        version = self.version_on(day)
        if version not in self._labels:
            names = {unit: self._names_on(unit, day) for unit in self._of if self.state_on(unit, day)}
            self._labels[version] = label_units(names)
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


def rename_unit(path: str, new_path: str, *, on: date, at: datetime, by: int | None = None) -> bool:
    """Rename a unit from ``on``; its place stays. Return whether anything was changed."""
    if split(path)[:-1] != split(new_path)[:-1]:
        raise RuleError(
            "A rename changes only the last name of the path. Use 'units move' for another place."
        )
    return move_unit(path, new_path, on=on, at=at, by=by)


def move_unit(path: str, new_path: str, *, on: date, at: datetime, by: int | None = None) -> bool:
    """Move a unit, with all units below it, to ``new_path`` from ``on``. Return whether anything was changed.

    Done twice it changes nothing: a unit that has ``new_path`` on that day and had ``path`` on the day before
    was moved already.

    Raises:
        RuleError: ``new_path`` is taken, or is under the unit itself.
    """
    tree = read_tree()
    change = plan_unit_change(tree, path, new_path, on=on)
    if change is None:
        return False
    for state in change.states:
        db.session.add(UnitState(recorded_at=at, **asdict(state)))
    if change.moves:
        below = tree.units_ever_below(change.unit_id, on)
        touch(units=[change.unit_id], people=list_people_ever_in(below))
    log("unit.moved", actor_id=by, unit_id=change.unit_id, on=on.isoformat())
    return True


@dataclass(frozen=True, slots=True)
class NewUnitState:
    """A state of a unit that is not recorded yet."""

    unit_id: int
    name: str
    parent_id: int | None
    valid_from: date
    valid_to: date
    replaces_id: int | None


@dataclass(frozen=True, slots=True)
class UnitChange:
    """A new name or place of a unit from a day on, as it would be recorded."""

    unit_id: int
    until: date  # its last day: the open end, or the day before the next known change
    moves: bool  # to another unit above; a rename alone changes nothing for any rule
    states: tuple[NewUnitState, ...]


def plan_unit_change(tree: UnitTree, path: str, new_path: str, *, on: date) -> UnitChange | None:
    """What ``move_unit`` would record; None if the unit was moved already.

    Raises:
        RuleError: ``new_path`` is taken, or is under the unit itself.
    """
    old, new = split(path), split(new_path)
    unit_id = tree.find_unit(old, on)
    state = tree.state_on(unit_id, on) if unit_id is not None else None
    if unit_id is None or state is None or old == new:
        _refuse_unless_done(tree, old, new, on)
        return None
    parent_id = _find_parent(tree, new[:-1], on)
    _refuse_taken(tree, new, unit_id, on)
    _refuse_loop(tree, state, parent_id, on)
    states = _states_after_change(state, new[-1], parent_id, on)
    return UnitChange(unit_id, state.valid_to, state.parent_id != parent_id, states)


def _states_after_change(
    state: KnownUnitState, name: str, parent_id: int | None, on: date
) -> tuple[NewUnitState, ...]:
    """The state cut on the day before ``on``, and the new one up to the old one's last day."""
    if state.valid_from == on:
        return (NewUnitState(state.unit_id, name, parent_id, on, state.valid_to, state.id),)
    before = on - timedelta(days=1)
    return (
        NewUnitState(state.unit_id, state.name, state.parent_id, state.valid_from, before, state.id),
        NewUnitState(state.unit_id, name, parent_id, on, state.valid_to, None),
    )


def _refuse_unless_done(tree: UnitTree, old: tuple[str, ...], new: tuple[str, ...], on: date) -> None:
    unit_id = tree.find_unit(new, on)
    if unit_id is not None and (old == new or tree.find_unit(old, on - timedelta(days=1)) == unit_id):
        return
    raise NotFoundError(f"No unit has the path {join(old)!r} on {day_words(on)}.")


def _find_parent(tree: UnitTree, above: list[str] | tuple[str, ...], on: date) -> int | None:
    if not above:
        return None
    parent_id = tree.find_unit(above, on)
    if parent_id is None:
        raise NotFoundError(f"No unit has the path {join(above)!r} on {day_words(on)}.")
    return parent_id


def _refuse_taken(tree: UnitTree, names: tuple[str, ...], unit_id: int | None, on: date) -> None:
    for day in (on, *tree.changes_after(on)):
        holder = tree.find_unit(names, day)
        if holder is not None and holder != unit_id:
            raise RuleError(f"Another unit has the path {join(names)!r} on {day_words(day)}.")


def _refuse_loop(tree: UnitTree, state: KnownUnitState, parent_id: int | None, on: date) -> None:
    """The new parent must exist for as long as the new state, and never be under the unit itself."""
    days = [on, *(day for day in tree.changes_after(on) if day <= state.valid_to)]
    for day in days:
        above = list(tree.states_above(parent_id, day))
        if parent_id is not None and not above:
            raise RuleError(f"The unit above it does not exist on {day_words(day)}.")
        if any(higher.unit_id == state.unit_id for higher in above):
            raise RuleError("A unit cannot be moved under itself.")


def list_people_ever_in(unit_ids: set[int]) -> set[int]:
    """Everyone who has a known post in these units."""
    rows = db.session.execute(select(Post.unit_id, Post.person_id).where(is_known_fact(Post)).distinct())
    return {person_id for unit_id, person_id in rows if unit_id in unit_ids}
