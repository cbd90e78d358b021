"""Lists the role grants that an administrator may see, filtered and sorted, in words."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import aliased

from portal.domain.accounts.grants.authority import administered_units, people_in_administration
from portal.domain.people.models import PersonName, RoleGrant
from portal.domain.people.name_search import name_conditions
from portal.domain.people.queries import Viewer, live_units
from portal.domain.people.units.search import find_current_or_former_unit
from portal.domain.people.units.tree import UnitTree, read_tree
from portal.domain.people.visibility.rules import is_valid_on
from portal.platform.clock import london_day
from portal.platform.db import OPEN_END, db
from portal.platform.permissions import UNIT_ROLES, Role

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

    Raises:
        NotFoundError: No unit that the viewer administers has the path or name of the filter.
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
