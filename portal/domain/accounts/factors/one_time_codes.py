"""One-time codes of an authenticator app (TOTP, RFC 6238): six digits, each good for half a minute, and once.

The secret must be read to check a code, so it cannot be hashed: it is encrypted with AES-256-GCM under a key
derived from ``SECRET_KEY``, bound to its person. Whoever reads the database or a backup alone makes no codes.
"""

import hmac
import os
import re
import unicodedata
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

STEP_SECONDS = 30
STEPS_APART = 1  # by which the clock of the device may be behind or ahead
DIGITS = 6
_NONCE_BYTES = 12
_PURPOSE = b"portal: secret of one-time codes"


def new_secret() -> str:
    """A secret of 160 random bits, in base 32 as apps take it."""
    import pyotp  # a process that checks no code does without

    return pyotp.random_base32()


def secret_in_groups(secret: str) -> str:
    """The secret as it is typed.

    >>> secret_in_groups("ABCDEFGH")
    'ABCD EFGH'
    """
    return " ".join(re.findall(".{1,4}", secret))


def provisioning_address(secret: str, name: str, issuer: str) -> str:
    """The address that a QR code gives to an app."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=issuer)


def normalise_code(typed: str) -> str:
    """What was typed, without spaces and hyphens, in plain digits and capitals.

    >>> normalise_code(" 123 456 "), normalise_code("abcd-efgh")
    ('123456', 'ABCDEFGH')
    """
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed[:100])).upper()


def is_one_time_code(code: str) -> bool:
    """Whether this has the form of a one-time code."""
    return re.fullmatch(f"[0-9]{{{DIGITS}}}", code, re.ASCII) is not None


def matching_step(secret: str, code: str, at: datetime, after: int | None) -> int | None:
    """The half minute whose code this is: the current one or one beside it, later than ``after``, if any."""
    import pyotp

    now, codes = int(at.timestamp()) // STEP_SECONDS, pyotp.TOTP(secret)
    matches = [
        step
        for step in range(now - STEPS_APART, now + STEPS_APART + 1)
        if hmac.compare_digest(codes.generate_otp(step), code) and (after is None or step > after)
    ]
    return matches[0] if matches else None


def encrypt_secret(secret: str, person_id: int, key: str) -> bytes:
    """Encrypt the secret for its person, under a key derived from the portal's."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _derive_cipher(key).encrypt(nonce, secret.encode(), _associated_data(person_id))


def decrypt_secret(sealed: bytes, person_id: int, key: str) -> str | None:
    """The secret; None if it was encrypted for another person or under another key, or was changed."""
    from cryptography.exceptions import InvalidTag

    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return _derive_cipher(key).decrypt(nonce, rest, _associated_data(person_id)).decode()
    except (InvalidTag, ValueError):
        return None


def _associated_data(person_id: int) -> bytes:
    return f"person {person_id}".encode()


def _derive_cipher(key: str) -> "AESGCM":
    # 11 MiB, which a process that checks no code does without.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode()))
