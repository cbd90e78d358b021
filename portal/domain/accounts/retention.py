"""Deletes old sign-in rows: a worker each minute; some kinds go when another of them is dealt with."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.domain.accounts.models import (
    HeldForm,
    KnownBrowser,
    PasswordLink,
    PendingPasswordSignIn,
    RefusedIdentity,
    SignInFailure,
    SignInSession,
    SpentChallenge,
    SpentLogoutToken,
)
from portal.platform.db import UtcDateTime, db

MOST_DELETED = 100  # rows of one table in one transaction, so that nobody waits for it
FAILURE_RETENTION = timedelta(hours=2)  # older ones make nobody wait
BROWSER_RETENTION = timedelta(days=180)  # since the last sign-in from it
REFUSAL_RETENTION = timedelta(days=90)  # since the identity was last refused
SESSION_RETENTION = timedelta(days=7)  # so that a form on a page left open over a long weekend is still held


def delete_until(table: Any, instant: InstrumentedAttribute[datetime]) -> Any:
    """DELETE of at most ``MOST_DELETED`` rows until ``before``; those that another deletes are skipped."""
    key = table.__mapper__.primary_key[0]
    keys = select(key).where(instant <= bindparam("before", type_=UtcDateTime()))
    return delete(table).where(key.in_(keys.limit(MOST_DELETED).with_for_update(skip_locked=True)))


_OLD_SESSIONS = delete_until(SignInSession, SignInSession.created_at)
_OLD_LINKS = delete_until(PasswordLink, PasswordLink.expires_at)
_OLD_FORMS = delete_until(HeldForm, HeldForm.expires_at)
_OLD_FAILURES = delete_until(SignInFailure, SignInFailure.failed_at)
_OLD_BROWSERS = delete_until(KnownBrowser, KnownBrowser.used_at)
_OLD_REFUSALS = delete_until(RefusedIdentity, RefusedIdentity.refused_at)
_OLD_LOGOUT_TOKENS = delete_until(SpentLogoutToken, SpentLogoutToken.expires_at)
_OLD_PENDING_SIGN_INS = delete_until(PendingPasswordSignIn, PendingPasswordSignIn.expires_at)
_OLD_CHALLENGES = delete_until(SpentChallenge, SpentChallenge.expires_at)


def _list_deletions(session_lasts: timedelta, at: datetime) -> tuple[tuple[Any, Any, datetime], ...]:
    """What a worker deletes: the statement, the column that it compares, and the last instant that goes."""
    return (
        (_OLD_SESSIONS, SignInSession.created_at, at - session_lasts - SESSION_RETENTION),
        (_OLD_LINKS, PasswordLink.expires_at, at),
        (_OLD_FORMS, HeldForm.expires_at, at),
        (_OLD_FAILURES, SignInFailure.failed_at, at - FAILURE_RETENTION),
        (_OLD_BROWSERS, KnownBrowser.used_at, at - BROWSER_RETENTION),
    )


def has_expired_rows(session_lasts: timedelta, at: datetime) -> bool:
    """Whether there is anything that ``delete_expired_rows`` would delete."""
    expired = (exists().where(instant <= before) for _, instant, before in _list_deletions(session_lasts, at))
    return bool(db.session.scalar(select(or_(*expired))))


def delete_expired_rows(session_lasts: timedelta, at: datetime) -> None:
    """Delete sessions that expired a week ago, what else has expired, old failures and unused browsers.

    Args:
        session_lasts: How long a session lasts at most.
        at: Now.
    """
    for statement, _, before in _list_deletions(session_lasts, at):
        delete_rows(statement, before)


def delete_old_provider_rows(at: datetime) -> None:
    """Delete identities refused long ago and logout tokens that ran out, when another is dealt with."""
    delete_rows(_OLD_REFUSALS, at - REFUSAL_RETENTION)
    delete_rows(_OLD_LOGOUT_TOKENS, at)


def delete_old_factor_rows(at: datetime) -> None:
    """Delete sign-ins that waited too long for a second factor and challenges that ran out."""
    delete_rows(_OLD_PENDING_SIGN_INS, at)
    delete_rows(_OLD_CHALLENGES, at)


def delete_expired_forms(at: datetime) -> None:
    """Delete held forms that have expired."""
    delete_rows(_OLD_FORMS, at)


def delete_old_failures(at: datetime) -> None:
    """Delete refused sign-ins that are too old to make anybody wait."""
    delete_rows(_OLD_FAILURES, at - FAILURE_RETENTION)


def delete_rows(statement: Any, before: datetime) -> None:
    """Run a statement of ``delete_until``."""
    db.session.connection().execute(statement, {"before": before})
