"""Keeps forms sent after their session lapsed, encrypted, for the same person in the same browser."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from portal.domain.accounts import retention
from portal.domain.accounts.models import HeldForm
from portal.domain.accounts.sign_in import form_encryption
from portal.domain.accounts.sign_in.tokens import new_token, token_hash
from portal.platform.db import db

FORM_KEPT = timedelta(minutes=60)
MOST_KEPT = 20  # forms of one person; beyond it the oldest goes, so that nobody fills the disk with them


@dataclass(frozen=True, slots=True)
class KeptForm:
    """A form kept over a lapse, opened with the token of its browser."""

    token_hash: str
    path: str
    body: str  # application/x-www-form-urlencoded
    held_at: datetime


def hold_form(person_id: int, path: str, body: str, at: datetime) -> str:
    """Keep a form that came after its session lapsed; never one with a secret.

    Returns:
        The token that the same browser must show to have it back: it alone opens the form.
    """
    retention.tidy_forms(at)
    surplus = db.session.scalars(
        select(HeldForm.token_hash)
        .where(HeldForm.person_id == person_id)
        .order_by(HeldForm.held_at.desc())
        .offset(MOST_KEPT - 1)
    ).all()
    db.session.execute(delete(HeldForm).where(HeldForm.token_hash.in_(surplus)))
    token = new_token()
    db.session.add(
        HeldForm(
            token_hash=token_hash(token),
            person_id=person_id,
            sealed=form_encryption.seal(token, person_id, path, body),
            held_at=at,
            expires_at=at + FORM_KEPT,
        )
    )
    return token


def waiting_hashes(tokens: Collection[str], person_id: int, at: datetime) -> list[str]:
    """Hashes of the tokens whose forms wait for this person, the oldest form first."""
    if not tokens:
        return []
    return list(
        db.session.scalars(
            select(HeldForm.token_hash)
            .where(
                HeldForm.token_hash.in_([token_hash(token) for token in tokens]),
                HeldForm.person_id == person_id,
                HeldForm.expires_at > at,
            )
            .order_by(HeldForm.held_at)
        )
    )


def kept_forms(tokens: Collection[str], person_id: int, at: datetime) -> list[KeptForm]:
    """This person's unexpired forms that this browser's tokens can decrypt."""
    tokens_of = {token_hash(token): token for token in tokens}
    hashes = waiting_hashes(tokens, person_id, at)
    rows = db.session.scalars(
        select(HeldForm).where(HeldForm.token_hash.in_(hashes)).order_by(HeldForm.held_at)
    )
    forms = []
    for row in rows:
        content = form_encryption.unseal(tokens_of[row.token_hash], person_id, row.sealed)
        if content is not None:
            forms.append(KeptForm(row.token_hash, *content, row.held_at))
    return forms


def drop_form(hashed_token: str, person_id: int) -> None:
    """Forget a kept form that was carried out, or that its owner threw away."""
    db.session.execute(
        delete(HeldForm).where(HeldForm.token_hash == hashed_token, HeldForm.person_id == person_id)
    )


def drop_forms(person_id: int) -> None:
    """Forget every kept form of the person."""
    db.session.execute(delete(HeldForm).where(HeldForm.person_id == person_id))
