"""A proxy through which messages leave the force's network: it is asked for a checked address, not a name.

A proxy resolves names itself, so what it would connect to could differ from what was checked. It is
therefore given the address (``CONNECT 203.0.113.7:443``); the name goes to the receiver within TLS alone,
whose certificate must be valid for it.
"""

import re
import socket
from base64 import b64encode
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import unquote, urlsplit

LONGEST_HEAD = 16_384  # bytes of the head of its answer
_HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
_CONNECTED = re.compile(rb"HTTP/1\.[01] 2\d\d[ \r]")


class ProxySettingError(ValueError):
    """A setting names no proxy that can be used; the message never has its password in it."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that connects to other machines on request."""

    host: str
    port: int
    credentials: str = ""  # name, colon and password; empty: it wants none

    def request_head(self, address: IPv4Address | IPv6Address, port: int, agent: str) -> bytes:
        """The request to connect to an address."""
        place = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", f"User-Agent: {agent}"]
        if self.credentials:
            lines.append(f"Proxy-Authorization: Basic {b64encode(self.credentials.encode()).decode()}")
        return "\r\n".join((*lines, "", "")).encode()


def parse_proxy(text: str) -> Proxy | None:
    """The proxy that a setting names; None where it is empty.

    >>> parse_proxy("http://portal:secret@proxy.example:3128")
    Proxy(host='proxy.example', port=3128, credentials='portal:secret')

    Raises:
        ProxySettingError: It cannot be used.
    """
    if not text:
        return None
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise ProxySettingError("it is no address") from error
    if parts.scheme != "http":
        raise ProxySettingError("it begins with http://")
    if not _HOST.fullmatch(host) or port is None or parts.path.strip("/") or parts.query or parts.fragment:
        raise ProxySettingError("it has a host and a port, and nothing behind them")
    credentials = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    if re.search(r"[\x00-\x1f\x7f]", credentials):
        raise ProxySettingError("its name and password are on one line")
    return Proxy(host, port, "" if credentials == ":" else credentials)


def list_proxy_faults(text: str) -> list[str]:
    """What is wrong with the setting, as sentences that name it; nothing where it can be used."""
    try:
        parse_proxy(text)
    except ProxySettingError as error:
        return [f"OUTBOUND_PROXY is such as http://proxy.example.police.uk:3128: {error}."]
    return []


def open_tunnel(connected: socket.socket, head: bytes) -> None:
    """Have the proxy at the other end of a connection connect it to the address that ``head`` asks for.

    Raises:
        HTTPException: It does not.
        OSError: The connection broke off.
    """
    connected.sendall(head)
    answer = bytearray()
    while not answer.endswith(b"\r\n\r\n"):
        piece = connected.recv(1)  # not a byte more than the head: what follows is the receiver's
        if not piece or len(answer) >= LONGEST_HEAD:
            raise HTTPException("The proxy broke off.")
        answer += piece
    if not _CONNECTED.match(answer):
        raise HTTPException("The proxy did not connect.")
