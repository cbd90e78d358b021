"""Deletes old sign-in rows: a few at each sign-in, and all of them every minute where a worker runs."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, select

from portal.domain.accounts.models import HeldForm, KnownBrowser, PasswordLink, SignInFailure, SignInSession
from portal.domain.accounts.queries import SessionLimits
from portal.platform.db import db

MOST_DELETED = 100  # rows of one table in one sign-in, which itself adds one to each at most
FAILURE_RETENTION = timedelta(hours=2)  # no wait looks further back
BROWSER_RETENTION = timedelta(days=180)  # since the last sign-in from it
SESSION_RETENTION = timedelta(days=7)  # a form sent from a page left open over a long weekend is still known


def delete_expired_rows(limits: SessionLimits, at: datetime) -> None:
    """Remove sessions that ran out a week ago, links and forms that ran out, old failures and browsers."""
    _delete_rows(SignInSession, SignInSession.created_at < at - limits.absolute - SESSION_RETENTION)
    _delete_rows(PasswordLink, PasswordLink.expires_at <= at)
    delete_expired_forms(at)
    delete_old_failures(at)
    _delete_rows(KnownBrowser, KnownBrowser.used_at < at - BROWSER_RETENTION)


def any_form_expired(at: datetime) -> bool:
    """Whether a kept form that has expired is still stored."""
    return bool(db.session.scalar(select(exists().where(HeldForm.expires_at <= at))))


def delete_expired_forms(at: datetime) -> None:
    """Remove kept forms that ran out."""
    _delete_rows(HeldForm, HeldForm.expires_at <= at)


def delete_old_failures(at: datetime) -> None:
    """Remove refused sign-ins that no wait looks back at any more."""
    _delete_rows(SignInFailure, SignInFailure.failed_at < at - FAILURE_RETENTION)


def _delete_rows(table: Any, old: ColumnElement[bool]) -> None:
    """Delete at most ``MOST_DELETED`` rows; rows that another sign-in is deleting are skipped."""
    key = table.__mapper__.primary_key[0]
    found = select(key).where(old).limit(MOST_DELETED).with_for_update(skip_locked=True)
    db.session.execute(delete(table).where(key.in_(found)), execution_options={"synchronize_session": False})
