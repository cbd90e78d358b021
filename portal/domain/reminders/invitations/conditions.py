"""Conditions on people, by column or number, of which invitations and resets depend."""

from typing import Any

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import aliased

from portal.domain.accounts.models import Credential, ProviderIdentity
from portal.domain.people.models import PersonName, RoleGrant
from portal.domain.people.visibility.rules import is_granted_to
from portal.platform import clock
from portal.platform.permissions import Permission, roles_with


def has_password(person_id: Any) -> ColumnElement[bool]:
    """The person has set a password."""
    return exists().where(Credential.person_id == person_id, Credential.password_hash.is_not(None))


def is_closed(person_id: Any) -> ColumnElement[bool]:
    """The person's account is closed."""
    return exists().where(Credential.person_id == person_id, Credential.closed_at.is_not(None))


def has_identity(person_id: Any, issuer: str) -> ColumnElement[bool]:
    """An identity at the force's provider signs the person in."""
    return exists().where(ProviderIdentity.person_id == person_id, ProviderIdentity.issuer == issuer)


def is_administrator(person_id: Any) -> ColumnElement[bool]:
    """The person administers accounts today, of the whole force or of a unit."""
    roles = sorted(roles_with(Permission.ACCOUNT_ADMINISTER))
    return exists().where(is_granted_to(person_id, clock.today()), RoleGrant.role.in_(roles))


def shares_email(person_id: Any) -> ColumnElement[bool]:
    """Somebody else has the person's email address, in other capitals: nobody knows whose mailbox it is."""
    own, every = aliased(PersonName), aliased(PersonName)
    address = func.lower(every.email)
    shared = select(address).where(every.email.is_not(None)).group_by(address).having(func.count() > 1)
    return exists().where(own.person_id == person_id, func.lower(own.email).in_(shared))
