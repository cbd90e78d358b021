"""Role grants: who may give which, giving and revoking them, and their list."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, not_, or_, select
from sqlalchemy.orm import aliased

from config import current_settings
from portal.domain.accounts import services
from portal.domain.accounts.models import Credential
from portal.domain.people import services as people
from portal.domain.people.models import Person, PersonName, Post, RoleGrant
from portal.domain.people.names import find_current_or_former_unit, name_conditions
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import live_units
from portal.domain.people.sight import administered_units
from portal.domain.people.units import UnitTree, read_tree
from portal.domain.people.visibility import (
    Viewer,
    is_granted_to,
    is_line_manager,
    is_valid_on,
    is_visible,
    visible_people,
)
from portal.platform import clock
from portal.platform.clock import london_day, now
from portal.platform.db import OPEN_END, db
from portal.platform.errors import BadInputError, RuleError
from portal.platform.permissions import UNIT_ROLES, Permission, Role
from portal.platform.wording import number

# Which accounts and units an administrator may act on, so that nobody can widen their own powers.

__all__ = ["administered_units"]

OUTSIDE = (
    "This account is not yours to change: its owner works, has a role or manages people "
    "outside the units that you administer."
)


@dataclass(frozen=True, slots=True)
class CurrentGrant:
    """A role that a person has today, and where."""

    role: Role
    unit_id: int | None
    unit_label: str  # empty where the grant names no unit
    since: date
    until: date  # its last day


def list_current_grants(person_id: int) -> list[CurrentGrant]:
    """The roles that the person has today, by role and unit."""
    today = clock.today()
    rows = db.session.execute(
        select(
            RoleGrant.role, RoleGrant.unit_id, func.min(RoleGrant.valid_from), func.max(RoleGrant.valid_to)
        )
        .where(is_granted_to(person_id, today))
        .group_by(RoleGrant.role, RoleGrant.unit_id)
    ).all()
    tree = read_tree() if any(row.unit_id for row in rows) else None
    grants = [
        CurrentGrant(
            Role(role), unit_id, tree.last_label_on(unit_id, today) if tree and unit_id else "", since, until
        )
        for role, unit_id, since, until in rows
    ]
    return sorted(grants, key=lambda grant: (grant.role, grant.unit_label))


def administers_person(viewer: Viewer, person_id: int) -> bool:
    """Whether the viewer may change the person's account."""
    return db.session.scalar(people_administered(viewer).where(Person.id == person_id)) is not None


def is_administered(person_id: Any, viewer: Viewer) -> ColumnElement[bool]:
    """WHERE clause: the viewer may change the account of the person of this id column.

    An administrator of a unit may do so for people with a post there who have no role outside it and, as
    line manager, see nobody outside it: whoever sets another's password could use what that account sees.
    """
    units = administered_units(viewer)
    if units is None:
        return is_in_administration(person_id, viewer)
    today = clock.today()
    has_post_there = select(Post.person_id).where(
        is_known_fact(Post), is_valid_on(Post, today), Post.unit_id.in_(sorted(units))
    )
    has_role_elsewhere = exists().where(
        is_granted_to(person_id, today),
        or_(RoleGrant.unit_id.is_(None), RoleGrant.unit_id.not_in(sorted(units))),
    )
    return and_(
        person_id.in_(has_post_there),
        not_(has_role_elsewhere),
        not_(_has_reports_elsewhere(person_id, units, today)),
    )


def _has_reports_elsewhere(person_id: Any, units: Collection[int], today: date) -> ColumnElement[bool]:
    """WHERE clause: the roster alone shows the person direct reports outside these units.

    A line manager of today opens reports of earlier days too, so every post that ever named them counts.
    """
    if not current_settings().line_managers_see:
        return false()
    report = aliased(Post)
    named = (report.line_manager_id == person_id, report.person_id != person_id)
    elsewhere = exists().where(*named, report.unit_id.not_in(sorted(units)))
    return and_(is_line_manager(person_id, today), elsewhere)


def people_administered(viewer: Viewer) -> Select[int]:
    """The ids of ``is_administered``, for a statement that reads grants itself."""
    return select(Person.id).where(is_administered(Person.id, viewer))


