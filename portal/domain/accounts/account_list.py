"""The accounts of the people whom an administrator may see: counted, filtered, sorted and paged.

Counts, filters and rows use the same conditions, so that each count is the length of the list it leads to.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time
from typing import Any, cast

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, not_, select
from sqlalchemy.orm import aliased

from portal.domain.accounts import ways as conditions
from portal.domain.accounts.factors import FactorKind
from portal.domain.accounts.grants import is_in_administration
from portal.domain.accounts.models import Credential, Factor, LastSignIn, PasswordLink, ProviderIdentity
from portal.domain.accounts.sign_in import LatestSignIn, SignInLock, find_locks, locks_of_people
from portal.domain.accounts.ways import SignInRules, can_sign_in
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.names import find_current_or_former_unit, name_conditions
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import UnitRow, live_units
from portal.domain.people.sight import administered_units
from portal.domain.people.visibility import Viewer, is_granted_to, is_valid_on
from portal.platform.clock import LONDON, format_utc
from portal.platform.db import db
from portal.platform.tables.columns import csv_text

# What the lists of accounts and of sessions ask about posts and units.


def has_post(person_id: Any, day: date) -> ColumnElement[bool]:
    """WHERE clause: the person of this id column has a post on ``day``; looked up for each row."""
    post = aliased(Post)
    return exists().where(post.person_id == person_id, is_known_fact(post), is_valid_on(post, day))


def has_post_below(
    person_id: Any, text: str, viewer: Viewer, units: Mapping[int, UnitRow], day: date
) -> ColumnElement[bool]:
    """WHERE clause: the person has a post in the unit that ``text`` names, or in one below it.

    Two statements find the unit, and a few more where the viewer does not administer the whole force.

    Args:
        person_id: The id column.
        text: The unit's path or name.
        viewer: Who looks; only units that they administer are found.
        units: All units of ``day``.
        day: The day.

    Raises:
        RuleError: Several units have this name.
    """
    administered = administered_units(viewer)
    searched = units if administered is None else {u: units[u] for u in units.keys() & administered}
    post = aliased(Post)
    below = _units_below(find_current_or_former_unit(text, searched), units)
    posts = select(post.person_id).where(post.unit_id.in_(below), is_known_fact(post), is_valid_on(post, day))
    return cast(ColumnElement[bool], person_id.in_(posts))


def _units_below(unit_id: int, units: Mapping[int, UnitRow]) -> set[int]:
    """The unit and all below it."""
    below, size = {unit_id}, 0
    while len(below) > size:
        size = len(below)
        below |= {child for child, unit in units.items() if unit.parent_id in below}
    return below


def main_unit(day: date) -> Any:
    """The unit of the person's main post, or else of their first, for a statement about ``PersonName``."""
    post = aliased(Post)
    return (
        select(post.unit_id)
        .where(post.person_id == PersonName.person_id, is_known_fact(post), is_valid_on(post, day))
        .order_by(post.post_key)  # the main post, "", comes first
        .limit(1)
        .correlate(PersonName)
        .scalar_subquery()
    )


# How people can sign in, as the list of accounts shows it: counts, filters and rows, source by source.
#
# A new kind of credential adds its condition to ``ways.py`` and its source to ``WAY_SOURCES``.

PROVIDER, PASSKEY, PASSWORD = "provider", "passkey", "password"
NO_WAY = "none"  # people with no way to sign in
FOR_ADMINISTRATORS = "only administrators can use it"
# How somebody signed in with a session, in words; a method that is not listed is its own word.
METHOD_WORDS = {
    "password": "password",
    "passkey": "passkey",
    "oidc": "single sign-on",
    "saml": "single sign-on",
}


@dataclass(frozen=True, slots=True)
class WayToSignIn:
    """One credential of a person."""

    source: str  # the key of its source
    words: str  # what it is, such as "Password"
    detail: str  # such as the number by which an identity was found; may be empty
    since: datetime | None
    works: bool  # whether the portal would accept it today


@dataclass(frozen=True, slots=True)
class WaySource:
    """A kind of credential."""

    key: str  # in addresses
    words: str
    words_of_count: str  # what its people can do
    condition: Callable[[Any, SignInRules], ColumnElement[bool]]  # WHERE clause: the person can sign in so
    # Of each of some people what they have of it, by one statement.
    read: Callable[[Collection[int], SignInRules], dict[int, list[WayToSignIn]]]


def method_words(method: str) -> str:
    """How somebody signed in, in words.

    >>> method_words("oidc"), method_words("passkey")
    ('single sign-on', 'passkey')
    """
    return METHOD_WORDS.get(method, method)


def list_ways(people: Collection[int], rules: SignInRules) -> dict[int, list[WayToSignIn]]:
    """How each of these people can sign in, by person. One statement for each source."""
    ways: dict[int, list[WayToSignIn]] = {person_id: [] for person_id in people}
    for source in WAY_SOURCES:
        for person_id, credentials in source.read(people, rules).items():
            ways[person_id] += credentials
    return ways


