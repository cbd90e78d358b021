"""Second factors: one-time codes, passkeys and recovery codes."""

import hashlib
import hmac
import json
import os
import re
import secrets
import unicodedata
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from portal.domain.accounts import retention, services, sign_in
from portal.domain.accounts.errors import LastFactorError, PasskeyRefusedError
from portal.domain.accounts.models import Factor, RecoveryCode, SpentChallenge
from portal.domain.people.services import lock_person
from portal.platform.audit import log
from portal.platform.db import db, read
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from portal.platform.signing.keys import is_sound_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM


# Challenges that a passkey signs: made without a trace, each good in one browser, for one purpose, once.
#
# A challenge carries its time and a keyed hash of what it is for, so that showing a page writes nothing.
# Only one that was answered is stored, until it would have run out anyway.

LASTS = timedelta(minutes=30)  # a page may stay open for a while before its button is pressed
_RANDOM_BYTES, _TIME_BYTES = 16, 8


def make_challenge(context: str, key: str, at: datetime) -> bytes:
    """Make a challenge.

    Args:
        context: What it is for, and the secret of the browser that it is for.
        key: The portal's secret key.
        at: This instant.
    """
    head = os.urandom(_RANDOM_BYTES) + int(at.timestamp()).to_bytes(_TIME_BYTES, "big")
    return head + _sign(head, context, key)


def spend_challenge(challenge: bytes, context: str, key: str, at: datetime) -> None:
    """Use a challenge up in the caller's transaction, even if it is answered twice at once.

    Raises:
        PasskeyRefusedError: It was made for something or somebody else, too long ago, or was used.
    """
    head, mac = challenge[: _RANDOM_BYTES + _TIME_BYTES], challenge[_RANDOM_BYTES + _TIME_BYTES :]
    if not hmac.compare_digest(_sign(head, context, key), mac):
        raise PasskeyRefusedError("challenge_of_another_page")
    made_at = datetime.fromtimestamp(int.from_bytes(head[_RANDOM_BYTES:], "big"), UTC)
    if not timedelta() <= at - made_at + timedelta(seconds=1) <= LASTS:
        raise PasskeyRefusedError("challenge_too_old")
    retention.delete_old_factor_rows(at)
    try:
        with db.session.begin_nested():  # two answers at once: the second waits for the first
            db.session.execute(
                insert(SpentChallenge).values(
                    challenge_hash=hashlib.sha256(challenge).hexdigest(), expires_at=made_at + 2 * LASTS
                )
            )
    except IntegrityError as error:
        raise PasskeyRefusedError("challenge_used") from error


def _sign(head: bytes, context: str, key: str) -> bytes:
    return hmac.new(key.encode(), b"passkey challenge " + head + context.encode(), "sha256").digest()


# One-time codes of an authenticator app (TOTP, RFC 6238): six digits, each good for half a minute, and
# once.
#
# The secret must be read to check a code, so it cannot be hashed: it is encrypted with AES-256-GCM under
# a key derived from ``SECRET_KEY``, bound to its person. Whoever reads the database or a backup alone
# makes no codes.

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


# Passkeys (WebAuthn): what a browser is asked for, and the check of what it answers.
#
# User verification is required throughout: an answer shows that somebody has the device and unlocked it
# with a finger, a face or a PIN. Attestation is not asked for: which make a passkey is decides nothing
# here.

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


# Recovery codes: ten for each person, shown once, each good for one sign-in.

CODES = 10
_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # nothing that is read as something else
_GROUPS, _GROUP_LENGTH = 3, 4  # 58 random bits


def replace_codes(person_id: int, key: str, at: datetime) -> list[str]:
    """Make ten new codes, which replace the person's earlier ones.

    Returns:
        The codes in groups, as they are printed; the database has keyed hashes of them.
    """
    lock_person(person_id)
    codes = [_new_code() for _ in range(CODES)]
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    db.session.execute(
        insert(RecoveryCode),
        [
            {"person_id": person_id, "made_at": at, "code_hash": _hash_code(code, person_id, key)}
            for code in codes
        ],
    )
    log("account.recovery_codes_made", actor_id=person_id, subject_id=person_id)
    return codes


def use_code(person_id: int, code: str, key: str, at: datetime) -> bool:
    """Use one of the person's codes, even if it is sent twice at once; False if it is none of them.

    Args:
        person_id: Whose code.
        code: Without spaces and hyphens, in capitals.
        key: The portal's secret key.
        at: This instant.
    """
    if len(code) != _GROUPS * _GROUP_LENGTH:
        return False
    used = db.session.scalars(
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == person_id,
            RecoveryCode.code_hash == _hash_code(code, person_id, key),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=at)
        .returning(RecoveryCode.id)
    ).all()
    if used:
        log("account.recovery_code_used", actor_id=person_id, subject_id=person_id)
    return bool(used)


