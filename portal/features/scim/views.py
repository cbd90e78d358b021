"""The addresses of SCIM 2.0 (RFC 7644), for an access token of the scope scim alone.

The answers are in the files beside this one. They load the SCIM library and pydantic, which only the first
request of a provider does: a portal without one does without 10 MiB.
"""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.domain.access_tokens import TokenScope
from portal.pages.layout.access import limiter
from portal.pages.layout.bearer import accepts_token, current_token

bp = Blueprint("scim", __name__, url_prefix="/scim/v2")

# Three times what a provider sends in a hurry; more than that waits, so that people are served too.
MOST_REQUESTS = 3_000  # of one token, a minute and process
requests_limit = limiter.shared_limit(
    lambda: f"{MOST_REQUESTS} per minute", scope="scim", key_func=lambda: current_token().reference
)


@bp.get("/ServiceProviderConfig")
@accepts_token(TokenScope.SCIM)
@requests_limit
def show_config() -> ResponseReturnValue:
    """What the portal supports of the standard."""
    from portal.features.scim import user_answers as discovery_answers

    return discovery_answers.show_config()


@bp.get("/Schemas")
@accepts_token(TokenScope.SCIM)
@requests_limit
def list_schemas() -> ResponseReturnValue:
    """The attributes of users and groups."""
    from portal.features.scim import user_answers as discovery_answers

    return discovery_answers.list_schemas()


@bp.get("/Schemas/<path:key>")
@accepts_token(TokenScope.SCIM)
@requests_limit
def show_schema(key: str) -> ResponseReturnValue:
    """One schema."""
    from portal.features.scim import user_answers as discovery_answers

    return discovery_answers.show_schema(key)


@bp.get("/ResourceTypes")
@accepts_token(TokenScope.SCIM)
@requests_limit
def list_resource_types() -> ResponseReturnValue:
    """Users and groups."""
    from portal.features.scim import user_answers as discovery_answers

    return discovery_answers.list_resource_types()


@bp.get("/ResourceTypes/<key>")
@accepts_token(TokenScope.SCIM)
@requests_limit
def show_resource_type(key: str) -> ResponseReturnValue:
    """One type of resource."""
    from portal.features.scim import user_answers as discovery_answers

    return discovery_answers.show_resource_type(key)


@bp.post("/.search")
@accepts_token(TokenScope.SCIM)
@requests_limit
def search_all() -> ResponseReturnValue:
    """A page of users and groups."""
    from portal.features.scim import user_answers as discovery_answers

    return discovery_answers.search_all()


@bp.get("/Users")
@accepts_token(TokenScope.SCIM)
@requests_limit
def list_users() -> ResponseReturnValue:
    """A page of users."""
    from portal.features.scim import user_answers

    return user_answers.list_users()


@bp.post("/Users")
@accepts_token(TokenScope.SCIM)
@requests_limit
def create_user() -> ResponseReturnValue:
    """Add a user."""
    from portal.features.scim import user_answers

    return user_answers.create_user()


@bp.post("/Users/.search")
@accepts_token(TokenScope.SCIM)
@requests_limit
def search_users() -> ResponseReturnValue:
    """A page of users, asked for in a body."""
    from portal.features.scim import user_answers

    return user_answers.search_users()


@bp.get("/Users/<key>")
@accepts_token(TokenScope.SCIM)
@requests_limit
def show_user(key: str) -> ResponseReturnValue:
    """One user."""
    from portal.features.scim import user_answers

    return user_answers.show_user(key)


@bp.put("/Users/<key>")
@accepts_token(TokenScope.SCIM)
@requests_limit
def replace_user(key: str) -> ResponseReturnValue:
    """Replace a user."""
    from portal.features.scim import user_answers

    return user_answers.replace_user(key)


@bp.patch("/Users/<key>")
@accepts_token(TokenScope.SCIM)
@requests_limit
def patch_user(key: str) -> ResponseReturnValue:
    """Change single attributes of a user."""
    from portal.features.scim import user_answers

    return user_answers.patch_user(key)


@bp.delete("/Users/<key>")
@accepts_token(TokenScope.SCIM)
@requests_limit
def remove_user(key: str) -> ResponseReturnValue:
    """Delete a user."""
    from portal.features.scim import user_answers

    return user_answers.remove_user(key)


@bp.get("/Groups")
@accepts_token(TokenScope.SCIM)
@requests_limit
def list_groups() -> ResponseReturnValue:
    """A page of groups."""
    from portal.features.scim import group_answers

    return group_answers.list_groups()


@bp.post("/Groups")
@accepts_token(TokenScope.SCIM)
@requests_limit
def create_group() -> ResponseReturnValue:
    """Add a group."""
    from portal.features.scim import group_answers

    return group_answers.create_group()


@bp.post("/Groups/.search")
@accepts_token(TokenScope.SCIM)
@requests_limit
def search_groups() -> ResponseReturnValue:
    """A page of groups, asked for in a body."""
    from portal.features.scim import group_answers

    return group_answers.search_groups()


@bp.get("/Groups/<key>")
@accepts_token(TokenScope.SCIM)
@requests_limit
def show_group(key: str) -> ResponseReturnValue:
    """One group."""
    from portal.features.scim import group_answers

    return group_answers.show_group(key)


@bp.put("/Groups/<key>")
@accepts_token(TokenScope.SCIM)
@requests_limit
def replace_group(key: str) -> ResponseReturnValue:
    """Replace a group."""
    from portal.features.scim import group_answers

    return group_answers.replace_group(key)


@bp.patch("/Groups/<key>")
@accepts_token(TokenScope.SCIM)
@requests_limit
def patch_group(key: str) -> ResponseReturnValue:
    """Change single attributes of a group."""
    from portal.features.scim import group_answers

    return group_answers.patch_group(key)


@bp.delete("/Groups/<key>")
@accepts_token(TokenScope.SCIM)
@requests_limit
def remove_group(key: str) -> ResponseReturnValue:
    """Delete a group."""
    from portal.features.scim import group_answers

    return group_answers.remove_group(key)
