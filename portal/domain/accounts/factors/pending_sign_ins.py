"""Sign-ins whose password was right, between the two factors: kept on the server, good in one browser."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from portal.domain.accounts import retention
from portal.domain.accounts.factors.models import PendingPasswordSignIn
from portal.domain.accounts.sign_in.tokens import hash_token, new_token
from portal.platform.db import db

LASTS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class AwaitedFactor:
    """Whose second factor is awaited."""

    person_id: int
    must_change: bool  # the password is weak


def begin(person_id: int, at: datetime, *, must_change: bool) -> str:
    """Await the person's second factor; returns the token for their browser."""
    retention.delete_old_factor_rows(at)
    token = new_token()
    db.session.add(
        PendingPasswordSignIn(
            token_hash=hash_token(token),
            person_id=person_id,
            must_change=must_change,
            created_at=at,
            expires_at=at + LASTS,
        )
    )
    return token


def find(token: str, at: datetime) -> AwaitedFactor | None:
    """Whose factor is awaited from the browser with this token; None if no longer, or of nobody."""
    pending = db.session.scalar(
        select(PendingPasswordSignIn).where(
            PendingPasswordSignIn.token_hash == hash_token(token), PendingPasswordSignIn.expires_at > at
        )
    )
    return AwaitedFactor(pending.person_id, pending.must_change) if pending is not None else None


def finish(token: str) -> bool:
    """End the sign-in, because the factor was shown; False if another request ended it before."""
    ended = db.session.scalars(
        delete(PendingPasswordSignIn)
        .where(PendingPasswordSignIn.token_hash == hash_token(token))
        .returning(PendingPasswordSignIn.person_id)
    ).all()
    return bool(ended)


def forget_sign_ins(person_id: int) -> None:
    """Forget the person's sign-ins that are under way: their sessions end, and these with them."""
    db.session.execute(delete(PendingPasswordSignIn).where(PendingPasswordSignIn.person_id == person_id))
