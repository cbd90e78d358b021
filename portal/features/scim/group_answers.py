"""Groups: their names and members, as a provider sends and reads them.

A group may have thousands of members, so a PATCH reads none but those that it names.
"""

from typing import Any

from flask import Response, request
from scim2_models import Context, Meta, PatchOp
from scim2_models.path import FilterNode
from sqlalchemy import ColumnElement, true

from portal.features.scim import protocol, queries, services
from portal.features.scim.filters import group_condition, member_condition
from portal.features.scim.models import ScimGroup
from portal.features.scim.protocol import POLICY, Group, GroupMember, ResourcePage, Search
from portal.features.scim.queries import GroupRecord
from portal.features.scim.services import ProviderChange
from portal.platform.db import transaction
from portal.platform.errors import BadInputError

ENDPOINT = "Groups"


@protocol.translate_errors
def create_group() -> Response:
    """Add a group."""
    shown, sent = protocol.read_shown(), _parse_group(protocol.read_body())
    members = _read_member_ids(sent.members or [])
    with transaction(wait_seconds=protocol.WAIT_SECONDS):
        act = protocol.begin_act()
        group = services.create_group(
            _read_name(sent.display_name), _read_external_id(sent), members, act.at, act.token
        )
        return _answer_change(group, shown, "create_group", status=201)


@protocol.translate_errors
def show_group(key: str) -> Response:
    """One group."""
    shown = protocol.read_shown()
    group = _read_group(queries.get_group(key), shown)
    response = protocol.answer_resource(build_resource(group), group.version, shown)
    if response.status_code == 200:
        with transaction(wait_seconds=protocol.WAIT_SECONDS):
            protocol.log_read("show_group", group.member_ids)
    return response


@protocol.translate_errors
def replace_group(key: str) -> Response:
    """Replace a group; members and externalId that are left out stay."""
    shown, sent = protocol.read_shown(), _parse_group(protocol.read_body())
    with transaction(wait_seconds=protocol.WAIT_SECONDS):
        act = protocol.begin_act()
        group = _get_group_to_change(key)
        external_id = _read_external_id(sent) if "external_id" in sent.model_fields_set else group.external_id
        services.rename_group(group, _read_name(sent.display_name), external_id, act.token)
        if "members" in sent.model_fields_set:
            _set_members(group, _read_member_ids(sent.members or []), act)
        return _answer_change(group, shown, "replace_group")


@protocol.translate_errors
def patch_group(key: str) -> Response:
    """Change a group; answers without a body unless attributes are asked for."""
    shown = protocol.read_shown()
    operations = [_mend_operation(op) for op in protocol.read_operations(protocol.read_body())]
    message = {"schemas": [str(PatchOp.__schema__)], "Operations": operations}
    patch = PatchOp[Group].model_validate(
        message, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=POLICY
    )
    with transaction(wait_seconds=protocol.WAIT_SECONDS):
        act = protocol.begin_act()
        group = _get_group_to_change(key)
        for operation in patch.operations or []:
            _apply_operation(group, operation, act)
        if shown.attributes:
            return _answer_change(group, shown, "patch_group")
        version = str(group.version)
    response = Response(status=204)
    response.set_etag(version, weak=True)
    return response


@protocol.translate_errors
def remove_group(key: str) -> Response:
    """Delete a group."""
    with transaction(wait_seconds=protocol.WAIT_SECONDS):
        act = protocol.begin_act()
        services.remove_group(_get_group_to_change(key), act.at, act.token)
    return Response(status=204)


@protocol.translate_errors
def list_groups() -> Response:
    """A page of groups."""
    return _answer_search(protocol.read_search(dict(request.args)), "list_groups")


@protocol.translate_errors
def search_groups() -> Response:
    """A page of groups, asked for in a body."""
    return _answer_search(protocol.read_search(protocol.read_body()), "search_groups")


def _answer_search(search: Search, operation: str) -> Response:
    condition = group_condition(search.filter)
    total = queries.count_groups(condition)
    return protocol.answer_people(search, total, list_page(condition, search), operation)


def list_page(condition: ColumnElement[bool], search: Search) -> ResourcePage:
    """The groups of a page, with their members where these are asked for."""
    if not search.limit:
        return ResourcePage([])
    with_members = search.shows("members")
    groups = queries.list_groups(
        condition, offset=search.offset, limit=search.limit, with_members=with_members
    )
    resources = [protocol.dump(build_resource(group), search.shown) for group in groups]
    return ResourcePage(resources, {person_id for group in groups for person_id in group.member_ids})


def _answer_change(row: ScimGroup, shown: Any, operation: str, *, status: int = 200) -> Response:
    """One group as the caller's change leaves it, recorded with the change: it may have asked for nothing."""
    group = _read_group(row, shown)
    protocol.log_read(operation, group.member_ids)
    return protocol.answer_resource(build_resource(group), group.version, shown, status=status)


