"""What is kept of a sign-in at a provider, and whom its claims name: for ever, and in the roster."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from portal.platform.openid.errors import TokenRefusedError
from portal.platform.openid.settings import is_entra_host

LONGEST_VALUE = 255


@dataclass(frozen=True, slots=True)
class PendingSignIn:
    """What a sign-in that was begun must meet again at its end; the browser carries it, signed."""

    state: str
    nonce: str
    code_verifier: str  # empty for SAML, where the nonce is the id of the request


@dataclass(frozen=True, slots=True)
class ProviderSubject:
    """Who signed in at the provider."""

    issuer: str
    subject: str  # unique at the issuer for ever
    match_value: str  # of the claim that names a person in the roster; empty where it is missing
    provider_sid: str | None  # the provider's session


def subject_of_claims(claims: Mapping[str, Any], issuer: str, match_claim: str) -> ProviderSubject:
    """Who these claims are about.

    Entra ID's ``sub`` differs for each client, so a new registration of the portal would be strangers to all:
    there ``tid`` and ``oid`` are the subject, which no one can change.

    Raises:
        TokenRefusedError: Entra ID's token lacks them.
    """
    subject = str(claims["sub"])
    if is_entra_host(issuer):
        tenant, person = claims.get("tid"), claims.get("oid")
        if not (isinstance(tenant, str) and isinstance(person, str) and tenant and person):
            raise TokenRefusedError("tid_or_oid_missing")
        subject = f"{tenant}/{person}"
    sid = claims.get("sid")
    return ProviderSubject(
        issuer,
        subject,
        _text_of_claim(claims.get(match_claim)),
        sid if isinstance(sid, str) and 0 < len(sid) <= LONGEST_VALUE and "\x00" not in sid else None,
    )


def _text_of_claim(value: object) -> str:
    """The value of a claim as the roster writes it; empty where it is no single short value.

    >>> _text_of_claim(" D1001 "), _text_of_claim(1001), _text_of_claim(["D1001", "D1002"])
    ('D1001', '1001', '')
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip()
    return text if len(text) <= LONGEST_VALUE and text.isprintable() else ""
