"""Through a proxy: it is asked for what was checked, sees no message, and cannot lead one elsewhere."""

import ssl
import threading
from base64 import b64decode
from ipaddress import ip_address, ip_network

import pytest

from portal.platform.outbound import (
    OutboundError,
    OutboundFault,
    OutboundPolicy,
    Proxy,
    ProxySettingError,
    parse_proxy,
    post_message,
)
from tests.platform.outbound.proxies import proxying
from tests.platform.outbound.receivers import receiving
from tests.platform.outbound.test_sender import certificate, port_of

PUBLIC = "93.184.215.14"
__all__ = ["certificate"]


def policy_by(proxy, addresses=(PUBLIC,), networks=(), credentials=""):
    """A policy whose names have these addresses, with a proxy on this machine."""
    names = {"proxy.example": ["127.0.0.1"]}
    return OutboundPolicy(
        tuple(map(ip_network, networks)),
        lambda host, port: names.get(host, list(addresses)),
        Proxy("proxy.example", proxy.port, credentials),
    )


def fault_by(policy, address="https://hr.example/hook", **options):
    with pytest.raises(OutboundError) as refused:
        post_message(address, b"{}", {}, policy, **options)
    return refused.value.fault


@pytest.fixture
def secured(certificate):
    """A receiver with the certificate of hr.example, and what trusts it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with receiving(context) as receiver:
        yield receiver, {"authorities": str(certificate)}


def test_a_proxy_is_asked_for_the_checked_address_and_the_receiver_for_its_name(secured):
    receiver, trusted = secured
    with proxying(port_of(receiver)) as proxy:
        policy = policy_by(proxy, credentials="portal:pässword")
        assert post_message("https://hr.example/hook", b'{"a":1}', {}, policy, **trusted).status == 200

    [head] = proxy.heads
    assert proxy.places == [f"{PUBLIC}:443"]
    assert "hr.example" not in head
    credentials = head.partition("Proxy-Authorization: Basic ")[2].partition("\r\n")[0]
    assert b64decode(credentials).decode() == "portal:pässword"
    [message] = receiver.messages
    assert (message.body, message.headers["host"]) == (b'{"a":1}', "hr.example")
    assert "proxy-authorization" not in message.headers


@pytest.mark.parametrize(
    "addresses", [["10.0.0.1"], [PUBLIC, "169.254.169.254"], ["::1"], ["127.0.0.1"]], ids=str
)
def test_a_private_address_is_not_even_asked_for(addresses):
    with proxying() as proxy:
        assert fault_by(policy_by(proxy, addresses)) is OutboundFault.ADDRESS
        assert fault_by(policy_by(proxy), "https://10.0.0.1/") is OutboundFault.ADDRESS
        assert fault_by(policy_by(proxy), "http://hr.example/") is OutboundFault.ADDRESS
    assert proxy.heads == []


def test_a_proxy_that_leads_elsewhere_gets_no_message(secured):
    receiver, trusted = secured
    with proxying(port_of(receiver)) as proxy:
        policy = policy_by(proxy)
        fault = fault_by(policy, "https://bank.example/hook", **trusted)
        assert fault is OutboundFault.CERTIFICATE
        assert fault_by(policy) is OutboundFault.CERTIFICATE  # a certificate that nobody trusts
    assert receiver.messages == []


def test_an_allowed_network_is_reached_directly():
    with receiving() as receiver, proxying() as proxy:
        policy = policy_by(proxy, ["127.0.0.1"], ["127.0.0.0/8"])
        assert post_message(receiver.address, b"{}", {}, policy).status == 200
    assert proxy.heads == []


def test_the_next_address_is_tried_where_the_proxy_cannot_reach_the_first(secured):
    receiver, trusted = secured
    with proxying(port_of(receiver)) as proxy:

        def refuse_first(client):
            proxy.handle = None  # before the answer: the next connection may come at once
            client.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")

        proxy.handle = refuse_first
        policy = policy_by(proxy, ["2606:2800:21f:cb07::1", PUBLIC])
        assert post_message("https://hr.example/hook", b"", {}, policy, **trusted).status == 200
    assert proxy.places == ["[2606:2800:21f:cb07::1]:443", f"{PUBLIC}:443"]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 Forbidden\r\n\r\n",
        b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n",
        b"HTTP/1.1 200",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 2000 x\r\n\r\n",
        b"",
        b"x" * 20_000,
    ],
    ids=["forbidden", "credentials", "redirect", "cut", "ssh", "status", "nothing", "long"],
)
def test_a_proxy_that_does_not_connect_is_named_as_the_fault(answer):
    with proxying() as proxy:
        proxy.handle = lambda client: client.sendall(answer)
        assert fault_by(policy_by(proxy), seconds=3) is OutboundFault.PROXY


def test_a_proxy_that_is_not_there_is_named_as_the_fault():
    with proxying() as proxy:
        pass
    assert fault_by(policy_by(proxy)) is OutboundFault.PROXY
    nameless = OutboundPolicy((), lambda host, port: [PUBLIC] if host == "hr.example" else [], Proxy("p", 1))
    assert fault_by(nameless) is OutboundFault.PROXY


def test_a_proxy_that_trickles_ends_at_the_limit():
    stopping = threading.Event()

    def trickle(client):
        while not stopping.wait(0.05):
            client.sendall(b"X")

    with proxying() as proxy:
        proxy.handle = trickle
        assert fault_by(policy_by(proxy), seconds=0.4) is OutboundFault.TIMEOUT
        stopping.set()


@pytest.mark.parametrize(
    "text",
    [
        "proxy:3128", "https://proxy:3128", "http://proxy", "http://:3128", "http://proxy:99999", "socks5://p:1",
        "http://proxy:3128/path", "http://proxy:3128?a", "http://a%0d%0ab:c@proxy:3128", "http://pro xy:3128",
        "http://[::1:3128",
    ],
)  # fmt: skip
def test_a_setting_that_names_no_proxy_is_refused_without_repeating_it(text):
    with pytest.raises(ProxySettingError) as refused:
        parse_proxy(text)
    assert "proxy" not in str(refused.value)


def test_a_proxy_has_a_name_or_an_address():
    assert parse_proxy("") is None
    assert parse_proxy("http://[fd00::1]:8080/") == Proxy("fd00::1", 8080)
    assert parse_proxy("http://10.1.2.3:8080") == Proxy("10.1.2.3", 8080)
    head = Proxy("p", 1).request_head(ip_address("2001:db8::1"), 8443, "A")
    assert head.startswith(b"CONNECT [2001:db8::1]:8443 HTTP/1.1\r\nHost: [2001:db8::1]:8443\r\n")
    assert b"Authorization" not in head
