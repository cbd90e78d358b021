"""Checks of the settings for signing in with OpenID Connect: a sentence for each fault."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

STAFF_NUMBER = "staff_number"
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# Their owner can change them, or another provider can state them: OpenID Connect Core 5.1 and 5.7.
UNSAFE_CLAIMS = frozenset(
    {"email", "emails", "mail", "name", "given_name", "family_name", "nickname", "preferred_username"}
    | {"unique_name", "verified_primary_email", "verified_secondary_email", "phone_number"}
)
_ENTRA_HOST = re.compile(r"login\.(?:microsoftonline\.(?:com|us)|partner\.microsoftonline\.cn)")
_ENTRA_PATH = re.compile(r"/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/v2\.0")


@dataclass(frozen=True, slots=True)
class OpenIdSettings:
    """How the force's own sign-in is reached, and by which claim it names a person."""

    issuer: str
    client_id: str
    client_secret: str
    match_claim: str
    match_field: str  # staff_number, or a scheme of identifiers
    label: str
    factor_acr: frozenset[str] = frozenset()  # asked for; one of them shows a second factor
    factor_amr: frozenset[str] = frozenset()  # one of these methods shows a second factor

    def list_faults(self) -> Iterator[str]:
        """A sentence for each setting that is missing or wrong; none where no provider is set."""
        needed = {
            "OIDC_ISSUER": self.issuer,
            "OIDC_CLIENT_ID": self.client_id,
            "OIDC_CLIENT_SECRET": self.client_secret,
            "OIDC_MATCH_CLAIM": self.match_claim,
            "OIDC_MATCH_FIELD": self.match_field,
        }
        missing = [name for name, value in needed.items() if not value]
        if len(missing) == len(needed):
            return
        if missing:
            yield f"{' and '.join(missing)} must be set too: OpenID Connect needs all of them."
            return
        yield from self._issuer_faults()
        yield from self._match_faults()
        for name, values in (("OIDC_ACR", self.factor_acr), ("OIDC_AMR", self.factor_amr)):
            if any(not re.fullmatch(r"[\x21-\x7e]{1,200}", value) for value in values):
                yield f"{name} lists values of the provider's claim, with spaces between them."

    def _issuer_faults(self) -> Iterator[str]:
        try:
            parts = urlsplit(self.issuer)
            parts.port  # noqa: B018 - a wrong port raises only when it is read
        except ValueError:
            yield "OIDC_ISSUER is an address such as https://login.example.police.uk"
            return
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
            yield "OIDC_ISSUER must be https, except on a loopback host."
        elif not parts.hostname or parts.query or parts.fragment or parts.username:
            yield "OIDC_ISSUER is an address without user, query and fragment, as the provider states it."
        elif is_entra_host(self.issuer) and not _ENTRA_PATH.fullmatch(parts.path):
            yield (
                "OIDC_ISSUER of Microsoft Entra ID is https://login.microsoftonline.com/TENANT-ID/v2.0 with "
                "the force's own tenant id: 'common' and 'organizations' would let others in."
            )

    def _match_faults(self) -> Iterator[str]:
        if not re.fullmatch(r"[\x21-\x7e]{1,200}", self.match_claim):
            yield "OIDC_MATCH_CLAIM is the name of a claim, such as employee_id."
        elif self.match_claim.lower() in UNSAFE_CLAIMS:
            yield (
                "OIDC_MATCH_CLAIM names a claim that does not identify a person for ever, such as an email "
                "address: choose one that only the force sets, such as the staff number or upn."
            )
        if self.match_field.lower() in {"email", "e-mail", "mail"}:
            yield "OIDC_MATCH_FIELD is staff_number or another system's numbers, never an email address."
        elif not re.fullmatch(r"[\w.-]{1,60}", self.match_field):
            yield "OIDC_MATCH_FIELD is staff_number, or the name of identifiers that the portal holds."
        if not 0 < len(self.label) <= 60 or not self.label.isprintable():
            yield "OIDC_LABEL is one line of 1 to 60 characters, such as 'your force account'."


def is_entra_host(issuer: str) -> bool:
    """Whether Microsoft Entra ID is the issuer.

    >>> is_entra_host("https://login.microsoftonline.com/x/v2.0"), is_entra_host("https://login.example")
    (True, False)
    """
    return _ENTRA_HOST.fullmatch(urlsplit(issuer).hostname or "") is not None
