"""Queries about viewers, people by staff number, and the units of a day."""

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Boolean, Date, Select, and_, bindparam, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.people import units
from portal.domain.people.models import PersonName, Post, RoleGrant, UnitState
from portal.domain.people.positions import choose_known, is_known_fact
from portal.domain.people.staff_numbers import PostNames, fold_staff_number
from portal.domain.people.visibility import (
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
from portal.platform.clock import london_day
from portal.platform.db import db, read
from portal.platform.errors import ForbiddenError, NotFoundError
from portal.platform.jobs.models import Job, JobState
from portal.platform.permissions import UNIT_ROLES, Permission, Role, permissions_of

__all__ = ["COMMAND_LINE", "NOBODY", "Viewer", "Visibility", "may_see", "visibility_of", "visible_people"]


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
    """The person who started a job, with the posts and grants of today."""
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
    """The id of the person who has this staff number, however it was typed or copied."""
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
    labels = units.label_units(names)
    return {
        unit_id: UnitRow(name, parent_id, units.join(names[unit_id]), labels[unit_id])
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
    """The id of the unit that has this path on ``day``."""
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


# Queries about jobs, with the names of the people who started them, if the viewer may see these.

_COLUMNS = (
    *(column for column in Job.__table__.columns if column.name not in {"id", "claim"}),
    PersonName.forenames,
    PersonName.surname,
)


def get_job_row(reference: uuid.UUID, viewer: Viewer = COMMAND_LINE) -> Any:
    """One job with the person who asked for it."""
    row = db.session.execute(_select_jobs(viewer).where(Job.reference == reference)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such job.")
    return row


def list_job_rows(
    viewer: Viewer, state: JobState | None, offset: int, limit: int, asked_by: int | None = None
) -> Sequence[Any]:
    """A slice of the jobs, the newest first; with ``asked_by``, of those that this person asked for."""
    statement = _select_jobs(viewer)
    if state is not None:
        statement = statement.where(Job.state == state)
    if asked_by is not None:
        statement = statement.where(Job.asked_by_id == asked_by)
    return db.session.execute(statement.order_by(Job.id.desc()).offset(offset).limit(limit)).all()


def _select_jobs(viewer: Viewer) -> Select[Any]:
    person_id = PersonName.person_id
    is_visible = or_(person_id.in_(visible_people(viewer)), person_id == viewer.person_id)
    return (
        select(*_COLUMNS).select_from(Job).outerjoin(PersonName, (person_id == Job.asked_by_id) & is_visible)
    )


# Reading of proposals with the names of who proposed and who ended them, whatever is proposed.


@dataclass(frozen=True, slots=True)
class ProposalLine:
    """A proposal as lists and its own page show it; each kind adds what is proposed."""

    id: int
    note: str
    proposed_by_id: int
    proposed_by: str
    proposed_at: datetime
    ended_at: datetime | None
    ended_as: str | None  # published, sent_back, withdrawn; None: it has not ended
    ended_by: str
    reason: str


def select_proposals(kind: Any, *columns: Any) -> Select[Any]:
    """Select proposals of a table: the fields of ``ProposalLine`` in their order, then these columns."""
    author, decider = aliased(PersonName), aliased(PersonName)
    return (
        select(
            kind.id,
            kind.note,
            kind.proposed_by_id,
            func.coalesce(author.full_name, "Erased"),
            kind.proposed_at,
            kind.ended_at,
            kind.ended_as,
            func.coalesce(decider.full_name, "Erased"),
            kind.reason,
            *columns,
        )
        .outerjoin(author, author.person_id == kind.proposed_by_id)
        .outerjoin(decider, decider.person_id == kind.ended_by_id)
    )


# The posts and units of one day, for proposals, reviews and counts.


class LivePost(NamedTuple):
    """A known post that is valid on the day."""

    person_id: int
    unit_id: int
    manager_id: int | None


class Workforce:
    """The posts of a day, and the tree of units."""

    def __init__(self, day: date, posts: Iterable[LivePost], units: Mapping[int, UnitRow]) -> None:
        self.day, self.units = day, units
        self._chains: dict[int, tuple[int, ...]] = {}
        self._posts: dict[int, list[LivePost]] = defaultdict(list)
        self._reports: dict[int, list[LivePost]] = defaultdict(list)
        self._under: dict[int, set[int]] = defaultdict(set)
        for post in posts:
            self._posts[post.person_id].append(post)
            if post.manager_id is not None and post.manager_id != post.person_id:
                self._reports[post.manager_id].append(post)
            for unit_id in self.unit_and_above(post.unit_id):
                self._under[unit_id].add(post.person_id)

    def unit_and_above(self, unit_id: int) -> tuple[int, ...]:
        """The unit and those above it, from below; empty if it does not exist on the day."""
        if unit_id not in self._chains:
            chain: dict[int, None] = {}
            above: int | None = unit_id
            while above is not None and above in self.units and above not in chain:
                chain[above] = None
                above = self.units[above].parent_id
            self._chains[unit_id] = tuple(chain)
        return self._chains[unit_id]

    def posts_of(self, person_id: int) -> list[LivePost]:
        """The person's posts."""
        return self._posts.get(person_id, [])

    def reports_to(self, person_id: int) -> list[LivePost]:
        """The posts of others that name the person as line manager."""
        return self._reports.get(person_id, [])

    def people_under(self, unit_id: int) -> Set[int]:
        """Everyone with a post in the unit or in one below it."""
        return self._under.get(unit_id, frozenset())

    def smallest_common_unit(self, unit_ids: Iterable[int]) -> int | None:
        """The lowest unit that is, or is above, all of these; None if there is none."""
        chains = [self.unit_and_above(unit_id) for unit_id in set(unit_ids)]
        if not chains:
            return None
        shared = set(chains[0]).intersection(*chains[1:])
        return next((unit_id for unit_id in chains[0] if unit_id in shared), None)


def read_workforce(day: date) -> Workforce:
    """The posts and the tree of ``day`` as known now. Two statements."""
    rows = db.session.execute(
        select(Post.person_id, Post.unit_id, Post.line_manager_id)
        .where(is_known_fact(Post), is_valid_on(Post, day))
        .order_by(Post.person_id, Post.post_key)
    )
    return Workforce(day, (LivePost(*row) for row in rows), live_units(day))


# The role in which somebody decided something, which a learner sees instead of a name.

UNNAMED_DECIDER = "your force"
_WORDS = {
    Role.DIRECTIVE_OWNER: "a directive owner",
    Role.ADMINISTRATOR: "an administrator",
    Role.FACILITATOR: "a facilitator",
}  # the first that the person had


def describe_deciders(acts: Collection[tuple[int, datetime]]) -> dict[tuple[int, datetime], str]:
    """The role that each person had at an instant, in words, by person and instant. One statement at most."""
    if not acts:
        return {}
    people = sorted({person_id for person_id, _ in acts})
    grants = db.session.scalars(
        select(RoleGrant).where(RoleGrant.person_id.in_(people), RoleGrant.role.in_(sorted(_WORDS)))
    ).all()
    return {
        act: _decider_words([grant.role for grant in grants if _was_granted(grant, *act)]) for act in acts
    }


def _was_granted(grant: RoleGrant, person_id: int, at: datetime) -> bool:
    ended = grant.ended_at is not None and grant.ended_at <= at
    return grant.person_id == person_id and grant.valid_from <= london_day(at) <= grant.valid_to and not ended


def _decider_words(roles: Collection[str]) -> str:
    return next((words for role, words in _WORDS.items() if role in roles), UNNAMED_DECIDER)
