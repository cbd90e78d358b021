"""Runs xmlsec1, which checks signatures and decrypts: briefly, with little memory, and with given keys alone.

What a signature covers is read from what xmlsec1 itself digested, not from the document around it. So there
is no second reading of the document that could differ from the one that was checked: an element that was
moved, copied or wrapped is either what the provider signed, or is never seen.
"""

import re
import subprocess
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from portal.platform.openid.errors import ProviderUnavailableError, TokenRefusedError
from portal.platform.saml import names
from portal.platform.saml.settings import PROGRAM

SECONDS = 5
MOST_KIBIBYTES = 512 * 1024  # of address space
# The limits of processor time and memory are xmlsec1's alone, since the shell becomes it.
LIMITED = ("/bin/sh", "-c", f'ulimit -t {SECONDS}; ulimit -v {MOST_KIBIBYTES}; exec "$0" "$@"', PROGRAM)
NOT_STARTED = {126, 127}  # what a shell says of a program that it cannot execute, or not find
NO_KEY_DATA = "raw-x509-cert"  # a kind that no document can hold: whatever key it carries is anybody's
_DIGESTED = re.compile(
    rb"^== PreDigest data - start buffer:\n(.*)\n== PreDigest data - end buffer$", re.S | re.M
)


def read_signed(document: bytes, element: str, element_id: str, public_keys: Sequence[bytes]) -> bytes:
    """The canonical form of an element, without its signature, as one of these keys signed it.

    Args:
        document: Whose shape was checked: the element has one signature, of itself alone.
        element: ``Assertion`` or ``Response``.
        element_id: Its ``ID``.
        public_keys: In PEM.

    Raises:
        ProviderUnavailableError: xmlsec1 does not run.
        TokenRefusedError: None of the keys signed it.
    """
    namespace = names.SAML if element == "Assertion" else names.SAMLP
    options = (
        *("--verify", "--store-references", "--enabled-reference-uris", "same-doc"),
        *("--enabled-key-data", NO_KEY_DATA, "--id-attr:ID", f"{namespace}:{element}"),
        *("--node-xpath", _path_of_signature(element, namespace, element_id), "--pubkey-pem"),
    )
    for key in public_keys:
        done = _run_xmlsec(options, document, key)
        if done.returncode == 0 and (digested := _DIGESTED.search(done.stdout)):
            return digested[1]
    raise TokenRefusedError("signature")


def decrypt(document: bytes, key_files: Sequence[str]) -> bytes:
    """The document with its one encrypted element in clear.

    Raises:
        ProviderUnavailableError: xmlsec1 does not run.
        TokenRefusedError: None of the keys decrypts it.
    """
    for key_file in key_files:
        done = _run_xmlsec(
            ("--decrypt", "--enabled-key-data", "enc-key,aes", "--privkey-pem"), document, Path(key_file)
        )
        if done.returncode == 0 and done.stdout:
            return done.stdout
    raise TokenRefusedError("decryption")


def _path_of_signature(element: str, namespace: str, element_id: str) -> str:
    """Where the signature is that is a child of the element; the id holds no quotation mark."""
    return (
        f"//*[local-name()='{element}'][namespace-uri()='{namespace}'][@ID='{element_id}']"
        f"/*[local-name()='Signature'][namespace-uri()='{names.DS}']"
    )


def _run_xmlsec(
    options: Sequence[str], document: bytes, key: bytes | Path
) -> "subprocess.CompletedProcess[bytes]":
    """Run xmlsec1 on a document with one key; its files are gone afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="portal-saml-") as folder:
        if isinstance(key, bytes):
            (path := Path(folder) / "key.pem").write_bytes(key)
        else:
            path = key
        (file := Path(folder) / "document.xml").write_bytes(document)
        return _execute_command(options[0], *_search_options(), *options[1:], str(path), str(file))


@lru_cache(maxsize=1)
def _search_options() -> tuple[str, ...]:
    """What makes xmlsec1 use the given key although the document does not name it: from 1.3 on, an option."""
    stated = re.search(rb"(\d+)\.(\d+)", _execute_command("--version").stdout)
    is_strict = stated is not None and (int(stated[1]), int(stated[2])) >= (1, 3)
    return ("--lax-key-search",) if is_strict else ()


def _execute_command(*words: str) -> "subprocess.CompletedProcess[bytes]":
    try:
        done = subprocess.run(  # noqa: S603 - no shell reads what was sent
            (*LIMITED, *words), stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TokenRefusedError("too_slow") from error
    if done.returncode in NOT_STARTED:
        raise ProviderUnavailableError(f"{PROGRAM}_does_not_start")
    return done
