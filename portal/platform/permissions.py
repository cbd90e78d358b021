"""Permission names, and which role carries which.

A permission says what may be done; whose data it may be done to is decided by
``visible_people`` of ``portal/domain/people/visibility.py``.
"""

from enum import StrEnum
from functools import cache

from portal.feature import list_features


class Role(StrEnum):
    """The roles that can be granted; a person with a post is a learner without any."""

    MANAGER = "manager"
    DIRECTIVE_OWNER = "directive-owner"
    AUTHOR = "author"
    PUBLISHER = "publisher"
    FACILITATOR = "facilitator"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


SIGHT_ROLES = frozenset({Role.MANAGER, Role.DIRECTIVE_OWNER, Role.AUDITOR, Role.ADMINISTRATOR})
UNIT_ROLES = SIGHT_ROLES  # the work of the others ends at no unit: granted on one, they would give nothing


class _Core:
    """A permission of the core, made once."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __set_name__(self, owner: type["Permission"], _attribute: str) -> None:
        self._permission = owner(self._name)

    def __get__(self, _instance: object, _owner: object = None) -> "Permission":
        return self._permission


class Permission(str):
    """What a signed-in person may do: here the core's, and one of a feature in its manifest."""

    __slots__ = ()

    LEARN = _Core("learning:module:take")
    ATTEMPT_TAKE = _Core("assessment:attempt:take")
    ATTEMPT_OPEN = _Core("assessment:attempt:open")  # to whom one sees
    ATTEMPT_OPEN_UNSEEN = _Core(
        "assessment:attempt:open-unseen"
    )  # by staff number, learning nothing of the person
    RECORD_VIEW = _Core("records:record:view")
    ACCOUNT_OWN = _Core("accounts:own:manage")
    COMPLETION_VIEW = _Core("monitoring:completion:view")
    COMPLETION_EXPORT = _Core("monitoring:completion:export")
    PERSON_VIEW = _Core("people:person:view")
    ACCOUNT_ADMINISTER = _Core("accounts:account:administer")
    TOKEN_ADMINISTER = _Core("access-tokens:token:administer")
    DIRECTIVE_VIEW = _Core("directives:directive:view")
    DIRECTIVE_ISSUE = _Core("directives:directive:issue")
    DECISION_ASK = _Core("decisions:decision:ask")
    DECISION_MAKE = _Core("decisions:decision:make")
    ROSTER_IMPORT = _Core("imports:roster:apply")
    RECORD_IMPORT = _Core("imports:record:apply")
    UNIT_CHANGE = _Core("people:unit:change")
    AUDIT_VIEW = _Core("audit:event:view")  # acts by and on people whom one sees
    JOB_VIEW = _Core("jobs:job:view")
    REMINDER_NUDGE = _Core("reminders:person:nudge")
    REMINDER_VIEW = _Core("reminders:outbox:view")
    REMINDER_RULE = _Core("reminders:rule:set")
    AUTHORING_VIEW = _Core("authoring:draft:view")
    DRAFT_EDIT = _Core("authoring:draft:edit")
    FORCE_SET = _Core("catalogue:force:set")
    VERSION_PUBLISH = _Core("authoring:version:publish")
    RETENTION_VIEW = _Core("retention:disposal:view")
    RETENTION_MANAGE = _Core("retention:disposal:manage")  # ask, approve, hold, answer requests about data


LEARNER = frozenset(
    {Permission.LEARN, Permission.ATTEMPT_TAKE, Permission.RECORD_VIEW, Permission.ACCOUNT_OWN}
)
_SIGHT = frozenset(
    {
        Permission.COMPLETION_VIEW,
        Permission.COMPLETION_EXPORT,
        Permission.PERSON_VIEW,
        Permission.DIRECTIVE_VIEW,
        Permission.RECORD_VIEW,
    }
)

