"""Posts a message to a checked address: within ten seconds in all, following nothing and reading no body.

Not ``requests``: it resolves names itself, so its answer could differ from the one that was checked, and its
time limits hold for each read, not for the whole. The standard library does both and is loaded already.
"""

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from threading import Event, Thread, Timer
from time import monotonic

from portal.platform.outbound.errors import OutboundError, OutboundFault
from portal.platform.outbound.targets import Address, OutboundPolicy, Target, check_addresses, read_target

SECONDS = 10.0  # for all of it: the name, the connection, the message and the head of the answer
AGENT = "Learning-Portal"


def post_message(
    address: str,
    body: bytes,
    headers: Mapping[str, str],
    policy: OutboundPolicy,
    *,
    seconds: float = SECONDS,
    authorities: str = "",
) -> int:
    """Post a message; the status of the answer, whatever it is. Redirects are answers like others.

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
    texts = _resolve(target, policy, deadline)
    addresses = check_addresses(texts, target, policy)
    with _open_connection(target, addresses, deadline, authorities) as connection:
        named = {"Host": target.host_header, "User-Agent": AGENT, "Connection": "close", **headers}
        connection.request("POST", target.path, body, named)
        return connection.getresponse().status  # the body is neither read nor kept


def _resolve(target: Target, policy: OutboundPolicy, deadline: float) -> Sequence[str]:
    """The addresses of the target's name, found beside this thread: the system's own wait has no limit."""
    found: list[str] = []

    def resolve() -> None:
        with suppress(OSError, UnicodeError):
            found.extend(policy.resolve(target.host, target.port))

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
        self._timer = Timer(max(0.0, deadline - monotonic()), self._cut)
        self._timer.daemon = True
        self._timer.start()

    def _cut(self) -> None:
        self.expired.set()
        with suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)  # below TLS, which would wait

    def end(self) -> None:
        self._timer.cancel()
        with suppress(OSError):
            self.socket.close()


@contextmanager
def _open_connection(
    target: Target, addresses: Sequence[Address], deadline: float, authorities: str
) -> Iterator[http.client.HTTPConnection]:
    """A connection to the first of these addresses that takes one; errors become ``OutboundError``."""
    watch = _Watch(_connect(addresses, target.port, deadline), deadline)
    try:
        if target.https:
            context = ssl.create_default_context()
            if authorities:
                context.load_verify_locations(authorities)
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


def _connect(addresses: Sequence[Address], port: int, deadline: float) -> socket.socket:
    for address in addresses:
        left = deadline - monotonic()
        if left <= 0:
            break
        with suppress(OSError):
            return socket.create_connection((str(address), port), timeout=left)
    raise OutboundError(OutboundFault.UNREACHABLE if monotonic() < deadline else OutboundFault.TIMEOUT)


def _fault_of(error: Exception, watch: _Watch) -> OutboundFault:
    if watch.expired.is_set() or isinstance(error, TimeoutError):
        return OutboundFault.TIMEOUT
    if isinstance(error, ssl.SSLCertVerificationError):
        return OutboundFault.CERTIFICATE
    return OutboundFault.NO_ANSWER
