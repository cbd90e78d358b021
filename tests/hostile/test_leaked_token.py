"""A token that is revoked opens nothing any more, in whichever process of a running server."""

import http.client

import pytest

from tests.running import Server, command, settings

pytestmark = pytest.mark.slow

REQUESTS = 20  # on connections of their own: two processes share them


def read_people(server: Server, token: str) -> int:
    """The status of a request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("GET", "/api/v1/people", headers={"Authorization": f"Bearer {token}"})
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_revoked_token_opens_nothing_in_any_process(server: Server) -> None:
    environment = settings(server.instance)
    made = command(environment, "tokens", "create", "Leaked", "--scope", "read")
    token = made.stdout.strip()
    assert {read_people(server, token) for _ in range(REQUESTS)} == {200}

    done = command(environment, "tokens", "revoke", "Leaked")

    assert done.returncode == 0, done.stderr
    refused = {read_people(server, token) for _ in range(REQUESTS)}
    assert refused == {401, 429}  # so many that are refused are refused unread
