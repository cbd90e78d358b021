"""Sends a request to a checked address: within ten seconds in all, reading no body.

Not ``requests``: it resolves names itself, so its answer could differ from the one that was checked, and its
time limits hold for each read, not for the whole. The standard library does both and is loaded already.
"""

import http.client
import re
import socket
import ssl
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from functools import lru_cache
from http.client import HTTPException
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from threading import Event, Thread, Timer
from time import monotonic
from urllib.parse import SplitResult, unquote, urldefrag, urljoin, urlsplit

from portal.platform import clock

# Why a message could not be sent to an address.


class OutboundFault(StrEnum):
    """What went wrong, as it is stored."""

    ADDRESS = "address"  # a network that is not allowed, or an address that is refused as it is written
    NAME = "name"  # the host's name has no address
    UNREACHABLE = "unreachable"
    PROXY = "proxy"  # the force's proxy could not be reached, or did not connect
    CERTIFICATE = "certificate"
    TIMEOUT = "timeout"
    NO_ANSWER = "no_answer"  # something else than HTTP, or the connection ended


class OutboundError(Exception):
    """A message was not sent, or nobody knows whether it arrived.

    Attributes:
        fault: What went wrong.
        sentence: What to do about the address, where it is refused as it is written; else empty.
    """

    def __init__(self, fault: OutboundFault, sentence: str = "") -> None:
        self.fault, self.sentence = fault, sentence
        super().__init__(sentence or fault)


# A proxy through which messages leave the force's network: it is asked for a checked address, not a name.
#
# A proxy resolves names itself, so what it would connect to could differ from what was checked. It is
# therefore given the address (``CONNECT 203.0.113.7:443``); the name goes to the receiver within TLS
# alone, whose certificate must be valid for it.

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


# Which addresses messages may be sent to: public ones, and networks that a setting allows.
#
# Whoever may choose an address could otherwise have the portal call machines that only the portal can
# reach (server-side request forgery). A name is resolved once; each of its addresses is checked, and the
# connection is made to a checked address itself, so an answer that changes between check and connection
# changes nothing.

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


SECONDS = 10.0  # for all of it: the name, the connection, the message and the head of the answer
AGENT = "Learning-Portal"
NO_WAIT = timedelta()
TRUST_SECONDS = 60 * 60  # how long the authorities that are trusted are kept
LONGEST_WAIT = timedelta(days=365)  # a longer one means the same to anybody
MOST_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})
NO_HEAD = frozenset({403, 404, 405, 501})  # with which some servers answer HEAD alone
_SECONDS = re.compile(r"0*([0-9]+)")
TOLD_WHEN = frozenset({429, 503})  # statuses of answers that may say when to come back


@dataclass(frozen=True, slots=True)
class ReceiverAnswer:
    """What a receiver answered."""

    status: int
    wait: timedelta = NO_WAIT  # for how long it wants nothing, as far as it says so


def post_message(
    address: str,
    body: bytes,
    headers: Mapping[str, str],
    policy: OutboundPolicy,
    *,
    seconds: float = SECONDS,
    authorities: str = "",
) -> ReceiverAnswer:
    """Post a message; the answer, whatever its status is. Redirects are answers like others.

    Args:
        address: Where to; its certificate must be valid for its name.
        body: The message.
        headers: Beside those that every message has.
        policy: Where messages may go.
        seconds: For all of it.
        authorities: A file of certificates to trust beside the system's; for tests.

    Raises:
        OutboundError: Nothing was sent, or no answer came.
    """
    deadline = monotonic() + seconds
    target = read_target(address, policy)
    texts = _resolve_name(target.host, target.port, policy, deadline)
    addresses = check_addresses(texts, target, policy)
    watch = _connect_first(addresses, target.port, policy, deadline)
    with _open_connection(target, watch, authorities) as connection:
        named = {"Host": target.host_header, "User-Agent": AGENT, "Connection": "close", **headers}
        connection.request("POST", target.path, body, named)
        with connection.getresponse() as response:  # the body is neither read nor kept
            told = response.getheader("Retry-After", "") if response.status in TOLD_WHEN else ""
            return ReceiverAnswer(response.status, read_retry_after(told, clock.now()))


def read_retry_after(text: str, now: datetime) -> timedelta:
    """For how long a receiver wants nothing, as ``Retry-After`` says it (RFC 9110, section 10.2.3).

    ``NO_WAIT`` where it does not say so, or nobody understands it.

    >>> now = datetime(2026, 4, 20, 12, tzinfo=UTC)
    >>> [str(read_retry_after(text, now)) for text in ("90", "Mon, 20 Apr 2026 12:30:00 GMT", "soon", "-5")]
    ['0:01:30', '0:30:00', '0:00:00', '0:00:00']
    """
    text = text.strip()
    if seconds := _SECONDS.fullmatch(text):
        digits = seconds[1]
        return min(LONGEST_WAIT, timedelta(seconds=int(digits))) if len(digits) < 10 else LONGEST_WAIT
    try:
        until = parsedate_to_datetime(text)
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return min(LONGEST_WAIT, max(NO_WAIT, until - now))
    except (ValueError, TypeError, IndexError, OverflowError):
        return NO_WAIT


def _resolve_name(host: str, port: int, policy: OutboundPolicy, deadline: float) -> Sequence[str]:
    """The addresses of a name, found beside this thread: the system's own wait has no limit."""
    found: list[str] = []

    def resolve() -> None:
        with suppress(OSError, UnicodeError):
            found.extend(policy.resolve(host, port))

    thread = Thread(target=resolve, name="resolver", daemon=True)
    thread.start()
    thread.join(max(0.0, deadline - monotonic()))
    if thread.is_alive():
        raise OutboundError(OutboundFault.TIMEOUT)
    return found


