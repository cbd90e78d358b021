"""Passwords: how easily one is guessed, and how it is kept."""

import re
import secrets
import unicodedata
from collections.abc import Collection, Iterable
from functools import cache
from threading import Lock

from nacl.exceptions import InvalidkeyError
from nacl.pwhash import argon2id

from portal.domain.accounts.errors import PasswordRefusedError

# Judges how easily a password is guessed, by zxcvbn's score and by words about the person and the force.
#
# zxcvbn knows leaked passwords, names, dates, keyboards and repeats, but not whose password it is: it
# gives "westshirepolice1" its best score. So it also gets the words of the person and of the force, and
# the password without those words must be hard to guess too.

LOWEST_SCORE = 3  # of 0 to 4: more than 10**8 guesses
MOST_SCORED = 72  # characters; zxcvbn accepts no more, and takes 35 ms for the slowest of them
SHORTEST_CUT = 3  # characters of a word that is cut out; a name of two letters is part of many words

# What anyone would try first at a police portal.
PORTAL_WORDS = (
    "constabulary", "elearning", "force", "immigration", "learning", "module", "officer", "password",
    "police", "policing", "portal", "sergeant", "training",
)  # fmt: skip

# What people build long phrases from; zxcvbn scores "welcome to the portal" as if its words were random.
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
    autumn tuesday wednesday thursday friday saturday one two three four five six seven eight nine ten random
    word words
    """.split()
)
_SIGNS = str.maketrans("@$", "as")  # put in place of letters
_DIGITS = (str.maketrans("013457", "oleast"), str.maketrans("013457", "oieast"))
_FEWEST_SIGNS = 5  # a password needs at least so many different characters
# Two rows of keys, or letters and digits in turn, which zxcvbn takes for random characters.
_RUNS = ("q1w2e3r4t5y6u7i8o9p0", "a1b2c3d4e5f6g7h8i9j0", "1a2b3c4d5e6f7g8h9i0j", "1q2w3e4r5t6y7u8i9o0p")

_TOO_EASY = "Password is too easy to guess. Choose three random words that have nothing to do with each other"
_TOO_CLOSE = (
    "Password is too easy to guess: your name, staff number, police words and repeats do not count. "
    "Choose three random words that have nothing to do with you"
)


def reason_for_refusal(plain: str, about: Iterable[str]) -> str | None:
    """The sentence that refuses a password that is too easy to guess; None if it is hard enough.

    Args:
        plain: The password, in one Unicode form.
        about: Texts about the person and the force: names, numbers, addresses.
    """
    words = _split_words(about)
    if _is_common(plain.casefold(), words):
        return _TOO_EASY
    if _score_password(plain, ()) < LOWEST_SCORE:
        return _TOO_EASY
    rests = {plain, _remove_words(plain.casefold(), words), _remove_repeats(plain.casefold())}
    return _TOO_CLOSE if any(_score_password(rest, words) < LOWEST_SCORE for rest in rests) else None


def _split_words(about: Iterable[str]) -> frozenset[str]:
    """Split texts into words, runs of letters and runs of digits; also each text without its signs."""
    words = set(PORTAL_WORDS)
    for text in about:
        parts = re.findall(r"[^\W_]+", text.casefold())
        words.update(parts, re.findall(r"[^\W\d_]+|\d+", text.casefold()), ["".join(parts)])
    return frozenset(word for word in words if len(word) > 1)


def _score_password(plain: str, words: Collection[str]) -> int:
    """Score by zxcvbn of at most the first ``MOST_SCORED`` characters."""
    if not plain.strip():
        return 0
    from zxcvbn import zxcvbn  # 15 MiB, which a process that checks no password does without

    score: int = zxcvbn(plain[:MOST_SCORED], user_inputs=sorted(words), max_length=MOST_SCORED)["score"]
    return score


def _remove_words(plain: str, words: Collection[str]) -> str:
    """Remove these words from the password, also where they are spelled with signs, as in "p@ssword"."""
    letters = plain.translate(_SIGNS)
    forms = (plain, letters, *(letters.translate(digits) for digits in _DIGITS))  # all of one length
    is_kept = [True] * len(plain)
    for word in words:
        for form in forms if len(word) >= SHORTEST_CUT else ():
            for match in re.finditer(re.escape(word), form):
                is_kept[match.start() : match.end()] = [False] * len(word)
    return "".join(sign for sign, keep in zip(plain, is_kept, strict=True) if keep)


def _remove_repeats(plain: str) -> str:
    """The password with each of its words and numbers only once: a repeat adds no secret."""
    return "".join(dict.fromkeys(re.findall(r"[^\W\d_]+|\d+|[\W_]", plain)))


def _is_common(plain: str, words: Collection[str]) -> bool:
    """Whether it is one run of keys, has hardly any different characters, or is only common words."""
    signs = re.sub(r"[\W_]", "", plain)
    if len(set(signs)) < _FEWEST_SIGNS or any(signs in run or signs in run[::-1] for run in _RUNS):
        return True
    common = _COMMON_WORDS | set(words)
    return any(_is_made_of(text, common) for text in (signs, re.sub(r"[\W_]", "", plain.translate(_SIGNS))))


def _is_made_of(signs: str, words: Collection[str]) -> bool:
    """Whether the text is made only of these words (digits may replace letters) and of digits."""
    forms = (signs, *(signs.translate(digits) for digits in _DIGITS))
    reachable = [True] + [False] * len(signs)
    sizes = sorted({len(word) for word in words if len(word) > 1})
    for end in range(1, len(signs) + 1):
        reachable[end] = (reachable[end - 1] and signs[end - 1].isdigit()) or any(
            size <= end and reachable[end - size] and any(form[end - size : end] in words for form in forms)
            for size in sizes
        )
    return reachable[-1]


# Checks new passwords, and hashes them with Argon2id.
#
# A password must be long and hard to guess; there are no rules about digits or capitals, and it does not
# expire (NCSC's advice).

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
    sentence = reason_for_refusal(_normalise_password(plain), about)
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
