"""What a class of data is in the database: which rows are due, whom each concerns, and how they are removed.

A class has one store or several. Each store names its rows by one key, says on which day the period of each
began, and removes a few hundred of them at a time.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    and_,
    delete,
    exists,
    false,
    func,
    null,
    or_,
    select,
    text,
    union,
    update,
)
from sqlalchemy import text as sql
from sqlalchemy.orm import aliased

from portal.domain.accounts.models import (
    Credential,
    Factor,
    HeldForm,
    Invitation,
    KnownBrowser,
    LastSignIn,
    PasswordLink,
    PendingPasswordSignIn,
    ProviderIdentity,
    RecoveryCode,
    RefusedIdentity,
    ResetRequest,
    SignInSession,
)
from portal.domain.assessment.models import Attempt, Response
from portal.domain.cases import CaseCopy, CaseRubric, CaseRun, CaseStep
from portal.domain.decisions.models import Decision, DecisionRequest
from portal.domain.imports.models import ImportRun
from portal.domain.people.models import FactNote, PersonName, Post, RoleGrant, UnitState
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import live_units
from portal.domain.people.services import notes_of, write_notes
from portal.domain.records.models import Registration
from portal.domain.reminders.models import Delivery, Message, MessageLine, NoticeLine
from portal.domain.reports.models import ReportLook
from portal.domain.retention.classes import ACCESS_ACTIONS, class_of_key, find_class
from portal.domain.retention.models import DataAnswer, DataRequest, LegalHold, LegalHoldEnd
from portal.feature import Feature, OwnData, list_features
from portal.platform.audit import AuditEvent, FilePeople, log
from portal.platform.clock import end_of_day, london_day
from portal.platform.db import db
from portal.platform.errors import ConflictError, NotFoundError, RuleError

People = Select[Any] | CompoundSelect[Any]  # ids of people under a hold
Condition = Any  # an SQL condition or column


class Limit(NamedTuple):
    """Rows whose period began on ``through_on`` or before are due."""

    through_on: date

    @property
    def before_at(self) -> datetime:
        """The London midnight after that day."""
        return end_of_day(self.through_on) + timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class DueRows:
    """The due rows of one store, before holds.

    Attributes:
        key: Names one row.
        began: The instant or day on which its period began.
        source: What both are read from, with its joins and conditions.
        people: Columns with the people whom a row concerns; none where it concerns nobody.
        concerned: Further conditions that a row concerns one of these people.
    """

    key: Condition
    began: Condition
    source: Select[Any]
    people: tuple[Condition, ...] = ()
    concerned: Callable[[People], Condition] | None = None

    def is_held(self, held_people: People | None) -> Condition:
        """The condition that a row concerns somebody under a hold."""
        if held_people is None:
            return false()
        conditions = [and_(person.is_not(None), person.in_(held_people)) for person in self.people]
        conditions += [self.concerned(held_people)] if self.concerned else []
        return or_(false(), *conditions)


@dataclass(frozen=True, slots=True)
class Store:
    """One kind of row of a class.

    Attributes:
        name: What the rows are, in the plural, as certificates count them.
        due_rows: Gives the due rows.
        remove: Removes these keys; in the caller's transaction.
    """

    name: str
    due_rows: Callable[[Limit], DueRows]
    remove: Callable[[Sequence[Any]], None]


def erase_for_good() -> None:
    """Have SQLite overwrite what this connection deletes: else it stays in the file until written over."""
    if db.engine.dialect.name == "sqlite":
        db.session.execute(sql("PRAGMA secure_delete = ON"))


def remove_by(table: Any, column: Any) -> Callable[[Sequence[Any]], None]:
    """A function that deletes the rows of a table whose column is one of these keys."""

    def remove(keys: Sequence[Any]) -> None:
        db.session.execute(
            delete(table).where(column.in_(keys)), execution_options={"synchronize_session": False}
        )

    return remove


def notes_of_fact(
    name: str, fact: Any, began: Condition, people: tuple[Condition, ...], joins: Sequence[Any], *wheres: Any
) -> Store:
    """The texts beside facts of one table.

    Args:
        name: What they are.
        fact: The class of the facts.
        began: The instant from which their period runs.
        people: Whom they concern.
        joins: Pairs of a table and the condition that joins it, beginning with the fact.
        wheres: Further conditions.
    """

    def due_rows(limit: Limit) -> DueRows:
        source = select().select_from(FactNote)
        source = source.join(
            fact, and_(FactNote.fact_table == fact.__tablename__, FactNote.fact_id == fact.id)
        )
        for table, condition in joins:
            source = source.join(table, condition)
        return DueRows(FactNote.id, began, source.where(began < limit.before_at, *wheres), people)

    return Store(name, due_rows, remove_by(FactNote, FactNote.id))


def has_row(column: Any, value: Any, *conditions: Any) -> ColumnElement[bool]:
    """The condition that a row of the column's table has this value in it."""
    return exists().where(column == value, *conditions)


