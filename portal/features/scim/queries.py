"""Reads users as a provider sees them: everybody in the roster whom it has not deleted."""

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, func, literal, or_, select, union_all
from sqlalchemy.orm import aliased

from portal.domain.people.models import Identifier, Person, PersonName, Post
from portal.domain.people.positions import is_known_fact
from portal.domain.people.staff_numbers import fold_staff_number
from portal.domain.people.units import UnitTree, read_tree
from portal.domain.people.visibility import is_valid_on
from portal.features.scim.models import ScimGroup, ScimMember, ScimUser
from portal.platform.db import db
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Role

USER_NAME, EXTERNAL_ID = "userName", "externalId"  # schemes of identifiers
ID_PREFIX = "person-"  # so that no id is ever read as a staff number


@dataclass(frozen=True, slots=True)
class UserValues:
    """What a provider says about a person; the roster's words are in the same order as in its file."""

    user_name: str
    external_id: str | None
    staff_number: str
    surname: str
    forenames: str
    email: str | None
    rank_or_grade: str
    designated_role: str
    unit_path: str
    manager_id: int | None
    active: bool


@dataclass(frozen=True, slots=True)
class UserRecord:
    """A user as the portal has it."""

    person_id: int
    created_at: datetime
    is_confirmed: bool  # the provider has sent this person's staff number itself
    values: UserValues

    @property
    def id(self) -> str:
        """The SCIM id, the same for ever, also after a new name or staff number."""
        return user_id(self.person_id)

    @property
    def version(self) -> str:
        """A tag that changes with every value that a provider sees."""
        return hashlib.sha256(repr(asdict(self.values)).encode()).hexdigest()[:20]


def user_id(person_id: int) -> str:
    """The SCIM id of a person."""
    return f"{ID_PREFIX}{person_id}"


def id_text(column: Any) -> ColumnElement[str]:
    """The SCIM id of a column with people, in SQL; null stays null."""
    return literal(ID_PREFIX).concat(cast(column, String))


def parse_user_id(text: str) -> int | None:
    """The person of a SCIM id; None if the text is no such id."""
    number = text.removeprefix(ID_PREFIX)
    is_id = text.startswith(ID_PREFIX) and number.isascii() and number.isdigit() and len(number) < 16
    return int(number) if is_id else None


# Building aliases and subqueries is most of a statement's cost, so they are kept.
_ALIASES: tuple[Any, Any, Any] = aliased(Identifier), aliased(Identifier), aliased(Post)
_MANAGER: Any = aliased(PersonName)


@lru_cache(maxsize=2)
def _build_post_ids(day: date) -> tuple[Any, Any]:
    """A person's main post of the day, and the post shown: that one, or the one that ended last."""
    now, last = aliased(Post), aliased(Post)
    current_id = (
        select(now.id)
        .where(now.person_id == Person.id, is_known_fact(now), is_valid_on(now, day))
        .order_by(now.post_key)  # the main post, "", comes first
        .limit(1)
        .scalar_subquery()
    )
    last_id = (
        select(last.id)
        .where(last.person_id == Person.id, is_known_fact(last))
        .order_by(last.valid_to.desc(), last.post_key)
        .limit(1)
        .scalar_subquery()
    )
    return current_id, func.coalesce(current_id, last_id)


