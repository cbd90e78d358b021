"""Queries about viewers, people by staff number, and the units of a day."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, and_, bindparam, select

from portal.domain.people.as_of import choose_known, is_known_fact
from portal.domain.people.duties import PostNames
from portal.domain.people.models import PersonName, Post, RoleGrant, UnitState
from portal.domain.people.staff_numbers import fold_staff_number
from portal.domain.people.units import paths
from portal.domain.people.visibility.rules import (
    COMMAND_LINE,
    NOBODY,
    Viewer,
    Visibility,
    is_granted_to,
    is_line_manager,
    is_valid_on,
    may_see,
    visibility_of,
    visible_people,
)
from portal.platform import clock
from portal.platform.db import db, read
from portal.platform.errors import ForbiddenError, NotFoundError
from portal.platform.permissions import UNIT_ROLES, Permission, Role, permissions_of

__all__ = [
    "COMMAND_LINE",
    "NOBODY",
    "UnitRow",
    "Viewer",
    "Visibility",
    "build_system_viewer",
    "build_viewer",
    "find_seen_person",
    "live_units",
    "may_see",
    "person_by_staff_number",
    "unit_by_path",
    "unit_paths",
    "units_under",
    "viewer_of",
    "visibility_of",
    "visible_people",
]


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit on one day."""

    name: str
    parent_id: int | None
    path: str  # names from the force down, joined by "/"; a "/" inside a name is "//"
    label: str = ""  # names enough to tell it apart, such as "Response North, Team A"; pages show it


_TODAY: Any = bindparam("today", type_=Date())
_SELECT_VIEWER: Any = (
    select(
        PersonName.staff_number,
        PersonName.forenames,
        PersonName.surname,
        Post.rank_or_grade,
        RoleGrant.role,
        RoleGrant.unit_id,
        and_(bindparam("line_managers", type_=Boolean()), is_line_manager(PersonName.person_id, _TODAY)),
    )
    .select_from(PersonName)
    .outerjoin(
        Post, and_(Post.person_id == PersonName.person_id, is_known_fact(Post), is_valid_on(Post, _TODAY))
    )
    .outerjoin(RoleGrant, is_granted_to(PersonName.person_id, _TODAY))
    .where(PersonName.person_id == bindparam("person_id"))
    .order_by(Post.post_key)  # the main post, "", comes first
)


_POST_NAMES: Any = select(Post.designated_role, Post.rank_or_grade).where(
    Post.person_id == bindparam("person_id"),
    is_known_fact(Post),
    is_valid_on(Post, _TODAY),
)


def post_names(person_id: int, day: date) -> list[PostNames]:
    """The role and rank of each post that a person has on a day. One statement."""
    return [PostNames(role, rank) for role, rank in read(_POST_NAMES, {"person_id": person_id, "today": day})]


def list_post_names(day: date) -> list[PostNames]:
    """Every pair of role and rank that somebody has on a day. One statement."""
    statement = select(Post.designated_role, Post.rank_or_grade).distinct()
    rows = db.session.execute(statement.where(is_known_fact(Post), is_valid_on(Post, day)))
    return [PostNames(role, rank) for role, rank in rows]


def viewer_of(person_id: int, *, line_managers: bool = False) -> Viewer | None:
    """The person as a viewer, by today's posts and grants; None if nobody with that id has a name.

    One statement; it sees what has been flushed.

    Args:
        person_id: The viewer.
        line_managers: Whether the roster alone gives line managers sight of their direct reports.
    """
    values = {"person_id": person_id, "today": clock.today(), "line_managers": line_managers}
    rows = read(_SELECT_VIEWER, values)  # one for each post and grant
    if not rows:
        return None
    *person, _, _, is_manager = rows[0]
    grants = {(row.role, row.unit_id) for row in rows if row.role is not None}
    return build_viewer(person_id, *person, grants=grants, line_manager=is_manager)


def require_starter(
    person_id: int | None, permission: Permission, refusal: str, *, line_managers: bool = False
) -> Viewer:
    """The person who started a job, with the posts and grants of today.

    Raises:
        ForbiddenError: With ``refusal``: they have no post any more, or not this permission.
    """
    viewer = None if person_id is None else viewer_of(person_id, line_managers=line_managers)
    if viewer is None or not viewer.has_post or permission not in viewer.permissions:
        raise ForbiddenError(refusal)
    return viewer


def build_viewer(
    person_id: int,
    staff_number: str,
    forenames: str,
    surname: str,
    rank: str | None,
    *,
    grants: Iterable[tuple[str, int | None]],
    line_manager: bool,
) -> Viewer:
    """Build a viewer from values that were read already.

    Args:
        person_id: The viewer.
        staff_number: The viewer's.
        forenames: The viewer's.
        surname: The viewer's.
        rank: Of the viewer's main post of today; None without one.
        grants: The roles granted now, each with its unit.
        line_manager: Whether the roster shows them their direct reports, as to a manager.
    """
    roles = [(Role(role), unit_id) for role, unit_id in grants]
    everywhere = frozenset(role for role, unit_id in roles if unit_id is None)
    on_units = frozenset(role for role, unit_id in roles if unit_id is not None) & UNIT_ROLES
    by_roster = frozenset({Role.MANAGER} if line_manager else ())
    return Viewer(
        person_id=person_id,
        staff_number=staff_number,
        display_name=" ".join(part for part in (rank, forenames, surname) if part),
        has_post=rank is not None,
        roles=everywhere | on_units,
        permissions=permissions_of(everywhere | by_roster, on_units, has_post=rank is not None),
        line_manager=bool(line_manager),
    )


