"""The force's identity provider: begins and ends a sign-in, and reads what it signs.

Metadata and keys are kept for an hour. After a failure they are not asked for again for half a minute, so
that a provider that is down costs few people five seconds; nor are keys, for a token that names an unknown
one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock
from time import monotonic
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode, urlsplit

from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, KeySet, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from nacl.bindings import crypto_core_ed25519_is_valid_point
from requests import ConnectionError as ConnectionBrokenError
from requests import PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter
from requests.utils import should_bypass_proxies
from urllib3.exceptions import HTTPError, ProtocolError

from portal.platform.openid.claims import (
    LEEWAY,
    ClockError,
    PendingSignIn,
    ProviderError,
    ProviderUnavailableError,
    TokenRefusedError,
)
from portal.platform.openid.settings import LOOPBACK

# Checks of what a provider signs: ID tokens and logout tokens. Pure: keys and the time are arguments.

LONGEST_WAY = timedelta(minutes=10)  # from a token's issue to here
CLOCK_AT_FAULT = timedelta(hours=1)  # beyond it a token is simply old
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
LATEST = 1e12  # seconds since 1970, beyond any clock; comparing NaN with it is false
LONGEST_SUBJECT = 255  # characters: OpenID Connect Core 2

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ExpectedToken:
    """Who must have signed a token, how, and for whom alone."""

    issuer: str
    client_id: str
    algorithms: tuple[str, ...]


class UnknownKeyError(TokenRefusedError):
    """The token names a key that the provider had not published when its keys were last read."""

    def __init__(self) -> None:
        super().__init__("unknown_key")


def parse_keys(document: Mapping[str, Any]) -> KeySet:
    """The provider's public keys for signatures; keys of other kinds or uses, or unreadable, are left out.

    So is an Ed25519 key of a small group, under which anybody could sign, and every Ed448 key, because the
    libraries do not tell which of those are such.
    """
    stated = document.get("keys")
    keys: list[Key] = []
    for entry in stated if isinstance(stated, list) else []:
        if not isinstance(entry, dict) or entry.get("use", "sig") != "sig" or entry.get("kty") == "oct":
            continue
        try:
            key = JWKRegistry.import_key(entry)
        except (JoseError, ValueError, TypeError, KeyError):
            continue
        if isinstance(key, RSAKey | ECKey) or (isinstance(key, OKPKey) and _is_sound(key)):
            keys.append(key)
    return KeySet(keys)


def _is_sound(key: OKPKey) -> bool:
    raw = key.public_key.public_bytes_raw()
    return key.curve_name == "Ed25519" and crypto_core_ed25519_is_valid_point(raw)


def read_id_token(
    token: str, keys: KeySet, expected: ExpectedToken, *, nonce: str, access_token: str, at: datetime
) -> Claims:
    """The claims of an ID token that this provider issued to this client for this sign-in.

    Args:
        token: As the token endpoint gave it.
        keys: The provider's.
        expected: What it must be.
        nonce: Of the sign-in that was begun.
        access_token: What came beside it, whose hash it may state.
        at: This instant.

    Raises:
        UnknownKeyError: Its key is not among these.
        ClockError: It is not valid yet, or no more, by the portal's clock.
        TokenRefusedError: Anything else about it is not right.
    """
    header, claims = _read_signed(token, keys, expected, types={"", "jwt"})
    _check_times(claims, at)
    options = {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
    }
    params = {"nonce": nonce, "client_id": expected.client_id, "access_token": access_token}
    try:
        checked = CodeIDToken(claims, header, options, params)
        checked.validate(now=int(at.timestamp()), leeway=int(LEEWAY.total_seconds()))
    except (JoseError, ValueError, TypeError) as error:
        raise TokenRefusedError(f"claims_{type(error).__name__}") from error
    if not nonce or claims.get("nonce") != nonce:
        raise TokenRefusedError("nonce")
    if not _is_short_text(claims.get("sub")):
        raise TokenRefusedError("subject")
    return claims


def read_logout_token(token: str, keys: KeySet, expected: ExpectedToken, *, at: datetime) -> Claims:
    """The claims of a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6).

    Raises:
        UnknownKeyError: Its key is not among these.
        TokenRefusedError: It is not one of this provider's to this client, of now.
    """
    _, claims = _read_signed(token, keys, expected, types={"", "jwt", "logout+jwt"})
    _check_times(claims, at)
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise TokenRefusedError("events")
    if "nonce" in claims:  # so that no ID token is taken for one
        raise TokenRefusedError("nonce_present")
    for name in ("jti", "sub", "sid"):
        if name in claims and not _is_short_text(claims[name]):
            raise TokenRefusedError(name)
    if "jti" not in claims or not {"sub", "sid"} & claims.keys():
        raise TokenRefusedError("jti_or_subject_missing")
    return claims


def _read_signed(
    token: str, keys: KeySet, expected: ExpectedToken, *, types: set[str]
) -> tuple[dict[str, Any], Claims]:
    """Header and claims of a token that its issuer signed, of one of these types, for this client alone."""
    # Unknown header fields are left alone, as RFC 7515 wants; "crit" is refused where it names any of them.
    registry = JWSRegistry(algorithms=list(expected.algorithms), strict_check_header=False)
    try:
        decoded = jwt.decode(token, keys, registry=registry)
    except InvalidKeyIdError as error:
        raise UnknownKeyError from error
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TokenRefusedError(f"signature_{type(error).__name__}") from error
    if str(decoded.header.get("typ", "")).lower().removeprefix("application/") not in types:
        raise TokenRefusedError("type")
    if decoded.claims.get("iss") != expected.issuer:
        raise TokenRefusedError("issuer")
    if decoded.claims.get("aud") not in (expected.client_id, [expected.client_id]):
        raise TokenRefusedError("audience")
    return decoded.header, decoded.claims


def _check_times(claims: Claims, at: datetime) -> None:
    """Refuse a token that was not issued just now, or has run out."""
    times = {name: claims[name] for name in ("iat", "exp", "nbf") if name in claims}
    if not {"iat", "exp"} <= times.keys() or not all(map(_is_time, times.values())):
        raise TokenRefusedError("times_missing")
    now, leeway = at.timestamp(), LEEWAY.total_seconds()
    ahead = times["iat"] - now
    right = -LONGEST_WAY.total_seconds() <= ahead <= leeway
    if right and times["exp"] > now - leeway and times.get("nbf", now) <= now + leeway:
        return
    if abs(ahead) <= CLOCK_AT_FAULT.total_seconds():
        raise ClockError(round(ahead))
    raise TokenRefusedError("expired")


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < LATEST


def _is_short_text(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_SUBJECT and "\x00" not in value


# HTTP to the identity provider: bounded in time and size, and never led elsewhere by a redirect.
#
# Connections are kept for the next request. Each that is opened anew over HTTPS reads all authorities
# that are trusted, which takes longer than everything else that a sign-in does.

ANSWER_SECONDS = 5  # of silence, and for a whole answer; a person waits for it
MOST_BYTES = 512 * 1024  # of one answer; key sets of large providers have some 20 KiB


class KeptConnections(HTTPAdapter):
    """Open connections that outlive the sessions which use them; shared by the threads of a process."""

    def close(self) -> None:
        """Leave them open: a session closes what it used."""


class ProviderConnection(OAuth2Session):  # type: ignore[misc]
    """authlib's client with limits; it follows no redirect, since metadata names every address.

    The way out is ``proxy`` except for hosts that ``NO_PROXY`` names; without one, as ``HTTPS_PROXY`` says.

    Args:
        proxy: As ``OUTBOUND_PROXY`` names it.
        kept: Connections to use and to leave open; without them its own, which end with it.
        settings: Of authlib's client.
    """

    def __init__(self, proxy: str = "", kept: KeptConnections | None = None, **settings: Any) -> None:
        super().__init__(default_timeout=ANSWER_SECONDS, **settings)
        self._proxy = proxy
        for scheme in ("https://", "http://") if kept else ():
            self.mount(scheme, kept)

    def send(self, request: PreparedRequest, **options: Any) -> Response:
        """Send, and read the answer within the limits.

        Raises:
            ProviderUnavailableError: No whole answer came in time, or it is too large, or a redirect.
        """
        started = monotonic()
        options |= {"stream": True, "allow_redirects": False}
        if self._proxy and not should_bypass_proxies(request.url or "", no_proxy=None):
            options["proxies"] = {"http": self._proxy, "https": self._proxy}
        try:
            response = self._send_again_if_closed(request, options)
            with response:
                response._content = _read_body(response, started + ANSWER_SECONDS)
        except (RequestException, HTTPError) as error:
            raise ProviderUnavailableError(type(error).__name__) from error
        if response.is_redirect or response.status_code >= 500:
            raise ProviderUnavailableError(f"status_{response.status_code}")
        return response

    def _send_again_if_closed(self, request: PreparedRequest, options: dict[str, Any]) -> Response:
        """Send; once more where the connection was closed instead of an answer, as a kept one may be."""
        try:
            response: Response = super().send(request, **options)
        except ConnectionBrokenError as error:
            if not (error.args and isinstance(error.args[0], ProtocolError)):
                raise
            response = super().send(request, **options)
        return response

    def fetch_json(self, address: str, *, token: str = "") -> dict[str, Any]:
        """The JSON object at an address of the provider.

        Args:
            address: As its metadata names it.
            token: An access token to show, if the address needs one.

        Raises:
            ProviderUnavailableError: It does not answer with one.
        """
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        response = self.request("GET", address, withhold_token=True, headers=headers)
        try:
            document = response.json() if response.status_code == 200 else None
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise ProviderUnavailableError("not_json")
        return document


def _read_body(response: Response, deadline: float) -> bytes:
    body = bytearray()
    while part := response.raw.read1(64 * 1024, decode_content=True):
        body += part
        if len(body) > MOST_BYTES:
            raise ProviderUnavailableError("too_large")
        if monotonic() > deadline:
            raise ProviderUnavailableError("too_slow")
    return bytes(body)


# What a provider publishes about itself (OpenID Connect Discovery 1.0), as far as the portal uses it.

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


KEPT_SECONDS = 60 * 60
PAUSE_SECONDS = 30
SCOPE = "openid profile"

T = TypeVar("T")


class _Fetched(Generic[T]):
    """What the provider publishes, fetched when it is needed and kept for an hour."""

    def __init__(self, fetch: Callable[[], T], timer: Callable[[], float]) -> None:
        self._fetch, self._timer, self._lock = fetch, timer, Lock()
        self._value: T | None = None
        self._fetched_at = 0.0
        self._failed: tuple[float, str] | None = None  # when the last try failed, and why

    def get(self, *, newer: bool = False) -> T:
        """The value; a ``newer`` one than the last, unless that is newer than the pause.

        Raises:
            ProviderUnavailableError: It cannot be had, now or in the last half minute.
        """
        with self._lock:
            now = self._timer()
            lasts = PAUSE_SECONDS if newer else KEPT_SECONDS
            if self._value is not None and now - self._fetched_at < lasts:
                return self._value
            if self._failed is not None and now - self._failed[0] < PAUSE_SECONDS:
                raise ProviderUnavailableError(self._failed[1])
            try:
                self._value = self._fetch()
            except ProviderUnavailableError as error:
                self._failed = (self._timer(), error.reason)
                raise
            self._fetched_at, self._failed = now, None
            return self._value


class Provider:
    """One provider, as one client of it; shared by the threads of a process."""

    def __init__(
        self,
        issuer: str,
        client_id: str,
        client_secret: str,
        timer: Callable[[], float] = monotonic,
        *,
        proxy: str = "",
    ) -> None:
        self.issuer = issuer
        self._client_id, self._client_secret = client_id, client_secret
        self._proxy = proxy  # as OUTBOUND_PROXY names it
        self._kept = KeptConnections()
        self._metadata = _Fetched(self._fetch_metadata, timer)
        self._keys = _Fetched(self._fetch_keys, timer)

    def begin_sign_in(
        self, redirect_uri: str, *, again: bool = False, acr_values: str = ""
    ) -> tuple[str, PendingSignIn]:
        """Where to send the browser, and what its answer must meet.

        Args:
            redirect_uri: Where the browser comes back to.
            again: Whether the person must show who they are, although they are signed in at the provider.
            acr_values: How strong a sign-in is asked for, in the provider's own words.

        Raises:
            ProviderUnavailableError: The provider does not answer.
        """
        metadata = self._metadata.get()
        pending = PendingSignIn(generate_token(32), generate_token(32), generate_token(64))
        with self._open_connection(metadata, redirect_uri) as connection:
            address, _ = connection.create_authorization_url(
                metadata.authorization_endpoint,
                state=pending.state,
                nonce=pending.nonce,
                code_verifier=pending.code_verifier,
                **({"prompt": "login", "max_age": 0} if again else {}),
                **({"acr_values": acr_values} if acr_values else {}),
            )
        return str(address), pending

    def finish_sign_in(
        self,
        answer: Mapping[str, str],
        pending: PendingSignIn,
        redirect_uri: str,
        *,
        needed_claim: str,
        at: datetime,
    ) -> Claims:
        """Who signed in, by the provider's answer to this very sign-in.

        Args:
            answer: The parameters with which the browser came back.
            pending: What was kept when the sign-in of their state was begun.
            redirect_uri: Where the browser came back to.
            needed_claim: Asked for at the provider's userinfo endpoint if the ID token lacks it.
            at: This instant.

        Raises:
            ProviderUnavailableError: The provider does not answer.
            TokenRefusedError: Its answer is not one to believe.
        """
        metadata = self._metadata.get()
        self._check_answer(answer, metadata)
        given = self._redeem_code(metadata, answer["code"], pending, redirect_uri)
        id_token, access_token = given.get("id_token"), str(given.get("access_token") or "")
        if not isinstance(id_token, str):
            raise TokenRefusedError("no_id_token")
        expected, nonce = self._expected_token(metadata), pending.nonce
        claims = self._with_known_key(
            lambda keys: read_id_token(
                id_token, keys, expected, nonce=nonce, access_token=access_token, at=at
            )
        )
        if needed_claim not in claims and metadata.userinfo_endpoint and access_token:
            more = self._fetch_user_info(metadata, access_token, claims["sub"])
            claims = {**claims, needed_claim: more.get(needed_claim)}
        return claims

    def read_logout_token(self, token: str, at: datetime) -> Claims:
        """The claims of a logout token.

        Raises:
            ProviderUnavailableError: The provider's keys cannot be had.
            TokenRefusedError: The token is not one to believe.
        """
        expected = self._expected_token(self._metadata.get())
        return self._with_known_key(lambda keys: read_logout_token(token, keys, expected, at=at))

    def sign_out_address(self, return_to: str) -> str | None:
        """Where the browser ends its session at the provider; None where it offers no such address."""
        try:
            address = self._metadata.get().end_session_endpoint
        except ProviderUnavailableError:
            return None
        if not address:
            return None
        query = urlencode({"client_id": self._client_id, "post_logout_redirect_uri": return_to})
        return f"{address}{'&' if '?' in address else '?'}{query}"

    def _expected_token(self, metadata: Metadata) -> ExpectedToken:
        return ExpectedToken(self.issuer, self._client_id, metadata.algorithms)

    def _check_answer(self, answer: Mapping[str, str], metadata: Metadata) -> None:
        """Refuse an answer of another provider (RFC 9207), and one that says the sign-in failed."""
        stated = answer.get("iss")
        if stated is not None and stated != self.issuer:
            raise TokenRefusedError("answer_of_another_issuer")
        if stated is None and metadata.states_issuer:
            raise TokenRefusedError("answer_without_issuer")
        if "error" in answer:
            raise TokenRefusedError(f"provider_{_clean_error_code(answer['error'])}")
        if not answer.get("code"):
            raise TokenRefusedError("no_code")

    def _redeem_code(
        self, metadata: Metadata, code: str, pending: PendingSignIn, redirect_uri: str
    ) -> Mapping[str, Any]:
        with self._open_connection(metadata, redirect_uri) as connection:
            try:
                given: Mapping[str, Any] = connection.fetch_token(
                    metadata.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=pending.code_verifier,
                    redirect_uri=redirect_uri,
                )
            except AuthlibBaseError as error:
                reason = f"token_{_clean_error_code(str(error.error))}"
                if error.error in {"invalid_client", "unauthorized_client"}:  # a fault of the settings
                    raise ProviderUnavailableError(reason) from error
                raise TokenRefusedError(reason) from error
            except ProviderError:
                raise
            except (ValueError, TypeError, OSError) as error:  # no JSON, or a status without it
                raise ProviderUnavailableError("token_answer") from error
        return given

    def _fetch_user_info(self, metadata: Metadata, access_token: str, subject: str) -> Claims:
        with self._open_connection(metadata) as connection:
            more: Claims = connection.fetch_json(metadata.userinfo_endpoint, token=access_token)
        if more.get("sub") != subject:
            raise TokenRefusedError("userinfo_subject")
        return more

    def _with_known_key(self, read: Callable[[KeySet], Claims]) -> Claims:
        """Read a token with the provider's keys, fetched anew if it was signed by a later one."""
        try:
            return read(self._keys.get())
        except UnknownKeyError:
            return read(self._keys.get(newer=True))

    def _fetch_metadata(self) -> Metadata:
        with ProviderConnection(self._proxy, self._kept) as connection:
            return parse_metadata(connection.fetch_json(well_known_address(self.issuer)), self.issuer)

    def _fetch_keys(self) -> KeySet:
        address = self._metadata.get().jwks_uri
        with ProviderConnection(self._proxy, self._kept) as connection:
            return parse_keys(connection.fetch_json(address))

    def _open_connection(self, metadata: Metadata, redirect_uri: str = "") -> ProviderConnection:
        return ProviderConnection(
            self._proxy,
            self._kept,
            client_id=self._client_id,
            client_secret=self._client_secret,
            token_endpoint_auth_method=self._auth_method(metadata),
            scope=SCOPE,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )

    def _auth_method(self, metadata: Metadata) -> str:
        """In the header, as every provider takes it; in the body where the header is written in two ways."""
        plain = re.fullmatch(r"[\w.~-]*", self._client_id + self._client_secret, re.ASCII)
        by_header = "client_secret_basic" in metadata.auth_methods
        by_body = "client_secret_post" in metadata.auth_methods
        return "client_secret_post" if by_body and not (by_header and plain) else "client_secret_basic"


def _clean_error_code(text: str) -> str:
    """An error code as far as a log may repeat it."""
    return re.sub(r"[^a-z_]", "", text.lower())[:40] or "error"
