"""Finds the token that a request shows, and lists tokens for administrators."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, select

from portal.domain.access_tokens.models import AccessToken, TokenScope
from portal.domain.people.queries import UnitRow, live_units
from portal.platform import clock
from portal.platform.column_types import UtcDateTime
from portal.platform.db import db, read


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A token that works now."""

    id: int
    reference: str
    name: str
    scope: TokenScope
    unit_id: int | None  # None: the whole force
    directive_reference: str | None  # None: every directive
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token as a list shows it."""

    reference: str
    name: str
    scope: TokenScope
    unit_path: str  # empty: the whole force
    unit_label: str  # as pages write the unit
    directive_reference: str  # empty: every directive
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    last_address: str
    works: bool
    suspended: bool  # by a restore; neither revoked nor expired


_WHOLE_FORCE = UnitRow("", None, "")
_CLOSED = UnitRow("A closed unit", None, "A closed unit", "A closed unit")
_t = AccessToken
_FIND: Any = select(
    _t.id, _t.reference, _t.name, _t.scope, _t.unit_id, _t.directive_reference, _t.last_used_at
).where(
    _t.token_hash == bindparam("token_hash"),
    _t.revoked_at.is_(None),
    _t.suspended_at.is_(None),
    _t.expires_at > bindparam("at", type_=UtcDateTime()),
)


def hash_access_token(plain: str) -> str:
    """What the database keeps of a token; 256 random bits need neither salt nor cost."""
    return hashlib.sha256(plain.encode("utf-8", "surrogateescape")).hexdigest()


def find_token(plain: str, at: datetime) -> LiveToken | None:
    """The token that ``plain`` is, if it works at ``at``; None if it expired, was revoked or never existed.

    One hash and one statement, whatever ``plain`` is. Nothing is cached, so that a revoked token is refused
    by every process at its next request.
    """
    rows = read(_FIND, {"token_hash": hash_access_token(plain), "at": at})
    if not rows:
        return None
    token_id, reference, name, scope, *rest = rows[0]
    return LiveToken(token_id, reference, name, TokenScope(scope), *rest)


def list_tokens(units: Collection[int] | None, at: datetime) -> list[TokenRow]:
    """Every token of these units, also those that no longer work, those that work first. Two statements.

    Args:
        units: Units; None: the tokens of the whole force too.
        at: This instant.
    """
    lives = _lives(at)
    statement = select(_t, lives).order_by(lives.desc(), _t.name, _t.id)
    if units is not None:
        statement = statement.where(_t.unit_id.in_(sorted(units)))
    units_today = live_units(clock.london_day(at))
    return [
        _row_of(
            token, units_today.get(token.unit_id, _CLOSED) if token.unit_id else _WHOLE_FORCE, bool(lives)
        )
        for token, lives in db.session.execute(statement)
    ]


def list_suspended(units: Collection[int] | None, at: datetime, reference: str = "") -> list[AccessToken]:
    """The tokens of these units (None: of all) that a restore suspended, if they live; or one of them."""
    statement = select(_t).where(_lives(at), _t.suspended_at.is_not(None)).order_by(_t.name)
    if units is not None:
        statement = statement.where(_t.unit_id.in_(sorted(units)))
    if reference:
        statement = statement.where(_t.reference == reference)
    return list(db.session.scalars(statement))


def _lives(at: datetime) -> ColumnElement[bool]:
    """WHERE clause: the token was not revoked, and has not expired."""
    return and_(_t.revoked_at.is_(None), _t.expires_at > at)


def _row_of(token: AccessToken, unit: UnitRow, lives: bool) -> TokenRow:
    return TokenRow(
        reference=token.reference,
        name=token.name,
        scope=TokenScope(token.scope),
        unit_path=unit.path,
        unit_label=unit.label,
        directive_reference=token.directive_reference or "",
        created_at=token.created_at,
        expires_at=token.expires_at,
        revoked_at=token.revoked_at,
        last_used_at=token.last_used_at,
        last_address=token.last_address or "",
        works=lives and token.suspended_at is None,
        suspended=lives and token.suspended_at is not None,
    )


def token_of_name(name: str) -> AccessToken | None:
    """The token of this name that was not revoked."""
    return db.session.scalar(select(_t).where(_t.name == name, _t.revoked_at.is_(None)))


def token_of_reference(reference: str, units: Collection[int] | None) -> AccessToken | None:
    """The token of this reference, if it is of these units (None: of any)."""
    statement = select(_t).where(_t.reference == reference)
    if units is not None:
        statement = statement.where(_t.unit_id.in_(sorted(units)))
    return db.session.scalar(statement)
