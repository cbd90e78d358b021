"""Reads groups: as a provider sees them, and as administrators do."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import ColumnElement, func, select

from portal.domain.people.units.tree import read_tree
from portal.domain.scim.models import ScimGroup, ScimMember
from portal.platform.db import db
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Role

MOST_MEMBERS = 20_000  # of the groups on one page


@dataclass(frozen=True, slots=True)
class GroupRecord:
    """A group of the provider, with its members if they were asked for."""

    id: UUID
    display_name: str
    external_id: str | None
    created_at: datetime
    version: str
    member_ids: tuple[int, ...]


def list_groups(
    condition: ColumnElement[bool], *, offset: int, limit: int, with_members: bool
) -> list[GroupRecord]:
    """A page of the groups that meet the condition, oldest first.

    With members, a page ends early where its groups would have more than 20,000, but has one group at least.
    """
    statement = select(ScimGroup).where(condition).order_by(ScimGroup.created_at, ScimGroup.id)
    groups = db.session.scalars(statement.offset(offset).limit(limit)).all()
    members = _read_members(groups) if with_members else {}
    records: list[GroupRecord] = []
    total = 0
    for group in groups:
        member_ids = tuple(members.get(group.id, ()))
        total += len(member_ids)
        if records and total > MOST_MEMBERS:
            break
        records.append(_build_group(group, member_ids))
    return records


def read_group(group: ScimGroup, *, with_members: bool) -> GroupRecord:
    """A group as a provider sees it."""
    members = _read_members([group]) if with_members else {}
    return _build_group(group, tuple(members.get(group.id, ())))


def _read_members(groups: Sequence[ScimGroup]) -> dict[UUID, list[int]]:
    rows = db.session.execute(
        select(ScimMember.group_id, ScimMember.person_id)
        .where(ScimMember.group_id.in_([group.id for group in groups]))
        .order_by(ScimMember.person_id)
    )
    members: dict[UUID, list[int]] = defaultdict(list)
    for group_id, person_id in rows:
        members[group_id].append(person_id)
    return members


def _build_group(group: ScimGroup, member_ids: tuple[int, ...]) -> GroupRecord:
    return GroupRecord(
        group.id, group.display_name, group.external_id, group.created_at, str(group.version), member_ids
    )


def count_groups(condition: ColumnElement[bool]) -> int:
    """How many groups meet the condition."""
    return db.session.scalar(select(func.count()).select_from(ScimGroup).where(condition)) or 0


def get_group(text: str, *, lock: bool = False) -> ScimGroup:
    """The group of a SCIM id.

    Raises:
        NotFoundError: There is none.
    """
    try:
        statement = select(ScimGroup).where(ScimGroup.id == UUID(text))
    except ValueError as error:
        raise NotFoundError("There is no such group.") from error
    group = db.session.scalar(statement.with_for_update() if lock else statement)
    if group is None:
        raise NotFoundError("There is no such group.")
    return group


def list_member_ids(group_id: UUID, condition: ColumnElement[bool]) -> list[int]:
    """The members of a group that meet a condition."""
    statement = select(ScimMember.person_id).where(ScimMember.group_id == group_id, condition)
    return list(db.session.scalars(statement.order_by(ScimMember.person_id)))


@dataclass(frozen=True, slots=True)
class MappedGroup:
    """A group as administrators see it: what it gives, and to how many."""

    id: UUID
    name: str
    member_count: int
    role: Role | None
    unit_id: int | None
    unit_label: str  # empty where the role names no unit
    mapped_at: datetime | None


def list_mapped_groups(day: date) -> list[MappedGroup]:
    """Every group, by name. Two statements."""
    rows = db.session.execute(
        select(ScimGroup, func.count(ScimMember.person_id))
        .outerjoin(ScimMember, ScimMember.group_id == ScimGroup.id)
        .group_by(ScimGroup.id)
        .order_by(func.lower(ScimGroup.display_name))
    ).all()
    tree = read_tree() if any(group.unit_id for group, _ in rows) else None
    return [
        MappedGroup(
            id=group.id,
            name=group.display_name,
            member_count=members,
            role=Role(group.role) if group.role else None,
            unit_id=group.unit_id,
            unit_label=tree.last_label_on(group.unit_id, day) if tree and group.unit_id else "",
            mapped_at=group.mapped_at,
        )
        for group, members in rows
    ]
