"""Changing what people may do and how they are named; each act leaves an audit event."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, or_, select, update

from portal.domain.people.models import Person, PersonName, RoleGrant
from portal.platform.audit.models import AuditEvent
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import OPEN_END, db
from portal.platform.errors import RuleError
from portal.platform.permissions import Role

MOST_BOUND = 500  # values bound in one statement; both databases take more


@dataclass(frozen=True, slots=True)
class PersonNames:
    """How a person is named now."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str
    email: str | None  # lower case


def grant_role(
    person_id: int,
    role: Role,
    *,
    unit_id: int | None,
    by: int | None,
    at: datetime,
    until: date = OPEN_END,
) -> bool:
    """Grant a role from the day of ``at`` on; a grant already held to the same last day changes nothing.

    A grant held to another day is ended and this one takes its place: what was said last holds. Without
    a unit it gives what the role gives without one; without ``by``, a command gives it.

    Returns:
        Whether a grant was made.

    Raises:
        RuleError: The last day is over.
    """
    day = london_day(at)
    if until < day:
        raise RuleError("The last day of a role must be today or later.")
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())  # one at a time
    held = _list_live_grants_on_unit(person_id, role, unit_id, at)
    if {each.valid_to for each in held} == {until}:
        return False
    for each in held:
        _end_grant(each, by, at)
    said = {"role": str(role), "unit_id": unit_id}
    db.session.add(
        RoleGrant(**said, person_id=person_id, valid_from=day, valid_to=until, given_by_id=by, given_at=at)
    )
    last_day = {} if until == OPEN_END else {"until": until.isoformat()}
    log("role.granted", actor_id=by, subject_id=person_id, **said, **last_day)
    return True


def revoke_role(person_id: int, role: Role, *, unit_id: int | None, by: int | None, at: datetime) -> bool:
    """End the live grants of a role on exactly this unit (None: those without one).

    Returns:
        Whether a grant was ended.

    Raises:
        RuleError: The role is held, but on other units; nothing was ended.
    """
    ending = _list_live_grants_on_unit(person_id, role, unit_id, at)
    for held in ending:
        _end_grant(held, by, at)
    if not ending and any(True for _ in _list_live_grants(person_id, role, at)):
        raise RuleError(
            f"The role {role} is held, but not {'on that unit' if unit_id else 'without a unit'}: "
            "name the unit on which it was granted."
        )
    return bool(ending)


def end_grants(grant_ids: Collection[int], *, by: int | None, at: datetime) -> list[RoleGrant]:
    """End these grants; one that has ended already is left as it is.

    Returns:
        Those that were ended.
    """
    wanted = select(RoleGrant).where(RoleGrant.id.in_(grant_ids), RoleGrant.ended_at.is_(None))
    ending = list(db.session.scalars(wanted.order_by(RoleGrant.id).with_for_update()))
    for held in ending:
        _end_grant(held, by, at)
    return ending


def _end_grant(held: RoleGrant, by: int | None, at: datetime) -> None:
    held.ended_at, held.ended_by_id = at, by
    log("role.revoked", actor_id=by, subject_id=held.person_id, role=held.role, unit_id=held.unit_id)


def correct_names(names: PersonNames, *, by: int | None, at: datetime) -> bool:
    """Correct how one person is named; the audit trail says which parts, never the words.

    Returns:
        Whether anything differed.

    Raises:
        RuleError: Another person has the staff number or the email address.
    """
    return bool(correct_many_names([names], by=by, at=at))


def correct_many_names(corrected: Iterable[PersonNames], *, by: int | None, at: datetime) -> int:
    """Correct how many people are named, in a handful of statements.

    Returns:
        How many people's names differed and were corrected.

    Raises:
        RuleError: Two people would share a staff number or an email address.
    """
    wanted = {names.person_id: names for names in corrected}
    held = {names.person_id: names for names in list_names_of(wanted)}
    changes = {
        person_id: [part for part in NAME_PARTS if getattr(names, part) != getattr(held[person_id], part)]
        for person_id, names in wanted.items()
    }
    changed = [person_id for person_id, parts in changes.items() if parts]
    if not changed:
        return 0
    _refuse_shared_identifiers([wanted[person_id] for person_id in changed])
    _clear_changing_emails(wanted, changes)
    rows = [{"person_id": i, **{part: getattr(wanted[i], part) for part in NAME_PARTS}} for i in changed]
    db.session.execute(update(PersonName), rows)
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
    db.session.execute(insert(AuditEvent), events)
    return len(changed)


NAME_PARTS = ("staff_number", "surname", "forenames", "email")


def list_names_of(person_ids: Iterable[int]) -> list[PersonNames]:
    """How these people are named now; those without a name are left out."""
    wanted = sorted(person_ids)
    found: list[Any] = []
    for start in range(0, len(wanted), MOST_BOUND):
        found += db.session.execute(
            select(PersonName.person_id, *(getattr(PersonName, part) for part in NAME_PARTS)).where(
                PersonName.person_id.in_(wanted[start : start + MOST_BOUND])
            )
        ).all()
    return [PersonNames(*row) for row in found]


def _refuse_shared_identifiers(changed: list[PersonNames]) -> None:
    """Refuse a staff number or address that two of these, or one of these and another person, would hold."""
    for what, values in (
        ("staff number", [names.staff_number for names in changed]),
        ("email address", [names.email for names in changed if names.email]),
    ):
        for value, uses in Counter(values).items():
            if uses > 1:
                raise RuleError(f"Two people cannot share the {what} {value}.")
    own = {names.person_id for names in changed}
    for start in range(0, len(changed), MOST_BOUND):
        part = changed[start : start + MOST_BOUND]
        numbers = {names.staff_number for names in part}
        emails = {names.email for names in part if names.email}
        rows = db.session.execute(
            select(PersonName.person_id, PersonName.staff_number, PersonName.email).where(
                or_(PersonName.staff_number.in_(sorted(numbers)), PersonName.email.in_(sorted(emails)))
            )
        )
        for person_id, number, email in rows:
            if person_id not in own:
                what = f"staff number {number}" if number in numbers else f"email address {email}"
                raise RuleError(f"Another person already has the {what}.")


def _clear_changing_emails(wanted: dict[int, PersonNames], changes: dict[int, list[str]]) -> None:
    """Let two people swap addresses: an address about to change is set aside first."""
    moving = [i for i, parts in changes.items() if "email" in parts]
    if len(moving) > 1:
        db.session.execute(update(PersonName), [{"person_id": i, "email": None} for i in moving])


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
    return [held for held in _list_live_grants(person_id, role, at) if held.unit_id == unit_id]