class _Watch:
    """Cuts a socket at the deadline: its own time limit begins anew with each byte that comes."""

    def __init__(self, connected: socket.socket, deadline: float) -> None:
        self.socket, self.expired = connected, Event()
        self._timer = Timer(max(0.0, deadline - monotonic()), self._cut_connection)
        self._timer.daemon = True
        self._timer.start()

    def _cut_connection(self) -> None:
        self.expired.set()
        with suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)  # below TLS, which would wait

    def end(self) -> None:
        self._timer.cancel()
        with suppress(OSError):
            self.socket.close()


@contextmanager
def _open_connection(target: Target, watch: _Watch, authorities: str) -> Iterator[http.client.HTTPConnection]:
    """HTTP over what is connected, which it closes; errors become ``OutboundError``."""
    try:
        if target.https:
            context = _make_context(authorities, int(monotonic() // TRUST_SECONDS))
            secured = context.wrap_socket(
                watch.socket, server_hostname=target.host, do_handshake_on_connect=False
            )
            watch.socket = secured
            secured.do_handshake()  # verifies the certificate for the name, not for the address
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = watch.socket
        yield connection
        if watch.expired.is_set():  # a head that was cut looks like one that ended
            raise TimeoutError
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise OutboundError(_fault_of(error, watch)) from error
    finally:
        watch.end()


@lru_cache(maxsize=2)
def _make_context(authorities: str, _period: int) -> ssl.SSLContext:
    """What TLS trusts. To read all authorities takes longer than to send a message: done once a period."""
    context = ssl.create_default_context()
    if authorities:
        context.load_verify_locations(authorities)
    return context


def _connect_first(
    addresses: Sequence[Address], port: int, policy: OutboundPolicy, deadline: float
) -> _Watch:
    """A connection to the first of these addresses that takes one, directly or through the proxy."""
    fault = OutboundFault.UNREACHABLE
    for address in addresses:
        proxy = policy.proxy_to(address)
        with suppress(OSError, http.client.HTTPException):
            if proxy is None:
                return _Watch(_open_socket(str(address), port, deadline), deadline)
            fault = OutboundFault.PROXY
            return _connect_through(proxy, address, port, policy, deadline)
    raise OutboundError(fault if monotonic() < deadline else OutboundFault.TIMEOUT)


def _connect_through(
    proxy: Proxy, address: Address, port: int, policy: OutboundPolicy, deadline: float
) -> _Watch:
    """A connection through the proxy to a checked address; the proxy's own is the operator's to choose."""
    for own_address in _resolve_name(proxy.host, proxy.port, policy, deadline):
        with suppress(OSError):
            watch = _Watch(_open_socket(own_address, proxy.port, deadline), deadline)
            break
    else:
        raise OSError("The proxy cannot be reached.")
    try:
        open_tunnel(watch.socket, proxy.request_head(address, port, AGENT))
    except BaseException:
        watch.end()
        raise
    return watch


def _open_socket(host: str, port: int, deadline: float) -> socket.socket:
    left = deadline - monotonic()
    if left <= 0:
        raise TimeoutError
    return socket.create_connection((host, port), timeout=left)


def _fault_of(error: Exception, watch: _Watch) -> OutboundFault:
    if watch.expired.is_set() or isinstance(error, TimeoutError):
        return OutboundFault.TIMEOUT
    if isinstance(error, ssl.SSLCertVerificationError):
        return OutboundFault.CERTIFICATE
    return OutboundFault.NO_ANSWER


def read_status(
    address: str, policy: OutboundPolicy, *, seconds: float = SECONDS, authorities: str = ""
) -> int:
    """The status with which a page answers in the end: each redirect is checked like the first address.

    Asks by HEAD, and by GET where a server does not know that; no body is read.

    Args:
        address: Of the page, without a part after #.
        policy: Where may be asked.
        seconds: For all of it.
        authorities: A file of certificates to trust beside the system's; for tests.

    Raises:
        OutboundError: An address is refused, or no answer came.
    """
    deadline = monotonic() + seconds
    method = "HEAD"
    for _ in range(MOST_REDIRECTS + 1):
        status, location = _request_once(method, address, policy, deadline, authorities)
        if method == "HEAD" and status in NO_HEAD:
            method = "GET"
        elif status in REDIRECTS and location:
            address = _follow_redirect(address, location)
        else:
            return status
    raise OutboundError(OutboundFault.NO_ANSWER)


def _follow_redirect(address: str, location: str) -> str:
    try:
        return urldefrag(urljoin(address, location)).url
    except ValueError as error:  # such as https://[
        raise OutboundError(OutboundFault.NO_ANSWER) from error


def _request_once(
    method: str, address: str, policy: OutboundPolicy, deadline: float, authorities: str
) -> tuple[int, str]:
    """Status and Location of one answer."""
    target = read_target(address, policy)
    addresses = check_addresses(_resolve_name(target.host, target.port, policy, deadline), target, policy)
    watch = _connect_first(addresses, target.port, policy, deadline)
    with _open_connection(target, watch, authorities) as connection:
        headers = {"Host": target.host_header, "User-Agent": AGENT, "Connection": "close", "Accept": "*/*"}
        connection.request(method, target.path, headers=headers)
        with connection.getresponse() as response:
            return response.status, response.getheader("Location", "")
