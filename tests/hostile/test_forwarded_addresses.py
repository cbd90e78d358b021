"""Somebody writes forwarded headers: they are believed of named proxies alone."""

from ipaddress import ip_address

import pytest
from flask import Flask, request
from hypothesis import given
from hypothesis import strategies as st

from config import Config, ConfigError
from portal.pages.layout import proxies, setup
from tests.page_reading import PortalClient
from tests.pages.account.browsing import OTHER, let_in, make_account, sign_in

TRUSTED = proxies.parse_networks("10.0.0.0/8, 2001:db8:a::/48")
ADDRESSES = st.ip_addresses().map(str)


@pytest.mark.parametrize(
    ("peer", "forwarded", "sender"),
    [
        ("10.0.0.1", "192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "198.51.100.9, 192.0.2.7", "192.0.2.7"),  # the first was written by the sender
        ("10.0.0.1", "192.0.2.7, 10.0.0.2 , 10.0.0.3", "192.0.2.7"),
        ("10.0.0.1", "10.0.0.9", "10.0.0.9"),  # somebody within
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.7:41022", "192.0.2.7"),
        ("10.0.0.1", "[2001:db8::7]:41022", "2001:db8::7"),
        ("2001:db8:a::1", "2001:db8::7", "2001:db8::7"),
        ("::ffff:10.0.0.1", "::ffff:192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.7, <script>", "10.0.0.1"),
        ("10.0.0.1", "nonsense, 192.0.2.7", "192.0.2.7"),
        ("10.0.0.1", "192.0.2.7,", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.7\x00", "10.0.0.1"),
        ("10.0.0.1", "fe80::1%eth0'--", "10.0.0.1"),
        ("192.0.2.1", "10.0.0.9", "192.0.2.1"),
        ("192.0.2.1", "127.0.0.1", "192.0.2.1"),
        ("", "192.0.2.7", ""),
        ("unix:", "192.0.2.7", "unix:"),
    ],
)
def test_the_sender_is_what_trusted_proxies_say(peer: str, forwarded: str, sender: str) -> None:
    assert proxies.sender_address(peer, forwarded, TRUSTED) == sender


@given(ADDRESSES, st.text(max_size=200))
def test_a_stranger_is_who_the_connection_says_whatever_they_write(peer: str, forwarded: str) -> None:
    if not any(ip_address(peer) in network for network in TRUSTED):
        assert proxies.sender_address(peer, forwarded, TRUSTED) == peer


@given(st.text(alphabet="0123456789abcdef.:,[]% x", max_size=200), ADDRESSES)
def test_what_a_sender_writes_before_their_proxy_changes_nothing(written: str, real: str) -> None:
    alone = proxies.sender_address("10.0.0.1", real, TRUSTED)
    trusted = any(ip_address(real) in network for network in TRUSTED)

    assert trusted or proxies.sender_address("10.0.0.1", f"{written}, {real}", TRUSTED) == alone


def environment(trusted: str, **headers: str) -> dict[str, object]:
    """What a view is seen of a request that comes from 10.0.0.1."""
    app = Flask("probe")
    seen: dict[str, object] = {}

    @app.get("/")
    def probe() -> str:
        seen.update(
            sender=request.remote_addr,
            stranger=request.environ.get("portal.forwarded_by_stranger"),
            scheme=request.scheme,
            host=request.host,
        )
        return ""

    setup.wrap(app, https=False, trusted=proxies.parse_networks(trusted))
    app.test_client().get("/", headers=headers, environ_base={"REMOTE_ADDR": "10.0.0.1"})
    return seen


HEADERS = {
    "X-Forwarded-For": "192.0.2.7",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Port": "444",
    "Forwarded": "for=192.0.2.9;host=evil.example;proto=https",
}


def test_nobody_is_believed_unless_named() -> None:
    seen = environment("", **HEADERS)

    assert seen == {"sender": "10.0.0.1", "stranger": True, "scheme": "http", "host": "localhost"}


def test_a_named_proxy_is_believed_about_the_address_alone() -> None:
    seen = environment("10.0.0.0/24", **HEADERS)

    assert seen == {"sender": "192.0.2.7", "stranger": None, "scheme": "http", "host": "localhost"}


@pytest.mark.parametrize("name", [*HEADERS, "X-Real-IP"])
def test_each_forwarded_header_of_a_stranger_is_marked(name: str) -> None:
    assert environment("192.0.2.0/24", **{name: "127.0.0.1"})["stranger"] is True


def test_a_request_without_them_is_not_marked() -> None:
    assert environment("")["stranger"] is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("10.0.0.0/8 proxy.example", "“proxy.example” is not one"),
        ("10.0.0.5/8", "“10.0.0.5/8” is not one"),
        ("10.0.0.0/33", "“10.0.0.0/33” is not one"),
        ("0.0.0.0/0", "every address there is"),
        ("::/0", "every address there is"),
        ("*", "“*” is not one"),
    ],
)
def test_a_wrong_list_stops_the_start_with_a_sentence(text: str, reason: str) -> None:
    with pytest.raises(ConfigError, match="TRUSTED_PROXIES lists networks such as") as refusal:
        Config(mode="demo", secret_key="k" * 32, trusted_proxies=text)
    assert reason in str(refusal.value)


def test_a_guesser_behind_no_proxy_cannot_take_another_address_for_each_guess(client: PortalClient) -> None:
    make_account()
    for number in range(5):
        client.environ_base["HTTP_X_FORWARDED_FOR"] = f"192.0.2.{number}"
        sign_in(client, password=OTHER)

    client.environ_base["HTTP_X_FORWARDED_FOR"] = "192.0.2.77"
    sign_in(client, password=OTHER, status=429)


def test_behind_a_named_proxy_each_sender_is_counted_alone(app: Flask, client: PortalClient) -> None:
    make_account()
    senders = app.wsgi_app
    app.wsgi_app = proxies.Senders(senders, proxies.parse_networks("127.0.0.1"))  # type: ignore[method-assign]
    try:
        client.environ_base["HTTP_X_FORWARDED_FOR"] = "192.0.2.1"
        for _ in range(5):
            sign_in(client, password=OTHER)
        sign_in(client, password=OTHER, status=429)

        client.environ_base["HTTP_X_FORWARDED_FOR"] = "192.0.2.2"
        let_in(client)
    finally:
        app.wsgi_app = senders  # type: ignore[method-assign]
