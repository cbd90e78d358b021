"""Secrets and signatures of the Standard Webhooks specification, and how a secret is stored.

A secret has to be known in plain to sign, so the database has it encrypted with AES-256-GCM, under a key
derived by HKDF-SHA-256 from the portal's ``SECRET_KEY``. Whoever reads the database or a backup of it cannot
sign. Where ``SECRET_KEY`` was changed, secrets can no longer be read: they have to be replaced.
"""

import base64
import hashlib
import hmac
import os
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PREFIX = "whsec_"
SECRET_BYTES = 32
_NONCE_BYTES = 12
_PURPOSE = b"portal: secret of a webhook"


def new_secret() -> str:
    """A secret as its receiver enters it: ``whsec_`` and 256 random bits in base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def format_message_id(event_id: UUID) -> str:
    """The value of ``webhook-id``; the same for every try."""
    return f"msg_{event_id.hex}"


def sign_message(message_id: str, timestamp: int, body: bytes, signing_secrets: Sequence[str]) -> str:
    """The value of ``webhook-signature``: one signature for each secret, with spaces between them."""
    content = f"{message_id}.{timestamp}.".encode() + body
    return " ".join(f"v1,{_sign(secret, content)}" for secret in signing_secrets)


def _sign(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def encrypt_secret(secret: str, reference: UUID, key: str) -> bytes:
    """The secret, to be read only under this key and for the webhook with this reference."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _derive_cipher(key).encrypt(nonce, secret.encode(), reference.bytes)


def decrypt_secret(encrypted: bytes, reference: UUID, key: str) -> str | None:
    """The secret; None if it was encrypted under another key or for another webhook, or changed."""
    from cryptography.exceptions import InvalidTag

    nonce, rest = encrypted[:_NONCE_BYTES], encrypted[_NONCE_BYTES:]
    try:
        return _derive_cipher(key).decrypt(nonce, rest, reference.bytes).decode()
    except InvalidTag:
        return None


def _derive_cipher(key: str) -> "AESGCM":
    # 11 MiB, which a process that signs nothing does without.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(key.encode()))
