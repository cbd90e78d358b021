"""Users: from a provider's words to the portal's and back."""

from dataclasses import replace
from typing import Any

from flask import Response, request
from scim2_models import Context, Meta, PatchOp

from portal.domain.people.staff_numbers import fold_staff_number
from portal.features.scim import group_answers, protocol, queries, services
from portal.features.scim.filters import group_condition, user_condition
from portal.features.scim.protocol import (
    POLICY,
    Email,
    EnterpriseUser,
    Manager,
    Name,
    ResourcePage,
    Search,
    provider,
    user_model,
)
from portal.features.scim.queries import UserRecord, UserTable, UserValues
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, require

ENDPOINT = "Users"
_MANAGER = f"{EnterpriseUser.__schema__}:manager".lower()


@protocol.translate_errors
def create_user() -> Response:
    """Add a user."""
    shown, sent = protocol.read_shown(), _parse_user(protocol.read_body())
    with transaction(wait_seconds=protocol.WAIT_SECONDS):
        act = protocol.begin_act()
        person_id = services.create_user(_read_values(sent, None), act)
        return _answer_change(queries.user_id(person_id), shown, "create_user", status=201)


@protocol.translate_errors
def show_user(key: str) -> Response:
    """One user."""
    shown, user = protocol.read_shown(), _get_user(key)
    response = protocol.answer_resource(build_resource(user), user.version, shown)
    if response.status_code == 200:
        with transaction(wait_seconds=protocol.WAIT_SECONDS):
            protocol.log_read("show_user", [user.person_id], subject_id=user.person_id)
    return response


@protocol.translate_errors
def replace_user(key: str) -> Response:
    """Replace a user; what the provider leaves out stays, as it may know less than the roster."""
    shown, sent = protocol.read_shown(), _parse_user(protocol.read_body())
    with transaction(wait_seconds=protocol.WAIT_SECONDS):
        act = protocol.begin_act()
        user = _get_user_to_change(key)
        number = _text(sent[EnterpriseUser].employee_number) if sent[EnterpriseUser] else ""
        confirms = number == user.values.staff_number
        services.change_user(user, _read_values(sent, user), act, confirms_number=confirms)
        return _answer_change(key, shown, "replace_user")


@protocol.translate_errors
def patch_user(key: str) -> Response:
    """Change single attributes of a user."""
    shown = protocol.read_shown()
    operations = [_mend_operation(op) for op in protocol.read_operations(protocol.read_body())]
    model = user_model()
    message = {"schemas": [str(PatchOp.__schema__)], "Operations": operations}
    patch = PatchOp[model].model_validate(  # type: ignore[valid-type]
        message, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=POLICY
    )
    with transaction(wait_seconds=protocol.WAIT_SECONDS):
        act = protocol.begin_act()
        user = _get_user_to_change(key)
        resource = build_resource(user)
        if patch.patch(resource, scim_policy=POLICY):
            services.change_user(user, _read_resource(resource, user.values), act)
        return _answer_change(key, shown, "patch_user")


@protocol.translate_errors
def remove_user(key: str) -> Response:
    """Delete a user: a leaver whose facts stay."""
    with transaction(wait_seconds=protocol.WAIT_SECONDS):
        act = protocol.begin_act()
        services.remove_user(_get_user_to_change(key), act)
    return Response(status=204)


@protocol.translate_errors
def list_users() -> Response:
    """A page of users."""
    return _answer_search(protocol.read_search(dict(request.args)), "list_users")


@protocol.translate_errors
def search_users() -> Response:
    """A page of users, asked for in a body."""
    return _answer_search(protocol.read_search(protocol.read_body()), "search_users")


def _answer_search(search: Search, operation: str) -> Response:
    table = UserTable(clock.today())
    condition = user_condition(search.filter, table)
    total = queries.count_users(table, condition)
    return protocol.answer_people(search, total, list_page(table, condition, search), operation)


def list_page(table: UserTable, condition: Any, search: Search) -> ResourcePage:
    """The users of a page."""
    users = (
        queries.list_users(table, condition, offset=search.offset, limit=search.limit) if search.limit else []
    )
    resources = [protocol.dump(build_resource(user), search.shown) for user in users]
    return ResourcePage(resources, [user.person_id for user in users])


