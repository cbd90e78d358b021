"""Signed documents: JSON in which ``signature`` is over the canonical bytes of everything else.

The canonical bytes are what JSON canonicalisation (RFC 8785) gives for text, whole numbers, true, false and
null under ASCII names: names sorted, no white space, UTF-8. So how a file is laid out does not matter, and
any program that reads JSON can check it.
"""

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.platform.errors import BadInputError
from portal.platform.signing.keys import is_signed_by, write_public_key

ALGORITHM = "Ed25519"
SIGNATURE = "signature"
MOST_BYTES = 700_000  # of a file: a request may have a little more


def write_canonical(document: dict[str, Any]) -> bytes:
    """The bytes that a signature is over: the document without its signature.

    >>> write_canonical({"b": 1, "a": "x", "signature": {}})
    b'{"a":"x","b":1}'
    """
    signed = {name: value for name, value in document.items() if name != SIGNATURE}
    return json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sign_document(document: dict[str, Any], key: Ed25519PrivateKey) -> bytes:
    """The file of a document with its signature; the same document and key give the same bytes."""
    signature = {
        "algorithm": ALGORITHM,
        "public_key": write_public_key(key),
        "value": base64.b64encode(key.sign(write_canonical(document))).decode(),
    }
    signed = {**document, SIGNATURE: signature}
    return (json.dumps(signed, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def read_document(content: bytes) -> dict[str, Any]:
    """The document in a file, not yet checked."""
    if len(content) > MOST_BYTES:
        raise BadInputError([f"The file is larger than {MOST_BYTES:,} bytes. No file of this kind is."])
    try:
        document = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_take_pairs,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
        json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair has no bytes
    except (ValueError, RecursionError) as error:
        raise BadInputError(["The file is not valid JSON."]) from error
    if not isinstance(document, dict):
        raise BadInputError(["The file is not one JSON object."])
    return document


def is_genuine(document: dict[str, Any], public_key: str) -> bool:
    """Whether a document is signed with the private half of a public key, which the receiver knows.

    The key that a document names itself proves nothing: it is there to look up.
    """
    try:
        value = base64.b64decode(document[SIGNATURE]["value"], validate=True)
    except (KeyError, TypeError, ValueError, binascii.Error):
        return False
    return is_signed_by(public_key, value, write_canonical(document))


def _take_pairs(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    taken = dict(pairs)
    if len(taken) != len(pairs):
        raise ValueError("A name is given twice.")
    return taken


def _refuse_number(text: str) -> Any:
    raise ValueError(f"{text[:20]} is not a whole number.")
