"""SCIM filters as conditions of SQL, on the attributes that are stored.

Loads the SCIM library, so only the first request for users or groups imports this file.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from scim2_models import InvalidFilterException
from scim2_models.path import (
    CompareOperator,
    Comparison,
    FilterNode,
    FilterVisitor,
    LogicalExpr,
    LogicalOperator,
    Not,
    Present,
    ValuePath,
)
from sqlalchemy import (
    BindParameter,
    ColumnElement,
    String,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    literal,
    not_,
    or_,
    true,
)

from portal.domain.people.models import Person, PersonName
from portal.domain.people.staff_numbers import fold_staff_number
from portal.features.scim.models import ScimGroup, ScimMember
from portal.features.scim.queries import UserTable, has_user_name, id_text

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:user"
CORE = ("urn:ietf:params:scim:schemas:core:2.0:user", "urn:ietf:params:scim:schemas:core:2.0:group")
_ORDERINGS = {
    CompareOperator.gt: "__gt__",
    CompareOperator.ge: "__ge__",
    CompareOperator.lt: "__lt__",
    CompareOperator.le: "__le__",
}
_NO_TEXT = re.compile("[\x00\ud800-\udfff]")  # neither can be sent to a database
_TEXT_OPERATORS = {CompareOperator.co, CompareOperator.sw, CompareOperator.ew}


@dataclass(frozen=True, slots=True)
class Text:
    """A text attribute."""

    column: Any
    is_case_exact: bool = False
    fold: Callable[[str], str] = str

    def compare(self, op: CompareOperator, value: Any) -> ColumnElement[bool]:
        """The comparison; never null, so that ``not`` turns it round."""
        if value is None:
            null: ColumnElement[bool] = _compare_with_null(self.column, op)
            return null
        if not isinstance(value, str):
            raise InvalidFilterException(detail="A text is compared with a text in double quotes.")
        value = self.fold(value)
        column: Any = self.column
        operand: Any = literal(value)
        if not self.is_case_exact:
            column, operand = func.lower(column), func.lower(operand)
        if op is CompareOperator.ne:
            return or_(self.column.is_(None), column != operand)
        return and_(self.column.is_not(None), _compare_texts(column, op, operand, len(value)))

    def is_present(self) -> ColumnElement[bool]:
        """Whether it has a value."""
        return and_(self.column.is_not(None), self.column != "")


def _compare_texts(column: Any, op: CompareOperator, operand: Any, length: int) -> Any:
    """A comparison of texts without LIKE, whose capitals and wildcards differ between databases."""
    if op in _ORDERINGS:
        return getattr(column, _ORDERINGS[op])(operand)
    if op in _TEXT_OPERATORS and not length:
        return true()
    if op is CompareOperator.co:
        return func.replace(column, operand, "") != column
    if op is CompareOperator.sw:
        return func.substr(column, 1, length) == operand
    if op is CompareOperator.ew:
        ending = func.substr(column, func.length(column) - length + 1, length)
        return and_(func.length(column) >= length, ending == operand)
    return column == operand


def _compare_with_null(column: Any, op: CompareOperator) -> Any:
    if op is CompareOperator.eq:
        return column.is_(None)
    return column.is_not(None) if op is CompareOperator.ne else false()


@dataclass(frozen=True, slots=True)
class UserName:
    """The userName, by which providers look people up before anything else."""

    table: UserTable

    def compare(self, op: CompareOperator, value: Any) -> ColumnElement[bool]:
        """The comparison; equality by look-up."""
        if op is CompareOperator.eq and isinstance(value, str):
            return has_user_name(self.table, func.lower(value))
        return Text(self.table.user_name).compare(op, value)

    def is_present(self) -> ColumnElement[bool]:
        """Always."""
        return true()


@dataclass(frozen=True, slots=True)
class Flag:
    """A boolean attribute; Entra sends booleans as text, too."""

    condition: ColumnElement[bool]

    def compare(self, op: CompareOperator, value: Any) -> ColumnElement[bool]:
        """Equal or not."""
        is_true = {"true": True, "false": False}.get(str(value).lower())
        if is_true is None or op not in {CompareOperator.eq, CompareOperator.ne}:
            raise InvalidFilterException(detail="active is compared by eq or ne with true or false.")
        return self.condition if is_true is (op is CompareOperator.eq) else not_(self.condition)

    def is_present(self) -> ColumnElement[bool]:
        """Always."""
        return true()


@dataclass(frozen=True, slots=True)
class Instant:
    """A date and time that always has a value."""

    column: Any

    def compare(self, op: CompareOperator, value: Any) -> ColumnElement[bool]:
        """Earlier, later or equal."""
        try:
            instant = datetime.fromisoformat(str(value))
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None or op in _TEXT_OPERATORS:
            raise InvalidFilterException(
                detail="meta.created is compared with a date and time with its zone."
            )
        if op in _ORDERINGS:
            ordered: ColumnElement[bool] = getattr(self.column, _ORDERINGS[op])(instant)
            return ordered
        same: ColumnElement[bool] = self.column == instant
        return same if op is CompareOperator.eq else not_(same)

    def is_present(self) -> ColumnElement[bool]:
        """Always."""
        return true()


@dataclass(frozen=True, slots=True)
class Department:
    """A unit's path, which no column holds: units are compared here, and users by their unit."""

    table: UserTable

    def compare(self, op: CompareOperator, value: Any) -> ColumnElement[bool]:
        """The users whose unit's path, or what the provider said while they were inactive, compares so."""
        if value is None:
            either = func.coalesce(self.table.unit_path_sent, cast(self.table.unit_id, String))
            return Text(either).compare(op, None)
        sent = Text(self.table.unit_path_sent).compare(op, value)
        wanted, table = value.lower(), self.table
        units = [u for u in table.tree.unit_ids() if _matches(table.path_of(u).lower(), op, wanted)]
        # Written into the statement: several such filters would have more values than a database binds.
        matching: BindParameter[int] = bindparam(None, units, expanding=True, literal_execute=True)
        in_unit = and_(table.unit_id.is_not(None), table.unit_id.in_(matching))
        if op is CompareOperator.ne:
            return and_(sent, or_(table.unit_id.is_(None), in_unit))
        return or_(sent, in_unit)

    def is_present(self) -> ColumnElement[bool]:
        """Whether the user is in a unit or waits for one."""
        return or_(self.table.unit_path_sent.is_not(None), self.table.unit_id.is_not(None))


