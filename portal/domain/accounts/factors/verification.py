"""Checks the second factor that somebody shows: a one-time code, a recovery code, or a passkey's answer."""

from datetime import datetime

from sqlalchemy import or_, select, update

from portal.domain.accounts.factors import challenges, one_time_codes, passkeys, recovery_codes
from portal.domain.accounts.factors.enrolment import FactorKind
from portal.domain.accounts.factors.errors import PasskeyRefusedError
from portal.domain.accounts.factors.models import Factor
from portal.domain.accounts.factors.passkeys import RelyingParty, StoredPasskey, user_handle
from portal.platform.db import db


def accept_code(person_id: int, typed: str, key: str, at: datetime) -> FactorKind | None:
    """Use a one-time code or a recovery code of the person up, in the caller's transaction.

    Args:
        person_id: Whose code.
        typed: As typed, with spaces or without.
        key: The portal's secret key.
        at: This instant.

    Returns:
        Which of the two it was; None if it is no code of theirs, or was used.
    """
    code = one_time_codes.normalise_code(typed)
    if one_time_codes.is_one_time_code(code):
        return FactorKind.CODE if _accept_one_time_code(person_id, code, key, at) else None
    return FactorKind.RECOVERY if recovery_codes.use_code(person_id, code, key, at) else None


def _accept_one_time_code(person_id: int, code: str, key: str, at: datetime) -> bool:
    devices = select(Factor).where(Factor.person_id == person_id, Factor.kind == FactorKind.CODE)
    for device in db.session.scalars(devices.order_by(Factor.id)):
        secret = one_time_codes.decrypt_secret(device.sealed_secret or b"", person_id, key)
        step = one_time_codes.matching_step(secret, code, at, device.last_step) if secret else None
        if step is not None and _use_step(device.id, step, at):
            return True
    return False


def _use_step(factor_id: int, step: int, at: datetime) -> bool:
    """Note that this half minute's code was used; False if another request did so at the same time."""
    used = db.session.scalars(
        update(Factor)
        .where(Factor.id == factor_id, or_(Factor.last_step.is_(None), Factor.last_step < step))
        .values(last_step=step, last_used_at=at)
        .returning(Factor.id),
        execution_options={"synchronize_session": False},
    ).all()
    return bool(used)


def accept_passkey(
    answer: str, context: str, party: RelyingParty, key: str, at: datetime, *, person_id: int | None = None
) -> int:
    """Check the answer of a passkey, in the caller's transaction, and use its challenge up.

    Args:
        answer: What the browser sent, as JSON.
        context: What the challenge was made for.
        party: The portal.
        key: The portal's secret key.
        at: This instant.
        person_id: Whose passkey it must be; None: anybody's.

    Returns:
        Whose passkey it is.

    Raises:
        PasskeyRefusedError: It is not one to believe. The caller rolls back.
    """
    challenge = passkeys.challenge_of_answer(answer)
    challenges.spend_challenge(challenge, context, key, at)
    credential = passkeys.credential_of_answer(answer)
    factor = db.session.scalar(select(Factor).where(Factor.credential_id == credential).with_for_update())
    if factor is None or (person_id is not None and factor.person_id != person_id):
        raise PasskeyRefusedError("unknown_passkey")
    stored = StoredPasskey(
        credential,
        factor.public_key or b"",
        factor.sign_count or 0,
        user_handle(factor.person_id, key),
    )
    factor.sign_count = passkeys.check_answer(answer, challenge, party, stored)
    factor.last_used_at = at
    return factor.person_id
