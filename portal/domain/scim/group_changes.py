"""Changes to a provider's groups, and the role grants that follow from who is in them.

An administrator gives a group its role. Each member then gets it as a grant of that administrator, by
the same rules as on a person's page, and loses it with the membership. A role that somebody had already
is not the group's to end.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import uuid4

from sqlalchemy import func, select

from portal.domain.accounts.grants import changes
from portal.domain.people.models import RoleGrant
from portal.domain.people.visibility.rules import is_granted_to
from portal.domain.scim import queries
from portal.domain.scim.errors import TakenError
from portal.domain.scim.models import ScimGroup, ScimMember
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import BadInputError
from portal.platform.permissions import Role

LONGEST_NAME = 254  # characters
MOST_MEMBERS = 20_000


def create_group(
    name: str, external_id: str | None, members: Collection[int], at: datetime, token: str
) -> ScimGroup:
    """Add a group, which gives no role until an administrator says so.

    Raises:
        TakenError: Another group has the name or the externalId.
        BadInputError: A name is too long, or a member is no user.
    """
    _refuse_taken(None, name, external_id)
    group = ScimGroup(id=uuid4(), display_name=name, external_id=external_id, version=0, created_at=at)
    db.session.add(group)
    db.session.flush()
    log("scim.group_created", actor_id=None, token=token, group=str(group.id))
    set_members(group, add=members, at=at, token=token)
    return group


def rename_group(group: ScimGroup, name: str, external_id: str | None, token: str) -> None:
    """Set the group's name and externalId; its role and members stay.

    Raises:
        TakenError: Another group has the name or the externalId.
        BadInputError: A name is too long.
    """
    if (group.display_name, group.external_id) == (name, external_id):
        return
    _refuse_taken(group, name, external_id)
    group.display_name, group.external_id = name, external_id
    group.version += 1
    log("scim.group_changed", actor_id=None, token=token, group=str(group.id))


def _refuse_taken(group: ScimGroup | None, name: str, external_id: str | None) -> None:
    if max(len(name), len(external_id or "")) > LONGEST_NAME:
        raise BadInputError([f"displayName and externalId have at most {LONGEST_NAME} characters."])
    for attribute, column, value in (
        ("displayName", ScimGroup.display_name, name),
        ("externalId", ScimGroup.external_id, external_id),
    ):
        holder = db.session.scalar(select(ScimGroup.id).where(func.lower(column) == func.lower(value)))
        if holder is not None and (group is None or holder != group.id):
            raise TakenError(f"Another group already has the {attribute} {value}.")


def set_members(
    group: ScimGroup,
    *,
    add: Collection[int] = (),
    remove: Collection[int] = (),
    at: datetime,
    token: str,
) -> None:
    """Add and remove members; who is in the group already, or is not, changes nothing.

    Raises:
        BadInputError: One of those to add is no user, or there would be too many.
        RuleError: The group's role may not be given to one of them, or nobody would be left to administer.
    """
    current = set(db.session.scalars(select(ScimMember.person_id).where(ScimMember.group_id == group.id)))
    leavers, joiners = current.intersection(remove), set(add) - current
    if unknown := joiners - queries.list_user_person_ids(joiners):
        raise BadInputError([f"members: there is no user {queries.user_id(min(unknown))}."])
    if len(current) + len(joiners) - len(leavers) > MOST_MEMBERS:
        raise BadInputError([f"members: a group has at most {MOST_MEMBERS:,}."])
    _end_membership(group, leavers, at)
    for person_id in sorted(joiners):
        grant_id = _give_role(group, person_id, at)
        db.session.add(ScimMember(group_id=group.id, person_id=person_id, grant_id=grant_id))
    for action, people in (("scim.member_added", joiners), ("scim.member_removed", leavers)):
        for person_id in sorted(people):
            log(action, actor_id=None, subject_id=person_id, token=token, group=str(group.id))
    group.version += bool(joiners or leavers)
    db.session.flush()


def remove_group(group: ScimGroup, at: datetime, token: str) -> None:
    """Delete a group; its members lose the role that it gave them.

    Raises:
        RuleError: Nobody would be left to administer.
    """
    members = db.session.scalars(select(ScimMember.person_id).where(ScimMember.group_id == group.id))
    _end_membership(group, list(members), at)
    log("scim.group_removed", actor_id=None, token=token, group=str(group.id), role=group.role)
    db.session.delete(group)
    db.session.flush()


def leave_all_groups(person_id: int, at: datetime) -> None:
    """Take a leaver out of every group, also the last administrator: as a roster, it lets anybody go."""
    statement = select(ScimGroup).join(ScimMember).where(ScimMember.person_id == person_id)
    for group in db.session.scalars(statement.order_by(ScimGroup.id).with_for_update(of=ScimGroup)).all():
        _end_membership(group, [person_id], at, is_leaver=True)
        group.version += 1


def map_group(group: ScimGroup, role: Role | None, unit_id: int | None, *, by: int, at: datetime) -> None:
    """Give a group another role, or none: its members lose the one before and get the new one.

    Raises:
        RuleError: The role may not be given to one of the members, or has no effect on a unit.
    """
    if role is not None:
        changes.refuse_force_role_on_unit(role, unit_id)
    if (group.role, group.unit_id) == (role, unit_id):
        return
    members = list(db.session.scalars(select(ScimMember).where(ScimMember.group_id == group.id)))
    given = [member.grant_id for member in members if member.grant_id is not None]
    for member in members:
        member.grant_id = None
    before = group.role
    group.role, group.unit_id = role, unit_id
    group.mapped_by_id, group.mapped_at = (by, at) if role else (None, None)
    for member in sorted(members, key=lambda member: member.person_id):
        member.grant_id = _give_role(group, member.person_id, at)
    changes.end_grants_and_sessions(given, by=by, at=at)
    _refuse_no_administrator(before, at)
    log("scim.group_mapped", actor_id=by, group=str(group.id), role=role, unit_id=unit_id, before=before)


def _give_role(group: ScimGroup, person_id: int, at: datetime) -> int | None:
    """Grant the group's role; the new grant, or None if there is none to make."""
    if group.role is None:
        return None
    role = Role(group.role)
    if not changes.grant_role(person_id, role, unit_id=group.unit_id, by=group.mapped_by_id, at=at):
        return None
    db.session.flush()
    return db.session.scalar(
        select(RoleGrant.id)
        .where(
            is_granted_to(person_id, london_day(at)),
            RoleGrant.role == str(role),
            RoleGrant.unit_id.is_not_distinct_from(group.unit_id),
        )
        .order_by(RoleGrant.id.desc())
    )


