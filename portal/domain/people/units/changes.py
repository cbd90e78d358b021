"""Creates, renames and moves units: every change is a new state, and rows that name a unit stay."""

from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post, Unit, UnitState
from portal.domain.people.units import paths
from portal.domain.people.units.tree import KnownUnitState, UnitTree, read_tree
from portal.platform.audit.services import log
from portal.platform.db import OPEN_END, db, touch
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.wording import date as day_words


def create_unit(path: str, *, on: date, at: datetime) -> int:
    """Create the unit at the end of ``path``, from ``on`` without end, under a unit that exists then.

    Raises:
        NotFoundError: The unit above it does not exist on that day.
        RuleError: A unit has this path on that day or later.
    """
    tree = read_tree()
    *above, name = paths.split(path)
    parent_id = _find_parent(tree, above, on)
    _refuse_taken(tree, paths.split(path), None, on)
    unit = Unit(recorded_at=at)
    db.session.add(unit)
    db.session.flush()
    db.session.add(
        UnitState(
            recorded_at=at, unit_id=unit.id, name=name, parent_id=parent_id, valid_from=on, valid_to=OPEN_END
        )
    )
    log("unit.created", actor_id=None, unit_id=unit.id)
    return unit.id


def rename_unit(path: str, new_path: str, *, on: date, at: datetime, by: int | None = None) -> bool:
    """Rename a unit from ``on``; its place stays. Return whether anything was changed.

    Raises:
        NotFoundError: No unit has ``path`` on that day.
        RuleError: ``new_path`` differs in more than the last name, or is taken.
    """
    if paths.split(path)[:-1] != paths.split(new_path)[:-1]:
        raise RuleError(
            "A rename changes only the last name of the path. Use 'units move' for another place."
        )
    return move_unit(path, new_path, on=on, at=at, by=by)


def move_unit(path: str, new_path: str, *, on: date, at: datetime, by: int | None = None) -> bool:
    """Move a unit, with all units below it, to ``new_path`` from ``on``. Return whether anything was changed.

    Done twice it changes nothing: a unit that has ``new_path`` on that day and had ``path`` on the day before
    was moved already.

    Raises:
        NotFoundError: No unit has ``path``, or the unit above ``new_path`` does not exist, on that day.
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
        NotFoundError: No unit has ``path``, or the unit above ``new_path`` does not exist, on that day.
        RuleError: ``new_path`` is taken, or is under the unit itself.
    """
    old, new = paths.split(path), paths.split(new_path)
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
    raise NotFoundError(f"No unit has the path {paths.join(old)!r} on {day_words(on)}.")


def _find_parent(tree: UnitTree, above: list[str] | tuple[str, ...], on: date) -> int | None:
    if not above:
        return None
    parent_id = tree.find_unit(above, on)
    if parent_id is None:
        raise NotFoundError(f"No unit has the path {paths.join(above)!r} on {day_words(on)}.")
    return parent_id


def _refuse_taken(tree: UnitTree, names: tuple[str, ...], unit_id: int | None, on: date) -> None:
    for day in (on, *tree.changes_after(on)):
        holder = tree.find_unit(names, day)
        if holder is not None and holder != unit_id:
            raise RuleError(f"Another unit has the path {paths.join(names)!r} on {day_words(day)}.")


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