def is_in_administration(person_id: Any, viewer: Viewer) -> ColumnElement[bool]:
    """WHERE clause: the viewer may look at the account of the person of this id column.

    Only grants as administrator count, so that the sight of another role opens no account.
    """
    return is_visible(person_id, viewer, Permission.ACCOUNT_ADMINISTER)


def people_in_administration(viewer: Viewer) -> Select[int]:
    """The ids of ``is_in_administration``, for a statement that reads grants itself."""
    return visible_people(viewer, Permission.ACCOUNT_ADMINISTER)


def grantable_units(viewer: Viewer) -> list[tuple[int, str]]:
    """The units on which the viewer may grant a role, with their labels, sorted by path."""
    administered = administered_units(viewer)
    units = [
        (unit.path, unit_id, unit.label)
        for unit_id, unit in live_units(clock.today()).items()
        if administered is None or unit_id in administered
    ]
    return [(unit_id, label) for _, unit_id, label in sorted(units)]


# Lists the role grants that an administrator may see, filtered and sorted, in words.

ENDED_GRANTS, ALL_GRANTS, MANAGERS_BY_ROSTER = "ended", "all", "roster"


@dataclass(frozen=True, slots=True)
class GrantFilters:
    """Filters of the list; a grant must match every filled field. The page refuses unknown values."""

    q: str = ""  # part of a name, or of a staff number
    role: str = ""
    unit: str = ""  # a unit's path or name: grants that apply there, given on it or above it
    state: str = ""  # empty: current; ENDED_GRANTS, ALL_GRANTS or MANAGERS_BY_ROSTER

    @property
    def address_fields(self) -> dict[str, str]:
        """The filled fields, as they are written in an address."""
        return {field.name: value for field in fields(self) if (value := getattr(self, field.name))}

    def without_field(self, name: str) -> "GrantFilters":
        """The same filters with one field empty."""
        return replace(self, **{name: ""})


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A grant in words."""

    staff_number: str
    name: str
    role: str
    where: str
    since: date
    until: date | None  # None: no last day
    given_by: str
    given_at: datetime
    ended_by: str  # empty if nobody ended it
    ended_at: datetime | None
    over: bool


GRANT_SORTS: dict[str, Callable[[GrantRow], Any]] = {
    "person": lambda row: (row.name, row.staff_number, row.role, row.where),
    "role": lambda row: (row.role, row.where, row.name),
    "unit": lambda row: (row.where, row.role, row.name),
    "since": lambda row: (row.since, row.name),
    "until": lambda row: (row.until or OPEN_END, row.name),
    "given": lambda row: (row.given_at, row.name),
}


def list_grants(viewer: Viewer, filters: GrantFilters, sort: str, at: datetime) -> list[GrantRow]:
    """Every grant that matches the filters, of accounts that the viewer may look at. Four statements at most.

    Args:
        viewer: Who looks.
        filters: Which grants to list.
        sort: A column of ``GRANT_SORTS``, with a "-" before it for descending; empty: by person.
        at: This instant.
    """
    today = london_day(at)
    tree = read_tree()
    rows = [
        _grant_row(grant, tree, today, staff_number, f"{surname}, {forenames}", others)
        for grant, staff_number, surname, forenames, *others in db.session.execute(
            _select_grants(viewer, filters, today)
        )
    ]
    return sort_grants(rows, sort)


def sort_grants(rows: list[GrantRow], sort: str) -> list[GrantRow]:
    """Sort rows by a column of ``GRANT_SORTS``, descending with a "-" before it; by person if it is empty."""
    key = GRANT_SORTS[sort.removeprefix("-") or "person"]
    return sorted(rows, key=key, reverse=sort.startswith("-"))


def _select_grants(viewer: Viewer, filters: GrantFilters, today: date) -> Any:
    """SELECT of grants with the names of the person, of who gave them and of who ended them."""
    giver, ender = _select_visible_names(viewer), _select_visible_names(viewer)
    return (
        select(
            RoleGrant,
            PersonName.staff_number,
            PersonName.surname,
            PersonName.forenames,
            giver.c.surname,
            giver.c.forenames,
            ender.c.surname,
            ender.c.forenames,
        )
        .join(PersonName, PersonName.person_id == RoleGrant.person_id)
        .outerjoin(giver, giver.c.person_id == RoleGrant.given_by_id)
        .outerjoin(ender, ender.c.person_id == RoleGrant.ended_by_id)
        .where(RoleGrant.person_id.in_(people_in_administration(viewer)), *name_conditions(filters.q))
        .where(*_filter_conditions(viewer, filters, today))
    )


def _grant_row(
    grant: RoleGrant, tree: UnitTree, today: date, staff_number: str, name: str, others: list[Any]
) -> GrantRow:
    role = Role(grant.role)
    label = tree.last_label_on(grant.unit_id, today) if grant.unit_id is not None else ""
    return GrantRow(
        staff_number=staff_number,
        name=name,
        role=role_words(role),
        where=where_words(role, label),
        since=grant.valid_from,
        until=None if grant.valid_to == OPEN_END else grant.valid_to,
        given_by=_actor_words(grant.given_by_id, *others[:2]),
        given_at=grant.given_at,
        ended_by=_actor_words(grant.ended_by_id, *others[2:]) if grant.ended_at else "",
        ended_at=grant.ended_at,
        over=grant.ended_at is not None or grant.valid_to < today,
    )


def _select_visible_names(viewer: Viewer) -> Any:
    """SELECT of the names of people whose accounts the viewer may look at."""
    other = aliased(PersonName)
    return (
        select(other.person_id, other.surname, other.forenames)
        .where(other.person_id.in_(people_in_administration(viewer)))
        .subquery()
    )


def _actor_words(person_id: int | None, surname: str | None, forenames: str | None) -> str:
    """Who gave or ended a grant, in words; no name of a person whom the viewer may not see."""
    if person_id is None:
        return "By command"
    return "Another administrator" if surname is None else f"{surname}, {forenames}"


def _filter_conditions(viewer: Viewer, filters: GrantFilters, today: date) -> list[ColumnElement[bool]]:
    conditions = []
    over = or_(RoleGrant.ended_at.is_not(None), RoleGrant.valid_to < today)
    if filters.state == ENDED_GRANTS:
        conditions.append(over)
    elif filters.state != ALL_GRANTS:
        conditions.append(and_(is_valid_on(RoleGrant, today), RoleGrant.ended_at.is_(None)))
    if filters.role:
        conditions.append(RoleGrant.role == filters.role)
    if filters.unit:
        units = live_units(today)
        administered = administered_units(viewer)
        searched = units if administered is None else {u: units[u] for u in units.keys() & administered}
        unit_id: int | None = find_current_or_former_unit(filters.unit, searched)
        chain: dict[int, None] = {}  # the unit and those above it
        while unit_id is not None and unit_id in units and unit_id not in chain:
            chain[unit_id] = None
            unit_id = units[unit_id].parent_id
        everywhere = and_(RoleGrant.unit_id.is_(None), RoleGrant.role != Role.MANAGER)
        conditions.append(or_(RoleGrant.unit_id.in_(chain), everywhere))
    return conditions


def role_words(role: Role) -> str:
    """The role in words.

    >>> role_words(Role.DIRECTIVE_OWNER)
    'Directive owner'
    """
    return role.replace("-", " ").capitalize()


def where_words(role: Role, label: str) -> str:
    """Where a role applies, in words; ``label`` is that of the grant's unit, empty if it has none.

    >>> where_words(Role.MANAGER, ""), where_words(Role.AUDITOR, "")
    ('Direct reports', 'Whole force')
    >>> where_words(Role.AUTHOR, "North, Team A")
    'North, Team A (no effect on a unit)'
    """
    if label and role not in UNIT_ROLES:
        return f"{label} (no effect on a unit)"
    return label or ("Direct reports" if role is Role.MANAGER else "Whole force")


# Grants and revokes roles; the person must sign in again, and the change is audited.

ROLE_CHANGED = "role_changed"


@dataclass(frozen=True, slots=True)
class NewGrant:
    """A role to give, and where."""

    person_id: int
    role: Role
    unit_id: int | None
    until: date = OPEN_END  # the last day


def grant_role(
    person_id: int,
    role: Role,
    *,
    unit_id: int | None,
    by: int | None,
    at: datetime,
    until: date = OPEN_END,
) -> bool:
    """Grant a role and end the person's sessions; a role that they already have changes nothing.

    Returns:
        Whether a grant was made.

    Raises:
        RuleError: The last day is in the past, the giver is the person, or the role has no effect on a unit.
    """
    refuse_own_role(person_id, by)
    refuse_force_role_on_unit(role, unit_id)
    made = people.grant_role(person_id, role, unit_id=unit_id, by=by, at=at, until=until)
    if made:
        services.close_sessions(person_id, ROLE_CHANGED, at)
    return made


def refuse_own_role(person_id: int, by: int | None) -> None:
    """Refuse to give a role to oneself, or to change the last day of one's own role.

    A command (``by`` is None) may give any role: whoever has the machine can change everything on it anyway.
    """
    if person_id == by:
        raise RuleError("You cannot give yourself a role or change its last day. Ask another administrator.")


def refuse_force_role_on_unit(role: Role, unit_id: int | None) -> None:
    """Refuse to give a role of the whole force for a unit."""
    if unit_id is not None and role not in UNIT_ROLES:
        raise RuleError(f"{role_words(role)} is a role for the whole force: it cannot be given for a unit.")


def revoke_role(person_id: int, role: Role, *, unit_id: int | None, by: int | None, at: datetime) -> bool:
    """End the live grants of a role on exactly this unit, and the person's sessions with them.

    Returns:
        Whether a grant was ended.

    Raises:
        RuleError: The person has the role only on other units, or the last administrator would end their own
            role; nothing was ended.
    """
    _lock_administrator_grants(role)
    ended = people.revoke_role(person_id, role, unit_id=unit_id, by=by, at=at)
    if ended:
        _refuse_last_administrator(person_id, role, unit_id, by=by, at=at)
        services.close_sessions(person_id, ROLE_CHANGED, at)
    return ended


def give_grants(new_grants: Iterable[NewGrant], *, by: int, at: datetime) -> int:
    """Give all of these grants; roles that people already have are skipped.

    Returns:
        How many grants were made.

    Raises:
        RuleError: One of them may not be given; none was.
    """
    in_order = sorted(new_grants, key=lambda new: new.person_id)  # so that two givers do not deadlock
    return sum(
        grant_role(new.person_id, new.role, unit_id=new.unit_id, by=by, at=at, until=new.until)
        for new in in_order
    )


def end_grants_and_sessions(grant_ids: Collection[int], *, by: int, at: datetime) -> set[int]:
    """End these grants, and the sessions of the people who had them.

    Returns:
        The people whose grants were ended.

    Raises:
        RuleError: The last administrator would end their own role; nothing was ended.
    """
    _lock_administrator_grants(Role.ADMINISTRATOR)
    ended = people.end_grants(grant_ids, by=by, at=at)
    for grant in ended:
        _refuse_last_administrator(grant.person_id, Role(grant.role), grant.unit_id, by=by, at=at)
    people_changed = {grant.person_id for grant in ended}
    for person_id in people_changed:
        services.close_sessions(person_id, ROLE_CHANGED, at)
    return people_changed


def _lock_administrator_grants(role: Role) -> None:
    """Make other changes of administrators wait until this transaction has checked who is left."""
    if role is Role.ADMINISTRATOR:
        db.session.execute(select(RoleGrant.id).where(RoleGrant.role == str(role)).with_for_update()).all()


def _refuse_last_administrator(
    person_id: int, role: Role, unit_id: int | None, *, by: int | None, at: datetime
) -> None:
    """Refuse to end one's own administrator role if no other administrator of it could sign in."""
    if role is not Role.ADMINISTRATOR or person_id != by:
        return
    db.session.flush()
    today = london_day(at)
    other_administrator = exists().where(
        RoleGrant.role == str(role),
        or_(RoleGrant.unit_id.is_(None), RoleGrant.unit_id == unit_id),
        is_valid_on(RoleGrant, today),
        RoleGrant.valid_to == OPEN_END,
        RoleGrant.ended_at.is_(None),
        Credential.person_id == RoleGrant.person_id,
        Credential.password_hash.is_not(None),
        Credential.closed_at.is_(None),
        exists().where(Post.person_id == RoleGrant.person_id, is_known_fact(Post), is_valid_on(Post, today)),
    )
    if not db.session.scalar(select(other_administrator)):
        raise RuleError(
            "You are the last administrator who can sign in. "
            "First make somebody else an administrator, without a last day."
        )


