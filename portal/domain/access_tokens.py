"""Makes and revokes access tokens, and records their use; each act is audited."""

import hashlib
import re
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, ForeignKey, and_, bindparam, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.people.queries import UnitRow, live_units
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import Base, BigId, UtcDateTime, db, read, unique_index
from portal.platform.errors import RuleError

# Table of the tokens with which other systems read and write.


class TokenScope(StrEnum):
    """What a token is for; each route says which scopes it accepts."""

    READ = "read"
    WRITE = "write"  # reads too
    SCIM = "scim"  # provisioning alone


class AccessToken(Base):
    """A token with which another system uses the portal, kept as its hash; ordinary, audited."""

    __tablename__ = "access_token"
    __table_args__ = (
        # Two tokens that work never have one name: the audit trail names a token by it.
        unique_index("uq_access_token_live_name", "name", where="revoked_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)  # names it on pages
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)  # SHA-256
    scope: Mapped[str]  # a TokenScope
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))  # None: the whole force
    directive_reference: Mapped[str | None]  # None: every directive
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: a command
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    suspended_at: Mapped[datetime | None]  # by a restore, until an administrator lets it work again
    last_used_at: Mapped[datetime | None]  # written at most once a minute
    last_address: Mapped[str | None]


# Finds the token that a request shows, and lists tokens for administrators.


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


PREFIX = "oicp_"  # by which scanners find a token that leaked into a file
MOST_DAYS, USUAL_DAYS = 730, 365
NOTE_USE_EVERY = timedelta(minutes=1)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,59}")
_NAME_IS_TAKEN = "A token with the name {} works already. Choose another name, or revoke that token."


def create_token(
    name: str,
    scope: TokenScope,
    *,
    unit_id: int | None,
    directive_reference: str | None,
    days: int,
    by: int | None,
    at: datetime,
) -> str:
    """Make a token.

    Args:
        name: What it is for, in letters, digits, spaces, dots, hyphens and underscores.
        scope: What it may do.
        unit_id: It reaches the people in and under this unit; None: the whole force.
        directive_reference: It reaches this directive alone, which exists; None: all.
        days: How long it works.
        by: Who makes it; None for a command.
        at: This instant.

    Returns:
        The token itself, which is stored nowhere.

    Raises:
        RuleError: The name, the days or the limits are wrong, or a token that works has the name.
    """
    _check(name, scope, days, is_limited=unit_id is not None or directive_reference is not None)
    _free_name(name, at)
    limits = {"scope": str(scope), "unit_id": unit_id, "directive_reference": directive_reference}
    return _add(AccessToken(name=name, created_by_id=by, created_at=at, **limits), days)


def _add(token: AccessToken, days: int) -> str:
    plain = PREFIX + secrets.token_urlsafe(32)
    token.reference, token.token_hash = secrets.token_hex(8), hash_access_token(plain)
    token.expires_at = token.created_at + timedelta(days=days)
    db.session.add(token)
    try:
        db.session.flush()
    except IntegrityError as error:  # somebody else gave the name at this very moment
        raise RuleError(_NAME_IS_TAKEN.format(token.name)) from error
    _log("token.created", token, token.created_by_id, days=days)
    return plain


def _log(action: str, token: AccessToken, by: int | None, **more: int) -> None:
    limits = {"scope": str(token.scope), "unit_id": token.unit_id, "directive": token.directive_reference}
    detail: dict[str, Any] = {"token": token.name, **limits, **more}
    log(action, actor_id=by, **detail)


def _check(name: str, scope: TokenScope, days: int, *, is_limited: bool) -> None:
    if not _NAME.fullmatch(name):
        raise RuleError(
            "A token's name has 1 to 60 letters, digits, spaces, dots, hyphens and underscores. "
            "It begins with a letter or a digit."
        )
    if not 1 <= days <= MOST_DAYS:
        raise RuleError(f"A token works for 1 to {MOST_DAYS} days.")
    if scope is TokenScope.SCIM and is_limited:
        raise RuleError("A token for provisioning is for the whole force: name no unit and no directive.")


def _free_name(name: str, at: datetime) -> None:
    """Give the name of an expired token to the next one."""
    expires_at = db.session.scalar(
        select(AccessToken.expires_at)
        .where(AccessToken.name == name, AccessToken.revoked_at.is_(None))
        .with_for_update()
    )
    if expires_at is None:
        return
    if expires_at > at:
        raise RuleError(_NAME_IS_TAKEN.format(name))
    db.session.execute(
        update(AccessToken)
        .where(AccessToken.name == name, AccessToken.revoked_at.is_(None))
        .values(revoked_at=at)
    )


def revoke_token(token: AccessToken, *, by: int | None, at: datetime) -> None:
    """Revoke a token: it is refused from the next request on, in every process. Repeating changes nothing."""
    if token.revoked_at is not None:
        return
    token.revoked_at, token.revoked_by_id = at, by
    _log("token.revoked", token, by)


def resume_tokens(tokens: Iterable[AccessToken], *, by: int | None) -> int:
    """Let tokens that a restore suspended work again; how many did not."""
    suspended = [token for token in tokens if token.suspended_at is not None]
    for token in suspended:
        token.suspended_at = None
        _log("token.resumed", token, by)
    return len(suspended)


def is_use_to_note(token: LiveToken, at: datetime) -> bool:
    """Whether the token's last use was noted so long ago that this one is to be noted."""
    return token.last_used_at is None or at - token.last_used_at >= NOTE_USE_EVERY


def record_use(token: LiveToken, address: str, at: datetime) -> None:
    """Record when and from which address a token was last used."""
    db.session.execute(
        update(AccessToken)
        .where(AccessToken.id == token.id)
        .values(last_used_at=at, last_address=address)
        .execution_options(synchronize_session=False)
    )
