"""Deletes old sign-in rows: some at each sign-in; a worker also deletes expired forms each minute."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, select

from portal.domain.accounts.factors.models import PendingPasswordSignIn, SpentChallenge
from portal.domain.accounts.models import (
    HeldForm,
    KnownBrowser,
    PasswordLink,
    ReceivedAssertion,
    RefusedIdentity,
    SignInFailure,
    SignInSession,
    SpentLogoutToken,
)
from portal.domain.accounts.queries import SessionLimits
from portal.platform.db import db

MOST_DELETED = 100  # rows of one table at one sign-in, which itself adds at most one to each
FAILURE_RETENTION = timedelta(hours=2)  # older ones make nobody wait
BROWSER_RETENTION = timedelta(days=180)  # since the last sign-in from it
REFUSAL_RETENTION = timedelta(days=90)  # since the identity was last refused
SESSION_RETENTION = timedelta(days=7)  # so that a form on a page left open over a long weekend is still held


def delete_expired_rows(limits: SessionLimits, at: datetime) -> None:
    """Delete sessions that expired a week ago, what else has expired, old failures and unused browsers."""
    _delete_rows(SignInSession, SignInSession.created_at < at - limits.absolute - SESSION_RETENTION)
    _delete_rows(PasswordLink, PasswordLink.expires_at <= at)
    delete_expired_forms(at)
    delete_old_failures(at)
    _delete_rows(KnownBrowser, KnownBrowser.used_at < at - BROWSER_RETENTION)


def delete_old_provider_rows(at: datetime) -> None:
    """Delete identities refused long ago and logout tokens that ran out, when another is dealt with."""
    _delete_rows(RefusedIdentity, RefusedIdentity.refused_at < at - REFUSAL_RETENTION)
    _delete_rows(SpentLogoutToken, SpentLogoutToken.expires_at <= at)


def delete_old_assertions(at: datetime) -> None:
    """Delete accepted assertions that ran out, when another is accepted."""
    _delete_rows(ReceivedAssertion, ReceivedAssertion.expires_at <= at)


def delete_old_factor_rows(at: datetime) -> None:
    """Delete sign-ins that waited too long for a second factor and challenges that ran out."""
    _delete_rows(PendingPasswordSignIn, PendingPasswordSignIn.expires_at <= at)
    _delete_rows(SpentChallenge, SpentChallenge.expires_at <= at)


def any_form_expired(at: datetime) -> bool:
    """Whether an expired held form is still stored."""
    return bool(db.session.scalar(select(exists().where(HeldForm.expires_at <= at))))


def delete_expired_forms(at: datetime) -> None:
    """Delete held forms that have expired."""
    _delete_rows(HeldForm, HeldForm.expires_at <= at)


def delete_old_failures(at: datetime) -> None:
    """Delete refused sign-ins that are too old to make anybody wait."""
    _delete_rows(SignInFailure, SignInFailure.failed_at < at - FAILURE_RETENTION)


def _delete_rows(table: Any, old: ColumnElement[bool]) -> None:
    """Delete at most ``MOST_DELETED`` rows; rows that another sign-in is deleting are skipped."""
    key = table.__mapper__.primary_key[0]
    keys = select(key).where(old).limit(MOST_DELETED).with_for_update(skip_locked=True)
    db.session.execute(delete(table).where(key.in_(keys)), execution_options={"synchronize_session": False})