def count_unused_codes(person_id: int) -> int:
    """How many codes the person has left."""
    unused = RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None)
    return db.session.scalar(select(func.count()).select_from(RecoveryCode).where(*unused)) or 0


def delete_codes(person_id: int) -> None:
    """Delete all the person's codes."""
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))


def _new_code() -> str:
    groups = ("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS))
    return "-".join(groups)


def _hash_code(code: str, person_id: int, key: str) -> str:
    """A keyed hash: without the portal's key, a copy of the database does not let codes be tried."""
    text = f"recovery code {person_id} {code.replace('-', '')}"
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()


# The second factors of a person: listing, adding, removing and resetting them.

MOST_FACTORS = 10  # of one person
LONGEST_LABEL = 60


class FactorKind(StrEnum):
    """What shows, beside a password, who somebody is; ``sign_in_session.factor`` also has ``provider``."""

    CODE = "totp"
    PASSKEY = "passkey"
    RECOVERY = "recovery"


@dataclass(frozen=True, slots=True)
class OwnFactor:
    """One factor, as its person sees it."""

    reference: str
    kind: FactorKind
    label: str
    added_at: datetime
    last_used_at: datetime | None


def list_factors(person_id: int) -> list[OwnFactor]:
    """The person's factors, the oldest first."""
    rows = db.session.execute(
        select(Factor.reference, Factor.kind, Factor.label, Factor.added_at, Factor.last_used_at)
        .where(Factor.person_id == person_id)
        .order_by(Factor.added_at, Factor.id)
    )
    return [
        OwnFactor(reference, FactorKind(kind), label, added_at, last_used_at)
        for reference, kind, label, added_at, last_used_at in rows
    ]


_ANY_FACTOR = select(Factor.id).where(Factor.person_id == bindparam("person_id")).limit(1)


def has_factors(person_id: int) -> bool:
    """Whether the person has added a factor; it sees what has been flushed."""
    return bool(read(_ANY_FACTOR, {"person_id": person_id}))


def list_credential_ids(person_id: int) -> list[str]:
    """The ids of the person's passkeys, as WebAuthn names them."""
    ids = select(Factor.credential_id).where(Factor.person_id == person_id, Factor.credential_id.is_not(None))
    return [one for one in db.session.scalars(ids.order_by(Factor.id)) if one is not None]


def add_code_device(
    person_id: int, label: str, secret: str, step: int, at: datetime, *, key: str, session_hash: str
) -> str:
    """Add a device for one-time codes, whose first code was right; nothing if it was added before.

    Args:
        person_id: Whose.
        label: The person's name for it.
        secret: From which its codes are made.
        step: Of the code with which it was added, which counts no second time.
        at: This instant.
        key: The portal's secret key.
        session_hash: The session in which it is done, which counts as opened with it from now on.

    Returns:
        The new token of that session: a copy of the old one, from before, opens nothing from now on. Empty
        where nothing was added.

    Raises:
        ConflictError: The session has ended meanwhile.
        RuleError: The person has too many.
    """
    lock_person(person_id)
    if secret in _list_secrets(person_id, key):  # a form that is sent twice: each code would count twice
        return ""
    factor = _new_factor(person_id, FactorKind.CODE, label or "Authenticator app", at)
    factor.sealed_secret, factor.last_step = encrypt_secret(secret, person_id, key), step
    return _add_factor(factor, session_hash)


def _list_secrets(person_id: int, key: str) -> list[str | None]:
    sealed = select(Factor.sealed_secret).where(Factor.person_id == person_id, Factor.kind == FactorKind.CODE)
    return [decrypt_secret(one or b"", person_id, key) for one in db.session.scalars(sealed)]


def add_passkey(person_id: int, label: str, passkey: NewPasskey, at: datetime, *, session_hash: str) -> str:
    """Add a passkey that the person's browser has just made; as ``add_code_device``.

    Raises:
        RuleError: The person has too many.
    """
    lock_person(person_id)
    known = select(exists().where(Factor.credential_id == passkey.credential_id))
    if db.session.scalar(known):
        raise ConflictError("This passkey was added before.")
    factor = _new_factor(person_id, FactorKind.PASSKEY, label or "Passkey", at)
    factor.credential_id, factor.public_key = passkey.credential_id, passkey.public_key
    factor.sign_count = passkey.sign_count
    return _add_factor(factor, session_hash)


def _new_factor(person_id: int, kind: FactorKind, label: str, at: datetime) -> Factor:
    return Factor(
        reference=secrets.token_hex(8),
        person_id=person_id,
        kind=kind,
        label=label[:LONGEST_LABEL],
        added_at=at,
        last_used_at=None,
    )


def _add_factor(factor: Factor, session_hash: str) -> str:
    count = select(func.count()).select_from(Factor).where(Factor.person_id == factor.person_id)
    if (db.session.scalar(count) or 0) >= MOST_FACTORS:
        raise RuleError(f"You have {MOST_FACTORS} already. Remove one that you no longer use first.")
    db.session.add(factor)
    token = sign_in.replace_token(session_hash, factor=factor.kind)
    log("account.factor_added", actor_id=factor.person_id, subject_id=factor.person_id, kind=str(factor.kind))
    return token


def remove_factor(person_id: int, reference: str, *, needs_one: bool) -> None:
    """Remove one of the person's own factors; with the last one go the recovery codes.

    Args:
        person_id: Whose.
        reference: Of the factor.
        needs_one: Whether the person may not be without.

    Raises:
        LastFactorError: It is the last one, and the person needs one.
    """
    lock_person(person_id)  # or two requests at once would each leave the factor that the other removes
    factors = list_factors(person_id)
    factor = next((one for one in factors if one.reference == reference), None)
    if factor is None:
        raise NotFoundError("There is no such factor.")
    if len(factors) == 1:
        if needs_one:
            raise LastFactorError
        delete_codes(person_id)
    db.session.execute(delete(Factor).where(Factor.person_id == person_id, Factor.reference == reference))
    log("account.factor_removed", actor_id=person_id, subject_id=person_id, kind=str(factor.kind))


def reset_factors(person_id: int, *, by: int | None, at: datetime) -> None:
    """Remove all of a person's factors and recovery codes, and sign them out, because they lost them."""
    if person_id == by:
        raise RuleError("You cannot reset your own second factor: change it on the page of your account.")
    lock_person(person_id)
    removed = db.session.scalars(
        delete(Factor).where(Factor.person_id == person_id).returning(Factor.id)
    ).all()
    if not removed:
        raise RuleError("This person has no second factor.")
    delete_codes(person_id)
    log("account.factors_reset", actor_id=by, subject_id=person_id, factors=len(removed))
    services.end_sessions(person_id, "factors_reset", by, at)


# Checks the second factor that somebody shows: a one-time code, a recovery code, or a passkey's answer.


def accept_code(person_id: int, typed: str, key: str, at: datetime) -> FactorKind | None:
    """Use a one-time code or a recovery code of the person up, in the caller's transaction.

    Args:
        person_id: Whose code.
        typed: As typed, with spaces or without.
        key: The portal's secret key.
        at: This instant.

    Returns:
        Which of the two it was; None if it is no code of theirs, or was used.
    """
    code = normalise_code(typed)
    if is_one_time_code(code):
        return FactorKind.CODE if _accept_one_time_code(person_id, code, key, at) else None
    return FactorKind.RECOVERY if use_code(person_id, code, key, at) else None


def _accept_one_time_code(person_id: int, code: str, key: str, at: datetime) -> bool:
    devices = select(Factor).where(Factor.person_id == person_id, Factor.kind == FactorKind.CODE)
    for device in db.session.scalars(devices.order_by(Factor.id)):
        secret = decrypt_secret(device.sealed_secret or b"", person_id, key)
        step = matching_step(secret, code, at, device.last_step) if secret else None
        if step is not None and _use_step(device.id, step, at):
            return True
    return False


def _use_step(factor_id: int, step: int, at: datetime) -> bool:
    """Note that this half minute's code was used; False if another request did so at the same time."""
    used = db.session.scalars(
        update(Factor)
        .where(Factor.id == factor_id, or_(Factor.last_step.is_(None), Factor.last_step < step))
        .values(last_step=step, last_used_at=at)
        .returning(Factor.id),
        execution_options={"synchronize_session": False},
    ).all()
    return bool(used)


def accept_passkey(
    answer: str, context: str, party: RelyingParty, key: str, at: datetime, *, person_id: int | None = None
) -> int:
    """Check the answer of a passkey, in the caller's transaction, and use its challenge up.

    Args:
        answer: What the browser sent, as JSON.
        context: What the challenge was made for.
        party: The portal.
        key: The portal's secret key.
        at: This instant.
        person_id: Whose passkey it must be; None: anybody's.

    Returns:
        Whose passkey it is.

    Raises:
        PasskeyRefusedError: It is not one to believe. The caller rolls back.
    """
    challenge = challenge_of_answer(answer)
    spend_challenge(challenge, context, key, at)
    credential = credential_of_answer(answer)
    factor = db.session.scalar(select(Factor).where(Factor.credential_id == credential).with_for_update())
    if factor is None or (person_id is not None and factor.person_id != person_id):
        raise PasskeyRefusedError("unknown_passkey")
    stored = StoredPasskey(
        credential,
        factor.public_key or b"",
        factor.sign_count or 0,
        user_handle(factor.person_id, key),
    )
    factor.sign_count = check_answer(answer, challenge, party, stored)
    factor.last_used_at = at
    return factor.person_id