# Legal holds: what they cover, placing one and lifting it.

PERSON, UNIT, CLASS = "person", "unit", "class"
_STANDS = ~exists().where(LegalHoldEnd.hold_id == LegalHold.id)


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold for a page."""

    uuid: UUID
    scope: str  # PERSON, UNIT or CLASS
    about: str  # name and staff number, the unit's name, or the title of the class
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
    lift_reason: str
    class_key: str | None  # of a hold on a class


def take_turn() -> None:
    """Wait for whoever places a hold or removes rows; held to the end of the transaction."""
    if db.engine.dialect.name == "postgresql":  # on SQLite nobody else writes meanwhile
        db.session.execute(text("SELECT pg_advisory_xact_lock(7241080)"))


def held_people() -> People | None:
    """The people whom a standing hold on a person or a unit covers; None if no such hold stands.

    A hold on a unit covers everybody who was ever recorded in it, or in a unit that was ever below it.
    """
    rows = db.session.execute(select(LegalHold.person_id, LegalHold.unit_id).where(_STANDS)).all()
    units = {row.unit_id for row in rows if row.unit_id is not None}
    if not units and all(row.person_id is None for row in rows):
        return None
    named = select(LegalHold.person_id).where(_STANDS, LegalHold.person_id.is_not(None))
    posted = select(Post.person_id).where(Post.unit_id.in_(sorted(_units_ever_below(units))))
    return union(named, posted)


def _units_ever_below(units: Collection[int]) -> set[int]:
    below = set(units)
    edges = db.session.execute(select(UnitState.unit_id, UnitState.parent_id)).all() if units else []
    while more := {unit for unit, parent in edges if parent in below} - below:
        below |= more
    return below


def is_class_held(key: str) -> bool:
    """Whether a standing hold covers the whole class."""
    return bool(db.session.scalar(select(exists().where(LegalHold.class_key == key, _STANDS))))


def is_person_held(person_id: int, class_keys: Collection[str]) -> bool:
    """Whether a standing hold covers the person, or any of these classes."""
    return not list_unheld([person_id], class_keys)


def list_unheld(person_ids: Collection[int], class_keys: Collection[str]) -> list[int]:
    """Those of these people whose data of these classes no standing hold covers."""
    if any(map(is_class_held, class_keys)):
        return []
    people = held_people()
    held = set() if people is None else set(db.session.scalars(people))
    return [person_id for person_id in person_ids if person_id not in held]


def place_hold(scope: str, subject: int | str, reason: str, *, by: int, at: datetime) -> UUID:
    """Keep everything of a person, a unit or a class until the hold is lifted.

    Args:
        scope: PERSON, UNIT or CLASS.
        subject: The id of the person or unit, or the key of the class.
        reason: Why.
        by: Who places it.
        at: Now.

    Raises:
        RuleError: There is no reason.
    """
    _require_reason(reason)
    if scope == CLASS:
        class_of_key(str(subject))
    take_turn()
    column = {PERSON: "person_id", UNIT: "unit_id", CLASS: "class_key"}[scope]
    values: dict[str, Any] = {column: subject}
    hold = LegalHold(**values, placed_by_id=by, placed_at=at)
    db.session.add(hold)
    db.session.flush()
    write_notes(LegalHold.__tablename__, hold.id, {"reason": reason.strip()})
    log("hold.placed", actor_id=by, subject_id=hold.person_id, scope=scope, **_detail(hold))
    return hold.uuid


def lift_hold(uuid: UUID, reason: str, *, by: int, at: datetime) -> None:
    """Lift a hold.

    Raises:
        RuleError: There is no reason.
    """
    _require_reason(reason)
    take_turn()
    hold = db.session.scalar(select(LegalHold).where(LegalHold.uuid == uuid))
    if hold is None:
        raise NotFoundError("There is no such hold.")
    if db.session.scalar(select(has_row(LegalHoldEnd.hold_id, hold.id))):
        raise ConflictError("This hold was lifted already. Nothing was changed.")
    db.session.add(LegalHoldEnd(hold_id=hold.id, lifted_by_id=by, lifted_at=at))
    write_notes(LegalHoldEnd.__tablename__, hold.id, {"reason": reason.strip()})
    scope = PERSON if hold.person_id else UNIT if hold.unit_id else CLASS
    log("hold.lifted", actor_id=by, subject_id=hold.person_id, scope=scope, **_detail(hold))


def _detail(hold: LegalHold) -> dict[str, Any]:
    return (
        {"unit_id": hold.unit_id}
        if hold.unit_id
        else {"kept_class": class_of_key(hold.class_key).title}
        if hold.class_key
        else {}
    )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise RuleError("Enter a reason")


def list_holds(today: datetime) -> list[HoldRow]:
    """Every hold: those that stand first, the newest first."""
    units = {unit_id: unit.label for unit_id, unit in live_units(london_day(today)).items()}
    rows = db.session.execute(_select_holds()).all()
    placed = notes_of(LegalHold.__tablename__, [row.id for row in rows])
    lifted = notes_of(LegalHoldEnd.__tablename__, [row.id for row in rows])
    return [_hold_row(row, units, placed, lifted) for row in rows]


def _select_holds() -> Any:
    about, placer, lifter = aliased(PersonName), aliased(PersonName), aliased(PersonName)
    hold, end = LegalHold, LegalHoldEnd
    statement = select(
        hold.id, hold.uuid, hold.person_id, hold.unit_id, hold.class_key, hold.placed_at, end.lifted_at,
        about.full_name.label("about"), about.staff_number, placer.full_name.label("placed_by"),
        lifter.full_name.label("lifted_by"),
    ).outerjoin(end, end.hold_id == hold.id)  # fmt: skip
    statement = statement.outerjoin(about, about.person_id == hold.person_id)
    statement = statement.outerjoin(placer, placer.person_id == hold.placed_by_id)
    statement = statement.outerjoin(lifter, lifter.person_id == end.lifted_by_id)
    return statement.order_by(end.lifted_at.is_not(None), hold.id.desc())


def _hold_row(
    row: Row[Any], units: dict[int, str], placed: dict[int, Any], lifted: dict[int, Any]
) -> HoldRow:
    if row.person_id is not None:
        scope, about = PERSON, f"{row.about} ({row.staff_number})" if row.about else "Erased"
    elif row.unit_id is not None:
        scope, about = UNIT, units.get(row.unit_id, "A unit that no longer exists")
    else:
        kept_class = find_class(row.class_key)
        scope, about = CLASS, kept_class.title if kept_class else row.class_key
    return HoldRow(
        uuid=row.uuid,
        scope=scope,
        about=about,
        reason=placed.get(row.id, {}).get("reason", ""),
        placed_by=row.placed_by or "Erased",
        placed_at=row.placed_at,
        lifted_by=(row.lifted_by or "Erased") if row.lifted_at else None,
        lifted_at=row.lifted_at,
        lift_reason=lifted.get(row.id, {}).get("reason", ""),
        class_key=row.class_key,
    )


# The store of accounts of leavers: everything by which somebody who has no post any more could sign in.

# Removed by the column that names the person; a closed account's row stays, without its password.
OWN_TABLES: tuple[Any, ...] = (
    SignInSession,
    HeldForm,
    KnownBrowser,
    LastSignIn,
    PasswordLink,
    ProviderIdentity,
    RefusedIdentity,
    ResetRequest,
    Factor,
    RecoveryCode,
    PendingPasswordSignIn,
    ReportLook,
)
# What another class holds too: a hold on that class keeps it.
SHARED_TABLES: dict[Any, str] = {Invitation: "mail"}


def _days_left() -> Any:
    """Each person who ever had a post, with the last day of their last one; corrected posts do not count."""
    statement = select(Post.person_id, func.max(Post.valid_to).label("left_on"))
    return statement.where(is_known_fact(Post)).group_by(Post.person_id).subquery("leaver")


def _due_accounts(limit: Limit) -> DueRows:
    """Accounts of people whose posts, grants and sign-ins all ended on the day or before.

    Somebody who came back has a post that ends later, and is no leaver.
    """
    leaver = _days_left()
    person_id, left_on = leaver.c.person_id, leaver.c.left_on
    used_later = has_row(LastSignIn.person_id, person_id, LastSignIn.signed_in_at >= limit.before_at)
    may_use_later = has_row(RoleGrant.person_id, person_id, _reaches_beyond(limit.through_on, limit))
    source = select().select_from(leaver).where(left_on <= limit.through_on, ~used_later, ~may_use_later)
    return DueRows(person_id, left_on, source.where(_has_account(person_id)), (person_id,))


def _reaches_beyond(day: date, limit: Limit) -> ColumnElement[bool]:
    """The condition that a role grant could be used after the day."""
    is_open = or_(RoleGrant.ended_at.is_(None), RoleGrant.ended_at >= limit.before_at)
    return and_(RoleGrant.valid_to > day, is_open)


def _list_tables() -> list[Any]:
    """The tables of which rows go now, of the core and of features."""
    shared = (table for table, key in SHARED_TABLES.items() if not is_class_held(key))
    of_features = (
        table
        for feature, own in list_own_data()
        if not own.kept_class or not is_class_held(own.kept_class)
        for table in feature.load(own.tables)
    )
    return [*OWN_TABLES, *shared, *of_features]


def list_own_data() -> list[tuple[Feature, OwnData]]:
    """What people gave for themselves alone, with the feature that it belongs to, on or off."""
    return [(feature, own) for feature in list_features() for own in feature.own_data]


def _has_account(person_id: Any) -> ColumnElement[bool]:
    """The condition that anything of a person's account is left."""
    password = has_row(
        Credential.person_id,
        person_id,
        or_(Credential.closed_at.is_(None), Credential.password_hash.is_not(None)),
    )
    return or_(password, *(has_row(table.person_id, person_id) for table in _list_tables()))


