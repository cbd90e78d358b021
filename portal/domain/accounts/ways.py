"""Who can sign in how: the conditions that the list of accounts, invitations and mails with a link share.

Each is a WHERE clause about a person, by a column or a number. Whether somebody is let in is decided at the
sign-in itself; ``tests/domain/accounts/sign_in/test_ways.py`` keeps the two together.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, false, not_, or_, true
from sqlalchemy.orm import aliased

from config import current_settings
from portal.domain.accounts.models import Credential, Factor, ProviderIdentity
from portal.domain.people.models import RoleGrant
from portal.domain.people.visibility import is_granted_to, is_line_manager
from portal.platform.permissions import (
    UNIT_ROLES,
    Permission,
    concern_others,
    permissions_by_role,
    roles_with,
)


@dataclass(frozen=True, slots=True)
class SignInRules:
    """What decides, beside a person's credentials, how people may sign in."""

    issuer: str  # of the force's provider; empty where there is none
    passwords_for_everyone: bool  # otherwise for administrators alone, as passkeys are
    factor_required: bool  # of whoever sees or changes other people's data
    line_managers_see: bool  # the roster alone shows them their direct reports
    day: date  # today


def current_rules(day: date) -> SignInRules:
    """The rules that this portal's settings make, for a day's roles."""
    settings = current_settings()
    return SignInRules(
        settings.provider_issuer,
        settings.passwords_for_everyone,
        settings.second_factor_required,
        settings.line_managers_see,
        day,
    )


def is_closed(person_id: Any) -> ColumnElement[bool]:
    """The person's account is closed."""
    own = aliased(Credential)
    return exists().where(own.person_id == person_id, own.closed_at.is_not(None))


def has_password(person_id: Any) -> ColumnElement[bool]:
    """The person has set a password."""
    own = aliased(Credential)
    return exists().where(own.person_id == person_id, own.password_hash.is_not(None))


def has_factor(person_id: Any) -> ColumnElement[bool]:
    """The person has added a second factor."""
    own = aliased(Factor)
    return exists().where(own.person_id == person_id)


def has_passkey(person_id: Any) -> ColumnElement[bool]:
    """The person has added a passkey, which is both factors."""
    own = aliased(Factor)
    return exists().where(own.person_id == person_id, own.credential_id.is_not(None))


def may_use_password(person_id: Any, rules: SignInRules) -> ColumnElement[bool]:
    """A password or passkey of the person counts here: always, or for administrators beside a provider."""
    if rules.passwords_for_everyone:
        return true()
    administers = RoleGrant.role.in_(sorted(roles_with(Permission.ACCOUNT_ADMINISTER)))
    return exists().where(is_granted_to(person_id, rules.day), administers)


def lacks_factor(person_id: Any, rules: SignInRules) -> ColumnElement[bool]:
    """The person's role needs a second factor, and they have none, so that a password alone opens nothing."""
    if not rules.factor_required:
        return false()
    sensitive = sorted(role for role, given in permissions_by_role().items() if concern_others(given))
    counts = or_(RoleGrant.unit_id.is_(None), RoleGrant.role.in_(sorted(UNIT_ROLES)))
    has_role = exists().where(is_granted_to(person_id, rules.day), RoleGrant.role.in_(sensitive), counts)
    needs_one = or_(has_role, is_line_manager(person_id, rules.day)) if rules.line_managers_see else has_role
    return and_(needs_one, not_(has_factor(person_id)))


def can_use_password(person_id: Any, rules: SignInRules) -> ColumnElement[bool]:
    """The person can sign in with a password, and with a code where one is needed."""
    return and_(
        has_password(person_id), may_use_password(person_id, rules), not_(lacks_factor(person_id, rules))
    )


def can_use_passkey(person_id: Any, rules: SignInRules) -> ColumnElement[bool]:
    """The person can sign in with a passkey."""
    return and_(has_passkey(person_id), may_use_password(person_id, rules))


def can_use_provider(person_id: Any, rules: SignInRules) -> ColumnElement[bool]:
    """An identity at the force's provider signs the person in."""
    if not rules.issuer:
        return false()
    own = aliased(ProviderIdentity)
    return exists().where(own.person_id == person_id, own.issuer == rules.issuer)


def can_sign_in(person_id: Any, rules: SignInRules) -> ColumnElement[bool]:
    """The person can sign in in some way, unless the account is closed or they have no post."""
    ways = (can_use_provider, can_use_passkey, can_use_password)
    return or_(*(condition(person_id, rules) for condition in ways))
