"""Finds the key with which this portal signs, and the key that verifies comparisons, by the settings."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from config import current_settings
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.signing.keys import SigningKeyError, load_private_key, write_public_key

NO_KEY = "This portal has no key to sign with: an operator makes one with flask returns keys make."
NO_COORDINATOR_KEY = "An operator first sets COORDINATOR_KEY, the public key of the coordinating unit."


def load_own_key() -> Ed25519PrivateKey:
    """Load the private key of this portal.

    Raises:
        RuleError: There is no key, or it cannot be used.
    """
    settings = current_settings()
    path = settings.returns.find_key_file(settings.mode, settings.instance)
    if path is None or not path.exists():
        raise RuleError(NO_KEY)
    try:
        return load_private_key(path)
    except SigningKeyError as error:
        raise RuleError(f"RETURN_KEY_FILE {error}.") from error


def find_own_public_key() -> str:
    """Find the public key of this portal; "" where there is no key that can be used."""
    try:
        return write_public_key(load_own_key())
    except RuleError:
        return ""


def find_comparison_key() -> str:
    """Find the public key of the coordinating unit: as set, or this portal's own where it is that unit.

    Raises:
        RuleError: The key is not known.
    """
    settings = current_settings()
    own_key = find_own_public_key() if is_coordinator() else ""
    if key := settings.returns.coordinator_key or own_key:
        return key
    raise RuleError(NO_COORDINATOR_KEY)


def own_short_name() -> str:
    """The short name under which this force makes returns."""
    settings = current_settings()
    return settings.returns.name_force(settings.force_name)


def is_coordinator() -> bool:
    """Whether this portal receives the returns of all forces."""
    settings = current_settings()
    return settings.returns.is_coordinator(settings.mode)


def refuse_unless_coordinator() -> None:
    """Refuse what only a coordinating unit can do.

    Raises:
        NotFoundError: This portal is not that of a coordinating unit.
    """
    if not is_coordinator():
        raise NotFoundError("Only a coordinating unit can do this. Set COORDINATOR to on.")
