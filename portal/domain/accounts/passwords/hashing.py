"""Passwords: which are good enough, and Argon2id.

Length and how easily it is guessed decide; there are no rules about digits or capitals and no expiry (NCSC's
advice).
"""

import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.domain.accounts.errors import PasswordRefusedError
from portal.domain.accounts.passwords import strength

PASSWORD_LENGTH = 15  # characters at least (NIST SP 800-63B-4, where a password is all that is asked)
LONGEST_PASSWORD = 128
RULE_NUMBER = 1  # kept beside each password that passed; add one where the rule gets stricter

# 19 MiB, two passes, one lane (what OWASP asks for at least): fifty sign-ins at once fit a small machine.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)


def check_new_password(plain: str, about: Iterable[str] = ()) -> None:
    """Let a new password pass, or say what is wrong with it.

    Args:
        plain: As typed.
        about: What anyone would try first for this person: names, staff number, the force.

    Raises:
        PasswordRefusedError: It is too short, too long, or made of what is guessed first.
    """
    length = len(_normalise_password(plain))
    if length < PASSWORD_LENGTH:
        raise PasswordRefusedError(f"Password must be {PASSWORD_LENGTH} characters or more")
    if length > LONGEST_PASSWORD:
        raise PasswordRefusedError(f"Password must be {LONGEST_PASSWORD} characters or fewer")
    sentence = strength.reason_for_refusal(_normalise_password(plain), about)
    if sentence is not None:
        raise PasswordRefusedError(sentence)


def is_weak(plain: str, about: Iterable[str] = ()) -> bool:
    """Whether the rule of today would refuse this password."""
    try:
        check_new_password(plain, about)
    except PasswordRefusedError:
        return True
    return False


def hash_password(plain: str) -> str:
    """The Argon2id hash that is kept."""
    return _hasher.hash(_normalise_password(plain))


def password_matches(kept: str | None, plain: str) -> bool:
    """Whether ``plain`` is the password; takes as long where there is none to compare with."""
    try:
        found = _hasher.verify(
            kept or _dummy_hash(), _normalise_password(plain[: 4 * LONGEST_PASSWORD])[: LONGEST_PASSWORD + 1]
        )
    except (VerificationError, InvalidHashError):
        return False
    return found and kept is not None


def needs_rehash(kept: str) -> bool:
    """Whether the hash was made with other costs than today's."""
    return _hasher.check_needs_rehash(kept)


@cache
def _dummy_hash() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


def _normalise_password(plain: str) -> str:
    # The same characters typed on another keyboard may arrive composed differently.
    return unicodedata.normalize("NFKC", plain)
