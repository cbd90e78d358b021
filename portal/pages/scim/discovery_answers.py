"""What a provider can find out about the portal, and the search over users and groups together."""

from dataclasses import replace
from typing import Any

from flask import Response
from scim2_models import Context, Meta

from portal.domain.scim import group_queries, queries
from portal.domain.scim.filters import group_condition, user_condition
from portal.domain.scim.queries import UserTable
from portal.pages.scim import group_answers, protocol, user_answers
from portal.pages.scim.protocol import ResourcePage
from portal.pages.scim.schemas import provider
from portal.platform import clock
from portal.platform.errors import NotFoundError


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
    user_count, group_count = queries.count_users(table, users), group_queries.count_groups(groups)
    first = user_answers.list_page(table, users, search) if search.offset < user_count else ResourcePage([])
    room = search.limit - len(first.resources)
    rest = group_answers.list_page(
        groups, replace(search, offset=max(0, search.offset - user_count), limit=room)
    )
    page = ResourcePage(first.resources + rest.resources, {*first.people, *rest.people})
    return protocol.answer_people(search, user_count + group_count, page, "search_all")


def _answer_one(resources: dict[str, Any], endpoint: str, key: str) -> Response:
    resource = resources.get(key.lower())
    if resource is None:
        raise NotFoundError(f"There is no such resource below {endpoint}.")
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
