"""Passkeys (WebAuthn): what a browser is asked for, and the check of what it answers.

User verification is required throughout: an answer shows that somebody has the device and unlocked it with
a finger, a face or a PIN. Attestation is not asked for: which make a passkey is decides nothing here.
"""

import hmac
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from portal.domain.accounts.factors.errors import PasskeyRefusedError
from portal.platform.signing.settings import is_sound_key

LONGEST_ANSWER = 16 * 1024  # characters
MILLISECONDS = 120_000  # that a person has to answer
CREDENTIAL_ID = re.compile(r"[A-Za-z0-9_-]{1,1364}")  # base64url; WebAuthn allows 1,023 bytes
ALGORITHMS = (-8, -7, -257)  # Ed25519, ECDSA with SHA-256, RSA with SHA-256


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """The portal, as passkeys know it."""

    host: str
    origin: str
    name: str

    @property
    def may_have_passkeys(self) -> bool:
        """Whether browsers make passkeys for this host: one with a name, not with a number."""
        try:
            ip_address(self.host.strip("[]"))
        except ValueError:
            return True
        return False


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A passkey that a browser has just made."""

    credential_id: str
    public_key: bytes
    sign_count: int


@dataclass(frozen=True, slots=True)
class StoredPasskey:
    """What is known of a passkey when it answers."""

    credential_id: str
    public_key: bytes
    sign_count: int
    user_handle: bytes


def relying_party(address: str, name: str) -> RelyingParty:
    """The portal at its public address.

    >>> relying_party("https://learning.example.police.uk:8443", "").origin
    'https://learning.example.police.uk:8443'
    """
    parts = urlsplit(address)
    return RelyingParty(parts.hostname or "", f"{parts.scheme}://{parts.netloc}", name)


def user_handle(person_id: int, key: str) -> bytes:
    """What a passkey keeps of its person: the same for all of theirs, and nothing that says who it is."""
    return hmac.new(key.encode(), f"passkey user {person_id}".encode(), "sha256").digest()


def creation_options(
    challenge: bytes,
    party: RelyingParty,
    *,
    handle: bytes,
    name: str,
    display_name: str,
    known: Iterable[str],
) -> dict[str, Any]:
    """What a browser is asked for to make a passkey, as JSON with bytes in base64url.

    Args:
        challenge: Which it signs.
        party: The portal.
        handle: Of the person.
        name: The staff number, by which a person tells passkeys apart.
        display_name: The person's name.
        known: Ids of the passkeys that the person has; a device that has one of them makes no other.
    """
    return {
        "challenge": encode(challenge),
        "rp": {"id": party.host, "name": party.name},
        "user": {"id": encode(handle), "name": name, "displayName": display_name},
        "pubKeyCredParams": [{"type": "public-key", "alg": algorithm} for algorithm in ALGORITHMS],
        "authenticatorSelection": {
            "residentKey": "required",
            "requireResidentKey": True,
            "userVerification": "required",
        },
        "attestation": "none",
        "timeout": MILLISECONDS,
        "excludeCredentials": [{"type": "public-key", "id": one} for one in known],
    }


def request_options(challenge: bytes, party: RelyingParty, known: Iterable[str] = ()) -> dict[str, Any]:
    """What a browser is asked for to sign in: any passkey of this portal, or one of those ``known``."""
    return {
        "challenge": encode(challenge),
        "rpId": party.host,
        "userVerification": "required",
        "timeout": MILLISECONDS,
        "allowCredentials": [{"type": "public-key", "id": one} for one in known],
    }


def challenge_of_answer(answer: str) -> bytes:
    """The challenge that an answer says it signed; whether it did is checked later.

    Raises:
        PasskeyRefusedError: It is no answer of a passkey.
    """
    client_data = json.loads(decode(_read_answer(answer)["response"]["clientDataJSON"]))
    if client_data.get("crossOrigin"):
        raise PasskeyRefusedError("cross_origin")
    return decode(client_data["challenge"])


def credential_of_answer(answer: str) -> str:
    """The id of the passkey that an answer names."""
    credential: str = _read_answer(answer)["id"]
    return credential


def check_new_passkey(answer: str, challenge: bytes, party: RelyingParty) -> NewPasskey:
    """The passkey that a browser made, after its answer was checked.

    Raises:
        PasskeyRefusedError: The answer is not to this challenge, from this portal's page, or not verified,
            names another passkey's id, or anybody could sign under its key.
    """
    from webauthn import verify_registration_response  # 20 MiB with what it needs, at its first use
    from webauthn.helpers import decode_credential_public_key
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.decode_credential_public_key import DecodedOKPPublicKey

    checked = _check(
        lambda: verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(number) for number in ALGORITHMS],
        )
    )
    key = decode_credential_public_key(checked.credential_public_key)
    if isinstance(key, DecodedOKPPublicKey) and not is_sound_key(key.x):
        raise PasskeyRefusedError("small_group")
    credential = encode(checked.credential_id)
    if credential != credential_of_answer(answer):  # the authenticator's own, and no longer than one may be
        raise PasskeyRefusedError("another_id")
    return NewPasskey(credential, checked.credential_public_key, checked.sign_count)


def check_answer(answer: str, challenge: bytes, party: RelyingParty, passkey: StoredPasskey) -> int:
    """Check that the passkey signed this challenge for this portal; returns its new counter.

    Raises:
        PasskeyRefusedError: It did not, its user was not verified, or its counter went back.
    """
    from webauthn import verify_authentication_response

    handle = _read_answer(answer)["response"].get("userHandle")
    if handle and not hmac.compare_digest(decode(handle), passkey.user_handle):
        raise PasskeyRefusedError("user_handle")
    checked = _check(
        lambda: verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.host,
            expected_origin=party.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    )
    return int(checked.new_sign_count)


def _check(verify: Any) -> Any:
    try:
        return verify()
    except Exception as error:  # whatever the library stumbles over in what a stranger sent
        raise PasskeyRefusedError(type(error).__name__) from error


def _read_answer(answer: str) -> dict[str, Any]:
    """The answer as far as it has the form of one."""
    try:
        parts: dict[str, Any] = json.loads(answer if len(answer) <= LONGEST_ANSWER else "")
        client_data = json.loads(decode(parts["response"]["clientDataJSON"]))
        texts = (parts["id"], client_data["challenge"], parts["response"].get("userHandle", ""))
        decode(client_data["challenge"])
        decode(texts[2])
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise PasskeyRefusedError("malformed") from error
    if not all(isinstance(text, str) for text in texts) or not CREDENTIAL_ID.fullmatch(texts[0]):
        raise PasskeyRefusedError("malformed")
    return parts


def encode(content: bytes) -> str:
    """Base64url without padding, as WebAuthn writes bytes."""
    return urlsafe_b64encode(content).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """The bytes of base64url without padding.

    Raises:
        ValueError: It is none.
    """
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))
