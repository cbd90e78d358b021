"""The way to the identity provider: through the force's proxy where there is one."""

import pytest

from portal.platform.openid.connection import ProviderConnection
from portal.platform.openid.errors import ProviderUnavailableError
from tests.platform.outbound.proxies import proxying
from tests.platform.outbound.receivers import receiving

ADDRESS = "http://login.example/metadata"


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    """No proxy but those that a test names."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture
def proxy():
    with proxying() as server:
        body = b'{"issuer": 1}'
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        server.handle = lambda client: client.sendall(head.encode() + body)
        yield server


def test_the_provider_is_reached_through_the_proxy_that_is_set(proxy, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # the setting goes before
    with ProviderConnection(f"http://portal:secret@127.0.0.1:{proxy.port}") as connection:
        assert connection.fetch_json(ADDRESS) == {"issuer": 1}
    [head] = proxy.heads
    assert head.startswith(f"GET {ADDRESS} HTTP/1.1")
    assert "Proxy-Authorization: Basic cG9ydGFsOnNlY3JldA==" in head


def test_by_https_the_proxy_is_asked_to_connect_to_the_name(proxy):
    proxy.handle = lambda client: client.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
    connection = ProviderConnection(f"http://127.0.0.1:{proxy.port}")
    with connection, pytest.raises(ProviderUnavailableError):
        connection.fetch_json("https://login.example/metadata")
    assert proxy.places == ["login.example:443"]


def test_a_host_that_no_proxy_names_is_reached_directly(proxy, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    connection = ProviderConnection(f"http://127.0.0.1:{proxy.port}")
    with receiving() as receiver, connection, pytest.raises(ProviderUnavailableError):
        connection.fetch_json(receiver.address)  # which takes POST alone
    assert proxy.heads == []


def test_without_the_setting_the_usual_variable_counts(proxy, monkeypatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
    with ProviderConnection() as connection:
        assert connection.fetch_json(ADDRESS) == {"issuer": 1}