def _read_identities(people: Collection[int], rules: SignInRules) -> dict[int, list[WayToSignIn]]:
    rows = db.session.execute(
        select(
            ProviderIdentity.person_id,
            ProviderIdentity.claim_value,
            ProviderIdentity.bound_at,
            ProviderIdentity.issuer == rules.issuer,
        )
        .where(ProviderIdentity.person_id.in_(people))
        .order_by(ProviderIdentity.bound_at)
    )
    ways: dict[int, list[WayToSignIn]] = {}
    for person_id, claim, bound_at, is_current in rows:
        detail = claim if is_current else f"{claim}, of a provider that is not set any more"
        way = WayToSignIn(PROVIDER, "Single sign-on", detail, bound_at, works=is_current)
        ways.setdefault(person_id, []).append(way)
    return ways


def _read_passwords(people: Collection[int], rules: SignInRules) -> dict[int, list[WayToSignIn]]:
    owner = Credential.person_id
    rows = db.session.execute(
        select(
            owner,
            Credential.set_at,
            conditions.may_use_password(owner, rules),
            conditions.lacks_factor(owner, rules),
        ).where(owner.in_(people), Credential.password_hash.is_not(None))
    )
    ways = {}
    for person_id, set_at, may_use, lacks_factor in rows:
        detail = "" if may_use else FOR_ADMINISTRATORS
        if may_use and lacks_factor:
            detail = "needs a second factor"
        ways[person_id] = [WayToSignIn(PASSWORD, "Password", detail, set_at, works=not detail)]
    return ways


def _read_passkeys(people: Collection[int], rules: SignInRules) -> dict[int, list[WayToSignIn]]:
    rows = db.session.execute(
        select(Factor.person_id, Factor.added_at, conditions.may_use_password(Factor.person_id, rules))
        .where(Factor.person_id.in_(people), Factor.kind == FactorKind.PASSKEY)
        .order_by(Factor.added_at)
    )
    ways: dict[int, list[WayToSignIn]] = {}
    for person_id, added_at, works in rows:  # not its label, which is its owner's
        way = WayToSignIn(
            PASSKEY, "Passkey", "" if works else FOR_ADMINISTRATORS, added_at, works=bool(works)
        )
        ways.setdefault(person_id, []).append(way)
    return ways


WAY_SOURCES: tuple[WaySource, ...] = (
    WaySource(
        PROVIDER, "Single sign-on", "Can use single sign-on", conditions.can_use_provider, _read_identities
    ),
    WaySource(PASSKEY, "Passkey", "Can use a passkey", conditions.can_use_passkey, _read_passkeys),
    WaySource(PASSWORD, "Password", "Can use a password", conditions.can_use_password, _read_passwords),
)

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


# The list of accounts as a CSV file: one row for each person, instants in UTC.

PlaceOf = Callable[[str], str]  # an address to the name of its network


def csv_pieces(rows: Iterable[AccountRow], place_of: PlaceOf, at: datetime) -> Iterator[str]:
    """The file, line by line; a text that a spreadsheet would run as a formula is made harmless.

    Args:
        rows: In the order of the list.
        place_of: Names the network of an address; empty if it has no name.
        at: The instant for which states are said.
    """
    yield _csv_line(column_names())
    for row in rows:
        yield _csv_line(_cells_of(row, place_of, at))


def column_names() -> list[str]:
    """The heads of the columns; a source of ways to sign in has two of its own."""
    ways = [name for source in WAY_SOURCES for name in (source.key, f"{source.key}_since")]
    return [
        *("staff_number", "surname", "forenames", "unit"),
        *ways,
        *("last_sign_in", "last_method", "last_browser", "last_address", "last_network"),
        *("never_signed_in", "invited_until", "locked_until", "closed_at"),
    ]


def _cells_of(row: AccountRow, place_of: PlaceOf, at: datetime) -> list[str]:
    last = row.last
    seen = ["", "", "", "", ""]
    if last is not None:
        seen = [_utc(last.signed_in_at), last.method, last.browser, last.address, place_of(last.address)]
    return [
        *(row.staff_number, row.surname, row.forenames, row.unit),
        *(cell for source in WAY_SOURCES for cell in _way_cells(row, source.key)),
        *seen,
        "yes" if last is None else "no",
        _utc(row.invited_until),
        _utc(row.lock.until if row.lock and row.lock.until > at else None),
        _utc(row.closed_at),
    ]


def _way_cells(row: AccountRow, source: str) -> tuple[str, str]:
    """What the person has of one source, and since when; several are separated by semicolons."""
    ways = [way for way in row.ways if way.source == source]
    words = "; ".join(way.detail or ("yes" if way.works else "no") for way in ways)
    return words, "; ".join(_utc(way.since) for way in ways)


def _utc(moment: datetime | None) -> str:
    return "" if moment is None else format_utc(moment)


def _csv_line(cells: Iterable[str]) -> str:
    return ",".join(map(csv_text, cells)) + "\r\n"
