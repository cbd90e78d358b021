"""What a provider publishes about itself (OpenID Connect Discovery 1.0), as far as the portal uses it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from portal.platform.openid.errors import ProviderUnavailableError
from portal.platform.openid.settings import LOOPBACK

# Signatures by a key of the provider's own. Never "none", and never HS*, whose key both sides know.
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Metadata:
    """The provider's addresses and what it can do."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str  # empty where there is none
    end_session_endpoint: str  # empty where there is none
    algorithms: tuple[str, ...]  # by which it signs tokens, of those that the portal believes
    states_issuer: bool  # whether each answer names the issuer: RFC 9207
    auth_methods: frozenset[str]  # how a client may show its secret


def well_known_address(issuer: str) -> str:
    """Where the issuer's metadata is.

    >>> well_known_address("https://login.example/realms/west/")
    'https://login.example/realms/west/.well-known/openid-configuration'
    """
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def parse_metadata(document: Mapping[str, Any], issuer: str) -> Metadata:
    """The metadata of this issuer.

    Raises:
        ProviderUnavailableError: The document is another issuer's, or lacks what signing in needs.
    """
    if document.get("issuer") != issuer:
        raise ProviderUnavailableError("metadata_of_another_issuer")
    stated = document.get("id_token_signing_alg_values_supported") or ["RS256"]
    algorithms = tuple(name for name in ALGORITHMS if name in stated)
    if not algorithms:
        raise ProviderUnavailableError("no_signature_to_believe")
    may_be_http = urlsplit(issuer).scheme == "http"
    methods = document.get("token_endpoint_auth_methods_supported")
    return Metadata(
        authorization_endpoint=_read_endpoint(document, "authorization_endpoint", may_be_http),
        token_endpoint=_read_endpoint(document, "token_endpoint", may_be_http),
        jwks_uri=_read_endpoint(document, "jwks_uri", may_be_http),
        userinfo_endpoint=_optional_endpoint(document, "userinfo_endpoint", may_be_http),
        end_session_endpoint=_optional_endpoint(document, "end_session_endpoint", may_be_http),
        algorithms=algorithms,
        states_issuer=document.get("authorization_response_iss_parameter_supported") is True,
        auth_methods=frozenset(methods if isinstance(methods, list) else ["client_secret_basic"]),
    )


def _optional_endpoint(document: Mapping[str, Any], name: str, may_be_http: bool) -> str:
    return _read_endpoint(document, name, may_be_http) if document.get(name) else ""


def _read_endpoint(document: Mapping[str, Any], name: str, may_be_http: bool) -> str:
    address = document.get(name)
    if not isinstance(address, str) or not re.fullmatch(r"[\x21-\x7e]{1,2000}", address):
        raise ProviderUnavailableError(f"metadata_{name}")
    try:
        parts = urlsplit(address)
    except ValueError as error:
        raise ProviderUnavailableError(f"metadata_{name}") from error
    is_here = may_be_http and parts.scheme == "http" and parts.hostname in LOOPBACK
    if not parts.hostname or parts.username or not (parts.scheme == "https" or is_here):
        raise ProviderUnavailableError(f"metadata_{name}")
    return address
