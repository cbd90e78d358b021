"""Permission names, and which role carries which.

A permission says what may be done; whose data it may be done to is decided by
``visible_people`` of ``portal/domain/people/visibility.py``.
"""

from enum import StrEnum
from functools import cache


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


class Permission(StrEnum):
    """What a signed-in person may do."""

    LEARN = "learning:module:take"
    ATTEMPT_TAKE = "assessment:attempt:take"
    ATTEMPT_OPEN = "assessment:attempt:open"  # to whom one sees
    ATTEMPT_OPEN_UNSEEN = "assessment:attempt:open-unseen"  # by staff number, learning nothing of the person
    RECORD_VIEW = "records:record:view"
    ACCOUNT_OWN = "accounts:own:manage"
    COMPLETION_VIEW = "monitoring:completion:view"
    COMPLETION_EXPORT = "monitoring:completion:export"
    PERSON_VIEW = "people:person:view"
    ACCOUNT_ADMINISTER = "accounts:account:administer"
    TOKEN_ADMINISTER = "access-tokens:token:administer"  # noqa: S105 - a permission's name
    DIRECTIVE_VIEW = "directives:directive:view"
    DIRECTIVE_ISSUE = "directives:directive:issue"
    DECISION_ASK = "decisions:decision:ask"
    DECISION_MAKE = "decisions:decision:make"
    ROSTER_IMPORT = "imports:roster:apply"
    RECORD_IMPORT = "imports:record:apply"
    UNIT_CHANGE = "people:unit:change"
    AUDIT_VIEW = "audit:event:view"  # acts by and on people whom one sees
    JOB_VIEW = "jobs:job:view"
    REMINDER_NUDGE = "reminders:person:nudge"
    REMINDER_VIEW = "reminders:outbox:view"
    REMINDER_RULE = "reminders:rule:set"
    AUTHORING_VIEW = "authoring:draft:view"
    DRAFT_EDIT = "authoring:draft:edit"
    FORCE_SET = "catalogue:force:set"
    VERSION_PUBLISH = "authoring:version:publish"
    WEBHOOK_ADMINISTER = "webhooks:webhook:administer"
    RETENTION_VIEW = "retention:disposal:view"
    RETENTION_MANAGE = "retention:disposal:manage"  # ask, approve, hold, answer requests about data
    EVENT_VIEW = "events:event:view"  # dates, places and how many attend; visibility decides which names
    EVENT_BOOK = "events:booking:make"  # for people the holder sees
    EVENT_RUN = "events:event:run"  # plan, group, keep the register, sign off
    EXERCISE_RUN = "exercises:run:control"
    EXERCISE_READ = "exercises:version:view"  # with the notes for facilitators
    ASSURANCE_VIEW = "assurance:desk:view"
    ASSURANCE_MANAGE = "assurance:desk:manage"  # actions, evidence, judgements
    ASSURANCE_CONFIRM = "assurance:judgement:confirm"
    SAMPLE_VIEW = "dip-samples:sample:view"  # of the units that one sees
    SAMPLE_RECORD = "dip-samples:sample:record"
    RETURN_VIEW = "returns:return:view"
    RETURN_MANAGE = "returns:return:manage"  # make, load, register forces and their keys


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
_DESKS = frozenset({Permission.ASSURANCE_VIEW, Permission.SAMPLE_VIEW, Permission.RETURN_VIEW})

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.MANAGER: _SIGHT
    | {
        Permission.ATTEMPT_OPEN,
        Permission.DECISION_ASK,
        Permission.REMINDER_NUDGE,
        Permission.EVENT_VIEW,
        Permission.EVENT_BOOK,
        Permission.SAMPLE_VIEW,
        Permission.SAMPLE_RECORD,
    },
    Role.DIRECTIVE_OWNER: _SIGHT
    | _DESKS
    | {
        Permission.DIRECTIVE_ISSUE,
        Permission.DECISION_ASK,
        Permission.DECISION_MAKE,
        Permission.RECORD_IMPORT,
        Permission.REMINDER_NUDGE,
        Permission.REMINDER_VIEW,
        Permission.REMINDER_RULE,
        Permission.EVENT_VIEW,
        Permission.ASSURANCE_MANAGE,
        Permission.ASSURANCE_CONFIRM,
        Permission.RETURN_MANAGE,
    },
    Role.AUTHOR: frozenset(
        {
            Permission.AUTHORING_VIEW,
            Permission.EXERCISE_READ,
            Permission.DRAFT_EDIT,
            Permission.FORCE_SET,
            Permission.ATTEMPT_OPEN,
            Permission.ATTEMPT_OPEN_UNSEEN,
        }
    ),
    Role.PUBLISHER: frozenset(
        {Permission.AUTHORING_VIEW, Permission.EXERCISE_READ, Permission.VERSION_PUBLISH}
    ),
    Role.FACILITATOR: frozenset(
        {Permission.EVENT_VIEW, Permission.EVENT_RUN, Permission.EXERCISE_RUN, Permission.EXERCISE_READ}
    ),
    Role.AUDITOR: _SIGHT
    | _DESKS
    | {
        Permission.AUDIT_VIEW,
        Permission.RETENTION_VIEW,
        Permission.EVENT_VIEW,
        Permission.ASSURANCE_CONFIRM,
    },
    Role.ADMINISTRATOR: _SIGHT
    | _DESKS
    | {
        Permission.RETURN_MANAGE,
        Permission.ACCOUNT_ADMINISTER,
        Permission.TOKEN_ADMINISTER,
        Permission.AUDIT_VIEW,
        Permission.FORCE_SET,
        Permission.ROSTER_IMPORT,
        Permission.RECORD_IMPORT,
        Permission.UNIT_CHANGE,
        Permission.JOB_VIEW,
        Permission.REMINDER_VIEW,
        Permission.WEBHOOK_ADMINISTER,
        Permission.RETENTION_VIEW,
        Permission.RETENTION_MANAGE,
        Permission.EVENT_VIEW,
    },
}


# What an access token of another system gives; whose data, its unit says.
TOKEN_READS = _SIGHT
TOKEN_WRITES = _SIGHT | {Permission.RECORD_IMPORT, Permission.ROSTER_IMPORT, Permission.DECISION_MAKE}


@cache
def roles_with(permission: Permission) -> frozenset[Role]:
    """The roles that carry a permission."""
    return frozenset(role for role, given in ROLE_PERMISSIONS.items() if permission in given)


def concern_others(permissions: frozenset[Permission]) -> bool:
    """Whether these permissions let somebody see or change what is not their own: all but a learner's do."""
    return bool(permissions - LEARNER)


# What every page shows, what other systems are told, and what is kept of everybody: a role for a unit does
# not give it.
WHOLE_FORCE = frozenset(
    {
        Permission.FORCE_SET,
        Permission.WEBHOOK_ADMINISTER,
        Permission.RETENTION_VIEW,
        Permission.RETENTION_MANAGE,
        Permission.ASSURANCE_VIEW,
        Permission.ASSURANCE_MANAGE,
        Permission.ASSURANCE_CONFIRM,
        Permission.RETURN_VIEW,
        Permission.RETURN_MANAGE,
    }
)


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
    there = frozenset[Permission]().union(*(ROLE_PERMISSIONS[role] for role in on_units & UNIT_ROLES))
    return given.union(there - WHOLE_FORCE, *(ROLE_PERMISSIONS[role] for role in everywhere))