def _matches(path: str, op: CompareOperator, wanted: str) -> bool:
    if op in _ORDERINGS:
        return bool(getattr(path, _ORDERINGS[op])(wanted))
    return {
        CompareOperator.eq: path == wanted,
        CompareOperator.ne: path != wanted,
        CompareOperator.co: wanted in path,
        CompareOperator.sw: path.startswith(wanted),
        CompareOperator.ew: path.endswith(wanted),
    }[op]


@dataclass(frozen=True, slots=True)
class Members:
    """The members of a group."""

    def compare(self, op: CompareOperator, value: Any) -> ColumnElement[bool]:
        """Whether somebody is a member, or with ``ne`` is not."""
        if op not in {CompareOperator.eq, CompareOperator.ne}:
            raise InvalidFilterException(detail="members is compared by eq or ne with a user's id.")
        is_member = self._exists(_member_attributes()["value"]().compare(CompareOperator.eq, value))
        return is_member if op is CompareOperator.eq else not_(is_member)

    def is_present(self) -> ColumnElement[bool]:
        """Whether there is a member."""
        return self._exists(true())

    def select_in(self, inner: FilterNode) -> ColumnElement[bool]:
        """Whether a member meets the filter in brackets."""
        return self._exists(_Translator(_member_attributes()).visit(inner))

    def _exists(self, condition: ColumnElement[bool]) -> ColumnElement[bool]:
        return exists().where(ScimMember.group_id == ScimGroup.id, condition)


@dataclass(frozen=True, slots=True)
class Emails:
    """The one work address of a user."""

    def compare(self, op: CompareOperator, value: Any) -> ColumnElement[bool]:
        """The address itself."""
        return Text(PersonName.email).compare(op, value)

    def is_present(self) -> ColumnElement[bool]:
        """Whether there is one."""
        return Text(PersonName.email).is_present()

    def select_in(self, inner: FilterNode) -> ColumnElement[bool]:
        """Whether the address meets the filter in brackets."""
        attributes = {
            "value": lambda: Text(PersonName.email),
            "type": lambda: Text(literal("work")),
        }
        return and_(PersonName.email.is_not(None), _Translator(attributes).visit(inner))


@dataclass(frozen=True, slots=True)
class GroupId:
    """A group's id, which databases keep differently."""

    def compare(self, op: CompareOperator, value: Any) -> ColumnElement[bool]:
        """Equal or not."""
        if op not in {CompareOperator.eq, CompareOperator.ne}:
            raise InvalidFilterException(detail="A group's id is compared by eq or ne.")
        try:
            is_same = ScimGroup.id == UUID(str(value))
        except ValueError:
            is_same = false()
        return is_same if op is CompareOperator.eq else not_(is_same)

    def is_present(self) -> ColumnElement[bool]:
        """Always."""
        return true()


Attribute = Text | UserName | Flag | Instant | Department | Members | Emails | GroupId


def _member_attributes() -> dict[str, Callable[[], Any]]:
    return {
        "value": lambda: Text(id_text(ScimMember.person_id), is_case_exact=True),
        "type": lambda: Text(literal("User")),
    }


