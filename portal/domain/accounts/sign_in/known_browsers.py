"""Browsers from which an account signed in before; failures elsewhere never make them wait.

A browser has one signed token in a long-lived cookie, for all who use it. The database has, for each account
that used it, a hash of both, which does not show that two people share a machine.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from portal.domain.accounts.models import KnownBrowser
from portal.domain.accounts.sign_in.tokens import hash_browser
from portal.platform.db import db

MOST_BROWSERS = 10  # of one person; beyond it the one unused for longest is deleted
_NOTED_EVERY = timedelta(days=1)  # how often its last use is written


def find_browser_hash(account: str, token: str) -> str | None:
    """The stored hash of this browser; None if the account never used it."""
    browser_hash = hash_browser(token, account)
    statement = select(KnownBrowser.browser_hash).where(KnownBrowser.browser_hash == browser_hash)
    return db.session.scalar(statement)


def remember_browser(person_id: int, account: str, token: str, at: datetime) -> None:
    """Record that the person signed in from this browser."""
    browser_hash = hash_browser(token, account)
    used_at = db.session.scalar(select(KnownBrowser.used_at).where(KnownBrowser.browser_hash == browser_hash))
    if used_at is not None:
        if at - used_at >= _NOTED_EVERY:
            statement = update(KnownBrowser).where(KnownBrowser.browser_hash == browser_hash)
            db.session.execute(statement.values(used_at=at))
        return
    surplus = (
        select(KnownBrowser.browser_hash)
        .where(KnownBrowser.person_id == person_id)
        .order_by(KnownBrowser.used_at.desc())
        .offset(MOST_BROWSERS - 1)
    )
    hashes = db.session.scalars(surplus).all()
    if hashes:
        db.session.execute(delete(KnownBrowser).where(KnownBrowser.browser_hash.in_(hashes)))
    db.session.add(KnownBrowser(browser_hash=browser_hash, person_id=person_id, used_at=at))


def forget_browsers(person_id: int) -> None:
    """Delete every known browser of the person."""
    db.session.execute(delete(KnownBrowser).where(KnownBrowser.person_id == person_id))
