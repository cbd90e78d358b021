"""Links to set a password that go out by mail or on paper.

A link by mail is made when its mail is sent, so that the outbox never holds it. Earlier links go on working
until the relay has accepted the mail: a mail that fails takes no working link from anybody.
"""

from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, insert, select, update

from portal.domain.accounts.models import PasswordLink
from portal.domain.accounts.sign_in.tokens import hash_token, new_token
from portal.platform.db import db

INVITATION_LIFETIME = timedelta(days=7)


def add_link(person_id: int, lifetime: timedelta, at: datetime, *, may_enrol: bool) -> str:
    """Add a single-use link to set the person's password, beside the earlier ones.

    Args:
        person_id: Whose password.
        lifetime: How long it works.
        at: This instant.
        may_enrol: Whether it leads on to a first second factor, because an administrator invited the person.

    Returns:
        The link's token, which is stored nowhere.
    """
    token = new_token()
    columns = _link_columns(person_id, token, at, at + lifetime, None, may_enrol=may_enrol)
    db.session.execute(insert(PasswordLink), [columns])
    return token


def replace_earlier_links(token: str, at: datetime) -> datetime | None:
    """End the person's other links: the mail with this one was sent.

    Returns:
        When the link expires; None if it was used already, which ended the others too.
    """
    kept = select(PasswordLink.person_id, PasswordLink.expires_at).where(
        PasswordLink.token_hash == hash_token(token), PasswordLink.used_at.is_(None)
    )
    row = db.session.execute(kept).one_or_none()
    if row is None:
        return None
    _end_links([row.person_id], at, PasswordLink.token_hash != hash_token(token))
    expires_at: datetime = row.expires_at
    return expires_at


def discard_link(token: str) -> None:
    """Delete a link whose mail was not sent; an empty token is that of a mail without a link."""
    if token:
        db.session.execute(delete(PasswordLink).where(PasswordLink.token_hash == hash_token(token)))


def make_links_for_paper(people: Collection[int], *, by: int, at: datetime) -> dict[int, str]:
    """Make a link for each of these people, to be printed; earlier ones stop working.

    Args:
        people: At most a few hundred.
        by: Who prints them.
        at: This instant.

    Returns:
        The tokens by person; they are stored nowhere.
    """
    _end_links(people, at)
    tokens = {person_id: new_token() for person_id in people}
    rows = [
        _link_columns(person_id, token, at, at + INVITATION_LIFETIME, by, may_enrol=True)
        for person_id, token in tokens.items()
    ]
    if rows:
        db.session.execute(insert(PasswordLink), rows)
    return tokens


def _link_columns(
    person_id: int, token: str, at: datetime, expires_at: datetime, by: int | None, *, may_enrol: bool
) -> dict[str, object]:
    return {
        "token_hash": hash_token(token),
        "person_id": person_id,
        "created_at": at,
        "created_by_id": by,
        "expires_at": expires_at,
        "used_at": None,
        "may_enrol": may_enrol,
    }


def _end_links(people: Collection[int], at: datetime, *conditions: ColumnElement[bool]) -> None:
    statement = update(PasswordLink).where(
        PasswordLink.person_id.in_(people), PasswordLink.used_at.is_(None), *conditions
    )
    db.session.execute(statement.values(used_at=at))
