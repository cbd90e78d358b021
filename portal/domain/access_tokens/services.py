"""Makes and revokes access tokens, and records their use; each act is audited."""

import re
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from portal.domain.access_tokens.models import AccessToken, TokenScope
from portal.domain.access_tokens.queries import LiveToken, hash_access_token
from portal.platform.audit.services import log
from portal.platform.db import db
from portal.platform.errors import RuleError

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
    """Give the name of an expired token to the next one.

    Raises:
        RuleError: A token that works has the name.
    """
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
