"""What users and groups share of the protocol: bodies, filters, pages, versions and answers."""

import json
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache, wraps
from typing import Annotated, Any, ParamSpec

from flask import Response, current_app, make_response, request
from pydantic import Field, ValidationError
from scim2_models import (
    URN,
    AnyExtension,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    Context,
    Error,
    ETag,
    Extension,
    Filter,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ResponseParameters,
    SCIMException,
    ScimPolicy,
    ScimProvider,
    SearchRequest,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)
from scim2_models.path import FilterNode

from portal.features.scim.errors import MEDIA_TYPE, ScimError, VersionError
from portal.features.scim.services import ProviderChange
from portal.pages.layout.bearer import current_token, log_token_read
from portal.pages.layout.query_arguments import NO_TEXT
from portal.platform import clock
from portal.platform.db import stamp, transaction

# The resources that the portal stores, as the SCIM library describes them, and what is said of them.
#
# Only stored attributes are declared, so ``/Schemas`` promises nothing else; other attributes that a
# provider sends are dropped. Imported by the first request alone: it loads the SCIM library and pydantic.

MOST_RESULTS = 200  # of one page
# Of providers' known deviations: attributes that are not stored, ``remove`` with a value (Entra), and
# a path such as ``emails[type eq "work"].value`` where there is no address yet (Entra).
POLICY = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)


class Name(ComplexAttribute):
    """A person's names."""

    family_name: Annotated[str | None, Required.true] = None
    """The surname."""

    given_name: Annotated[str | None, Required.true] = None
    """The forenames."""


class Email(ComplexAttribute):
    """The one address of a person."""

    value: str | None = None
    """The address."""

    type: str | None = Field(None, examples=["work"])
    """Always work."""


class Manager(ComplexAttribute):
    """A line manager."""

    value: Annotated[str | None, CaseExact.true] = None
    """The id of their user; a staff number is understood too."""

    ref: Annotated[Reference["User"] | None, CaseExact.true] = Field(  # type: ignore[type-arg]
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of their user."""


class EnterpriseUser(Extension):
    """What a user has as a member of the force."""

    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    employee_number: Annotated[str | None, Required.true, Uniqueness.server] = None
    """The staff number, by which a person is found and which the roster has too."""

    department: Annotated[str | None, Required.true] = None
    """The path of the unit, from the force down: Westshire Police/Crime/Team A."""

    manager: Manager | None = None
    """The line manager."""


class User(Resource[AnyExtension]):
    """A person of the roster."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Required.true, Uniqueness.server] = None
    """The name at the provider; a sign-in with OpenID Connect can match it."""

    name: Annotated[Name | None, Required.true] = None
    """The person's names."""

    title: Annotated[str | None, Required.true] = None
    """The rank or grade."""

    user_type: Annotated[str | None, Required.true] = None
    """The designated role, by which directives choose people."""

    active: Annotated[bool | None, Required.true] = None
    """Whether the person has a post today."""

    emails: list[Email] | None = None
    """The address: the one of type work, or the first."""


class GroupMember(ComplexAttribute):
    """A member of a group."""

    value: Annotated[str | None, CaseExact.true] = None
    """The id of their user."""

    ref: Annotated[Reference["User"] | None, CaseExact.true] = Field(  # type: ignore[type-arg]
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The address of their user."""

    type: str | None = Field(None, examples=["User"])
    """Always User."""


class Group(Resource[Any]):
    """A group of the provider, which may give a role in the portal."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true, Uniqueness.server] = None
    """The group's name."""

    members: list[GroupMember] | None = None
    """Who is in it."""


@lru_cache(maxsize=1)
def provider() -> ScimProvider:
    """What the portal serves, as discovery describes it."""
    full_user = user_model()
    config = ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MOST_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=False),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Access token",
                description="An access token of the scope scim, made by an administrator of the portal.",
                primary=True,
            )
        ],
    )
    types = [ResourceType.from_resource(full_user), ResourceType.from_resource(Group)]
    return ScimProvider([User, EnterpriseUser, Group], types, config, POLICY)