class UserTable:
    """Users as one row each, by the facts of a day: the columns that filters compare, and their source.

    The post shown is the main one of the day; without one, what the provider said last of an inactive
    user, or else the post that ended last. Posts are read only where a column of them is used: for a whole
    force that is most of the work.
    """

    def __init__(self, day: date) -> None:
        self._day = day
        self._user_name, self._external_id, self._shown = _ALIASES
        self._current_id, self._shown_id = _build_post_ids(day)
        self._reads_posts = False
        self.user_name: Any = func.coalesce(self._user_name.value, PersonName.email, PersonName.staff_number)
        self.external_id: Any = self._external_id.value

    @property
    def active(self) -> Any:
        """Whether there is a post today."""
        return self._current_id.is_not(None)

    @property
    def rank_or_grade(self) -> Any:
        """Of the post shown."""
        return self._waiting_or(ScimUser.rank_or_grade, self._shown.rank_or_grade)

    @property
    def designated_role(self) -> Any:
        """Of the post shown."""
        return self._waiting_or(ScimUser.designated_role, self._shown.designated_role)

    @property
    def unit_id(self) -> Any:
        """Of the post shown; null where the provider's path waits."""
        return self._waiting_or(None, self._shown.unit_id)

    @property
    def unit_path_sent(self) -> Any:
        """The path that waits; null where a post is shown."""
        return self._waiting_or(ScimUser.unit_path, None)

    @property
    def manager_id(self) -> Any:
        """The line manager of the post shown; null where they were erased."""
        self._reads_posts = True
        return _MANAGER.person_id

    def _waiting_or(self, waiting: Any, shown: Any) -> Any:
        """``waiting`` of an inactive user of whom the provider said something since, else ``shown``."""
        self._reads_posts = True
        return case((and_(ScimUser.unit_path.is_not(None), ~self.active), waiting), else_=shown)

    @cached_property
    def tree(self) -> UnitTree:
        """The units, read once."""
        return read_tree()

    def path_of(self, unit_id: int) -> str:
        """The unit's path, today or when it last existed."""
        return self.tree.last_path_on(unit_id, self._day)

    def select_rows(self, *columns: Any) -> Select[Any]:
        """Columns of every user that the provider has not deleted."""
        statement = (
            select(*columns)
            .join_from(Person, PersonName, PersonName.person_id == Person.id)
            .outerjoin(ScimUser, ScimUser.person_id == Person.id)
            .outerjoin(self._user_name, self._is_of(self._user_name, USER_NAME))
            .outerjoin(self._external_id, self._is_of(self._external_id, EXTERNAL_ID))
            .where(ScimUser.removed_at.is_(None))
        )
        if self._reads_posts:
            manager_id = self._waiting_or(ScimUser.line_manager_id, self._shown.line_manager_id)
            statement = statement.outerjoin(self._shown, self._shown.id == self._shown_id)
            return statement.outerjoin(_MANAGER, _MANAGER.person_id == manager_id)
        return statement

    def _is_of(self, identifier: Any, scheme: str) -> ColumnElement[bool]:
        return and_(identifier.person_id == Person.id, identifier.scheme == scheme)

    def read_records(self, ids: Collection[int]) -> list[UserRecord]:
        """The records of these people, in the order of their ids; the tree is read where a post needs it."""
        columns = (
            Person.id,
            Person.recorded_at,
            ScimUser.confirmed_at.is_not(None),
            self.user_name,
            self.external_id,
            PersonName.staff_number,
            PersonName.surname,
            PersonName.forenames,
            PersonName.email,
            self.rank_or_grade,
            self.designated_role,
            self.unit_path_sent,
            self.manager_id,
            self.active,
            self.unit_id,
        )
        statement = self.select_rows(*columns).where(Person.id.in_(ids)).order_by(Person.id)
        return [self._build_record(row) for row in db.session.execute(statement)]

    def _build_record(self, row: Any) -> UserRecord:
        person_id, created_at, is_confirmed, user_name, external_id, number, surname, forenames, *others = row
        email, rank, role, path_sent, manager_id, active, unit_id = others
        values = UserValues(
            user_name=user_name,
            external_id=external_id,
            staff_number=number,
            surname=surname,
            forenames=forenames,
            email=email,
            rank_or_grade=rank or "",
            designated_role=role or "",
            unit_path=path_sent or ("" if unit_id is None else self.path_of(unit_id)),
            manager_id=manager_id,
            active=bool(active),
        )
        return UserRecord(person_id, created_at, bool(is_confirmed), values)


def list_users(
    table: UserTable, condition: ColumnElement[bool], *, offset: int, limit: int
) -> list[UserRecord]:
    """A page of the users that meet the condition, in the order of their ids."""
    statement = table.select_rows(Person.id).where(condition).order_by(Person.id)
    return table.read_records(db.session.scalars(statement.offset(offset).limit(limit)).all())


def count_users(table: UserTable, condition: ColumnElement[bool]) -> int:
    """How many users meet the condition."""
    return db.session.scalar(table.select_rows(func.count()).where(condition)) or 0


def get_user(person_id: int | None, day: date) -> UserRecord:
    """The user."""
    users = [] if person_id is None else UserTable(day).read_records([person_id])
    if not users:
        raise NotFoundError("There is no such user.")
    return users[0]


def find_person(text: str) -> int | None:
    """The person whom a provider names by SCIM id or staff number; None if there is none."""
    person_id = parse_user_id(text)
    number = fold_staff_number(text)
    is_named = PersonName.staff_number == number if person_id is None else PersonName.person_id == person_id
    return db.session.scalar(select(PersonName.person_id).where(is_named))


def find_user_named(user_name: str, day: date) -> int | None:
    """The user with this userName, in any capitals; None if there is none."""
    table = UserTable(day)
    statement = table.select_rows(Person.id).where(has_user_name(table, func.lower(user_name)))
    person_id: int | None = db.session.scalar(statement.limit(1))
    return person_id


def has_user_name(table: UserTable, lower_name: Any) -> ColumnElement[bool]:
    """WHERE clause: the user has this userName, in small letters.

    Whoever has it by any of its sources is looked up first, in three small tables.
    """
    sources = (
        select(Identifier.person_id).where(
            Identifier.scheme == USER_NAME, func.lower(Identifier.value) == lower_name
        ),
        select(PersonName.person_id).where(func.lower(PersonName.email) == lower_name),
        select(PersonName.person_id).where(func.lower(PersonName.staff_number) == lower_name),
    )
    return and_(Person.id.in_(union_all(*sources)), func.lower(table.user_name) == lower_name)


def list_user_person_ids(person_ids: Collection[int]) -> set[int]:
    """Which of these people are users that the provider has not deleted."""
    statement = (
        select(PersonName.person_id)
        .outerjoin(ScimUser, ScimUser.person_id == PersonName.person_id)
        .where(or_(ScimUser.person_id.is_(None), ScimUser.removed_at.is_(None)))
    )
    if len(person_ids) <= 500:
        statement = statement.where(PersonName.person_id.in_(person_ids))
    return set(db.session.scalars(statement)) & set(person_ids)


# Reads groups: as a provider sees them, and as administrators do.

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
    """The group of a SCIM id."""
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
