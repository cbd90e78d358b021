"""The way to the identity provider: through the force's proxy where there is one, and kept open."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from portal.platform.openid.claims import ProviderUnavailableError
from portal.platform.openid.provider import KeptConnections, ProviderConnection
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


@contextmanager
def provider_that_closes_after(answers: int) -> Iterator[SimpleNamespace]:
    """A server that takes one request more on each connection than it answers: ``requests`` by connection."""
    seen = SimpleNamespace(requests=[], address="")

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            place = len(seen.requests)
            seen.requests.append(0)
            while self.rfile.readline():
                while self.rfile.readline().strip():
                    pass
                seen.requests[place] += 1
                if seen.requests[place] > answers:
                    return
                self.wfile.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
                )

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        seen.address = f"http://127.0.0.1:{server.server_address[1]}/keys"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield seen
        finally:
            server.shutdown()


def fetch(address: str, kept: KeptConnections | None) -> dict[str, object]:
    with ProviderConnection(kept=kept) as connection:
        return connection.fetch_json(address)


def test_a_connection_is_kept_for_the_next_sign_in():
    kept = KeptConnections()
    with provider_that_closes_after(9) as provider:
        assert [fetch(provider.address, kept) for _ in range(3)] == [{}] * 3
        assert provider.requests == [3]
        fetch(provider.address, None)
        assert provider.requests == [3, 1]


def test_a_request_for_which_a_kept_connection_is_closed_is_sent_once_more():
    kept = KeptConnections()
    with provider_that_closes_after(1) as provider:
        assert [fetch(provider.address, kept) for _ in range(3)] == [{}] * 3
        assert provider.requests == [2, 2, 1]


def test_a_provider_that_only_closes_connections_is_asked_twice():
    with provider_that_closes_after(0) as provider:
        with pytest.raises(ProviderUnavailableError):
            fetch(provider.address, KeptConnections())
        assert provider.requests == [1, 1]
