"""Changes role grants and names; each change is audited."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, or_, select, update
from sqlalchemy import text as sql

from portal.domain.people.models import FactNote, Person, PersonName, RoleGrant, fold_name
from portal.domain.people.names import index_names_afterwards
from portal.platform.audit import AuditEvent, log
from portal.platform.clock import end_of_day, london_day
from portal.platform.db import OPEN_END, db, read
from portal.platform.errors import RuleError
from portal.platform.permissions import Role

MOST_BOUND = 500  # values bound in one statement; both databases allow more


@dataclass(frozen=True, slots=True)
class PersonNames:
    """A person's current names, staff number and address."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str
    email: str | None  # lower case


def lock_person(person_id: int) -> None:
    """Let what others do to this person's roles and ways to sign in wait until this transaction ends."""
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())


def grant_role(
    person_id: int,
    role: Role,
    *,
    unit_id: int | None,
    by: int | None,
    at: datetime,
    until: date = OPEN_END,
) -> bool:
    """Grant a role from the day of ``at`` on; a live grant with the same last day changes nothing.

    A live grant with another last day ends, and this one replaces it. Without ``unit_id`` the role is
    granted on no unit; ``by`` None means a command.

    Returns:
        Whether a grant was made.
    """
    day = london_day(at)
    if until < day:
        raise RuleError("The last day of a role must be today or later.")
    lock_person(person_id)
    live_grants = _list_live_grants_on_unit(person_id, role, unit_id, at)
    if {grant.valid_to for grant in live_grants} == {until}:
        return False
    for grant in live_grants:
        _end_grant(grant, by, at)
    values = {"role": str(role), "unit_id": unit_id}
    db.session.add(
        RoleGrant(**values, person_id=person_id, valid_from=day, valid_to=until, given_by_id=by, given_at=at)
    )
    last_day = {} if until == OPEN_END else {"until": until.isoformat()}
    log("role.granted", actor_id=by, subject_id=person_id, **values, **last_day)
    return True


def revoke_role(person_id: int, role: Role, *, unit_id: int | None, by: int | None, at: datetime) -> bool:
    """End the live grants of a role on exactly this unit (None: those without one).

    Returns:
        Whether a grant was ended.
    """
    grants = _list_live_grants_on_unit(person_id, role, unit_id, at)
    for grant in grants:
        _end_grant(grant, by, at)
    if not grants and _list_live_grants(person_id, role, at):
        where = "on that unit" if unit_id else "without a unit"
        raise RuleError(
            f"This person has the role {role}, but not {where}: name the unit on which it was granted."
        )
    return bool(grants)


def end_grants(grant_ids: Collection[int], *, by: int | None, at: datetime) -> list[RoleGrant]:
    """End these grants; one that has ended already is skipped.

    Returns:
        The grants that were ended.
    """
    statement = select(RoleGrant).where(RoleGrant.id.in_(grant_ids), RoleGrant.ended_at.is_(None))
    grants = list(db.session.scalars(statement.order_by(RoleGrant.id).with_for_update()))
    for grant in grants:
        _end_grant(grant, by, at)
    return grants


def _end_grant(grant: RoleGrant, by: int | None, at: datetime) -> None:
    grant.ended_at, grant.ended_by_id = at, by
    log("role.revoked", actor_id=by, subject_id=grant.person_id, role=grant.role, unit_id=grant.unit_id)