def _read_group(row: ScimGroup, shown: Any) -> GroupRecord:
    """A group, with its members if they are asked for."""
    return queries.read_group(row, with_members=protocol.shows_attribute(shown, "members"))


def _get_group_to_change(key: str) -> ScimGroup:
    group = queries.get_group(key, lock=True)
    protocol.refuse_other_version(str(group.version))
    return group


def build_resource(group: GroupRecord) -> Group:
    """A group as the SCIM library has it."""
    members = [_build_member(queries.user_id(person_id)) for person_id in group.member_ids]
    return Group(
        id=str(group.id),
        external_id=group.external_id,
        display_name=group.display_name,
        members=members or None,
        meta=Meta(
            resource_type="Group",
            created=group.created_at,
            location=protocol.address_of(ENDPOINT, str(group.id)),
            version=f'W/"{group.version}"',
        ),
    )


def _build_member(key: str) -> GroupMember:
    address = protocol.address_of("Users", key)
    return GroupMember.model_validate({"value": key, "$ref": address, "type": "User"})


def _parse_group(body: dict[str, Any]) -> Group:
    return Group.model_validate(body, scim_ctx=Context.DEFAULT, scim_policy=POLICY)


def _read_name(name: str | None) -> str:
    text = (name or "").strip()
    if not text:
        raise BadInputError(["displayName is empty."])
    return text


def _read_external_id(group: Group) -> str | None:
    return (group.external_id or "").strip() or None


def _read_member_ids(members: list[GroupMember]) -> list[int]:
    return [_parse_member(member.value) for member in members]


def _parse_member(key: Any) -> int:
    person_id = queries.parse_user_id(key) if isinstance(key, str) else None
    if person_id is None:
        raise BadInputError([f"members: {str(key)[:60]!r} is no user's id."])
    return person_id


def _mend_operation(operation: dict[str, Any]) -> dict[str, Any]:
    """An operation whose single values are not in lists, as old versions of Entra send them."""
    mended = {
        key.lower(): value for key, value in operation.items() if key.lower() in {"op", "path", "value"}
    }
    path = str(mended.get("path") or "").lower()
    if "value" in mended and path.rpartition(":")[2] in {"displayname", "externalid"}:
        mended["value"] = protocol.unwrap_value(mended["value"])
    return mended


def _apply_operation(group: ScimGroup, operation: Any, act: ProviderChange) -> None:
    """Carry out one operation; a value without a path names its attributes itself."""
    if operation.path is not None:
        binding = operation.path.resolve()
        if binding is not None:  # else an attribute that is not stored
            _change_attribute(group, operation, binding.field_name, operation.value, act)
        return
    if not isinstance(operation.value, dict):
        raise BadInputError(["A value without a path is an object."])
    names = {"displayname": "display_name", "externalid": "external_id", "members": "members"}
    for key, value in operation.value.items():
        if field := names.get(key.rpartition(":")[2].lower()):
            _change_attribute(group, operation, field, value, act)


def _change_attribute(group: ScimGroup, operation: Any, field: str, value: Any, act: ProviderChange) -> None:
    if field == "members":
        _change_members(group, operation, value, act)
        return
    if not isinstance(value, str | None) or (field == "display_name" and operation.op == "remove"):
        raise BadInputError([f"{field} is a text."])
    text = None if operation.op == "remove" else (value or "").strip() or None
    if field == "display_name":
        services.rename_group(group, _read_name(text), group.external_id, act.token)
    elif field == "external_id":
        services.rename_group(group, group.display_name, text, act.token)


def _change_members(group: ScimGroup, operation: Any, value: Any, act: ProviderChange) -> None:
    """Add, remove or replace members; a path's filter, or Entra's value, says which to remove."""
    node: FilterNode | None = operation.path.value_filter if operation.path is not None else None
    listed = [
        _parse_member(item.get("value") if isinstance(item, dict) else item) for item in _as_list(value)
    ]
    if operation.op == "remove":
        condition = member_condition(node) if node is not None or not listed else true()
        matching = queries.list_member_ids(group.id, condition)
        leavers = set(matching) if not listed else set(matching).intersection(listed)
        services.set_members(group, remove=leavers, at=act.at, token=act.token)
    elif node is not None:
        raise BadInputError(["A member has nothing to change: add or remove whole members."])
    elif operation.op == "add":
        services.set_members(group, add=listed, at=act.at, token=act.token)
    else:
        _set_members(group, listed, act)


def _as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _set_members(group: ScimGroup, person_ids: list[int], act: ProviderChange) -> None:
    """Make these people the members, and nobody else."""
    leavers = set(queries.list_member_ids(group.id, true())).difference(person_ids)
    services.set_members(group, add=person_ids, remove=leavers, at=act.at, token=act.token)