def _remove_accounts(person_ids: Sequence[Any]) -> None:
    for table in _list_tables():
        db.session.execute(delete(table).where(table.person_id.in_(person_ids)))
    is_theirs = Credential.person_id.in_(person_ids)
    db.session.execute(delete(Credential).where(is_theirs, Credential.closed_at.is_(None)))
    db.session.execute(
        update(Credential).where(is_theirs).values(password_hash=None, password_rule=None, set_at=None)
    )


LEAVERS = (Store("accounts of leavers", _due_accounts, _remove_accounts),)


# Stores of what people typed: texts of exercises, copies for managers, comments.

_LEARNER = (Registration.person_id,)
_BY_RUN = (
    (CaseRun, CaseRun.id == CaseStep.run_id),
    (Registration, Registration.id == CaseRun.registration_id),
)
_BY_RUBRIC = (
    (CaseRun, CaseRun.id == CaseRubric.run_id),
    (Registration, Registration.id == CaseRun.registration_id),
)

TEXTS = (
    notes_of_fact(
        "texts of answers",
        Response,
        Response.saved_at,
        _LEARNER,
        (
            (Attempt, Attempt.id == Response.attempt_id),
            (Registration, Registration.id == Attempt.registration_id),
        ),
    ),
    notes_of_fact("texts of cases", CaseStep, CaseStep.recorded_at, _LEARNER, _BY_RUN),
    notes_of_fact(
        "ticks of learners",
        CaseRubric,
        CaseRubric.recorded_at,
        _LEARNER,
        _BY_RUBRIC,
        CaseRubric.copy_id.is_(None),
    ),
)

