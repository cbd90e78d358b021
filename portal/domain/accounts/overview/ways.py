"""How people can sign in: each kind of credential is a source, for counts, filters and rows alike.

A new kind of credential adds its source to ``WAY_SOURCES``; nothing else in this room changes.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, or_, select, true

from portal.domain.accounts.factors.enrolment import FactorKind
from portal.domain.accounts.factors.models import Factor
from portal.domain.accounts.models import Credential, ProviderIdentity
from portal.domain.people.models import PersonName, RoleGrant
from portal.domain.people.visibility.rules import is_granted_to
from portal.platform.db import db
from portal.platform.permissions import Permission, roles_with

PROVIDER, PASSKEY, PASSWORD = "provider", "passkey", "password"
NO_WAY = "none"  # people with no way to sign in
# How somebody signed in with a session, in words; a method that is not listed is its own word.
METHOD_WORDS = {
    "password": "password",
    "passkey": "passkey",
    "oidc": "single sign-on",
    "saml": "single sign-on",
}


@dataclass(frozen=True, slots=True)
class SignInRules:
    """What of the portal's settings decides how people may sign in."""

    issuer: str  # of the force's provider; empty where there is none
    passwords_for_everyone: bool  # otherwise for administrators alone
    day: date  # today


@dataclass(frozen=True, slots=True)
class WayToSignIn:
    """One credential of a person."""

    source: str  # the key of its source
    words: str  # what it is, such as "Password"
    detail: str  # such as the number by which an identity was found; may be empty
    since: datetime | None
    works: bool  # whether the portal would accept it today


@dataclass(frozen=True, slots=True)
class WaySource:
    """A kind of credential."""

    key: str  # in addresses
    words: str
    words_of_count: str  # what its people can do
    # WHERE clause about ``PersonName.person_id``: the person can sign in so.
    condition: Callable[[SignInRules], ColumnElement[bool]]
    # Of each of some people what they have of it, by one statement.
    read: Callable[[Collection[int], SignInRules], dict[int, list[WayToSignIn]]]


def method_words(method: str) -> str:
    """How somebody signed in, in words.

    >>> method_words("oidc"), method_words("passkey")
    ('single sign-on', 'passkey')
    """
    return METHOD_WORDS.get(method, method)


def list_ways(people: Collection[int], rules: SignInRules) -> dict[int, list[WayToSignIn]]:
    """How each of these people can sign in, by person. One statement for each source."""
    ways: dict[int, list[WayToSignIn]] = {person_id: [] for person_id in people}
    for source in WAY_SOURCES:
        for person_id, credentials in source.read(people, rules).items():
            ways[person_id] += credentials
    return ways


def has_any_way(rules: SignInRules) -> ColumnElement[bool]:
    """WHERE clause about ``PersonName.person_id``: the person can sign in in some way."""
    return or_(*(source.condition(rules) for source in WAY_SOURCES))


def _has_identity(rules: SignInRules) -> ColumnElement[bool]:
    of_issuer = select(ProviderIdentity.person_id).where(ProviderIdentity.issuer == rules.issuer)
    return PersonName.person_id.in_(of_issuer)


def _read_identities(people: Collection[int], rules: SignInRules) -> dict[int, list[WayToSignIn]]:
    rows = db.session.execute(
        select(
            ProviderIdentity.person_id,
            ProviderIdentity.claim_value,
            ProviderIdentity.bound_at,
            ProviderIdentity.issuer == rules.issuer,
        )
        .where(ProviderIdentity.person_id.in_(people))
        .order_by(ProviderIdentity.bound_at)
    )
    ways: dict[int, list[WayToSignIn]] = {}
    for person_id, claim, bound_at, is_current in rows:
        detail = claim if is_current else f"{claim}, of a provider that is not set any more"
        way = WayToSignIn(PROVIDER, "Single sign-on", detail, bound_at, works=is_current)
        ways.setdefault(person_id, []).append(way)
    return ways


def _has_password(rules: SignInRules) -> ColumnElement[bool]:
    with_password = select(Credential.person_id).where(Credential.password_hash.is_not(None))
    return and_(PersonName.person_id.in_(with_password), _may_use_password(rules))


def _may_use_password(rules: SignInRules) -> ColumnElement[bool]:
    if rules.passwords_for_everyone:
        return true()
    administers = RoleGrant.role.in_(sorted(roles_with(Permission.ACCOUNT_ADMINISTER)))
    return exists().where(is_granted_to(PersonName.person_id, rules.day), administers)


def _read_passwords(people: Collection[int], rules: SignInRules) -> dict[int, list[WayToSignIn]]:
    rows = db.session.execute(
        select(PersonName.person_id, Credential.set_at, _may_use_password(rules))
        .join(Credential, Credential.person_id == PersonName.person_id)
        .where(PersonName.person_id.in_(people), Credential.password_hash.is_not(None))
    )
    return {
        person_id: [
            WayToSignIn(
                PASSWORD, "Password", "" if works else "for administrators alone", set_at, works=bool(works)
            )
        ]
        for person_id, set_at, works in rows
    }


def _has_passkey(_rules: SignInRules) -> ColumnElement[bool]:
    return PersonName.person_id.in_(select(Factor.person_id).where(Factor.kind == FactorKind.PASSKEY))


def _read_passkeys(people: Collection[int], _rules: SignInRules) -> dict[int, list[WayToSignIn]]:
    rows = db.session.execute(
        select(Factor.person_id, Factor.added_at)
        .where(Factor.person_id.in_(people), Factor.kind == FactorKind.PASSKEY)
        .order_by(Factor.added_at)
    )
    ways: dict[int, list[WayToSignIn]] = {}
    for person_id, added_at in rows:  # not its label, which is its owner's
        ways.setdefault(person_id, []).append(WayToSignIn(PASSKEY, "Passkey", "", added_at, works=True))
    return ways


WAY_SOURCES: tuple[WaySource, ...] = (
    WaySource(PROVIDER, "Single sign-on", "Can use single sign-on", _has_identity, _read_identities),
    WaySource(PASSKEY, "Passkey", "Can use a passkey", _has_passkey, _read_passkeys),
    WaySource(PASSWORD, "Password", "Can use a password", _has_password, _read_passwords),
)
