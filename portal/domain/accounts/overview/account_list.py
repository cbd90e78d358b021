"""The accounts of the people whom an administrator may see: counted, filtered, sorted and paged.

Counts, filters and rows use the same conditions, so that each count is the length of the list it leads to.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, not_, select

from portal.domain.accounts.grants.authority import is_in_administration
from portal.domain.accounts.models import Credential, LastSignIn, PasswordLink
from portal.domain.accounts.overview.last_sign_in import LatestSignIn
from portal.domain.accounts.overview.post_conditions import has_post, has_post_below, main_unit
from portal.domain.accounts.overview.ways import (
    NO_WAY,
    WAY_SOURCES,
    WayToSignIn,
    list_ways,
)
from portal.domain.accounts.sign_in.locks import SignInLock, find_locks, locks_of_people
from portal.domain.accounts.sign_in.ways import SignInRules, can_sign_in
from portal.domain.people.models import PersonName, RoleGrant
from portal.domain.people.name_search import name_conditions
from portal.domain.people.queries import Viewer, live_units
from portal.domain.people.visibility.rules import is_granted_to
from portal.platform.clock import LONDON
from portal.platform.db import db

NEVER, INVITED, LOCKED, CLOSED = "never", "invited", "locked", "closed"
STATES = (NEVER, INVITED, LOCKED, CLOSED)
SORTS = ("person", "signed-in")
FILE_BATCH = 500  # people read at once for a file
_LONG_AGO = datetime(1, 1, 2, tzinfo=UTC)  # sorts before every sign-in


@dataclass(frozen=True, slots=True)
class AccountFilters:
    """Filters of the list; an account must match every filled field. The page refuses unknown values."""

    q: str = ""  # part of a name, or of a staff number
    unit: str = ""  # a unit's path or name: people with a post in it or below it
    role: str = ""  # a role that the person has today
    way: str = ""  # the key of a source of ways, or ``NO_WAY``
    state: str = ""  # one of ``STATES``
    before: date | None = None  # signed in last before this day

    @property
    def address_fields(self) -> dict[str, str]:
        """The filled fields, as they are written in an address."""
        return {field.name: str(value) for field in fields(self) if (value := getattr(self, field.name))}


@dataclass(frozen=True, slots=True)
class AccountCounts:
    """Counts of people who have a post today and whose accounts the viewer may look at."""

    people: int
    ways: Mapping[str, int]  # by the key of a source, and ``NO_WAY``
    states: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AccountRow:
    """The account of one person."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str
    unit: str  # path of the main post's unit
    unit_label: str
    ways: list[WayToSignIn]
    last: LatestSignIn | None
    invited_until: datetime | None  # never signed in, and a link works until then
    lock: SignInLock | None
    closed_at: datetime | None


