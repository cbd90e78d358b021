"""A live site that leads the check of links inside, by every notation, and by names that change.

The site is at 127.0.0.1, which the policy allows; what must not be reached listens at 127.0.0.2.
"""

import http.client
import random
import socket
import string
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from threading import Thread
from typing import Any

import pytest

from portal.domain.catalogue.upkeep import find_fault
from portal.platform.outbound import MOST_REDIRECTS, OutboundError, OutboundPolicy, post_message

OUTSIDE, INSIDE = "127.0.0.1", "127.0.0.2"


@dataclass
class Site:
    """A server, where it leads next, and what it was asked for."""

    port: int = 0
    leads: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)


@contextmanager
def serving_at(host: str, port: int = 0) -> Iterator[Site]:
    """A site that redirects as often as it is told to, and answers 200 then."""
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            site.asked.append(f"{self.command} {self.path}")
            head = (
                b"HTTP/1.1 302 Found\r\nLocation: " + site.leads.pop(0) if site.leads else b"HTTP/1.1 200 OK"
            )
            self.wfile.write(head + b"\r\nContent-Length: 0\r\n\r\n")
            self.close_connection = True

        do_GET = do_POST = do_HEAD  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            pass

    server = Server((host, port), Handler)
    site.port = server.server_port
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[Site, Site]]:
    """The site outside, and one inside at the same port."""
    with serving_at(OUTSIDE) as outside, serving_at(INSIDE, outside.port) as inside:
        yield outside, inside


@pytest.fixture
def led(sites) -> Iterator[tuple[Site, Site]]:
    outside, inside = sites
    yield outside, inside
    outside.leads.clear()
    outside.asked.clear()
    inside.asked.clear()


def resolving(*answers: list[str]) -> OutboundPolicy:
    """Allows 127.0.0.1 alone; ``localhost`` has one of these answers after the other, the last for ever."""
    left = list(answers)

    def resolve(host: str, port: int) -> list[str]:
        if host == "localhost":
            return left.pop(0) if len(left) > 1 else left[0]
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]

    return OutboundPolicy((ip_network(f"{OUTSIDE}/32"),), resolve)


SPELLINGS = [
    *r"""
    {scheme}//127.0.0.2:{port}/ {scheme}//127.2:{port}/ {scheme}//127.0.2:{port}/
    {scheme}//0x7f.0.0.2:{port}/ {scheme}//0177.0.0.2:{port}/ {scheme}//2130706434:{port}/
    {scheme}//0x7f000002:{port}/ {scheme}//017700000002:{port}/ {scheme}//127.0.0.2.:{port}/
    {scheme}//%31%32%37.0.0.2:{port}/ {scheme}//１２７.0.0.2:{port}/ {scheme}//①②⑦.⓪.⓪.②:{port}/
    {scheme}//127。0。0。2:{port}/ {scheme}//[::ffff:127.0.0.2]:{port}/ {scheme}//[::ffff:7f00:2]:{port}/
    {scheme}//[::127.0.0.2]:{port}/ {scheme}//[64:ff9b::127.0.0.2]:{port}/ {scheme}//[::1%lo]:{port}/
    {scheme}//[::1]:{port}/ {scheme}//[0:0:0:0:0:ffff:127.0.0.2]:{port}/ {scheme}//0:{port}/
    {scheme}//0.0.0.0:{port}/ {scheme}//127.0.0.1@127.0.0.2:{port}/
    {scheme}//127.0.0.1:{port}@127.0.0.2:{port}/ {scheme}//127.0.0.1%40127.0.0.2:{port}/
    {scheme}//127.0.0.1#@127.0.0.2:{port}/ {scheme}//127.0.0.2:{port}\@127.0.0.1:{port}/
    {scheme}//127.0.0.1:{port}\@127.0.0.2:{port}/ {scheme}//127.0.0.2:{port}?@127.0.0.1:{port}/
    {scheme}\\127.0.0.2:{port}/ \\127.0.0.2:{port}\ //127.0.0.2:{port}/ ///127.0.0.2:{port}/
    /\127.0.0.2:{port}/ {scheme}/127.0.0.2:{port}/ {scheme}127.0.0.2:{port}/ {scheme}///127.0.0.2:{port}/
    {scheme}//127.0.0.2%00:{port}/ {scheme}//[bad {scheme}//[bad]:{port}/ {scheme}//]:{port}/
    {scheme}//[]:{port}/ {scheme}//[::1:{port}/ {scheme}//:{port}/ {scheme}// {scheme} //[
    {scheme}//127.0.0.2:99999/ {scheme}//127.0.0.2:-1/ {scheme}//127.0.0.2:８０/ {scheme}//127.0.0.2:{port}:1/
    {scheme}//127.0.0.2:22/ {scheme}//xn--127-.example:{port}/ file:///etc/passwd gopher://127.0.0.2:{port}/
    ftp://127.0.0.2:{port}/ javascript:alert(1) data:text/html,x {scheme}//localhost:{port}/ /é
    {scheme}//１２７．０．０．２:{port}/ {scheme}//ℓocalhost:{port}/
    """.split(),
    "\t{scheme}//127.0.0.2:{port}/",
    "{scheme}//127.0.0.2\t:{port}/",
    "{scheme}//127.0.0.2 :{port}/",
    "{scheme}//127.0.0.2\x00:{port}/",
    "",
    "{scheme}//" + "a" * 70_000 + "/",
    "{scheme}//" + "a." * 130 + "example/",
    "{scheme}//xn--a\udcff.example/",
    "{scheme}//127.0.0.2:{port}/\r\nX-Injected: 1",
    "/\r\n\r\nGET / HTTP/1.1",
    "?" * 600,
    "{scheme}//\xe9\u202e.example/",
    "{scheme}//nul\xadl.example/",
]