@lru_cache(maxsize=1)
def user_model() -> Any:
    """Users with the extension, which every user has."""
    return User[Annotated[EnterpriseUser, Required.true]]


P = ParamSpec("P")
ACCEPTED_TYPES = frozenset({MEDIA_TYPE, "application/json"})
USUAL_RESULTS = 100
LONGEST_FILTER = 2_000  # characters; the library also refuses more than 32 levels
LAST_INDEX = 10**9
MOST_OPERATIONS = 1_000
WAIT_SECONDS = 5  # for another transaction; then the provider is told to come back
_SURROGATE = re.compile("[\ud800-\udfff]")


def translate_errors(view: Callable[P, Response]) -> Callable[P, Response]:
    """Raise what the SCIM library refuses as an error of the portal, with its status and keyword."""

    @wraps(view)
    def translated(*args: P.args, **kwargs: P.kwargs) -> Response:
        try:
            return view(*args, **kwargs)
        except ValidationError as error:
            first = Error.from_validation_errors(error)[0]
            raise ScimError(first.status or 400, first.scim_type or "", first.detail or "") from error
        except SCIMException as error:
            raise ScimError(error.status, error.scim_type, str(error)) from error

    return translated


def begin_act() -> ProviderChange:
    """The act of this request, in its transaction: takes the stamp, before anything is read."""
    at = clock.now()
    return ProviderChange(stamp(), at, current_token().name)


def read_body() -> dict[str, Any]:
    """The JSON object of the request.

    Raises:
        ScimError: It is no JSON object, or has a character that no text has.
    """
    if request.mimetype not in ACCEPTED_TYPES:
        raise ScimError(415, "", f"Send {MEDIA_TYPE}.")
    try:
        body = json.loads(request.get_data(), parse_constant=_refuse_constant)
        text = json.dumps(body, ensure_ascii=False)
    except (ValueError, RecursionError) as error:
        raise ScimError(400, "invalidSyntax", "The body is not JSON that can be read.") from error
    if NO_TEXT.search(text) or _SURROGATE.search(text) or "\\u00" in text:
        raise ScimError(400, "invalidValue", "The body has a control character in it.")
    if not isinstance(body, dict):
        raise ScimError(400, "invalidSyntax", "The body is not a JSON object.")
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def read_operations(body: dict[str, Any]) -> list[Any]:
    """The operations of a PATCH, as they were sent.

    Raises:
        ScimError: There are none, or too many.
    """
    operations = next((value for key, value in body.items() if key.lower() == "operations"), None)
    if not isinstance(operations, list) or not operations:
        raise ScimError(400, "invalidSyntax", "A PATCH has a list of Operations.")
    if len(operations) > MOST_OPERATIONS:
        raise ScimError(413, "", f"A PATCH has at most {MOST_OPERATIONS:,} operations.")
    if not all(isinstance(operation, dict) for operation in operations):
        raise ScimError(400, "invalidSyntax", "Each of the Operations is an object.")
    return operations


def unwrap_value(value: Any) -> Any:
    """The text of ``[{"value": "text"}]``, as old versions of Entra send single values."""
    is_wrapped = isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict)
    return value[0]["value"] if is_wrapped and "value" in value[0] else value


@dataclass(frozen=True, slots=True)
class Search:
    """What a list or a search asks for."""

    filter: FilterNode | None
    offset: int
    limit: int
    shown: ResponseParameters[Any]

    def shows(self, attribute: str) -> bool:
        """Whether the answer has this attribute of a resource."""
        return shows_attribute(self.shown, attribute)