def refuse_no_administrator(at: datetime) -> None:
    """Refuse a change after which nobody with a post and an open account would administer the whole force.

    For changes that no administrator makes in person.
    """
    db.session.flush()
    today = london_day(at)
    is_closed = exists().where(Credential.person_id == RoleGrant.person_id, Credential.closed_at.is_not(None))
    administrator = exists().where(
        RoleGrant.role == str(Role.ADMINISTRATOR),
        RoleGrant.unit_id.is_(None),
        is_valid_on(RoleGrant, today),
        RoleGrant.ended_at.is_(None),
        ~is_closed,
        exists().where(Post.person_id == RoleGrant.person_id, is_known_fact(Post), is_valid_on(Post, today)),
    )
    if not db.session.scalar(select(administrator)):
        raise RuleError(
            "Nobody would be left to administer the portal. First make somebody else administrator."
        )


# The people to whom an administrator gives one role at once, read from a list of staff numbers.

MOST = 500  # people who are given a role at once
MOST_FOUND = 50  # people of one search


@dataclass(frozen=True, slots=True)
class Receiver:
    """A person who is to be given a role, and the last day of the same role there if they have it."""

    person_id: int
    staff_number: str
    name: str
    current_until: date | None


def find_people(viewer: Viewer, text: str) -> list[tuple[str, str]]:
    """Staff numbers and names of at most ``MOST_FOUND`` people by name, number or unit. Two statements.

    Args:
        viewer: The administrator; only people whose accounts they may change are found, not themselves.
        text: Words of the name, the number, or a part of a unit's label.
    """
    n, today = PersonName, london_day(now())
    units = [i for i, unit in live_units(today).items() if text.casefold() in unit.label.casefold()]
    in_units = select(Post.person_id).where(
        Post.unit_id.in_(units), is_known_fact(Post), is_valid_on(Post, today)
    )
    rows = db.session.execute(
        select(n.staff_number, n.surname, n.forenames)
        .where(or_(and_(*name_conditions(text)), n.person_id.in_(in_units)))
        .where(n.person_id.in_(people_administered(viewer)), n.person_id != viewer.person_id)
        .order_by(n.surname, n.forenames, n.staff_number)
        .limit(MOST_FOUND)
    )
    return [(staff_number, f"{surname}, {forenames}") for staff_number, surname, forenames in rows]