@pytest.mark.parametrize("scheme", ["http:", "https:"])
def test_no_redirect_leads_inside_or_raises(led, scheme):
    outside, inside = led
    policy = resolving([INSIDE])

    for spelling in SPELLINGS:
        location = spelling.format(scheme=scheme, port=outside.port) if "{" in spelling else spelling
        outside.leads[:] = [location.encode(errors="surrogateescape")]
        find_fault(f"http://{OUTSIDE}:{outside.port}/", policy)

    assert inside.asked == []
    assert all(line.startswith(("HEAD ", "GET ")) for line in outside.asked)


def test_no_random_redirect_leads_inside_or_raises(led):
    outside, inside = led
    chance = random.Random(39)
    parts = [
        *"[]@:/\\#?%.",
        "http:",
        "https:",
        "//",
        INSIDE,
        OUTSIDE,
        "::1",
        f":{outside.port}",
        "localhost",
        "\x00",
        "\t",
    ]

    for _ in range(300):
        pieces = [*chance.choices(parts, k=8), chance.choice(string.printable)]
        outside.leads[:] = ["".join(pieces).encode().replace(b"\n", b"").replace(b"\r", b"")]
        find_fault(f"http://{OUTSIDE}:{outside.port}/", resolving([INSIDE]))

    assert inside.asked == []


def test_a_name_that_changes_between_redirects_is_checked_each_time(led):
    outside, inside = led
    for turns in range(1, MOST_REDIRECTS + 1):
        outside.leads[:] = [f"http://localhost:{outside.port}/{turn}".encode() for turn in range(turns)]
        policy = resolving(*[[OUTSIDE]] * turns, [INSIDE])
        assert find_fault(f"http://localhost:{outside.port}/", policy) is not None

    assert inside.asked == []


def test_a_name_with_an_address_inside_beside_one_outside_is_not_asked_at_all(led):
    outside, inside = led
    for answer in ([OUTSIDE, INSIDE], [INSIDE, OUTSIDE], ["::ffff:127.0.0.2"], [f"{OUTSIDE}", "::1"]):
        with pytest.raises(OutboundError):
            post_message(f"http://localhost:{outside.port}/", b"{}", {}, resolving(answer))

    assert outside.asked == inside.asked == []


def test_the_trap_would_be_seen(led):
    outside, inside = led
    with closing(http.client.HTTPConnection(INSIDE, outside.port, timeout=5)) as connection:
        connection.request("HEAD", "/")
        assert connection.getresponse().status == 200

    assert inside.asked == ["HEAD /"]
