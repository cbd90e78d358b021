"""The open sessions of the people whom an administrator may see: filtered, sorted and paged."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, false, func, literal, not_, select, update

from portal.domain.accounts.account_list import has_post, has_post_below, main_unit
from portal.domain.accounts.grants import is_administered, is_in_administration
from portal.domain.accounts.models import Credential, HeldForm, SignInSession
from portal.domain.accounts.queries import SessionLimits, is_open
from portal.domain.people.models import PersonName
from portal.domain.people.names import name_conditions
from portal.domain.people.queries import UnitRow, live_units
from portal.domain.people.visibility import Viewer
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import ForbiddenError
from portal.platform.network_names import (
    ELSEWHERE,
    NamedNetwork,
    name_network,
    parse_address,
    parse_typed_network,
)

SORTS = ("seen", "since", "person")


@dataclass(frozen=True, slots=True)
class SessionFilters:
    """Filters of the list; a session must match every filled field. The page refuses unknown values."""

    q: str = ""  # part of the person's name, or of their staff number
    unit: str = ""  # a unit's path or name: people with a post in it or below it
    device: str = ""  # part of the browser and system in words
    network: str = ""  # the name of a network, or ``ELSEWHERE``
    address: str = ""  # an address, or a network such as 10.1.0.0/16
    way: str = ""  # how the person signed in
    idle: int = 0  # minutes without a request, at least

    @property
    def address_fields(self) -> dict[str, str]:
        """The filled fields, as they are written in an address."""
        return {field.name: str(value) for field in fields(self) if (value := getattr(self, field.name))}


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One browser in which somebody is signed in."""

    reference: str
    person_id: int
    staff_number: str
    name: str
    unit: str  # label of the main post's unit
    browser: str
    address: str
    method: str
    created_at: datetime
    seen_at: datetime
    may_end: bool


@dataclass(frozen=True, slots=True)
class SessionCounts:
    """How many sessions, of how many people."""

    sessions: int
    people: int


class SessionList:
    """The sessions that could be used at one instant, of people whom one viewer may see."""

    def __init__(
        self, viewer: Viewer, limits: SessionLimits, networks: Sequence[NamedNetwork], at: datetime
    ) -> None:
        """Begin a list.

        Args:
            viewer: Who looks.
            limits: How long sessions last.
            networks: The named networks.
            at: This instant.
        """
        self._viewer, self._limits, self._networks, self._at = viewer, limits, networks, at
        self._day = london_day(at)

    def count_matching(self, conditions: Sequence[ColumnElement[bool]]) -> SessionCounts:
        """How many sessions meet these conditions. One statement."""
        people = func.count(SignInSession.person_id.distinct())
        statement = self.select_open(func.count(), people).where(*conditions)
        return SessionCounts(*db.session.execute(statement).one())

    def list_rows(
        self, conditions: Sequence[ColumnElement[bool]], sort: str, *, offset: int, limit: int
    ) -> list[SessionRow]:
        """A part of these sessions, by a column of ``SORTS``, descending with a "-" before it.

        Two statements, and two more for an administrator of units.
        """
        session = SignInSession
        columns = (
            session.reference, session.person_id, PersonName.staff_number,
            PersonName.surname + ", " + PersonName.forenames, main_unit(self._day), session.browser,
            session.address, session.method, session.created_at, session.seen_at, self.may_end(),
        )  # fmt: skip
        statement = self.select_open(*columns).where(*conditions).order_by(*_sort_columns(sort))
        units = live_units(self._day)
        rows = db.session.execute(statement.offset(offset).limit(limit))
        return [self._session_row(row, units) for row in rows]

    def _session_row(self, row: Any, units: Mapping[int, UnitRow]) -> SessionRow:
        reference, person_id, staff_number, name, unit_id, browser, address, *rest = row
        method, created_at, seen_at, may_end = rest
        return SessionRow(
            reference=reference,
            person_id=person_id,
            staff_number=staff_number,
            name=name,
            unit=units[unit_id].label if unit_id in units else "",
            browser=browser,
            address=address,
            method=method,
            created_at=created_at,
            seen_at=seen_at,
            may_end=bool(may_end),
        )

    def select_open(self, *columns: Any) -> Select[Any]:
        """SELECT about these sessions and their people, whatever the filters."""
        return (
            select(*columns)
            .select_from(SignInSession)
            .join(PersonName, PersonName.person_id == SignInSession.person_id)
            .outerjoin(Credential, Credential.person_id == SignInSession.person_id)
            .where(
                is_open(self._limits, self._at),
                Credential.closed_at.is_(None),
                has_post(SignInSession.person_id, self._day),
                is_in_administration(SignInSession.person_id, self._viewer),
            )
        )

    def may_end(self) -> ColumnElement[bool]:
        """WHERE clause: the viewer may end the session: their own, or one of an account they administer."""
        own = SignInSession.person_id == self._viewer.person_id
        return own | is_administered(SignInSession.person_id, self._viewer)

    def conditions_of(self, filters: SessionFilters) -> list[ColumnElement[bool]]:
        """WHERE clauses of the filters. A statement for networks, and two for a unit.

        Raises:
            RuleError: Several units have this name.
            NetworkNameError: The address is none.
        """
        conditions = name_conditions(filters.q)
        if filters.unit:
            units = live_units(self._day)
            conditions.append(
                has_post_below(SignInSession.person_id, filters.unit, self._viewer, units, self._day)
            )
        if filters.device:
            words = filters.device.lower()
            conditions.append(func.lower(SignInSession.browser).contains(words, autoescape=True))
        if filters.way:
            conditions.append(SignInSession.method == filters.way)
        if filters.idle:
            conditions.append(SignInSession.seen_at <= self._at - timedelta(minutes=filters.idle))
        if filters.network or filters.address:
            conditions.append(SignInSession.address.in_(self._find_addresses(filters)))
        return conditions

    def _find_addresses(self, filters: SessionFilters) -> list[str]:
        """The addresses of open sessions that lie where the filters say; SQLite knows no networks."""
        typed = parse_typed_network(filters.address) if filters.address else None
        named = "" if filters.network == ELSEWHERE else filters.network
        matching = []
        for address in db.session.scalars(self.select_open(SignInSession.address).distinct()):
            parsed = parse_address(address)
            if typed is not None and (parsed is None or parsed not in typed):
                continue
            if not filters.network or name_network(address, self._networks) == named:
                matching.append(address)
        return matching


