"""The second factors of a person: listing, adding, removing and resetting them."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import bindparam, delete, exists, func, select

from portal.domain.accounts import services
from portal.domain.accounts.factors import one_time_codes, recovery_codes
from portal.domain.accounts.factors.errors import LastFactorError
from portal.domain.accounts.factors.models import Factor
from portal.domain.accounts.factors.passkeys import NewPasskey
from portal.domain.accounts.sign_in import renewal
from portal.domain.people.services import lock_person
from portal.platform.audit.services import log
from portal.platform.db import db, read
from portal.platform.errors import ConflictError, NotFoundError, RuleError

MOST_FACTORS = 10  # of one person
LONGEST_LABEL = 60


class FactorKind(StrEnum):
    """What shows, beside a password, who somebody is; ``sign_in_session.factor`` also has ``provider``."""

    CODE = "totp"
    PASSKEY = "passkey"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class OwnFactor:
    """One factor, as its person sees it."""

    reference: str
    kind: FactorKind
    label: str
    added_at: datetime
    last_used_at: datetime | None


def list_factors(person_id: int) -> list[OwnFactor]:
    """The person's factors, the oldest first."""
    rows = db.session.execute(
        select(Factor.reference, Factor.kind, Factor.label, Factor.added_at, Factor.last_used_at)
        .where(Factor.person_id == person_id)
        .order_by(Factor.added_at, Factor.id)
    )
    return [
        OwnFactor(reference, FactorKind(kind), label, added_at, last_used_at)
        for reference, kind, label, added_at, last_used_at in rows
    ]


_ANY_FACTOR = select(Factor.id).where(Factor.person_id == bindparam("person_id")).limit(1)


def has_factors(person_id: int) -> bool:
    """Whether the person has added a factor; it sees what has been flushed."""
    return bool(read(_ANY_FACTOR, {"person_id": person_id}))


def list_credential_ids(person_id: int) -> list[str]:
    """The ids of the person's passkeys, as WebAuthn names them."""
    ids = select(Factor.credential_id).where(Factor.person_id == person_id, Factor.credential_id.is_not(None))
    return [one for one in db.session.scalars(ids.order_by(Factor.id)) if one is not None]


def add_code_device(
    person_id: int, label: str, secret: str, step: int, at: datetime, *, key: str, session_hash: str
) -> str:
    """Add a device for one-time codes, whose first code was right; nothing if it was added before.

    Args:
        person_id: Whose.
        label: The person's name for it.
        secret: From which its codes are made.
        step: Of the code with which it was added, which counts no second time.
        at: This instant.
        key: The portal's secret key.
        session_hash: The session in which it is done, which counts as opened with it from now on.

    Returns:
        The new token of that session: a copy of the old one, from before, opens nothing from now on. Empty
        where nothing was added.

    Raises:
        ConflictError: The session has ended meanwhile.
        RuleError: The person has too many.
    """
    lock_person(person_id)
    if secret in _list_secrets(person_id, key):  # a form that is sent twice: each code would count twice
        return ""
    factor = _new_factor(person_id, FactorKind.CODE, label or "Authenticator app", at)
    factor.sealed_secret, factor.last_step = one_time_codes.encrypt_secret(secret, person_id, key), step
    return _add_factor(factor, session_hash)


def _list_secrets(person_id: int, key: str) -> list[str | None]:
    sealed = select(Factor.sealed_secret).where(Factor.person_id == person_id, Factor.kind == FactorKind.CODE)
    return [one_time_codes.decrypt_secret(one or b"", person_id, key) for one in db.session.scalars(sealed)]


def add_passkey(person_id: int, label: str, passkey: NewPasskey, at: datetime, *, session_hash: str) -> str:
    """Add a passkey that the person's browser has just made; as ``add_code_device``.

    Raises:
        ConflictError: It was added before, or the session has ended meanwhile.
        RuleError: The person has too many.
    """
    lock_person(person_id)
    known = select(exists().where(Factor.credential_id == passkey.credential_id))
    if db.session.scalar(known):
        raise ConflictError("This passkey was added before.")
    factor = _new_factor(person_id, FactorKind.PASSKEY, label or "Passkey", at)
    factor.credential_id, factor.public_key = passkey.credential_id, passkey.public_key
    factor.sign_count = passkey.sign_count
    return _add_factor(factor, session_hash)


def _new_factor(person_id: int, kind: FactorKind, label: str, at: datetime) -> Factor:
    return Factor(
        reference=secrets.token_hex(8),
        person_id=person_id,
        kind=kind,
        label=label[:LONGEST_LABEL],
        added_at=at,
        last_used_at=None,
    )


def _add_factor(factor: Factor, session_hash: str) -> str:
    count = select(func.count()).select_from(Factor).where(Factor.person_id == factor.person_id)
    if (db.session.scalar(count) or 0) >= MOST_FACTORS:
        raise RuleError(f"You have {MOST_FACTORS} already. Remove one that you no longer use first.")
    db.session.add(factor)
    token = renewal.replace_token(session_hash, factor=factor.kind)
    log("account.factor_added", actor_id=factor.person_id, subject_id=factor.person_id, kind=str(factor.kind))
    return token


def remove_factor(person_id: int, reference: str, *, needs_one: bool) -> None:
    """Remove one of the person's own factors; with the last one go the recovery codes.

    Args:
        person_id: Whose.
        reference: Of the factor.
        needs_one: Whether the person may not be without.

    Raises:
        NotFoundError: The person has no such factor.
        LastFactorError: It is the last one, and the person needs one.
    """
    lock_person(person_id)  # or two requests at once would each leave the factor that the other removes
    factors = list_factors(person_id)
    factor = next((one for one in factors if one.reference == reference), None)
    if factor is None:
        raise NotFoundError("There is no such factor.")
    if len(factors) == 1:
        if needs_one:
            raise LastFactorError
        recovery_codes.delete_codes(person_id)
    db.session.execute(delete(Factor).where(Factor.person_id == person_id, Factor.reference == reference))
    log("account.factor_removed", actor_id=person_id, subject_id=person_id, kind=str(factor.kind))


def reset_factors(person_id: int, *, by: int | None, at: datetime) -> None:
    """Remove all of a person's factors and recovery codes, and sign them out, because they lost them.

    Raises:
        RuleError: The person has none, or it is whoever does it.
    """
    if person_id == by:
        raise RuleError("You cannot reset your own second factor: change it on the page of your account.")
    lock_person(person_id)
    removed = db.session.scalars(
        delete(Factor).where(Factor.person_id == person_id).returning(Factor.id)
    ).all()
    if not removed:
        raise RuleError("This person has no second factor.")
    recovery_codes.delete_codes(person_id)
    log("account.factors_reset", actor_id=by, subject_id=person_id, factors=len(removed))
    services.end_sessions(person_id, "factors_reset", by, at)