def _answer_change(key: str, shown: Any, operation: str, *, status: int = 200) -> Response:
    """One user as the caller's change leaves it, recorded with the change: it may have asked for nothing."""
    user = _get_user(key)
    protocol.log_read(operation, [user.person_id], subject_id=user.person_id)
    return protocol.answer_resource(build_resource(user), user.version, shown, status=status)


def _get_user(key: str) -> UserRecord:
    return queries.get_user(queries.parse_user_id(key), clock.today())


def _get_user_to_change(key: str) -> UserRecord:
    user = _get_user(key)
    protocol.refuse_other_version(user.version)
    return user


def build_resource(user: UserRecord) -> Any:
    """A user as the SCIM library has it."""
    values, model = user.values, user_model()
    resource = model(
        id=user.id,
        external_id=values.external_id,
        user_name=values.user_name,
        name=Name(family_name=values.surname, given_name=values.forenames),
        title=values.rank_or_grade or None,
        user_type=values.designated_role or None,
        active=values.active,
        emails=[Email(value=values.email, type="work")] if values.email else None,
        meta=Meta(
            resource_type="User",
            created=user.created_at,
            location=protocol.address_of(ENDPOINT, user.id),
            version=f'W/"{user.version}"',
        ),
    )
    resource[EnterpriseUser] = EnterpriseUser(
        employee_number=values.staff_number,
        department=values.unit_path or None,
        manager=None if values.manager_id is None else _build_manager(queries.user_id(values.manager_id)),
    )
    return resource


def _build_manager(key: str) -> Manager:
    return Manager.model_validate({"value": key, "$ref": protocol.address_of(ENDPOINT, key)})


def _parse_user(body: dict[str, Any]) -> Any:
    """The user of a body, its manager as an object also where a provider sends a text."""
    mended = dict(body)
    for key, value in body.items():
        if key.lower() == _MANAGER.rpartition(":")[0] and isinstance(value, dict):
            mended[key] = {
                name: _mend_manager(item) if name.lower() == "manager" else item
                for name, item in value.items()
            }
    return user_model().model_validate(mended, scim_ctx=Context.DEFAULT, scim_policy=POLICY)


def _mend_manager(value: Any) -> Any:
    """A manager as an object; Entra sends the id alone."""
    value = protocol.unwrap_value(value)
    return {"value": value} if isinstance(value, str) else value


def _mend_operation(operation: dict[str, Any]) -> dict[str, Any]:
    """An operation without the deviations that the SCIM library does not know.

    A manager as a text; a single value in a list; a value of the extension, or its manager, in the value of
    an operation without a path.
    """
    mended = {
        key.lower(): value for key, value in operation.items() if key.lower() in {"op", "path", "value"}
    }
    path, value = str(mended.get("path") or ""), mended.get("value")
    if not path and isinstance(value, dict):
        mended["value"] = {name: _mend_value(name, item) for name, item in value.items()}
    elif "value" in mended:
        mended["value"] = _mend_value(path, value)
    return mended


def _mend_value(path: str, value: Any) -> Any:
    name = path.lower()
    if name in {_MANAGER, "manager"}:
        return _mend_manager(value)
    if name == _MANAGER.rpartition(":")[0] and isinstance(value, dict):
        return {key: _mend_value(key, item) for key, item in value.items()}
    return value if name in {"emails", "schemas"} else protocol.unwrap_value(value)


def _read_values(sent: Any, user: UserRecord | None) -> UserValues:
    """What a provider sent as a whole; what it left out is as it was, or empty for a new user."""
    values = user.values if user else None
    resource = build_resource(user) if user else user_model()(active=True)
    sent_extension = sent[EnterpriseUser] or EnterpriseUser()
    if resource[EnterpriseUser] is None:
        resource[EnterpriseUser] = EnterpriseUser()
    for target, source in ((resource, sent), (resource[EnterpriseUser], sent_extension)):
        for field in source.model_fields_set - {"id", "meta", "schemas", "EnterpriseUser"}:
            if getattr(source, field) is not None or field in {"external_id", "emails", "manager"}:
                setattr(target, field, getattr(source, field))
    return _read_resource(resource, values)