COPIES = (
    notes_of_fact(
        "texts of copies",
        CaseCopy,
        CaseCopy.recorded_at,
        (Registration.person_id, CaseCopy.manager_id),
        (
            (CaseRun, CaseRun.id == CaseCopy.run_id),
            (Registration, Registration.id == CaseRun.registration_id),
        ),
    ),
    notes_of_fact(
        "ticks of managers",
        CaseRubric,
        CaseRubric.recorded_at,
        (Registration.person_id, CaseCopy.manager_id),
        (*_BY_RUBRIC, (CaseCopy, CaseCopy.id == CaseRubric.copy_id)),
    ),
)


_IS_COMMENT = FactNote.kind == "comment"
_OF_REQUEST = (DecisionRequest.person_id, DecisionRequest.asked_by_id)
_OF_DATA_REQUEST = (DataRequest.person_id,)
REQUESTS = (
    notes_of_fact(
        "comments on requests",
        DecisionRequest,
        Decision.recorded_at,
        _OF_REQUEST,
        ((Decision, Decision.request_id == DecisionRequest.id),),
        _IS_COMMENT,
    ),
    notes_of_fact(
        "comments on decisions",
        Decision,
        Decision.recorded_at,
        _OF_REQUEST,
        ((DecisionRequest, DecisionRequest.id == Decision.request_id),),
        _IS_COMMENT,
    ),
    notes_of_fact(
        "words of requests about data",
        DataRequest,
        DataAnswer.answered_at,
        _OF_DATA_REQUEST,
        ((DataAnswer, DataAnswer.request_id == DataRequest.id),),
    ),
)


