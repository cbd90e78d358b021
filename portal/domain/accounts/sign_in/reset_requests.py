"""Requests at sign-in for a link by mail, from people who cannot sign in.

Whoever asks learns nothing: the page only records the request, by the same statements for every name, and a
worker decides later who gets a mail.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, insert, select

from portal.domain.accounts.models import ResetRequest
from portal.domain.accounts.queries import find_account
from portal.domain.accounts.sign_in import throttle
from portal.platform.db import db

REQUEST_RETENTION = timedelta(hours=1)
MOST_REQUESTS = 600  # from one network within the hour; a whole force may be behind one address


def record_request(typed: str, address: str, at: datetime) -> bool:
    """Record that somebody asked for a link, whether or not anybody has this name.

    Args:
        typed: A staff number or an email address; it is not stored.
        address: Where the request comes from.
        at: This instant.

    Returns:
        Whether the network is within its limit; beyond it, its oldest request makes room for this one, and
        nobody gets a mail.
    """
    network = throttle.network_of(address)
    own = (ResetRequest.network == network, ResetRequest.asked_at > at - REQUEST_RETENTION)
    person_id = find_account(typed).person_id
    count = db.session.scalar(select(func.count()).where(*own)) or 0
    is_within_limit = count < MOST_REQUESTS
    db.session.execute(delete(ResetRequest).where(ResetRequest.asked_at <= at - REQUEST_RETENTION))
    if not is_within_limit:
        oldest = select(ResetRequest.id).where(*own).order_by(ResetRequest.asked_at, ResetRequest.id).limit(1)
        db.session.execute(delete(ResetRequest).where(ResetRequest.id == oldest.scalar_subquery()))
    row = {"person_id": person_id if is_within_limit else None, "network": network, "asked_at": at}
    db.session.execute(insert(ResetRequest).values(handled_at=None, **row))
    return is_within_limit


def has_open_requests() -> bool:
    """Whether a request waits for a worker."""
    return bool(db.session.scalar(select(exists().where(ResetRequest.handled_at.is_(None)))))
