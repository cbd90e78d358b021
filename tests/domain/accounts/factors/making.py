"""Second factors of people in tests: a device for one-time codes, and an authenticator made of software."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import cbor2
import pyotp
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from config import current_settings
from portal.domain.accounts import factors
from portal.domain.accounts.factors import decode, encode
from portal.domain.accounts.models import Factor
from portal.platform import clock
from portal.platform.db import db, transaction

PRESENT, VERIFIED, ATTESTED = 1, 4, 64  # flags of authenticator data


def add_codes(person: int, label: str = "Work phone") -> str:
    """Give the person a device for one-time codes; returns its secret."""
    secret = factors.new_secret()
    sealed = factors.encrypt_secret(secret, person, current_settings().secret_key)
    with transaction():
        db.session.add(
            Factor(
                reference=os.urandom(8).hex(),
                person_id=person,
                kind=factors.FactorKind.CODE,
                label=label,
                sealed_secret=sealed,
                last_step=0,
                added_at=clock.now(),
            )
        )
    return secret


def code_of(secret: str, steps: int = 0, at: datetime | None = None) -> str:
    """The code that the device shows now, or so many half minutes later."""
    return pyotp.TOTP(secret).at(at or clock.now(), counter_offset=steps)


@dataclass
class SoftAuthenticator:
    """An authenticator that answers as a test wants: what is wrong with an answer is set here."""

    origin: str = "http://localhost"
    host: str = "localhost"
    flags: int = PRESENT | VERIFIED
    count: int = 0
    kind: str = ""  # instead of the right type of client data
    cross_origin: bool = False
    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential: bytes = field(default_factory=lambda: os.urandom(32))
    user: bytes = b""

    def create(self, options: dict[str, Any]) -> str:
        """The answer to a request for a new passkey, as the page's script sends it."""
        self.user = decode(options["user"]["id"])
        public = cbor2.dumps(self._public_key())
        size = len(self.credential).to_bytes(2, "big")
        data = self._data(ATTESTED) + bytes(16) + size + self.credential + public
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return self._answer(
            options["challenge"], "webauthn.create", {"attestationObject": encode(attestation)}
        )

    def _public_key(self) -> dict[int, Any]:
        if isinstance(self.key, bytes):  # of Ed25519, and nobody has its private half
            return {1: 1, 3: -8, -1: 6, -2: self.key}
        numbers = self.key.public_key().public_numbers()
        x, y = (number.to_bytes(32, "big") for number in (numbers.x, numbers.y))
        return {1: 2, 3: -7, -1: 1, -2: x, -3: y}

    def get(self, options: dict[str, Any]) -> str:
        """The answer to a request to sign in."""
        self.count += 1
        data, client = self._data(), self._client_data(options["challenge"], "webauthn.get")
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {"authenticatorData": encode(data), "signature": encode(signature)}
        return self._answer(
            options["challenge"], "webauthn.get", {**response, "userHandle": encode(self.user)}
        )

    def _data(self, more: int = 0) -> bytes:
        host = hashlib.sha256(self.host.encode()).digest()
        return host + bytes([self.flags | more]) + self.count.to_bytes(4, "big")

    def _client_data(self, challenge: str, kind: str) -> bytes:
        client = {"type": self.kind or kind, "challenge": challenge, "origin": self.origin}
        return json.dumps({**client, "crossOrigin": self.cross_origin}).encode()

    def _answer(self, challenge: str, kind: str, response: dict[str, str]) -> str:
        client = encode(self._client_data(challenge, kind))
        name = encode(self.credential)
        body = {"id": name, "rawId": name, "type": "public-key"}
        return json.dumps({**body, "response": {**response, "clientDataJSON": client}})