def correct_many_names(corrected: Iterable[PersonNames], *, by: int | None, at: datetime) -> int:
    """Correct many people's names, staff numbers or addresses, in a handful of statements.

    Returns:
        The number of people corrected.

    Raises:
        RuleError: Two people would share a staff number or an email address.
    """
    new_names = {names.person_id: names for names in corrected}
    old_names = {names.person_id: names for names in list_names_of(new_names)}
    changes = {
        person_id: [
            part for part in NAME_PARTS if getattr(names, part) != getattr(old_names[person_id], part)
        ]
        for person_id, names in new_names.items()
    }
    changed = [person_id for person_id, parts in changes.items() if parts]
    if not changed:
        return 0
    _refuse_shared_identifiers([new_names[person_id] for person_id in changed])
    _clear_changing_emails(changes)
    rows = [_name_row(new_names[person_id]) for person_id in changed]
    with index_names_afterwards(len(rows)):
        db.session.connection().execute(_CORRECT_NAME, rows)
    events = [
        {
            "happened_at": at,
            "actor_id": by,
            "action": "person.names_corrected",
            "subject_id": person_id,
            "detail": {"parts": changes[person_id]},
        }
        for person_id in changed
    ]
    db.session.connection().execute(insert(AuditEvent), events)
    return len(changed)


def _name_row(names: PersonNames) -> dict[str, Any]:
    folded = fold_name(names.surname, names.forenames, names.staff_number)
    parts = {part: getattr(names, part) for part in NAME_PARTS}
    return {"corrected_id": names.person_id, **parts, "folded": folded}


NAME_PARTS = ("staff_number", "surname", "forenames", "email")
_CORRECT_NAME = update(PersonName).where(PersonName.person_id == bindparam("corrected_id"))


def list_names_of(person_ids: Iterable[int]) -> list[PersonNames]:
    """The current names of these people; those without a name are left out."""
    sorted_ids = sorted(person_ids)
    rows: list[Any] = []
    for start in range(0, len(sorted_ids), MOST_BOUND):
        rows += db.session.execute(
            select(PersonName.person_id, *(getattr(PersonName, part) for part in NAME_PARTS)).where(
                PersonName.person_id.in_(sorted_ids[start : start + MOST_BOUND])
            )
        ).all()
    return [PersonNames(*row) for row in rows]


def _refuse_shared_identifiers(changed: list[PersonNames]) -> None:
    """Refuse a staff number or address that two people would share."""
    for label, values in (
        ("staff number", [names.staff_number for names in changed]),
        ("email address", [names.email for names in changed if names.email]),
    ):
        for value, uses in Counter(values).items():
            if uses > 1:
                raise RuleError(f"Two people cannot share the {label} {value}.")
    changed_ids = {names.person_id for names in changed}
    for start in range(0, len(changed), MOST_BOUND):
        batch = changed[start : start + MOST_BOUND]
        numbers = {names.staff_number for names in batch}
        emails = {names.email for names in batch if names.email}
        rows = db.session.execute(
            select(PersonName.person_id, PersonName.staff_number, PersonName.email).where(
                or_(PersonName.staff_number.in_(sorted(numbers)), PersonName.email.in_(sorted(emails)))
            )
        )
        for person_id, number, email in rows:
            if person_id not in changed_ids:
                shared = f"staff number {number}" if number in numbers else f"email address {email}"
                raise RuleError(f"Another person already has the {shared}.")


def _clear_changing_emails(changes: dict[int, list[str]]) -> None:
    """Clear addresses that are about to change, so that two people can swap theirs."""
    person_ids = [i for i, parts in changes.items() if "email" in parts]
    if len(person_ids) > 1:
        rows = [{"corrected_id": person_id} for person_id in person_ids]
        db.session.connection().execute(_CORRECT_NAME.values(email=None), rows)


def _list_live_grants(person_id: int, role: Role, at: datetime) -> list[RoleGrant]:
    day = london_day(at)
    statement = select(RoleGrant).where(
        RoleGrant.person_id == person_id,
        RoleGrant.role == str(role),
        RoleGrant.valid_from <= day,
        RoleGrant.valid_to >= day,
        RoleGrant.ended_at.is_(None),
    )
    return list(db.session.scalars(statement))


def _list_live_grants_on_unit(
    person_id: int, role: Role, unit_id: int | None, at: datetime
) -> list[RoleGrant]:
    return [grant for grant in _list_live_grants(person_id, role, at) if grant.unit_id == unit_id]


# Writes, reads and erases the free texts that belong to facts.
#
# A fact is never changed; its texts are kept beside it so that a person's words can be erased.

