"""How people can sign in, as the list of accounts shows it: counts, filters and rows, source by source.

A new kind of credential adds its condition to ``sign_in/ways.py`` and its source to ``WAY_SOURCES``.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from portal.domain.accounts.factors.enrolment import FactorKind
from portal.domain.accounts.factors.models import Factor
from portal.domain.accounts.models import Credential, ProviderIdentity
from portal.domain.accounts.sign_in import ways as conditions
from portal.domain.accounts.sign_in.ways import SignInRules
from portal.platform.db import db

PROVIDER, PASSKEY, PASSWORD = "provider", "passkey", "password"
NO_WAY = "none"  # people with no way to sign in
FOR_ADMINISTRATORS = "only administrators can use it"
# How somebody signed in with a session, in words; a method that is not listed is its own word.
METHOD_WORDS = {
    "password": "password",
    "passkey": "passkey",
    "oidc": "single sign-on",
    "saml": "single sign-on",
}


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
    condition: Callable[[Any, SignInRules], ColumnElement[bool]]  # WHERE clause: the person can sign in so
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


def _read_passwords(people: Collection[int], rules: SignInRules) -> dict[int, list[WayToSignIn]]:
    owner = Credential.person_id
    rows = db.session.execute(
        select(
            owner,
            Credential.set_at,
            conditions.may_use_password(owner, rules),
            conditions.lacks_factor(owner, rules),
        ).where(owner.in_(people), Credential.password_hash.is_not(None))
    )
    ways = {}
    for person_id, set_at, may_use, lacks_factor in rows:
        detail = "" if may_use else FOR_ADMINISTRATORS
        if may_use and lacks_factor:
            detail = "needs a second factor"
        ways[person_id] = [WayToSignIn(PASSWORD, "Password", detail, set_at, works=not detail)]
    return ways


def _read_passkeys(people: Collection[int], rules: SignInRules) -> dict[int, list[WayToSignIn]]:
    rows = db.session.execute(
        select(Factor.person_id, Factor.added_at, conditions.may_use_password(Factor.person_id, rules))
        .where(Factor.person_id.in_(people), Factor.kind == FactorKind.PASSKEY)
        .order_by(Factor.added_at)
    )
    ways: dict[int, list[WayToSignIn]] = {}
    for person_id, added_at, works in rows:  # not its label, which is its owner's
        way = WayToSignIn(
            PASSKEY, "Passkey", "" if works else FOR_ADMINISTRATORS, added_at, works=bool(works)
        )
        ways.setdefault(person_id, []).append(way)
    return ways


WAY_SOURCES: tuple[WaySource, ...] = (
    WaySource(
        PROVIDER, "Single sign-on", "Can use single sign-on", conditions.can_use_provider, _read_identities
    ),
    WaySource(PASSKEY, "Passkey", "Can use a passkey", conditions.can_use_passkey, _read_passkeys),
    WaySource(PASSWORD, "Password", "Can use a password", conditions.can_use_password, _read_passwords),
)
