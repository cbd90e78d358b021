"""Old rows of signing in go away: a few at each sign-in, so that nobody has to remember it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select

from portal.accounts.models import HeldForm, PasswordLink, SignInFailure, SignInSession
from portal.accounts.queries import Limits
from portal.db import db

MOST = 100  # rows of one table in one sign-in, which itself adds one to each at most
FAILURES_KEPT = timedelta(days=1)
SESSIONS_KEPT = timedelta(days=7)  # a form sent from a page left open over a long weekend is still known


def tidy(limits: Limits, at: datetime) -> None:
    """Remove sessions that ran out a week ago, links and kept forms that ran out, and old failures."""
    _remove(SignInSession, SignInSession.created_at < at - limits.absolute - SESSIONS_KEPT)
    _remove(PasswordLink, PasswordLink.expires_at <= at)
    tidy_forms(at)
    tidy_failures(at)


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