def build_system_viewer(name: str, unit_id: int | None, permissions: frozenset[Permission]) -> Viewer:
    """Another system as a viewer, which sees what an auditor of the unit would see.

    Args:
        name: Of its access token.
        unit_id: Of its access token; None: the whole force.
        permissions: What it may do to the people it sees.
    """
    return Viewer(NOBODY, "", name, False, frozenset({Role.AUDITOR}), permissions, only_unit_id=unit_id)


def people_by_staff_number(staff_numbers: Collection[str]) -> set[int]:
    """The ids of the people who have these staff numbers. One statement for each five hundred."""
    numbers = sorted(staff_numbers)
    batches = (numbers[start : start + 500] for start in range(0, len(numbers), 500))
    having = (select(PersonName.person_id).where(PersonName.staff_number.in_(batch)) for batch in batches)
    return {person_id for statement in having for person_id in db.session.scalars(statement)}


def person_by_staff_number(staff_number: str) -> int:
    """The id of the person who has this staff number, however it was typed or copied.

    Raises:
        NotFoundError: Nobody has it.
    """
    typed = staff_number.strip()
    person_id = db.session.scalar(
        select(PersonName.person_id)
        .where(PersonName.staff_number.in_({typed, fold_staff_number(typed)}))
        .order_by((PersonName.staff_number == typed).desc())  # one recorded before numbers were folded
        .limit(1)
    )
    if person_id is None:
        raise NotFoundError(f"Nobody has the staff number {staff_number}.")
    return person_id


def find_seen_person(viewer: Viewer, staff_number: str, act: Permission | None = None) -> int:
    """The id of the person who has this staff number and whom the viewer may see, or do ``act`` to.

    Neither the answer nor the work for it tells a number of somebody out of sight from one that nobody has:
    two statements, whatever was typed.

    Raises:
        NotFoundError: There is nobody whom the viewer may see.
    """
    number = staff_number.replace("\x00", "").strip()  # PostgreSQL takes no NUL
    person_id = db.session.scalar(select(PersonName.person_id).where(PersonName.staff_number == number))
    if not may_see(viewer, person_id or NOBODY, act):
        raise NotFoundError(f"Nobody has the staff number {staff_number}.")
    return person_id or NOBODY


def live_units(day: date, known_at: datetime | None = None) -> dict[int, UnitRow]:
    """Every unit that exists on ``day``, by its id, as known at an instant (by default: now)."""
    rows = db.session.execute(
        select(UnitState.unit_id, UnitState.name, UnitState.parent_id).where(
            is_known_fact(UnitState, known_at), is_valid_on(UnitState, day)
        )
    )
    return _place_units({unit_id: (name, parent_id) for unit_id, name, parent_id in rows})


def live_units_at(
    moments: Iterable[tuple[date, datetime]],
) -> dict[tuple[date, datetime], dict[int, UnitRow]]:
    """The units of several days, each as known at an instant, as ``live_units`` reads them. One statement."""
    facts = list(db.session.scalars(select(UnitState)))
    placed: dict[frozenset[int], dict[int, UnitRow]] = {}  # by the facts that hold: units seldom move
    units: dict[tuple[date, datetime], dict[int, UnitRow]] = {}
    for day, known_at in moments:
        held = [fact for fact in choose_known(facts, known_at) if fact.valid_from <= day <= fact.valid_to]
        ids = frozenset(fact.id for fact in held)
        if ids not in placed:
            placed[ids] = _place_units({fact.unit_id: (fact.name, fact.parent_id) for fact in held})
        units[day, known_at] = placed[ids]
    return units


def _place_units(states: Mapping[int, tuple[str, int | None]]) -> dict[int, UnitRow]:
    """Units with their paths and labels, from their names and parents."""
    names = {unit_id: _names_from_force(unit_id, states) for unit_id in states}
    labels = paths.label_units(names)
    return {
        unit_id: UnitRow(name, parent_id, paths.join(names[unit_id]), labels[unit_id])
        for unit_id, (name, parent_id) in states.items()
    }


def unit_paths(day: date, known_at: datetime | None = None) -> dict[int, str]:
    """The path of every unit that exists on ``day``, by its id."""
    return {unit_id: unit.path for unit_id, unit in live_units(day, known_at).items()}


def units_under(unit_id: int, day: date, known_at: datetime | None = None) -> set[int]:
    """The unit itself and all units below it on ``day``."""
    children: dict[int | None, list[int]] = {}
    for child, unit in live_units(day, known_at).items():
        children.setdefault(unit.parent_id, []).append(child)
    units, waiting = {unit_id}, [unit_id]
    while waiting:
        below = [child for child in children.get(waiting.pop(), []) if child not in units]
        units.update(below)
        waiting.extend(below)
    return units


def unit_by_path(path: str, day: date) -> int:
    """The id of the unit that has this path on ``day``.

    Raises:
        NotFoundError: No unit has it.
    """
    for unit_id, unit_path in unit_paths(day).items():
        if unit_path == path:
            return unit_id
    raise NotFoundError(f"No unit has the path {path!r} on {day.isoformat()}.")


def _names_from_force(unit_id: int | None, states: Mapping[int, tuple[str, int | None]]) -> list[str]:
    names: list[str] = []
    while (
        unit_id is not None and unit_id in states and len(names) <= len(states)
    ):  # a loop in the facts must not hang a page
        name, unit_id = states[unit_id]
        names.append(name)
    return names[::-1]
