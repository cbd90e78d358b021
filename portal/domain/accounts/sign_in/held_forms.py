"""Holds forms sent after their session ended, and pages that refuse one, encrypted, for the same browser."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select

from portal.domain.accounts import retention
from portal.domain.accounts.models import HeldForm
from portal.domain.accounts.sign_in.tokens import decrypt_form, encrypt_form, hash_token, new_token
from portal.platform.db import db

FORM_RETENTION = timedelta(minutes=60)
MOST_FORMS_A_PERSON = 20  # beyond it the oldest is deleted, so that nobody fills the disk


@dataclass(frozen=True, slots=True)
class DecryptedForm:
    """A held form, decrypted with the token of its browser."""

    token_hash: str
    path: str
    body: str  # application/x-www-form-urlencoded; of a refusal, as it was given
    held_at: datetime


def hold_form(person_id: int, path: str, body: str, at: datetime, *, token: str = "") -> str:
    """Hold a form that was sent after its session ended, or the page that refuses one; none with a secret.

    Args:
        person_id: Who sent it.
        path: Its address.
        body: Its fields; of a page that refuses it, that page.
        at: Now.
        token: The only key to it; by default a new one.

    Returns:
        The token that the same browser must send to get the form back; nothing else decrypts it.
    """
    retention.delete_expired_forms(at)
    surplus = db.session.scalars(
        select(HeldForm.token_hash)
        .where(HeldForm.person_id == person_id)
        .order_by(HeldForm.held_at.desc())
        .offset(MOST_FORMS_A_PERSON - 1)
    ).all()
    db.session.execute(delete(HeldForm).where(HeldForm.token_hash.in_(surplus)))
    token = token or new_token()
    db.session.add(
        HeldForm(
            token_hash=hash_token(token),
            person_id=person_id,
            sealed=encrypt_form(token, person_id, path, body),
            held_at=at,
            expires_at=at + FORM_RETENTION,
        )
    )
    return token


def list_waiting_hashes(tokens: Collection[str], person_id: int, at: datetime) -> list[str]:
    """Hashes of the tokens under which forms of this person are held, the oldest form first."""
    if not tokens:
        return []
    return list(
        db.session.scalars(
            select(HeldForm.token_hash)
            .where(
                HeldForm.token_hash.in_([hash_token(token) for token in tokens]),
                HeldForm.person_id == person_id,
                HeldForm.expires_at > at,
            )
            .order_by(HeldForm.held_at)
        )
    )


def list_waiting_forms(tokens: Collection[str], person_id: int, at: datetime) -> list[DecryptedForm]:
    """This person's unexpired held forms that this browser's tokens can decrypt, the oldest first."""
    tokens_of = {hash_token(token): token for token in tokens}
    hashes = list_waiting_hashes(tokens, person_id, at)
    rows = db.session.scalars(
        select(HeldForm).where(HeldForm.token_hash.in_(hashes)).order_by(HeldForm.held_at)
    )
    forms = []
    for row in rows:
        content = decrypt_form(tokens_of[row.token_hash], person_id, row.sealed)
        if content is not None:
            forms.append(DecryptedForm(row.token_hash, *content, row.held_at))
    return forms


def delete_form(hashed_token: str, person_id: int) -> None:
    """Delete a held form that was carried out."""
    db.session.execute(
        delete(HeldForm).where(HeldForm.token_hash == hashed_token, HeldForm.person_id == person_id)
    )


def delete_forms_of_person(person_id: int) -> None:
    """Delete every held form of the person."""
    db.session.execute(delete(HeldForm).where(HeldForm.person_id == person_id))
