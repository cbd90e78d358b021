"""Which addresses messages may be sent to: public ones, and networks that a setting allows.

Whoever may choose an address could otherwise have the portal call machines that only the portal can reach
(server-side request forgery). A name is resolved once; each of its addresses is checked, and the connection
is made to a checked address itself, so an answer that changes between check and connection changes nothing.
"""

import re
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from portal.platform.outbound.errors import OutboundError, OutboundFault
from portal.platform.outbound.proxy import Proxy

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Sequence[str]]  # the addresses of a name; OSError if it has none

LONGEST_ADDRESS = 500
LOWEST_PORT = 1024  # besides 443: below it other protocols listen
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
# Python's is_global says yes to these. The first is Azure's inside address; the second a relay of 6to4. The
# rest carry an IPv4 address within: a machine of the network may translate them to a private one.
_NEVER_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "168.63.129.16/32", "192.88.99.0/24", "64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32",
        "::/96", "::ffff:0:0:0/96", "fec0::/10", "5f00::/16",
    )
)  # fmt: skip
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9_-]{0,62}(?:\.[a-z0-9_-]{1,63})*)\.?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # a last label that makes a name an IPv4 address


def resolve_name(host: str, port: int) -> Sequence[str]:
    """Every address of a name, in the system's order."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True, slots=True)
class OutboundPolicy:
    """Where messages may go.

    Attributes:
        networks: Allowed although they are not public.
        resolve: Finds the addresses of a name.
        proxy: The way to public addresses; allowed networks are reached directly.
    """

    networks: tuple[Network, ...] = ()
    resolve: Resolve = resolve_name
    proxy: Proxy | None = None

    def allows(self, address: Address) -> bool:
        """Whether a message may be sent to this address.

        >>> policy = OutboundPolicy((ip_network("10.1.0.0/16"),))
        >>> [policy.allows(ip_address(text)) for text in ("10.1.2.3", "10.2.0.1", "::ffff:10.1.2.3")]
        [True, False, True]
        """
        address = _unmap_address(address)
        return _lies_in(address, self.networks) or is_public(address)

    def proxy_to(self, address: Address) -> Proxy | None:
        """The proxy through which this address is reached; None: it is reached directly."""
        return None if _lies_in(_unmap_address(address), self.networks) else self.proxy


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of an address to which a message is sent."""

    https: bool
    host: str  # a name in ASCII, or an IP address without brackets
    port: int
    path: str  # with its query

    @property
    def host_header(self) -> str:
        """The host as HTTP names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.https else 80) else f"{host}:{self.port}"


def is_public(address: Address) -> bool:
    """Whether an address is one of the public internet, of one machine."""
    address = _unmap_address(address)
    return address.is_global and not address.is_multicast and not _lies_in(address, _NEVER_PUBLIC)


def read_target(address: str, policy: OutboundPolicy) -> Target:
    """The parts of an address, refused where nothing may be sent to it whatever its name resolves to.

    Raises:
        OutboundError: It is refused, with a sentence that says what to write.
    """
    parts = _split_address(address)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise _address_error("Enter an address that begins with https://")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise _address_error("Leave out the name and the password before the @: messages are signed instead.")
    if parts.fragment:
        raise _address_error("Leave out the # and what follows it.")
    https = parts.scheme == "https"
    target = Target(https, _read_host(parts.hostname), _read_port(parts, https), _read_path(parts))
    literal = _parse_literal(target.host)
    if literal is not None:
        check_addresses([str(literal)], target, policy)
    elif not https and target.host != "localhost":
        raise _address_error("Enter an address that begins with https://")
    return target


def check_addresses(texts: Sequence[str], target: Target, policy: OutboundPolicy) -> list[Address]:
    """The addresses of a target, each of which may be sent to.

    Raises:
        OutboundError: One of them may not, so none is used; or there is none.
    """
    if not texts:
        raise OutboundError(OutboundFault.NAME)
    addresses = [_unmap_address(ip_address(text)) for text in texts]
    for address in addresses:
        if not policy.allows(address):
            raise _address_error("This address is not public. WEBHOOK_NETWORKS can allow its network.")
        if not target.https and not _lies_in(address, _LOOPBACK):
            raise _address_error("Enter an address that begins with https://")
    return addresses


def _split_address(address: str) -> SplitResult:
    if len(address) > LONGEST_ADDRESS:
        raise _address_error(f"Enter an address of at most {LONGEST_ADDRESS} characters.")
    if re.search(r"[\x00-\x20\x7f-\x9f\\]", address):
        raise _address_error("Enter an address without spaces and backslashes.")
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - a wrong port raises only when it is read
    except ValueError as error:
        raise _address_error("Enter an address such as https://hr.example.police.uk/webhooks") from error
    return parts


def _read_host(hostname: str) -> str:
    """The host in ASCII; an IPv4 address in any but its usual notation is refused."""
    if ":" in hostname:
        return hostname
    try:
        host = hostname.encode("ascii" if hostname.isascii() else "idna").decode().lower()
    except UnicodeError as error:
        raise _address_error("Enter the name of a machine that exists.") from error
    if not _NAME.fullmatch(host):
        raise _address_error("Enter the name of a machine that exists.")
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) and _parse_literal(host) is None:
        raise _address_error("Enter the name of the machine, or its address with four numbers.")
    return host


def _read_port(parts: SplitResult, https: bool) -> int:
    port = parts.port if parts.port is not None else 443 if https else 80
    if port != (443 if https else 80) and port < LOWEST_PORT:
        raise _address_error(f"Leave out the port, or enter one from {LOWEST_PORT} to 65535.")
    return port


def _read_path(parts: SplitResult) -> str:
    path = parts.path or "/"
    if not (path + parts.query).isascii():
        raise _address_error("Enter the path with percent signs for letters such as é.")
    return f"{path}?{parts.query}" if parts.query else path


def _parse_literal(host: str) -> Address | None:
    """The IP address that a host is; None if it is a name.

    Raises:
        OutboundError: It names the network card of one machine.
    """
    try:
        address = ip_address(host)
    except ValueError:
        if ":" in host:
            raise _address_error("Enter an address such as https://hr.example.police.uk/webhooks") from None
        return None
    if isinstance(address, IPv6Address) and address.scope_id:
        raise _address_error("Leave out the % and what follows it.")
    return address


def _unmap_address(address: Address) -> Address:
    """The IPv4 address within an IPv6 address that only writes it otherwise."""
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _lies_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _address_error(sentence: str) -> OutboundError:
    return OutboundError(OutboundFault.ADDRESS, sentence)