def _end_membership(
    group: ScimGroup, person_ids: Iterable[int], at: datetime, *, is_leaver: bool = False
) -> None:
    """Remove members; a grant that another group of theirs gives too passes to that group."""
    members = [db.session.get_one(ScimMember, (group.id, person_id)) for person_id in sorted(person_ids)]
    ended = []
    for member in members:
        heir = _find_heir(group, member.person_id) if member.grant_id is not None else None
        if heir is not None:
            heir.grant_id = member.grant_id
        elif member.grant_id is not None:
            ended.append(member.grant_id)
        db.session.delete(member)
    db.session.flush()
    if ended and group.mapped_by_id is not None:
        changes.end_grants_and_sessions(ended, by=group.mapped_by_id, at=at)
        if not is_leaver:
            _refuse_no_administrator(group.role, at)


def _find_heir(group: ScimGroup, person_id: int) -> ScimMember | None:
    """Another membership of the person that gives the same role in the same place."""
    return db.session.scalar(
        select(ScimMember)
        .join(ScimGroup)
        .where(
            ScimMember.person_id == person_id,
            ScimGroup.id != group.id,
            ScimGroup.role == group.role,
            ScimGroup.unit_id.is_not_distinct_from(group.unit_id),
        )
        .limit(1)
    )


def _refuse_no_administrator(role: str | None, at: datetime) -> None:
    """Refuse to end the last administrator's role, which a provider may do as little as a person."""
    if role == Role.ADMINISTRATOR:
        changes.refuse_no_administrator(at)
