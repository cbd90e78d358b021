"""Changes role grants and names; each change is audited."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam, insert, or_, select, update

from portal.domain.people.models import Person, PersonName, RoleGrant, fold_name
from portal.domain.people.name_index import index_names_afterwards
from portal.platform.audit.models import AuditEvent
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import OPEN_END, db
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

    Raises:
        RuleError: The last day is in the past.
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

    Raises:
        RuleError: The person has the role only on other units; nothing was ended.
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
