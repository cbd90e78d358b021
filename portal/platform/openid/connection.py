"""HTTP to the identity provider: bounded in time and size, and never led elsewhere by a redirect.

Connections are kept for the next request. Each that is opened anew over HTTPS reads all authorities that are
trusted, which takes longer than everything else that a sign-in does.
"""

from time import monotonic
from typing import Any

from authlib.integrations.requests_client import OAuth2Session
from requests import ConnectionError as ConnectionBrokenError
from requests import PreparedRequest, RequestException, Response
from requests.adapters import HTTPAdapter
from requests.utils import should_bypass_proxies
from urllib3.exceptions import HTTPError, ProtocolError

from portal.platform.openid.errors import ProviderUnavailableError

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
