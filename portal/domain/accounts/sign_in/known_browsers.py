"""Browsers that an account has signed in from before; guesses made elsewhere never slow them.

A browser holds one signed token in a long-lived cookie, for all who use it. The database holds, for each
account that did, a hash of both: it does not tell that two people share a machine.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from portal.domain.accounts.models import KnownBrowser
from portal.domain.accounts.sign_in.tokens import hash_browser
from portal.platform.db import db

MOST_BROWSERS = 10  # of one person; beyond it the one unused for longest goes
_NOTED_EVERY = timedelta(days=1)  # a sign-in a day writes when it was last used


def find_browser_hash(account: str, token: str) -> str | None:
    """The hash of this browser where the account used it before; None where it did not."""
    hashed = hash_browser(token, account)
    return db.session.scalar(select(KnownBrowser.browser_hash).where(KnownBrowser.browser_hash == hashed))


def remember_browser(person_id: int, account: str, token: str, at: datetime) -> None:
    """Note that the person signed in from this browser."""
    hashed = hash_browser(token, account)
    used_at = db.session.scalar(select(KnownBrowser.used_at).where(KnownBrowser.browser_hash == hashed))
    if used_at is not None:
        if at - used_at >= _NOTED_EVERY:
            row = update(KnownBrowser).where(KnownBrowser.browser_hash == hashed)
            db.session.execute(row.values(used_at=at))
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
    db.session.add(KnownBrowser(browser_hash=hashed, person_id=person_id, used_at=at))


def forget_browsers(person_id: int) -> None:
    """Forget every browser that the person signed in from."""
    db.session.execute(delete(KnownBrowser).where(KnownBrowser.person_id == person_id))
