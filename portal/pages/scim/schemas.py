"""The resources that the portal stores, as the SCIM library describes them, and what is said of them.

Only stored attributes are declared, so ``/Schemas`` promises nothing else; other attributes that a
provider sends are dropped. Imported by the first request alone: it loads the SCIM library and pydantic.
"""

from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field
from scim2_models import (
    URN,
    AnyExtension,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    Extension,
    Filter,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

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
