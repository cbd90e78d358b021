"""Random tokens, and the hashes under which the database keeps them."""

import hashlib
import hmac
import secrets


def new_token() -> str:
    """A token that cannot be guessed: 256 random bits, fit for an address and a cookie."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What the database keeps of a token; the token has enough entropy to need neither salt nor cost."""
    return hashlib.sha256(token.encode()).hexdigest()


def name_hash(typed: str, key: str) -> str:
    """What is kept of a typed name: alike for spellings that sign in alike, unreadable without the key."""
    return hmac.new(key.encode(), b"sign-in name:" + typed.strip().casefold().encode(), "sha256").hexdigest()
