"""Browsers from which an account signed in before; failures elsewhere never make them wait.

A browser has one signed token in a long-lived cookie, for all who use it. The database has, for each account
that used it, a hash of both, which does not show that two people share a machine.
"""

from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, insert, select, update

from portal.domain.accounts.models import KnownBrowser
from portal.domain.accounts.sign_in.tokens import hash_browser
from portal.platform.db import db, read, write_row

MOST_BROWSERS = 10  # of one person; beyond it the one unused for longest is deleted
_NOTED_EVERY = timedelta(days=1)  # how often its last use is written
_LAST_USE = select(KnownBrowser.used_at).where(KnownBrowser.browser_hash == bindparam("browser_hash"))
_BROWSERS = (
    select(KnownBrowser.browser_hash, KnownBrowser.used_at)
    .where(KnownBrowser.person_id == bindparam("person_id"))
    .order_by(KnownBrowser.used_at.desc())
)
_INSERT_BROWSER = insert(KnownBrowser)


def find_browser_hash(account: str, token: str) -> str | None:
    """The stored hash of this browser; None if the account never used it."""
    browser_hash = hash_browser(token, account)
    return browser_hash if read(_LAST_USE, {"browser_hash": browser_hash}) else None


def remember_browser(person_id: int, account: str, token: str, at: datetime) -> None:
    """Record that the person signed in from this browser."""
    browser_hash = hash_browser(token, account)
    used_at = dict(map(tuple, read(_BROWSERS, {"person_id": person_id})))  # the one used last first
    if browser_hash in used_at:
        if at - used_at[browser_hash] >= _NOTED_EVERY:
            statement = update(KnownBrowser).where(KnownBrowser.browser_hash == browser_hash)
            db.session.execute(statement.values(used_at=at))
        return
    if surplus := [*used_at][MOST_BROWSERS - 1 :]:
        db.session.execute(delete(KnownBrowser).where(KnownBrowser.browser_hash.in_(surplus)))
    write_row(_INSERT_BROWSER, {"browser_hash": browser_hash, "person_id": person_id, "used_at": at})


def forget_browsers(person_id: int) -> None:
    """Delete every known browser of the person."""
    db.session.execute(delete(KnownBrowser).where(KnownBrowser.person_id == person_id))
