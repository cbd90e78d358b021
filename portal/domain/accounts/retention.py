"""Deletes old sign-in rows: a few at each sign-in, and all of them every minute where a worker runs."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, select

from portal.domain.accounts.models import HeldForm, KnownBrowser, PasswordLink, SignInFailure, SignInSession
from portal.domain.accounts.queries import Limits
from portal.platform.db import db

MOST = 100  # rows of one table in one sign-in, which itself adds one to each at most
FAILURES_KEPT = timedelta(hours=2)  # no wait looks further back
BROWSERS_KEPT = timedelta(days=180)  # since the last sign-in from it
SESSIONS_KEPT = timedelta(days=7)  # a form sent from a page left open over a long weekend is still known


def tidy(limits: Limits, at: datetime) -> None:
    """Remove sessions that ran out a week ago, links and forms that ran out, old failures and browsers."""
    _remove(SignInSession, SignInSession.created_at < at - limits.absolute - SESSIONS_KEPT)
    _remove(PasswordLink, PasswordLink.expires_at <= at)
    tidy_forms(at)
    tidy_failures(at)
    _remove(KnownBrowser, KnownBrowser.used_at < at - BROWSERS_KEPT)


def any_form_expired(at: datetime) -> bool:
    """Whether a kept form that has expired is still stored."""
    return bool(db.session.scalar(select(exists().where(HeldForm.expires_at <= at))))


def tidy_forms(at: datetime) -> None:
    """Remove kept forms that ran out."""
    _remove(HeldForm, HeldForm.expires_at <= at)


def tidy_failures(at: datetime) -> None:
    """Remove refused sign-ins that no wait looks back at any more."""
    _remove(SignInFailure, SignInFailure.failed_at < at - FAILURES_KEPT)


def _remove(table: Any, old: ColumnElement[bool]) -> None:
    """Remove at most ``MOST`` rows, found by an index; those that another sign-in removes are passed over."""
    key = table.__mapper__.primary_key[0]
    found = select(key).where(old).limit(MOST).with_for_update(skip_locked=True)
    db.session.execute(delete(table).where(key.in_(found)), execution_options={"synchronize_session": False})