_CORE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.MANAGER: _SIGHT
    | {
        Permission.ATTEMPT_OPEN,
        Permission.DECISION_ASK,
        Permission.REMINDER_NUDGE,
    },
    Role.DIRECTIVE_OWNER: _SIGHT
    | {
        Permission.DIRECTIVE_ISSUE,
        Permission.DECISION_ASK,
        Permission.DECISION_MAKE,
        Permission.RECORD_IMPORT,
        Permission.REMINDER_NUDGE,
        Permission.REMINDER_VIEW,
        Permission.REMINDER_RULE,
    },
    Role.AUTHOR: frozenset(
        {
            Permission.AUTHORING_VIEW,
            Permission.DRAFT_EDIT,
            Permission.FORCE_SET,
            Permission.ATTEMPT_OPEN,
            Permission.ATTEMPT_OPEN_UNSEEN,
        }
    ),
    Role.PUBLISHER: frozenset({Permission.AUTHORING_VIEW, Permission.VERSION_PUBLISH}),
    Role.FACILITATOR: frozenset(),
    Role.AUDITOR: _SIGHT
    | {
        Permission.AUDIT_VIEW,
        Permission.RETENTION_VIEW,
    },
    Role.ADMINISTRATOR: _SIGHT
    | {
        Permission.ACCOUNT_ADMINISTER,
        Permission.TOKEN_ADMINISTER,
        Permission.AUDIT_VIEW,
        Permission.FORCE_SET,
        Permission.ROSTER_IMPORT,
        Permission.RECORD_IMPORT,
        Permission.UNIT_CHANGE,
        Permission.JOB_VIEW,
        Permission.REMINDER_VIEW,
        Permission.RETENTION_VIEW,
        Permission.RETENTION_MANAGE,
    },
}


# What an access token of another system gives; whose data, its unit says.
TOKEN_READS = _SIGHT
TOKEN_WRITES = _SIGHT | {Permission.RECORD_IMPORT, Permission.ROSTER_IMPORT, Permission.DECISION_MAKE}


@cache
def permissions_by_role() -> dict[Role, frozenset[Permission]]:
    """What each role carries, of the core and of every feature, on or off."""
    given = {role: set(permissions) for role, permissions in _CORE_PERMISSIONS.items()}
    for feature in list_features():
        for name, grant in feature.permissions.items():
            for role in grant.roles:
                given[Role(role)].add(Permission(name))
    return {role: frozenset(permissions) for role, permissions in given.items()}


@cache
def roles_with(permission: Permission) -> frozenset[Role]:
    """The roles that carry a permission."""
    return frozenset(role for role, given in permissions_by_role().items() if permission in given)


def concern_others(permissions: frozenset[Permission]) -> bool:
    """Whether these permissions let somebody see or change what is not their own: all but a learner's do."""
    return bool(permissions - LEARNER)


# What every page shows, and what is kept of everybody: a role for a unit does not give it.
_CORE_WHOLE_FORCE = frozenset(
    {
        Permission.FORCE_SET,
        Permission.RETENTION_VIEW,
        Permission.RETENTION_MANAGE,
    }
)


@cache
def list_permissions() -> frozenset[Permission]:
    """Every permission, of the core and of every feature."""
    core = (each for each in vars(Permission).values() if isinstance(each, _Core))
    named = {core_permission.__get__(None) for core_permission in core}
    return frozenset(named).union(Permission(name) for each in list_features() for name in each.permissions)


@cache
def whole_force_permissions() -> frozenset[Permission]:
    """What a role for a unit does not give, of the core and of every feature."""
    grants = [grant for feature in list_features() for grant in feature.permissions.items()]
    return _CORE_WHOLE_FORCE.union(Permission(name) for name, grant in grants if grant.whole_force)


@cache
def permissions_of(
    everywhere: frozenset[Role], on_units: frozenset[Role] = frozenset(), *, has_post: bool
) -> frozenset[Permission]:
    """All that the roles give, and a learner's own where the person has a post.

    Args:
        everywhere: Roles that are granted without a unit.
        on_units: Roles that are granted for units.
        has_post: Whether the person has a post today.
    """
    given: frozenset[Permission] = LEARNER if has_post else frozenset({Permission.ACCOUNT_OWN})
    by_role = permissions_by_role()
    there = frozenset[Permission]().union(*(by_role[role] for role in on_units & UNIT_ROLES))
    return given.union(there - whole_force_permissions(), *(by_role[role] for role in everywhere))
