"""A change of what someone may do: it is recorded, and a new sign-in is needed."""

from datetime import datetime

from portal.accounts import services
from portal.people import services as people
from portal.permissions import Role

ROLE_CHANGED = "role_changed"


def grant(person_id: int, role: Role, *, unit_id: int | None, by: int | None, at: datetime) -> bool:
    """Grant a role and end the person's sessions; a grant already held changes nothing.

    Returns:
        Whether a grant was made.
    """
    made = people.grant(person_id, role, unit_id=unit_id, by=by, at=at)
    if made:
        services.close_sessions(person_id, ROLE_CHANGED, at)
    return made


def revoke(person_id: int, role: Role, *, unit_id: int | None, by: int | None, at: datetime) -> bool:
    """End the live grants of a role on exactly this unit, and the person's sessions with them.

    Returns:
        Whether a grant was ended.

    Raises:
        RuleError: The role is held, but on other units; nothing was ended.
    """
    ended = people.revoke(person_id, role, unit_id=unit_id, by=by, at=at)
    if ended:
        services.close_sessions(person_id, ROLE_CHANGED, at)
    return ended