def read_receivers(viewer: Viewer, lines: Sequence[str], role: Role, unit_id: int | None) -> list[Receiver]:
    """The people with these staff numbers, each once, in the order of the lines. At most two statements.

    Args:
        viewer: The administrator; only people whose accounts they may change are known.
        lines: Staff numbers; a line may be empty.
        role: To be given.
        unit_id: Where; None without a unit.
    """
    numbers = {n: line.strip() for n, line in enumerate(lines, 1) if line.strip()}
    if len(set(numbers.values())) > MOST:
        raise BadInputError([f"Enter at most {number(MOST)} staff numbers."])
    people = _find_people(viewer, sorted(set(numbers.values())), role, unit_id)
    faults = []
    for line, staff_number in numbers.items():
        if staff_number == viewer.staff_number:
            faults.append(f"Line {line}: you cannot give yourself a role.")
        elif staff_number not in people:
            faults.append(f"Line {line}: {staff_number} is nobody whose account you may change.")
    if faults or not numbers:
        raise BadInputError(faults or ["Enter at least one staff number."])
    return [people[staff_number] for staff_number in dict.fromkeys(numbers.values())]


def _find_people(
    viewer: Viewer, numbers: Sequence[str], role: Role, unit_id: int | None
) -> dict[str, Receiver]:
    n, g = PersonName, RoleGrant
    has_it = and_(
        g.person_id == n.person_id,
        g.role == str(role),
        g.unit_id.is_(None) if unit_id is None else g.unit_id == unit_id,
        is_valid_on(g, london_day(now())),
        g.ended_at.is_(None),
    )
    rows = db.session.execute(
        select(n.person_id, n.staff_number, n.surname, n.forenames, g.valid_to)
        .outerjoin(g, has_it)
        .where(n.staff_number.in_(numbers), n.person_id.in_(people_administered(viewer)))
        .order_by(g.valid_to)
    )
    return {
        staff_number: Receiver(person_id, staff_number, f"{surname}, {forenames}", until)
        for person_id, staff_number, surname, forenames, until in rows
    }
