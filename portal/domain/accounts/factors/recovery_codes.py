"""Recovery codes: ten for each person, shown once, each good for one sign-in."""

import hmac
import secrets
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from portal.domain.accounts.factors.models import RecoveryCode
from portal.domain.people.services import lock_person
from portal.platform.audit.services import log
from portal.platform.db import db

CODES = 10
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that is read as something else
_GROUPS, _GROUP_LENGTH = 3, 4  # 58 random bits


def replace_codes(person_id: int, key: str, at: datetime) -> list[str]:
    """Make ten new codes, which replace the person's earlier ones.

    Returns:
        The codes in groups, as they are printed; the database has keyed hashes of them.
    """
    lock_person(person_id)
    codes = [_new_code() for _ in range(CODES)]
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    db.session.execute(
        insert(RecoveryCode),
        [
            {"person_id": person_id, "made_at": at, "code_hash": _hash_code(code, person_id, key)}
            for code in codes
        ],
    )
    log("account.recovery_codes_made", actor_id=person_id, subject_id=person_id)
    return codes


def use_code(person_id: int, code: str, key: str, at: datetime) -> bool:
    """Use one of the person's codes, even if it is sent twice at once; False if it is none of them.

    Args:
        person_id: Whose code.
        code: Without spaces and hyphens, in capitals.
        key: The portal's secret key.
        at: This instant.
    """
    if len(code) != _GROUPS * _GROUP_LENGTH:
        return False
    used = db.session.scalars(
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == person_id,
            RecoveryCode.code_hash == _hash_code(code, person_id, key),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=at)
        .returning(RecoveryCode.id)
    ).all()
    if used:
        log("account.recovery_code_used", actor_id=person_id, subject_id=person_id)
    return bool(used)


def count_unused_codes(person_id: int) -> int:
    """How many codes the person has left."""
    unused = RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None)
    return db.session.scalar(select(func.count()).select_from(RecoveryCode).where(*unused)) or 0


def delete_codes(person_id: int) -> None:
    """Delete all the person's codes."""
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))


def _new_code() -> str:
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def _hash_code(code: str, person_id: int, key: str) -> str:
    """A keyed hash: without the portal's key, a copy of the database does not let codes be tried."""
    text = f"recovery code {person_id} {code.replace('-', '')}"
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()
