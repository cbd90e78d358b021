"""The force's identity provider: begins and ends a sign-in, and reads what it signs.

Metadata and keys are kept for an hour. After a failure they are not asked for again for half a minute, so
that a provider that is down costs few people five seconds; nor are keys, for a token that names an unknown
one.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock
from time import monotonic
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from authlib.common.errors import AuthlibBaseError
from authlib.common.security import generate_token
from joserfc.jwk import KeySet

from portal.platform.openid.connection import KeptConnections, ProviderConnection
from portal.platform.openid.errors import ProviderError, ProviderUnavailableError, TokenRefusedError
from portal.platform.openid.metadata import Metadata, parse_metadata, well_known_address
from portal.platform.openid.subjects import PendingSignIn
from portal.platform.openid.tokens import (
    Claims,
    ExpectedToken,
    UnknownKeyError,
    parse_keys,
    read_id_token,
    read_logout_token,
)

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
