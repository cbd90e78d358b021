"""Ends the sessions that the force's provider says are over (back-channel logout)."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, insert, select, update
from sqlalchemy.exc import IntegrityError

from portal.domain.accounts import retention
from portal.domain.accounts.models import ProviderIdentity, SignInSession, SpentLogoutToken
from portal.domain.accounts.services import OPENID
from portal.domain.accounts.sign_in.tokens import hash_token
from portal.platform.audit.services import log
from portal.platform.db import db
from portal.platform.errors import ConflictError

REMEMBERED = timedelta(minutes=30)  # a token's check refuses it long before
REASON = "provider_signed_out"


class LogoutReplayedError(ConflictError):
    """This logout token was carried out before."""

    def __init__(self) -> None:
        super().__init__("This logout token was carried out before.")


def end_provider_sessions(
    issuer: str, token_id: str, *, subject: str | None, provider_sid: str | None, at: datetime
) -> int:
    """End the portal's sessions that came from one session, or from all, of a subject at the provider.

    Args:
        issuer: Of the logout token.
        token_id: Its ``jti``.
        subject: Its ``sub``.
        provider_sid: Its ``sid``: the sessions with this one; if there are none, those that name no session
            of the provider's.
        at: This instant.

    Returns:
        How many sessions ended; none where all are over already.

    Raises:
        LogoutReplayedError: The token was carried out before. Nothing is changed.
    """
    _spend_token(issuer, token_id, at)
    ended = _end_sessions(SignInSession.provider_sid == provider_sid, at) if provider_sid else 0
    if ended or subject is None:
        return ended
    owner = select(ProviderIdentity.person_id).where(
        ProviderIdentity.issuer == issuer, ProviderIdentity.subject == subject
    )
    theirs = SignInSession.person_id == owner.scalar_subquery()
    return _end_sessions(theirs & SignInSession.provider_sid.is_(None) if provider_sid else theirs, at)


def _spend_token(issuer: str, token_id: str, at: datetime) -> None:
    retention.delete_old_provider_rows(at)
    token_hash = hash_token(f"{issuer} {token_id}")
    try:
        with db.session.begin_nested():  # two deliveries at once: the second waits for the first
            db.session.execute(
                insert(SpentLogoutToken).values(token_hash=token_hash, expires_at=at + REMEMBERED)
            )
    except IntegrityError as error:
        raise LogoutReplayedError from error


def _end_sessions(which: ColumnElement[bool], at: datetime) -> int:
    """End these sessions that the provider opened; a form sent from one is not carried out."""
    opened = SignInSession.method == OPENID
    people = db.session.scalars(
        update(SignInSession)
        .where(which, opened, SignInSession.ended_at.is_(None))
        .values(ended_at=at, end_reason=REASON)
        .returning(SignInSession.person_id),
        execution_options={"synchronize_session": False},
    ).all()
    # A session that expired and was replaced no longer vouches for a form that an old page still sends.
    db.session.execute(
        update(SignInSession)
        .where(which, opened, SignInSession.end_reason == "lapsed")
        .values(end_reason=REASON),
        execution_options={"synchronize_session": False},
    )
    for person_id in sorted(set(people)):
        log("account.session_ended", actor_id=None, subject_id=person_id, reason=REASON)
    return len(people)