class AccountList:
    """The accounts that one viewer may see at one instant; the units and locks are read once."""

    def __init__(self, viewer: Viewer, rules: SignInRules, key: str, at: datetime) -> None:
        """Read what all parts of the page need.

        Args:
            viewer: Who looks.
            rules: How people may sign in here.
            key: The portal's secret, under which the accounts of failures are hashed.
            at: This instant.
        """
        self._viewer, self._rules, self._at = viewer, rules, at
        self._units = live_units(rules.day)
        self._locks: dict[int, SignInLock] = {}
        if locks := find_locks(at):
            self._locks = locks_of_people(db.session.scalars(self._select_people()), locks, key)

    def count_all(self) -> AccountCounts:
        """The counts above the list. One statement."""
        person, rules = PersonName.person_id, self._rules
        conditions = {source.key: source.condition(person, rules) for source in WAY_SOURCES}
        conditions[NO_WAY] = not_(can_sign_in(person, rules))
        conditions |= {state: self._is_in_state(state) for state in STATES}
        counts = [func.coalesce(func.sum(case((clause, 1), else_=0)), 0) for clause in conditions.values()]
        people, *numbers = db.session.execute(self._select_people(func.count(), *counts)).one()
        found = dict(zip(conditions, numbers, strict=True))
        return AccountCounts(people, found, found)

    def count_matching(self, filters: AccountFilters) -> int:
        """How many accounts match. One statement, and two more for a unit.

        Raises:
            NotFoundError: No unit that the viewer administers has the path or name of the filter.
            RuleError: Several units have this name.
        """
        statement = self._select_people(func.count()).where(*self._conditions(filters))
        return db.session.scalar(statement) or 0

    def list_rows(self, filters: AccountFilters, sort: str, *, offset: int, limit: int) -> list[AccountRow]:
        """A part of the accounts that match, by a column of ``SORTS``, descending with a "-" before it."""
        order = _sort_columns(sort)
        chosen = self._select_people().where(*self._conditions(filters)).order_by(*order)
        people = db.session.scalars(chosen.offset(offset).limit(limit)).all()
        return self._read_rows(people, order)

    def list_people(self, filters: AccountFilters) -> list[int]:
        """The ids of all whose accounts match. One statement, and two more for a unit.

        Raises:
            NotFoundError: No unit that the viewer administers has the path or name of the filter.
            RuleError: Several units have this name.
        """
        return list(db.session.scalars(self._select_people().where(*self._conditions(filters))))

    def iterate_rows(self, filters: AccountFilters, sort: str) -> Iterator[AccountRow]:
        """All accounts that match, read a batch at a time."""
        order = _sort_columns(sort)
        people = db.session.scalars(
            self._select_people().where(*self._conditions(filters)).order_by(*order)
        ).all()
        for start in range(0, len(people), FILE_BATCH):
            yield from self._read_rows(people[start : start + FILE_BATCH], order)

    def _select_people(self, *columns: Any) -> Select[Any]:
        """SELECT about people of today whose account the viewer may look at; by default of their ids."""
        return (
            select(*(columns or (PersonName.person_id,)))
            .select_from(PersonName)
            .outerjoin(LastSignIn, LastSignIn.person_id == PersonName.person_id)
            .outerjoin(Credential, Credential.person_id == PersonName.person_id)
            .where(has_post(PersonName.person_id, self._rules.day))
            .where(is_in_administration(PersonName.person_id, self._viewer))
        )

    def _conditions(self, filters: AccountFilters) -> list[ColumnElement[bool]]:
        conditions = name_conditions(filters.q)
        if filters.unit:
            conditions.append(
                has_post_below(PersonName.person_id, filters.unit, self._viewer, self._units, self._rules.day)
            )
        if filters.role:
            has_role = is_granted_to(PersonName.person_id, self._rules.day)
            conditions.append(exists().where(has_role, RoleGrant.role == filters.role))
        if filters.way == NO_WAY:
            conditions.append(not_(can_sign_in(PersonName.person_id, self._rules)))
        elif filters.way:
            (source,) = (each for each in WAY_SOURCES if each.key == filters.way)
            conditions.append(source.condition(PersonName.person_id, self._rules))
        if filters.state:
            conditions.append(self._is_in_state(filters.state))
        if filters.before:
            conditions.append(LastSignIn.signed_in_at < datetime.combine(filters.before, time(), LONDON))
        return conditions

    def _is_in_state(self, state: str) -> ColumnElement[bool]:
        never = and_(LastSignIn.person_id.is_(None), Credential.closed_at.is_(None))
        if state == LOCKED:
            locked: Any = bindparam(None, sorted(self._locks), expanding=True, literal_execute=True)
            return PersonName.person_id.in_(locked)
        if state == INVITED:
            return and_(never, PersonName.person_id.in_(self._select_links(PasswordLink.person_id)))
        return Credential.closed_at.is_not(None) if state == CLOSED else never

    def _select_links(self, *columns: Any) -> Select[Any]:
        """SELECT of links to set a password that still work."""
        return select(*columns).where(PasswordLink.used_at.is_(None), PasswordLink.expires_at > self._at)

    def _read_rows(self, people: Any, order: tuple[Any, ...]) -> list[AccountRow]:
        link = self._select_links(func.max(PasswordLink.expires_at))
        link = link.where(PasswordLink.person_id == PersonName.person_id).correlate(PersonName)
        statement = (
            select(
                PersonName.person_id,
                PersonName.staff_number,
                PersonName.surname,
                PersonName.forenames,
                main_unit(self._rules.day),
                LastSignIn.signed_in_at,
                LastSignIn.method,
                LastSignIn.browser,
                LastSignIn.address,
                link.scalar_subquery(),
                Credential.closed_at,
            )
            .outerjoin(LastSignIn, LastSignIn.person_id == PersonName.person_id)
            .outerjoin(Credential, Credential.person_id == PersonName.person_id)
            .where(PersonName.person_id.in_(people))
            .order_by(*order)
        )
        ways = list_ways(people, self._rules)
        return [self._account_row(row, ways[row[0]]) for row in db.session.execute(statement)]

    def _account_row(self, row: Any, ways: list[WayToSignIn]) -> AccountRow:
        person_id, staff_number, surname, forenames, unit_id, at, *rest = row
        unit = self._units.get(unit_id)
        method, browser, address, link_until, closed_at = rest
        return AccountRow(
            person_id=person_id,
            staff_number=staff_number,
            surname=surname,
            forenames=forenames,
            unit=unit.path if unit else "",
            unit_label=unit.label if unit else "",
            ways=ways,
            last=None if at is None else LatestSignIn(at, method, browser, address),
            invited_until=link_until if at is None and closed_at is None else None,
            lock=self._locks.get(person_id),
            closed_at=closed_at,
        )


_ORDERS: dict[str, Callable[[], tuple[Any, ...]]] = {
    "person": lambda: (PersonName.surname, PersonName.staff_number),
    "signed-in": lambda: (func.coalesce(LastSignIn.signed_in_at, _LONG_AGO), PersonName.staff_number),
}


def _sort_columns(sort: str) -> tuple[Any, ...]:
    columns = _ORDERS[sort.removeprefix("-") or "person"]()
    return tuple(column.desc() for column in columns) if sort.startswith("-") else columns
