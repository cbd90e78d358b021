"""Challenges that a passkey signs: made without a trace, each good in one browser, for one purpose, once.

A challenge carries its time and a keyed hash of what it is for, so that showing a page writes nothing. Only
one that was answered is stored, until it would have run out anyway.
"""

import hashlib
import hmac
import os
from datetime import UTC, datetime, timedelta

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from portal.domain.accounts import retention
from portal.domain.accounts.factors.errors import PasskeyRefusedError
from portal.domain.accounts.factors.models import SpentChallenge
from portal.platform.db import db

LASTS = timedelta(minutes=30)  # a page may stay open for a while before its button is pressed
_RANDOM_BYTES, _TIME_BYTES = 16, 8


def make_challenge(context: str, key: str, at: datetime) -> bytes:
    """Make a challenge.

    Args:
        context: What it is for, and the secret of the browser that it is for.
        key: The portal's secret key.
        at: This instant.
    """
    head = os.urandom(_RANDOM_BYTES) + int(at.timestamp()).to_bytes(_TIME_BYTES, "big")
    return head + _sign(head, context, key)


def spend_challenge(challenge: bytes, context: str, key: str, at: datetime) -> None:
    """Use a challenge up in the caller's transaction, even if it is answered twice at once.

    Raises:
        PasskeyRefusedError: It was made for something or somebody else, too long ago, or was used.
    """
    head, mac = challenge[: _RANDOM_BYTES + _TIME_BYTES], challenge[_RANDOM_BYTES + _TIME_BYTES :]
    if not hmac.compare_digest(_sign(head, context, key), mac):
        raise PasskeyRefusedError("challenge_of_another_page")
    made_at = datetime.fromtimestamp(int.from_bytes(head[_RANDOM_BYTES:], "big"), UTC)
    if not timedelta() <= at - made_at + timedelta(seconds=1) <= LASTS:
        raise PasskeyRefusedError("challenge_too_old")
    retention.delete_old_factor_rows(at)
    try:
        with db.session.begin_nested():  # two answers at once: the second waits for the first
            db.session.execute(
                insert(SpentChallenge).values(
                    challenge_hash=hashlib.sha256(challenge).hexdigest(), expires_at=made_at + 2 * LASTS
                )
            )
    except IntegrityError as error:
        raise PasskeyRefusedError("challenge_used") from error


def _sign(head: bytes, context: str, key: str) -> bytes:
    return hmac.new(key.encode(), b"passkey challenge " + head + context.encode(), "sha256").digest()