def read_search(source: dict[str, Any]) -> Search:
    """The search of an address or of the body of ``/.search``.

    Raises:
        ScimError: The filter is too long.
    """
    names = ("filter", "startIndex", "count", "attributes", "excludedAttributes")
    by_name = {name.lower(): name for name in names}
    fields = {by_name[key.lower()]: value for key, value in source.items() if key.lower() in by_name}
    if len(str(fields.get("filter", ""))) > LONGEST_FILTER:
        raise ScimError(400, "invalidFilter", f"A filter has at most {LONGEST_FILTER:,} characters.")
    asked: SearchRequest[Any] = SearchRequest.model_validate(fields, scim_policy=POLICY)
    count = USUAL_RESULTS if asked.count is None else min(asked.count, MOST_RESULTS)
    offset = min((asked.start_index or 1) - 1, LAST_INDEX)
    return Search(asked.filter.ast if asked.filter else None, offset, count, asked)


def read_shown() -> ResponseParameters[Any]:
    """Which attributes the address asks for."""
    fields = {
        name: request.args[name] for name in ("attributes", "excludedAttributes") if name in request.args
    }
    shown: ResponseParameters[Any] = ResponseParameters.model_validate(fields, scim_policy=POLICY)
    return shown


def shows_attribute(shown: ResponseParameters[Any], attribute: str) -> bool:
    """Whether these parameters leave the attribute in the answer."""

    def names(paths: Any) -> set[str]:
        return {str(path).rpartition(":")[2].partition(".")[0].lower() for path in paths}

    if shown.attributes:
        return attribute.lower() in names(shown.attributes)
    whole = {str(path).rpartition(":")[2].lower() for path in shown.excluded_attributes or ()}
    return attribute.lower() not in whole


def refuse_other_version(version: str) -> None:
    """Refuse a change of a version that the provider does not know.

    Raises:
        VersionError: ``If-Match`` names other versions.
    """
    if "If-Match" in request.headers and not request.if_match.contains_weak(version):
        raise VersionError


def address_of(endpoint: str, key: str) -> str:
    """The address of a resource, the same from whatever machine it is read."""
    return f"{current_app.config['PORTAL'].address}/scim/v2/{endpoint}/{key}"


def answer_resource(
    resource: Resource[Any], version: str, shown: ResponseParameters[Any], *, status: int = 200
) -> Response:
    """One resource; 304 if the reader has this version."""
    if request.method == "GET" and request.if_none_match.contains_weak(version):
        response = make_response("", 304)
    else:
        response = answer(dump(resource, shown), status)
    response.set_etag(version, weak=True)
    if status == 201 and resource.meta is not None:
        response.headers["Location"] = str(resource.meta.location)
    return response


def dump(resource: Resource[Any], shown: ResponseParameters[Any]) -> dict[str, Any]:
    """A resource as it is answered."""
    return resource.model_dump(
        scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=shown, scim_policy=POLICY
    )


@dataclass(frozen=True, slots=True)
class ResourcePage:
    """Resources of one page of a list as they are answered, and whose data they hold."""

    resources: list[dict[str, Any]]
    people: Collection[int] = ()


def answer_people(search: Search, total: int, page: ResourcePage, operation: str) -> Response:
    """One page of a list of users or groups, recorded before it is sent. Edge: it commits."""
    response = answer_list(search, total, page.resources)
    with transaction(wait_seconds=WAIT_SECONDS):
        log_read(operation, page.people, rows=len(page.resources))
    return response


def log_read(
    operation: str, people: Collection[int], *, rows: int = 1, subject_id: int | None = None
) -> None:
    """Add to the caller's transaction whose data the answer holds, however many they are.

    Args:
        operation: What was asked for.
        people: Everybody who is in the answer, also as a member of a group.
        rows: How many resources it has.
        subject_id: The one person it is about.
    """
    log_token_read(people, subject_id=subject_id, operation=operation, rows=rows)


def answer_list(search: Search, total: int, resources: list[dict[str, Any]]) -> Response:
    """One page of a list."""
    return answer(
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": total,
            "startIndex": search.offset + 1,
            "itemsPerPage": len(resources),
            "Resources": resources,
        }
    )


def answer(document: dict[str, Any], status: int = 200) -> Response:
    """A document in the media type of the standard."""
    return Response(json.dumps(document), status, mimetype=MEDIA_TYPE)