def _read_resource(resource: Any, before: UserValues | None) -> UserValues:
    """What a resource says of a person, in the roster's words."""
    extension = resource[EnterpriseUser] or EnterpriseUser()
    name = resource.name or Name()
    if not _text(resource.user_name):
        raise BadInputError(["userName is empty."])
    return UserValues(
        user_name=_text(resource.user_name),
        external_id=_text(resource.external_id) or None,
        staff_number=fold_staff_number(_text(extension.employee_number)),
        surname=_text(name.family_name),
        forenames=_text(name.given_name),
        email=_choose_email(resource.emails or []),
        rank_or_grade=_text(resource.title),
        designated_role=_text(resource.user_type),
        unit_path=_text(extension.department),
        manager_id=_find_manager(extension.manager, before),
        active=resource.active is not False,
    )


def _text(value: str | None) -> str:
    return (value or "").strip()


def _choose_email(emails: list[Email]) -> str | None:
    """The address of type work, or the first."""
    addresses = [email for email in emails if _text(email.value)]
    addresses.sort(key=lambda email: _text(email.type).lower() != "work")
    return _text(addresses[0].value).lower() if addresses else None


def _find_manager(manager: Manager | None, before: UserValues | None) -> int | None:
    """The line manager, whom a provider names by id or staff number."""
    key = _text(manager.value) if manager else ""
    if not key:
        return None
    if before is not None and before.manager_id is not None and key == queries.user_id(before.manager_id):
        return before.manager_id
    person_id = queries.find_person(key)
    if person_id is None:
        raise BadInputError([f"manager: nobody in the portal has the id or staff number {key!r}."])
    return person_id


# What a provider can find out about the portal, and the search over users and groups together.


def show_config() -> Response:
    """What the portal supports of the standard."""
    return protocol.answer(_dump(provider().config, "ServiceProviderConfig", ""))


def list_schemas() -> Response:
    """The attributes of users and groups."""
    return _answer_all([_dump(schema, "Schemas", str(schema.id)) for schema in provider().schemas])


def show_schema(key: str) -> Response:
    """One schema."""
    return _answer_one({str(schema.id).lower(): schema for schema in provider().schemas}, "Schemas", key)


def list_resource_types() -> Response:
    """Users and groups."""
    return _answer_all([_dump(each, "ResourceTypes", str(each.id)) for each in provider().resource_types])


def show_resource_type(key: str) -> Response:
    """One of them."""
    return _answer_one(
        {str(each.id).lower(): each for each in provider().resource_types}, "ResourceTypes", key
    )


@protocol.translate_errors
def search_all() -> Response:
    """A page of users and then groups."""
    search = protocol.read_search(protocol.read_body())
    table = UserTable(clock.today())
    users = user_condition(search.filter, table, with_groups=True)
    groups = group_condition(search.filter, with_users=table)
    user_count, group_count = queries.count_users(table, users), queries.count_groups(groups)
    first = list_page(table, users, search) if search.offset < user_count else ResourcePage([])
    room = search.limit - len(first.resources)
    rest = group_answers.list_page(
        groups, replace(search, offset=max(0, search.offset - user_count), limit=room)
    )
    page = ResourcePage(first.resources + rest.resources, {*first.people, *rest.people})
    return protocol.answer_people(search, user_count + group_count, page, "search_all")


def _answer_one(resources: dict[str, Any], endpoint: str, key: str) -> Response:
    resource = require(resources.get(key.lower()), f"There is no such resource below {endpoint}.")
    return protocol.answer(_dump(resource, endpoint, str(resource.id)))


def _answer_all(resources: list[dict[str, Any]]) -> Response:
    return protocol.answer_list(protocol.read_search({}), len(resources), resources)


def _dump(resource: Any, endpoint: str, key: str) -> dict[str, Any]:
    location = protocol.address_of(endpoint, key).rstrip("/")
    meta = Meta(resource_type=type(resource).__name__, location=location)
    document: dict[str, Any] = resource.model_copy(update={"meta": meta}).model_dump(
        scim_ctx=Context.RESOURCE_QUERY_RESPONSE
    )
    return document
