"""Random tokens, and the hashes under which the database keeps them."""

import hashlib
import hmac
import secrets


def new_token() -> str:
    """A token that cannot be guessed: 256 random bits, fit for an address and a cookie."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """What the database keeps of a token; the token has enough entropy to need neither salt nor cost."""
    return hashlib.sha256(token.encode()).hexdigest()


def account_key(person_id: int | None, typed: str, key: str) -> str:
    """Key under which an account's failures are stored, the same for each name it is tried by.

    A name that nobody has gets one too, so that trying it is slowed alike. Unreadable without ``key``.
    """
    name = f"person:{person_id}" if person_id is not None else f"name:{typed.strip().casefold()}"
    return hmac.new(key.encode(), b"sign-in " + name.encode("utf-8", "replace"), "sha256").hexdigest()


def hash_browser(token: str, account: str) -> str:
    """Hash stored for a browser that an account used; it differs between accounts of a shared machine."""
    return hashlib.sha256(f"{token} {account}".encode()).hexdigest()
