"""Returns made up for tests: consistent counts of a fictional force, and the key that signs them."""

from dataclasses import replace
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.features.returns.content import FORCE, RANK, ROLE, ReturnContent, ReturnCount
from portal.platform.signing.documents import sign_document
from portal.platform.signing.keys import write_public_key

REQUIREMENT = "module:respond"


@cache
def make_key(seed: int = 1) -> Ed25519PrivateKey:
    """A key that is the same each time."""
    return Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)


def public_key(seed: int = 1) -> str:
    return write_public_key(make_key(seed))


def make_content(complete: int = 30, **changes: Any) -> ReturnContent:
    """The return of a force of 60, half of them in response; so many complete everything."""
    counts = []
    for requirement in ("", REQUIREMENT):
        half = complete // 2
        counts += [
            ReturnCount(requirement, FORCE, "", 60, 4, complete),
            ReturnCount(requirement, ROLE, "contact", 30, 2, half),
            ReturnCount(requirement, ROLE, "response", 30, 2, complete - half),
            ReturnCount(requirement, RANK, "Constable", 60, 4, complete),
        ]
    content = ReturnContent(
        force="northmere",
        force_name="Northmere Constabulary",
        period="2026-04",
        number=1,
        reason="",
        as_at="2026-04-30",
        as_known_on="2026-05-04T08:00:00Z",
        directive="OIC-2026",
        title="Complete the four modules",
        version=1,
        threshold="0.9500",
        population="Everyone with the role contact or response.",
        small_number=None,
        requirements=((REQUIREMENT, "Respond"),),
        counts=tuple(counts),
    )
    return replace(content, **changes)


def sign(content: ReturnContent, seed: int = 1) -> bytes:
    return sign_document(content.to_document(), make_key(seed))
