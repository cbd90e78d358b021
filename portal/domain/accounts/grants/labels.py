"""Roles, and where they hold, as pages say them."""

from portal.platform.permissions import UNIT_ROLES, Role


def role_words(role: Role) -> str:
    """A role as pages say it.

    >>> role_words(Role.DIRECTIVE_OWNER)
    'Directive owner'
    """
    return role.replace("-", " ").capitalize()


def where_words(role: Role, path: str) -> str:
    """Where a role holds that was granted on the unit of this path, or, where it is empty, on none.

    >>> where_words(Role.MANAGER, ""), where_words(Role.AUDITOR, "")
    ('Direct reports', 'Whole force')
    >>> where_words(Role.AUTHOR, "Westshire/North")
    'Westshire/North (no effect on a unit)'
    """
    if path and role not in UNIT_ROLES:
        return f"{path} (no effect on a unit)"
    return path or ("Direct reports" if role is Role.MANAGER else "Whole force")
