"""Grants and revokes roles; the person must sign in again, and the change is audited."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, or_, select

from portal.domain.accounts import services
from portal.domain.accounts.grants.grant_list import role_words
from portal.domain.accounts.models import Credential
from portal.domain.people import services as people
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post, RoleGrant
from portal.domain.people.visibility.rules import is_valid_on
from portal.platform.clock import london_day
from portal.platform.db import OPEN_END, db
from portal.platform.errors import RuleError
from portal.platform.permissions import UNIT_ROLES, Role

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

    Raises:
        RuleError: The giver is the person.
    """
    if person_id == by:
        raise RuleError("You cannot give yourself a role or change its last day. Ask another administrator.")


def refuse_force_role_on_unit(role: Role, unit_id: int | None) -> None:
    """Refuse to give a role of the whole force for a unit.

    Raises:
        RuleError: The role has no effect on a unit.
    """
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

    Raises:
        RuleError: Nobody would.
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
