"""Random tokens, the hashes under which the database keeps them, and forms encrypted under a token.

A held form is encrypted with AES-256-GCM; its key is derived by HKDF-SHA-256 from the token in the browser's
cookie. The database has only the token's hash, from which neither token nor key follows. So whoever reads the
database or a backup of it reads no form.
"""

import hashlib
import hmac
import json
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12
_PURPOSE = b"portal: form kept over a lapse"


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
    return hmac.digest(key.encode(), b"sign-in " + name.encode("utf-8", "replace"), "sha256").hex()


def hash_browser(token: str, account: str) -> str:
    """Hash stored for a browser that an account used; it differs between accounts of a shared machine."""
    return hashlib.sha256(f"{token} {account}".encode()).hexdigest()


def encrypt_form(token: str, person_id: int, path: str, body: str) -> bytes:
    """Encrypt the address and the fields of a form, so that only ``token`` opens them for this person."""
    nonce = os.urandom(_NONCE_BYTES)
    plain = json.dumps([path, body]).encode()
    return nonce + _derive_cipher(token).encrypt(nonce, plain, _associated_data(token, person_id))


def decrypt_form(token: str, person_id: int, sealed: bytes) -> tuple[str, str] | None:
    """The address and the fields; None if they were encrypted for another token or person, or changed."""
    from cryptography.exceptions import InvalidTag

    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        path, body = json.loads(
            _derive_cipher(token).decrypt(nonce, rest, _associated_data(token, person_id))
        )
    except (InvalidTag, ValueError):
        return None
    return path, body


def _associated_data(token: str, person_id: int) -> bytes:
    return f"{person_id} {hash_token(token)}".encode()


def _derive_cipher(token: str) -> "AESGCM":
    # 11 MiB, which a process that keeps no form does without.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return AESGCM(HKDF(SHA256(), length=32, salt=None, info=_PURPOSE).derive(token.encode()))


# Describes a browser in words, for the lists of browsers in which people are signed in.
#
# Since browsers froze their User-Agent header it tells a dozen families from each other and little more;
# a library with a thousand patterns names none of these better (docs/decisions/accounts.md). Not told apart:
# browsers on Chromium without a mark of their own, which are Chrome here, and iPads that ask for desktop
# pages, which say that they are a Mac.

_FAMILIES = (  # the first mark that the header has; what others claim to be as well comes last
    ("Edg", "Edge"),  # also EdgA on Android and EdgiOS
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("DuckDuckGo", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("Vivaldi", "Vivaldi"),
    ("GSA/", "Google app"),
    ("Trident/", "Internet Explorer"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Focus/", "Firefox"),
    ("CriOS", "Chrome"),
    ("; wv)", "App on Chrome"),  # a page inside another program
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
    ("curl/", "Program (curl)"),
    ("python", "Program (Python)"),
    ("Python", "Program (Python)"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "Mac"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


def describe_browser(user_agent: str) -> str:
    """The browser's family and system, from its User-Agent header.

    >>> describe_browser("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0 Safari/537.36 Edg/140.0")
    'Edge on Windows'
    >>> describe_browser("")
    'Unknown browser'
    """
    family = next((name for mark, name in _FAMILIES if mark in user_agent), "Unknown browser")
    system = next((f" on {name}" for mark, name in _SYSTEMS if mark in user_agent), "")
    return family + system
