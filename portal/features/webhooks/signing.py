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
from datetime import timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING
from uuid import UUID

from config import current_settings
from portal.platform.errors import RuleError
from portal.platform.outbound import OutboundPolicy, parse_proxy

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


# The limits of webhooks, and what they need of the settings of the portal.

MOST_WEBHOOKS = 20  # each may have a thread of its own
OLD_SECRET = timedelta(hours=24)  # how long a replaced secret signs too
TRIED_FOR = timedelta(days=3)  # how long a message is tried
# After each failed try, until the three days of a message are over.
DELAYS = tuple(
    timedelta(seconds=seconds) for seconds in (5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 72000)
)
JITTER = 0.1  # each delay is longer or shorter by up to this part, so that receivers are not met all at once
PATIENCE = 3  # failures in a row, whatever the messages, after which a webhook rests
RESTS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30))
LONGEST_REST = timedelta(hours=1)  # for which a receiver may ask at a time, by Retry-After
LOST_AFTER = timedelta(seconds=60)  # a worker that claimed a message so long ago was killed
DEMO_NETWORKS = (ip_network("127.0.0.0/8"), ip_network("::1/128"))  # a receiver on the same machine


def outbound_policy() -> OutboundPolicy:
    """Where messages may go: public addresses, through ``OUTBOUND_PROXY``, and ``WEBHOOK_NETWORKS``."""
    settings = current_settings()
    networks = settings.allowed_networks or (DEMO_NETWORKS if settings.mode == "demo" else ())
    return OutboundPolicy(networks, proxy=parse_proxy(settings.outbound_proxy))


def encryption_key() -> str:
    """The key under which secrets are stored, or rather what it is derived from."""
    return current_settings().secret_key


# What a webhook refuses.


class WebhookError(RuleError):
    """A webhook cannot be set so; ``field`` names what to change."""

    def __init__(self, field: str, sentence: str) -> None:
        self.field = field
        super().__init__(sentence)
