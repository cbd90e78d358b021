"""Passwords: which are good enough, and Argon2id.

Length and a deny-list decide; there are no rules about digits or capitals and no expiry (NCSC's advice).
"""

import re
import secrets
import unicodedata
from collections.abc import Iterable
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from portal.accounts.errors import PasswordRefusedError

SHORTEST, LONGEST = 12, 128

# 19 MiB, two passes, one lane (what OWASP asks for at least): fifty sign-ins at once fit a small machine.
_hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)

# What people build long passwords from; a password made of these alone is refused.
_COMMON_WORDS = frozenset(
    """
    abc abcd abcdef access account admin administrator and asdf asdfgh asdfghjkl baseball change changeme
    computer constable default dragon easy england enter football force guest hello home iloveyou is
    learn learning letmein liverpool login london love manchester master me monday my new nothing
    now officer open pass passphrase passw passwd password passwords police policing portal princess qwer
    qwert qwerty qwertyuiop qwertyuiopasdfghjkl read ready root secret sergeant shadow sign signin staff
    starwars strong summer sunday sunshine super superman system temp temporary test testing the this
    training trustno to for in of on it unit user welcome westshire winter work yes you your zxcv zxcvbn
    zxcvbnm january february march april may june july august september october november december spring
    autumn
    """.split()
)
_SIGNS = str.maketrans("@$", "as")  # put in place of letters
_DIGITS = str.maketrans("013457", "oleast")
_RUNS = (
    "01234567890123456789",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "a1b2c3d4e5f6g7h8i9j0",
    "1a2b3c4d5e6f7g8h9i0j",
    "1q2w3e4r5t6y7u8i9o0p",
)


def check(plain: str, about: Iterable[str] = ()) -> None:
    """Let a new password pass, or say what is wrong with it.

    Args:
        plain: As typed.
        about: What anyone would try first for this person: names, staff number, the force.

    Raises:
        PasswordRefusedError: It is too short, too long, or made of what is guessed first.
    """
    length = len(_normal(plain))
    if length < SHORTEST:
        raise PasswordRefusedError(f"Password must be {SHORTEST} characters or more")
    if length > LONGEST:
        raise PasswordRefusedError(f"Password must be {LONGEST} characters or fewer")
    if _denied(_normal(plain).casefold(), about):
        raise PasswordRefusedError("Password is too easy to guess. Three random words make a good one")


def hashed(plain: str) -> str:
    """The Argon2id hash that is kept."""
    return _hasher.hash(_normal(plain))


def matches(kept: str | None, plain: str) -> bool:
    """Whether ``plain`` is the password; takes as long where there is none to compare with."""
    try:
        found = _hasher.verify(kept or _nobodys(), _normal(plain[: 4 * LONGEST])[: LONGEST + 1])
    except (VerificationError, InvalidHashError):
        return False
    return found and kept is not None


def outdated(kept: str) -> bool:
    """Whether the hash was made with other costs than today's."""
    return _hasher.check_needs_rehash(kept)


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))


def _normal(plain: str) -> str:
    # The same characters typed on another keyboard may arrive composed differently.
    return unicodedata.normalize("NFKC", plain)


def _denied(plain: str, about: Iterable[str]) -> bool:
    signs = re.sub(r"[\W_]", "", plain)
    if not signs or len(set(signs)) < 5 or _repeats(signs):
        return True
    if any(signs in run or signs in run[::-1] for run in _RUNS):
        return True
    words = {re.sub(r"[\W_]", "", word.casefold()) for text in about for word in (text, *text.split())}
    words |= _COMMON_WORDS
    return any(_made_of(text, words) for text in (signs, re.sub(r"[\W_]", "", plain.translate(_SIGNS))))


def _repeats(signs: str) -> bool:
    """Whether a piece of at most four signs is all there is, again and again."""
    return any(signs == (signs[:size] * len(signs))[: len(signs)] for size in range(1, 5))


def _made_of(signs: str, words: set[str] | frozenset[str]) -> bool:
    """Whether these words, also with digits put for their letters, and further digits make up all."""
    plain = signs.translate(_DIGITS)
    reachable = [True] + [False] * len(signs)
    sizes = sorted({len(word) for word in words if len(word) > 1})
    for end in range(1, len(signs) + 1):
        reachable[end] = (reachable[end - 1] and signs[end - 1].isdigit()) or any(
            size <= end
            and reachable[end - size]
            and (signs[end - size : end] in words or plain[end - size : end] in words)
            for size in sizes
        )
    return reachable[-1]
