"""Checks new passwords, and hashes them with Argon2id.

A password must be long and hard to guess; there are no rules about digits or capitals, and it does not expire
(NCSC's advice).
"""

import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache
from threading import Lock

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from portal.domain.accounts.errors import PasswordRefusedError
from portal.domain.accounts.passwords import strength

PASSWORD_LENGTH = 15  # characters at least (NIST SP 800-63B-4, for sign-in by password alone)
LONGEST_PASSWORD = 128
RULE_NUMBER = 1  # stored beside each password that passed; add one when the rule gets stricter

# Of the costs that OWASP holds to be equally strong, the quickest to check.
PASSES, KIBIBYTES = 5, 7 * 1024
# One hash at a time in a process: their memory is bounded, and a core is left for everybody else.
_turn = Lock()


def check_new_password(plain: str, about: Iterable[str] = ()) -> None:
    """Check a new password, or raise an error that says what is wrong with it.

    Args:
        plain: As typed.
        about: Words that are easy to guess for this person: names, staff number, the force.

    Raises:
        PasswordRefusedError: It is too short, too long or too easy to guess.
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
    """Whether the current rule would refuse this password."""
    try:
        check_new_password(plain, about)
    except PasswordRefusedError:
        return True
    return False


def hash_password(plain: str) -> str:
    """The Argon2id hash to store."""
    with _turn:
        return _hash_bytes(_normalise_password(plain).encode())


def password_matches(stored_hash: str | None, plain: str) -> bool:
    """Whether ``plain`` is the password; takes as long if there is no hash to compare with."""
    typed = _normalise_password(plain[: 4 * LONGEST_PASSWORD])[: LONGEST_PASSWORD + 1]
    try:
        with _turn:
            matches = argon2id.verify((stored_hash or _dummy_hash()).encode(), typed.encode())
    except (InvalidkeyError, ValueError):  # another password, or what is no hash
        return False
    return matches and stored_hash is not None


def renewed_hash(stored_hash: str, plain: str) -> str | None:
    """A new hash of a verified password whose hash was made with other costs; None where it was not."""
    has_these_costs = stored_hash.startswith(f"$argon2id$v=19$m={KIBIBYTES},t={PASSES},p=1$")
    return None if has_these_costs else hash_password(plain)


@cache
def _dummy_hash() -> str:
    return _hash_bytes(secrets.token_bytes())


def _hash_bytes(password: bytes) -> str:
    return argon2id.str(password, opslimit=PASSES, memlimit=1024 * KIBIBYTES).decode()


def _normalise_password(plain: str) -> str:
    # The same characters typed on another keyboard may arrive composed differently.
    return unicodedata.normalize("NFKC", plain)
