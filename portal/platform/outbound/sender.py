"""Sends a request to a checked address: within ten seconds in all, reading no body.

Not ``requests``: it resolves names itself, so its answer could differ from the one that was checked, and its
time limits hold for each read, not for the whole. The standard library does both and is loaded already.
"""

import http.client
import re
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from threading import Event, Thread, Timer
from time import monotonic
from urllib.parse import urldefrag, urljoin

from portal.platform import clock
from portal.platform.outbound.errors import OutboundError, OutboundFault
from portal.platform.outbound.proxy import Proxy, open_tunnel
from portal.platform.outbound.targets import Address, OutboundPolicy, Target, check_addresses, read_target

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
