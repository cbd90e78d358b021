"""Encrypts backups to public keys in the format of age, and opens them with an identity.

The server needs the public key alone, so whoever takes its backups can read none of them. Identities are
those of ``age-keygen``: a line that begins with AGE-SECRET-KEY-1.
"""

import os
from pathlib import Path
from typing import BinaryIO

import pyrage

from portal.platform.errors import RuleError

MAGIC = b"age-encryption.org/"


class WrongIdentityError(RuleError):
    """There is no identity, or it is not of the key to which the backup is encrypted."""


def is_encrypted(file: Path) -> bool:
    """Whether the file is in the format of age."""
    with file.open("rb") as read:
        return read.read(len(MAGIC)) == MAGIC


def encrypt_file(source: Path, target: Path, public_keys: tuple[str, ...]) -> None:
    """Write what ``source`` holds to ``target``, for whoever has the identity of one of the keys.

    Raises:
        RuleError: A key is none.
        OSError: It cannot be written, such as on a full disk.
    """
    recipients = refuse_bad_keys(public_keys)
    with source.open("rb") as read, target.open("wb") as written:
        try:
            pyrage.encrypt_io(read, written, recipients)
        except pyrage.EncryptError as error:
            raise OSError(str(error).removeprefix("OSError: ")) from error
        written.flush()
        os.fsync(written.fileno())


def refuse_bad_keys(public_keys: tuple[str, ...]) -> list[pyrage.x25519.Recipient]:
    """The public keys, read.

    Raises:
        RuleError: One was not copied right: each holds a checksum.
    """
    try:
        return [pyrage.x25519.Recipient.from_str(key) for key in public_keys]
    except pyrage.RecipientError as error:
        raise RuleError("BACKUP_PUBLIC_KEYS lists a key that was not copied right: copy it again.") from error


def decrypt_file(source: Path, target: Path, identity_file: Path) -> None:
    """Write what an encrypted file holds to ``target``, for its owner alone.

    Raises:
        RuleError: There is no identity in the identity file, it opens another's backups, or the file is
            damaged; then there is no target.
    """
    identities = read_identities(identity_file)
    written: BinaryIO
    try:
        with source.open("rb") as read, os.fdopen(_create_private_file(target), "wb") as written:
            pyrage.decrypt_io(read, written, identities)
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, pyrage.DecryptError | OSError):
            raise _refusal_of(error, source, identity_file) from error
        raise


def read_identities(file: Path) -> list[pyrage.x25519.Identity]:
    """The identities of a file, one a line; lines that begin with # do not count.

    Raises:
        RuleError: The file cannot be read, or holds none.
    """
    try:
        lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
        identities = [pyrage.x25519.Identity.from_str(line) for line in lines if line and line[0] != "#"]
    except (OSError, ValueError, pyrage.IdentityError):
        identities = []
    if not identities:
        raise WrongIdentityError(
            f"{file} is no identity file: it holds a line that begins with AGE-SECRET-KEY-1."
        )
    return identities


def make_identity(file: Path) -> str:
    """Write a new identity to a new file, for its owner alone; returns its public key.

    Raises:
        RuleError: The file exists, or cannot be written.
    """
    identity = pyrage.x25519.Identity.generate()
    public_key = str(identity.to_public())
    try:
        with os.fdopen(_create_private_file(file), "w", encoding="utf-8") as written:
            written.write(f"# public key: {public_key}\n{identity}\n")
    except FileExistsError as error:
        raise RuleError(f"{file} exists: name a file that does not.") from error
    except OSError as error:
        raise RuleError(f"{file} cannot be written: {error.strerror}.") from error
    return public_key


def _create_private_file(file: Path) -> int:
    return os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def _refusal_of(error: Exception, source: Path, identity_file: Path) -> RuleError:
    if "No matching keys" in str(error):
        return WrongIdentityError(
            f"The identity in {identity_file} does not open {source.name}: it is encrypted to another key."
        )
    if isinstance(error, pyrage.DecryptError) or "decryption error" in str(error):
        return RuleError(f"{source.name} is damaged or cut off ({error}). Nothing was changed.")
    return RuleError(f"{source.name} could not be decrypted ({error}). Nothing was changed.")
