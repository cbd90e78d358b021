"""What an identity provider's claims say: who signed in, how and how lately, and what can go wrong. Pure.

Apart from the provider, whose libraries only a process that talks to one needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.platform.openid.settings import OpenIdSettings, is_entra_host

LEEWAY = timedelta(minutes=2)  # by which the two clocks may differ


class ProviderError(Exception):
    """A sign-in that could not be finished; ``reason`` is a word for the log, and never holds a value."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class ProviderUnavailableError(ProviderError):
    """The provider did not answer in time, or not as the standard says: a fault of no one who signs in."""


class TokenRefusedError(ProviderError):
    """The provider's answer or token is not one that the portal may believe."""


class ClockError(TokenRefusedError):
    """A token's times do not fit the portal's clock.

    Attributes:
        seconds: By how much the provider's clock is ahead of the portal's; negative: behind it.
    """

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__("clock")


PROVIDER = "provider"  # the second factor of a session that the provider vouches for


def shows_second_factor(claims: Mapping[str, Any], settings: OpenIdSettings) -> bool:
    """Whether the sign-in had a second factor.

    By default the provider is trusted to ask for one. Where ``OIDC_ACR`` or ``OIDC_AMR`` names values, the
    claim ``acr`` must be one of the first, or ``amr`` have one of the second.
    """
    if not settings.factor_acr and not settings.factor_amr:
        return True
    methods = claims.get("amr")
    listed = {one for one in methods if isinstance(one, str)} if isinstance(methods, list) else set()
    acr = claims.get("acr")
    return (isinstance(acr, str) and acr in settings.factor_acr) or bool(listed & settings.factor_amr)


def is_fresh(claims: Mapping[str, Any], at: datetime, within: timedelta) -> bool:
    """Whether the person showed who they are so lately (``auth_time``), rather than being signed in there."""
    signed_in_at = claims.get("auth_time")
    if isinstance(signed_in_at, bool) or not isinstance(signed_in_at, int | float):
        return False
    seconds = at.timestamp() - signed_in_at
    return -LEEWAY.total_seconds() <= seconds <= within.total_seconds()


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