_SELECT_NOTES = (
    select(FactNote.fact_id, FactNote.kind, FactNote.text)
    .where(
        FactNote.fact_table == bindparam("fact_table"),
        FactNote.fact_id.in_(bindparam("fact_ids", expanding=True)),
    )
    .order_by(FactNote.id)
)


def write_notes(fact_table: str, fact_id: int, texts: Mapping[str, str]) -> None:
    """Write the texts of a new fact, by kind of text; in the transaction that writes the fact."""
    write_many_notes(fact_table, {fact_id: texts})


def write_many_notes(fact_table: str, texts: Mapping[int, Mapping[str, str]]) -> None:
    """Write the texts of many facts of one table, by fact and kind of text. One statement."""
    rows = [
        {"fact_table": fact_table, "fact_id": fact_id, "kind": kind, "text": text}
        for fact_id, texts_of_fact in texts.items()
        for kind, text in texts_of_fact.items()
    ]
    if rows:
        db.session.execute(insert(FactNote), rows)


def notes_of(fact_table: str, fact_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """The texts of these facts, by fact and kind of text. One statement."""
    texts: dict[int, dict[str, str]] = {}
    rows = read(_SELECT_NOTES, {"fact_table": fact_table, "fact_ids": list(fact_ids)})
    for fact_id, kind, text in rows:
        texts.setdefault(fact_id, {})[kind] = text
    return texts


def erase_notes(fact_table: str, fact_ids: Collection[int], *, actor_id: int | None, subject_id: int) -> None:
    """Erase every text of these facts; the audit trail records that it was done, never the texts."""
    erased = notes_of(fact_table, fact_ids)
    if db.engine.dialect.name == "sqlite":  # otherwise the words stay in the file until overwritten
        db.session.execute(sql("PRAGMA secure_delete = ON"))
    db.session.execute(
        delete(FactNote).where(FactNote.fact_table == fact_table, FactNote.fact_id.in_(fact_ids))
    )
    log(
        "notes.erased",
        actor_id=actor_id,
        subject_id=subject_id,
        fact_table=fact_table,
        facts=sorted(erased),
    )


# Records who looked at a person's record, once a day for each viewer, and lists it for the person.

VIEWED_ACTION = "person.viewed"
MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class AccessLogEntry:
    """The first look of one person on a day."""

    viewed_at: datetime
    staff_number: str
    name: str


def is_access_logged(viewer_id: int, subject_id: int, at: datetime) -> bool:
    """Whether this look need not be recorded: one's own record, or recorded already on this London day."""
    if viewer_id == subject_id:
        return True
    midnight = end_of_day(london_day(at) - timedelta(days=1))
    looks = select(AuditEvent.id).where(
        AuditEvent.subject_id == subject_id,
        AuditEvent.actor_id == viewer_id,
        AuditEvent.action == VIEWED_ACTION,
        AuditEvent.happened_at > midnight,
    )
    return db.session.scalar(looks.limit(1)) is not None


def log_access(viewer_id: int, subject_id: int, page: str) -> None:
    """Record that somebody looked; part of the caller's transaction."""
    log(VIEWED_ACTION, actor_id=viewer_id, subject_id=subject_id, page=page)


def list_access_log(subject_id: int) -> list[AccessLogEntry]:
    """The latest ``MOST_SHOWN`` looks of others at a person's record. One statement."""
    statement = (
        select(AuditEvent.happened_at, PersonName.staff_number, PersonName.surname, PersonName.forenames)
        .outerjoin(PersonName, PersonName.person_id == AuditEvent.actor_id)
        .where(AuditEvent.subject_id == subject_id, AuditEvent.action == VIEWED_ACTION)
        .order_by(AuditEvent.happened_at.desc(), AuditEvent.id.desc())
        .limit(MOST_SHOWN)
    )
    return [
        AccessLogEntry(at, number or "", f"{forenames} {surname}" if surname else "Erased")
        for at, number, surname, forenames in db.session.execute(statement)
    ]
