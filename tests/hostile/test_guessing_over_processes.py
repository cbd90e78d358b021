"""Guesses sent at once to a running server, which has several processes, are counted together."""

import http.client
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.page_reading import TOKEN
from tests.running import PASSWORD, Server, copied

pytestmark = pytest.mark.slow


def sign_in(server: Server, name: str, password: str, **headers: str) -> int:
    """The status of a sign-in on a connection and with cookies of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", "/sign-in", headers=headers)
        page = connection.getresponse()
        token = TOKEN.search(page.read().decode())
        assert token is not None
        cookies = "; ".join(cookie.partition(";")[0] for cookie in page.headers.get_all("Set-Cookie") or [])
        fields = urlencode({"csrf_token": token[2], "name": name, "password": password})
        headers |= {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", "/sign-in", fields, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_twenty_guesses_at_once_are_five(server: Server) -> None:
    names = ("D1001", "d1001", " D1001")

    with ThreadPoolExecutor(20) as senders:
        guesses = [senders.submit(sign_in, server, names[turn % 3], f"wrong {turn}") for turn in range(20)]
        codes = Counter(guess.result() for guess in guesses)

    assert codes == {200: 5, 429: 15}
    assert sign_in(server, "D1001", PASSWORD) == 429
    assert sign_in(server, "D2001", PASSWORD) == 303


@pytest.mark.parametrize("trusted", ["", "127.0.0.1"])
def test_the_server_lets_a_named_proxy_say_who_sends(small_force: Path, tmp_path: Path, trusted: str) -> None:
    server = Server(copied(small_force, tmp_path / "instance"), more={"TRUSTED_PROXIES": trusted}).start()
    try:
        for turn in range(5):
            forged = {"X-Forwarded-For": f"198.51.100.{turn}, 192.0.2.1"}
            assert sign_in(server, "D1001", "wrong", **forged) == 200
        assert sign_in(server, "D1001", PASSWORD, **{"X-Forwarded-For": "192.0.2.1"}) == 429
        elsewhere = sign_in(server, "D1001", PASSWORD, **{"X-Forwarded-For": "192.0.2.2"})
    finally:
        server.kill()

    assert elsewhere == (303 if trusted else 429)
