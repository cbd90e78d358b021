"""The address of a client behind proxies: forwarded addresses are believed only from trusted proxies.

Anyone can write ``X-Forwarded-For``, so it counts only where the connection comes from a named network.
Each proxy appends to the list, so the last address that is not a trusted proxy is the sender:
everything before it was written by the sender. No other forwarded header is believed; ``PUBLIC_URL`` gives
the portal's own host and protocol. The same proxies may give each request its id, in ``X-Request-ID``.
"""

import re
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING

from flask import Flask, request
from werkzeug.wrappers import Response

from portal.platform.audit import (
    UNSTATED,
    Channel,
    Origin,
    current_origin,
    is_request_id,
    new_request_id,
    state_origin,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

STRANGER = "portal.forwarded_by_stranger"  # key of the environment: a forwarded header that is not believed
TRUSTED_REQUEST_ID = "portal.request_id"  # key of the environment: the id that a trusted proxy gave
_FORWARDED = ("HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_CLIENT_IP", "HTTP_TRUE_CLIENT_IP")
# "192.0.2.7:41022" and "[2001:db8::7]:41022": some proxies write the port as well.
_WITH_PORT = re.compile(r"(\d+\.\d+\.\d+\.\d+)(?::\d{1,5})?|\[([0-9a-fA-F:.]+)\](?::\d{1,5})?")


class NetworkError(ValueError):
    """A text is not a network, or the network is too wide to trust."""


def parse_networks(text: str) -> tuple[Network, ...]:
    """The networks of a list separated by commas or spaces.

    >>> parse_networks("10.1.0.0/16, 192.0.2.7")
    (IPv4Network('10.1.0.0/16'), IPv4Network('192.0.2.7/32'))

    Raises:
        NetworkError: One of them is no network, or all the addresses there are.
    """
    parsed = []
    for name in text.replace(",", " ").split():
        try:
            network = ip_network(name)
        except ValueError as error:
            raise NetworkError(f"“{name}” is not one") from error
        if not network.prefixlen:
            raise NetworkError(f"“{name}” is every address there is, so anyone could write theirs")
        parsed.append(network)
    return tuple(parsed)


def sender_address(peer: str, forwarded: str, trusted: Iterable[Network]) -> str:
    """The address that sent a request: the peer's own, or what trusted proxies say.

    Args:
        peer: Address at the other end of the connection.
        forwarded: ``X-Forwarded-For``, several of them joined by commas.
        trusted: Networks of the proxies that are believed.

    Returns:
        The peer's address where it is not trusted, or where the list cannot be read as far as it is needed.

    >>> trusted = parse_networks("10.0.0.0/8")
    >>> sender_address("10.0.0.1", "198.51.100.9, 192.0.2.7, 10.0.0.2", trusted)
    '192.0.2.7'
    >>> sender_address("192.0.2.1", "10.9.9.9", trusted)
    '192.0.2.1'
    """
    trusted = tuple(trusted)
    address = _parse_address(peer)
    if address is None or not forwarded or not _lies_in(address, trusted):
        return peer
    for hop in reversed(forwarded.split(",")):
        address = _parse_address(hop.strip())
        if address is None:
            return peer
        if not _lies_in(address, trusted):
            break
    return str(address)


def _parse_address(text: str) -> Address | None:
    """The address, with IPv4 in IPv6 as IPv4; None if the text is no address, or has a zone."""
    match = _WITH_PORT.fullmatch(text)
    try:
        address = ip_address((match[1] or match[2]) if match else text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or (None if address.scope_id else address)
    return address


def _lies_in(address: Address, trusted: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in trusted)


class Senders:
    """A WSGI layer: ``REMOTE_ADDR`` becomes the sender's address where a trusted proxy says it."""

    def __init__(self, application: "WSGIApplication", trusted: tuple[Network, ...]) -> None:
        self.application = application
        self.trusted = trusted

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Pass the request on; mark it if it has a forwarded header from an untrusted sender."""
        peer = environ.get("REMOTE_ADDR") or ""
        environ.pop(STRANGER, None)
        environ.pop(TRUSTED_REQUEST_ID, None)
        address = _parse_address(peer)
        if address is not None and _lies_in(address, self.trusted):
            environ["REMOTE_ADDR"] = sender_address(
                peer, environ.get("HTTP_X_FORWARDED_FOR", ""), self.trusted
            )
            if is_request_id(environ.get("HTTP_X_REQUEST_ID", "")):
                environ[TRUSTED_REQUEST_ID] = environ["HTTP_X_REQUEST_ID"]
        elif any(name.startswith("HTTP_X_FORWARDED_") or name in _FORWARDED for name in environ):
            environ[STRANGER] = True
        return self.application(environ, start_response)


def wrap_senders(app: Flask, trusted: tuple[Network, ...]) -> None:
    """Put the layer in front of ``app``."""
    app.wsgi_app = Senders(app.wsgi_app, trusted)  # type: ignore[method-assign]


# States where each request comes from, for the audit trail, and gives every answer its request's id.

HEADER = "X-Request-ID"


def register_origin(app: Flask) -> None:
    """State the origin of each request before anything else looks at it; call it before other guards."""
    app.before_request(state_request_origin)
    app.after_request(name_request)
    app.teardown_request(lambda _error: state_origin(UNSTATED))


def state_request_origin() -> None:
    """State the address that sent this request, and its id: a trusted proxy's, or a new one."""
    request_id = request.environ.get(TRUSTED_REQUEST_ID) or new_request_id()
    state_origin(Origin(Channel.PAGE, address=request.remote_addr or "", request_id=request_id))


def name_request(response: Response) -> Response:
    """Tell the client the id under which the audit trail and the log know its request."""
    response.headers[HEADER] = current_origin().request_id
    return response
