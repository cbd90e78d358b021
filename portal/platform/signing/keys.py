"""Ed25519 keys: making one, reading it from its file, and naming it."""

import base64
import binascii
import hashlib
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from nacl.bindings import crypto_core_ed25519_is_valid_point

KEY_BYTES = 32  # of an Ed25519 public key


class SigningKeyError(Exception):
    """A key that cannot be used; the message says why, after the name of its file or setting."""


def make_key_file(path: Path) -> Ed25519PrivateKey:
    """Make a key and write it to a new file in PEM, for its owner alone.

    Raises:
        SigningKeyError: The file is there already, or cannot be written. Nothing was written.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError as error:
        raise SigningKeyError("is there already: a key is never written over") from error
    except OSError as error:
        raise SigningKeyError(f"cannot be written: {error.strerror}") from error
    return key


def load_private_key(path: Path) -> Ed25519PrivateKey:
    """The key in a file.

    Raises:
        SigningKeyError: It cannot be read, others than its owner can read it, or it is of another kind.
    """
    try:
        mode = path.stat().st_mode
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError) as error:
        raise SigningKeyError("names a private key in PEM that can be read, without a password") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise SigningKeyError("holds an Ed25519 key: flask returns keys make writes one")
    if mode & 0o077:
        raise SigningKeyError("can be read by others: run chmod 600 on it")
    return key


def write_public_key(key: Ed25519PrivateKey) -> str:
    """The public half of a key, in base64."""
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def take_fingerprint(public_key: str) -> str:
    """The SHA-256 of a public key, in hexadecimal: short enough to be read out over the telephone.

    Raises:
        SigningKeyError: The text is no public key.
    """
    if not is_public_key(public_key):
        raise SigningKeyError("is not one that a force can have made: it is 44 characters of base64")
    return hashlib.sha256(base64.b64decode(public_key)).hexdigest()


def is_signed_by(public_key: str, signature: bytes, message: bytes) -> bool:
    """Whether a signature over a message was made with the private half of a public key."""
    if not is_public_key(public_key):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key)).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def is_public_key(text: str) -> bool:
    """Whether a text is base64 of a public key under which nobody signs without the private half."""
    try:
        return is_sound_key(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False


def is_sound_key(raw: bytes) -> bool:
    """Whether bytes are a point of Ed25519 in its one way to be written, and of the large group.

    Under a point of a small group, such as 32 zeros, signatures can be forged without a private key.
    """
    return len(raw) == KEY_BYTES and crypto_core_ed25519_is_valid_point(raw)
