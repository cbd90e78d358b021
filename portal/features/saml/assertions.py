"""Assertions that browsers bring from the force's provider: each counts once, in the browser that asked.

The provider's page sends them from another site, so the browser's cookies do not come with them. What
such a request says is therefore kept under a token, with which the browser comes again, this time with
its cookies.
"""

from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from portal.domain.accounts.identities import REMEMBERED
from portal.domain.accounts.retention import delete_rows, delete_until
from portal.domain.accounts.tokens import hash_token, new_token
from portal.features.saml.models import ReceivedAssertion
from portal.platform.db import db
from portal.platform.errors import ConflictError
from portal.platform.openid.claims import ProviderSubject

KEPT = timedelta(minutes=2)  # for its browser, which comes at once
_OLD = delete_until(ReceivedAssertion, ReceivedAssertion.expires_at)  # those that ran out


class AssertionReplayedError(ConflictError):
    """This assertion was accepted before."""

    def __init__(self) -> None:
        super().__init__("This assertion was accepted before.")


def keep_assertion(
    subject: ProviderSubject, assertion_id: str, request_id: str, *, signed_in_at: datetime, at: datetime
) -> str:
    """Record an accepted assertion and its subject; returns the token for its browser.

    Args:
        subject: Whom it names.
        assertion_id: Its ``ID``.
        request_id: The request that it answers.
        signed_in_at: When the person showed the provider who they are.
        at: This instant.

    Raises:
        AssertionReplayedError: It was accepted before. Nothing is changed.
    """
    delete_rows(_OLD, at)
    token = new_token()
    row = {
        "assertion_hash": hash_token(f"{subject.issuer} {assertion_id}"),
        "token_hash": hash_token(token),
        "request_id": request_id,
        "subject": subject.subject,
        "claim_value": subject.match_value,
        "signed_in_at": signed_in_at,
        "received_at": at,
        "expires_at": at + REMEMBERED,
    }
    try:
        with db.session.begin_nested():  # two deliveries at once: the second waits for the first
            db.session.execute(insert(ReceivedAssertion).values(row))
    except IntegrityError as error:
        raise AssertionReplayedError from error
    return token


def take_subject(
    token: str, issuer: str, request_id: str, at: datetime
) -> tuple[ProviderSubject, datetime] | None:
    """Whom the assertion of this token names, and when they signed in there, once.

    None where there is none for this request.

    Args:
        token: Which ``keep_assertion`` returned.
        issuer: Of the assertion.
        request_id: The request that this browser made.
        at: This instant.
    """
    row = db.session.scalar(
        select(ReceivedAssertion).where(ReceivedAssertion.token_hash == hash_token(token)).with_for_update()
    )
    if row is None or row.request_id != request_id or at - row.received_at > KEPT:
        return None
    subject = ProviderSubject(issuer, row.subject, row.claim_value, None)
    row.token_hash, row.subject, row.claim_value = None, "", ""
    return subject, row.signed_in_at