class _Translator(FilterVisitor[ColumnElement[bool]]):
    """Builds the condition; an attribute that is not stored refuses the filter.

    Args:
        attributes: How to make each, by lower-case path without the core schema's name.
        foreign: Paths of another resource type, which compare as false.
    """

    def __init__(
        self, attributes: Mapping[str, Callable[[], Any]], foreign: frozenset[str] = frozenset()
    ) -> None:
        self._attributes, self._foreign = attributes, foreign

    def _attribute(self, path: Any) -> Any:
        name = ".".join(part for part in (path.attr, path.sub_attr) if part).lower()
        uri = (path.uri or "").lower()
        name = name if not uri or uri in CORE else f"{uri}:{name}"
        if name in self._attributes:
            return self._attributes[name]()
        if name in self._foreign:
            return None
        raise InvalidFilterException(detail=f"The portal does not store {name!r}, so it cannot filter by it.")

    def visit_comparison(self, node: Comparison) -> ColumnElement[bool]:
        if isinstance(node.value, str) and _NO_TEXT.search(node.value):
            raise InvalidFilterException(detail="The filter has a character in it that no text has.")
        attribute = self._attribute(node.attr_path)
        return false() if attribute is None else attribute.compare(node.op, node.value)

    def visit_present(self, node: Present) -> ColumnElement[bool]:
        attribute = self._attribute(node.attr_path)
        return false() if attribute is None else attribute.is_present()

    def visit_not(self, node: Not) -> ColumnElement[bool]:
        return not_(self.visit(node.expr))

    def visit_logical_expr(self, node: LogicalExpr) -> ColumnElement[bool]:
        terms = [self.visit(term) for term in node.terms]
        return and_(*terms) if node.op == LogicalOperator.and_ else or_(*terms)

    def visit_value_path(self, node: ValuePath) -> ColumnElement[bool]:
        attribute = self._attribute(node.attr_path)
        if attribute is None:
            return false()
        if not isinstance(attribute, Members | Emails):
            raise InvalidFilterException(detail=f"{node.attr_path.attr} has one value: write no brackets.")
        return attribute.select_in(node.val_filter)


def _user_attributes(table: UserTable) -> dict[str, Callable[[], Attribute]]:
    """How to make each attribute: a column of posts, once it is used, makes the statement read them."""
    return {
        "id": lambda: Text(id_text(Person.id), is_case_exact=True),
        "externalid": lambda: Text(table.external_id, is_case_exact=True),
        "username": lambda: UserName(table),
        "name.familyname": lambda: Text(PersonName.surname),
        "name.givenname": lambda: Text(PersonName.forenames),
        "title": lambda: Text(table.rank_or_grade),
        "usertype": lambda: Text(table.designated_role),
        "active": lambda: Flag(table.active),
        "emails": Emails,
        "emails.value": Emails,
        "emails.type": lambda: Text(case((PersonName.email.is_not(None), "work"))),
        "meta.created": lambda: Instant(Person.recorded_at),
        f"{ENTERPRISE}:employeenumber": lambda: Text(PersonName.staff_number, fold=fold_staff_number),
        f"{ENTERPRISE}:department": lambda: Department(table),
        f"{ENTERPRISE}:manager": lambda: Text(id_text(table.manager_id), is_case_exact=True),
        f"{ENTERPRISE}:manager.value": lambda: Text(id_text(table.manager_id), is_case_exact=True),
    }


_GROUP_ATTRIBUTES: dict[str, Callable[[], Attribute]] = {
    "id": GroupId,
    "externalid": lambda: Text(ScimGroup.external_id, is_case_exact=True),
    "displayname": lambda: Text(ScimGroup.display_name),
    "meta.created": lambda: Instant(ScimGroup.created_at),
    "members": Members,
    "members.value": Members,
}


def user_condition(
    node: FilterNode | None, table: UserTable, *, with_groups: bool = False
) -> ColumnElement[bool]:
    """The users who meet a filter; all without one.

    Args:
        node: The filter.
        table: The table that the condition is put to.
        with_groups: Whether groups are searched too, so that the filter may name their attributes.

    Raises:
        InvalidFilterException: It names an attribute that is not stored, or compares one as it cannot be.
    """
    foreign = frozenset(_GROUP_ATTRIBUTES) if with_groups else frozenset()
    return true() if node is None else _Translator(_user_attributes(table), foreign).visit(node)


def group_condition(node: FilterNode | None, *, with_users: UserTable | None = None) -> ColumnElement[bool]:
    """The groups that meet a filter; see ``user_condition``."""
    foreign = frozenset() if with_users is None else frozenset(_user_attributes(with_users))
    return true() if node is None else _Translator(_GROUP_ATTRIBUTES, foreign).visit(node)


def member_condition(node: FilterNode | None) -> ColumnElement[bool]:
    """The members who meet the filter in brackets of a path; all without one."""
    return true() if node is None else _Translator(_member_attributes()).visit(node)
