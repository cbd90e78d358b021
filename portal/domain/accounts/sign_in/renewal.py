"""Signing in again in an open session, as what matters most asks for."""

from datetime import datetime

from sqlalchemy import func, update

from portal.domain.accounts.models import SignInSession
from portal.domain.accounts.sign_in.tokens import hash_token, new_token
from portal.platform.audit.services import log
from portal.platform.db import db
from portal.platform.errors import ConflictError


def renew_session(token_hash: str, person_id: int, at: datetime, *, method: str, factor: str | None) -> str:
    """Note that the session's person has just signed in again, and give the session a new token.

    A copy of the old token, wherever it is, opens nothing from now on.

    Args:
        token_hash: Of the session's token.
        person_id: Its person.
        at: This instant.
        method: How the person showed who they are this time.
        factor: The second factor that they showed this time; None: the session keeps the one that it has.

    Returns:
        The new token for the browser.

    Raises:
        ConflictError: The session has ended meanwhile.
    """
    token = replace_token(token_hash, factor=factor, authenticated_at=at)
    log("account.signed_in_again", actor_id=person_id, subject_id=person_id, method=method, factor=factor)
    return token


def replace_token(token_hash: str, *, factor: str | None, **values: datetime) -> str:
    """Give the session a new token, because it may do more from now on.

    Args:
        token_hash: Of the token until now.
        factor: The second factor that was shown; None: the session keeps the one that it has.
        values: What else is noted of the session.

    Raises:
        ConflictError: The session has ended meanwhile.
    """
    token = new_token()
    renewed = db.session.scalars(
        update(SignInSession)
        .where(SignInSession.token_hash == token_hash, SignInSession.ended_at.is_(None))
        .values(token_hash=hash_token(token), factor=func.coalesce(factor, SignInSession.factor), **values)
        .returning(SignInSession.reference),
        execution_options={"synchronize_session": False},
    ).all()
    if not renewed:
        raise ConflictError("You have been signed out meanwhile. Sign in again.")
    return token
