"""Encrypts a kept form under a key that only its browser's cookie gives: AES-256-GCM, key by HKDF-SHA-256.

The database has the hash of the cookie's token, from which neither token nor key follows. So whoever reads
the database or a backup of it reads no form.
"""

import json
import os
from typing import TYPE_CHECKING

from portal.domain.accounts.sign_in.tokens import hash_token

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_PURPOSE = b"portal: form kept over a lapse"


def encrypt_form(token: str, person_id: int, path: str, body: str) -> bytes:
    """The address and the fields of a form, so that only ``token`` opens them for this person."""
    nonce = os.urandom(_NONCE_BYTES)
    plain = json.dumps([path, body]).encode()
    return nonce + _derive_cipher(token).encrypt(nonce, plain, _associated_data(token, person_id))


def decrypt_form(token: str, person_id: int, sealed: bytes) -> tuple[str, str] | None:
    """The address and the fields; None where they were sealed for another token or person, or changed."""
    from cryptography.exceptions import InvalidTag

    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        path, body = json.loads(
            _derive_cipher(token).decrypt(nonce, rest, _associated_data(token, person_id))
        )
    except (InvalidTag, ValueError):
        return None
    return path, body


def _associated_data(token: str, person_id: int) -> bytes:
    return f"{person_id} {hash_token(token)}".encode()


def _derive_cipher(token: str) -> "AESGCM":
    # 11 MiB, which a process that keeps no form does without.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(token.encode()))