def is_chosen(references: Sequence[str]) -> ColumnElement[bool]:
    """WHERE clause: the session is one of these."""
    known = [reference.replace("\x00", "") for reference in references]  # PostgreSQL takes no NUL
    return SignInSession.reference.in_(known) if known else false()


def is_of_others(person_id: int) -> ColumnElement[bool]:
    """WHERE clause: the session is not the person's own."""
    return SignInSession.person_id != literal(person_id)


def _sort_columns(sort: str) -> tuple[Any, ...]:
    columns: tuple[Any, ...] = {
        "seen": (SignInSession.seen_at, SignInSession.reference),
        "since": (SignInSession.created_at, SignInSession.reference),
        "person": (PersonName.surname, PersonName.staff_number, SignInSession.reference),
    }[sort.removeprefix("-") or "person"]
    return tuple(column.desc() for column in columns) if sort.startswith("-") else columns


# Ends many sessions at once, in slices of people.

SLICE = 200  # people whose sessions one transaction ends: other writers wait for no more than that
REASON = "ended_elsewhere"


def end_slice(
    sessions: SessionList, conditions: Sequence[ColumnElement[bool]], by: int, at: datetime
) -> SessionCounts:
    """End these sessions of the next people, as far as the viewer may; forms held for them are deleted.

    Call it, each time in a transaction of its own, until it ends none. Safe to repeat.

    Args:
        sessions: The list that the viewer saw.
        conditions: Which of them.
        by: Who ends them.
        at: This instant.

    Returns:
        How many sessions ended, and of how many people; each person has one audit entry.
    """
    which = [*conditions, sessions.may_end()]
    chosen = sessions.select_open(SignInSession.person_id).where(*which).distinct()
    people = db.session.scalars(chosen.order_by(SignInSession.person_id).limit(SLICE)).all()
    if not people:
        return SessionCounts(0, 0)
    references = sessions.select_open(SignInSession.reference).where(
        *which, SignInSession.person_id.in_(people)
    )
    ended = Counter(
        db.session.scalars(
            update(SignInSession)
            .where(SignInSession.reference.in_(references), SignInSession.ended_at.is_(None))
            .values(ended_at=at, end_reason=REASON)
            .returning(SignInSession.person_id),
            execution_options={"synchronize_session": False},
        )
    )
    db.session.execute(
        delete(HeldForm).where(HeldForm.person_id.in_(list(ended))),
        execution_options={"synchronize_session": False},
    )
    for person_id in sorted(ended):
        log("account.session_ended", actor_id=by, subject_id=person_id, sessions=ended[person_id])
    return SessionCounts(ended.total(), len(ended))


def refuse_unadministered(sessions: SessionList, conditions: Sequence[ColumnElement[bool]]) -> None:
    """Refuse to end sessions of people whom the viewer sees, but whose accounts they do not administer."""
    if sessions.count_matching([*conditions, not_(sessions.may_end())]).sessions:
        raise ForbiddenError("One of these accounts is outside the units that you administer.")