# Stores of traces: the audit trail, the log of sign-ins and looks, emails, and finished imports.

REMOVED = "(name removed)"  # instead of the name of an imported file
_event = AuditEvent


def _due_events(limit: Limit, of_class: ColumnElement[bool]) -> DueRows:
    """Entries of the audit trail; one that an email reports goes after the email."""
    is_reported = has_row(NoticeLine.event_id, _event.id)
    source = select().select_from(_event)
    source = source.where(_event.happened_at < limit.before_at, of_class, ~is_reported)
    people = (_event.actor_id, _event.subject_id)
    return DueRows(_event.id, _event.happened_at, source, people, _holds_a_file)


def _holds_a_file(held_people: People) -> ColumnElement[bool]:
    """The condition that an entry is of a file, while a hold on anybody stands.

    Whom a file held is packed: no statement can look for one person, so all files are kept meanwhile.
    """
    return and_(has_row(FilePeople.event_id, _event.id), exists(held_people.subquery().select()))


def _due_looks(limit: Limit) -> DueRows:
    return _due_events(limit, _event.action.in_(ACCESS_ACTIONS))


def _due_acts(limit: Limit) -> DueRows:
    return _due_events(limit, _event.action.not_in(ACCESS_ACTIONS))


def _remove_events(ids: Sequence[Any]) -> None:
    """Remove entries; the database lets this through for a granted disposal alone."""
    db.session.execute(delete(FilePeople).where(FilePeople.event_id.in_(ids)))
    db.session.execute(delete(_event).where(_event.id.in_(ids)))


ACCESS = (Store("entries about sign-ins and looks", _due_looks, _remove_events),)
AUDIT = (Store("entries of the audit trail", _due_acts, _remove_events),)

_OPEN = (Delivery.WAITING, Delivery.SENDING)


def _due_messages(limit: Limit) -> DueRows:
    source = select().select_from(Message)
    source = source.where(Message.created_at < limit.before_at, Message.state.not_in(_OPEN))
    return DueRows(Message.id, Message.created_at, source, (Message.person_id,), _is_about)


def _is_about(held_people: People) -> ColumnElement[bool]:
    return has_row(MessageLine.message_id, Message.id, MessageLine.about_id.in_(held_people))


@cache
def list_tables_of_messages() -> tuple[Any, ...]:
    """Whose rows refer to an email, and go before it; of features, too, on or off."""
    of_features = (each.load(name) for each in list_features() for name in each.of_messages)
    return (NoticeLine, MessageLine, Invitation, *of_features)


def _remove_messages(ids: Sequence[Any]) -> None:
    for table in list_tables_of_messages():
        db.session.execute(delete(table).where(table.message_id.in_(ids)))
    db.session.execute(delete(Message).where(Message.id.in_(ids)))


MAIL = (Store("emails", _due_messages, _remove_messages),)


def _due_imports(limit: Limit) -> DueRows:
    source = select().select_from(ImportRun)
    source = source.where(ImportRun.ended_at < limit.before_at, ImportRun.file_name != REMOVED)
    return DueRows(ImportRun.id, ImportRun.ended_at, source)


def _remove_names(ids: Sequence[Any]) -> None:
    db.session.execute(
        update(ImportRun).where(ImportRun.id.in_(ids)).values(file_name=REMOVED, columns=null()),
        execution_options={"synchronize_session": False},
    )


IMPORTS = (Store("names of imported files", _due_imports, _remove_names),)
