"""What a provider sends several times at once to a running server is done once, and otherwise refused."""

import http.client
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.features.scim.provider import PATCH, SCIM_JSON, user
from tests.running import Server, command, copied, fresh_database, settings

pytestmark = pytest.mark.sweep
SENDERS = 8


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    if request.param == "sqlite":
        running = Server(copied(request.getfixturevalue("small_force"), tmp_path / "instance"))
    else:
        force = request.getfixturevalue("force_template")
        address = fresh_database(request.getfixturevalue("postgresql"), "provisioned", force)
        running = Server(tmp_path, database_url=address)
    try:
        yield running.start()
    finally:
        running.kill()


class Sender:
    """Sends with one token, on a connection for each request."""

    def __init__(self, server: Server) -> None:
        environment = settings(server.instance, database_url=server.database_url)
        made = command(environment, "tokens", "create", "entra", "--scope", "scim")
        self._token = next(word for word in made.stdout.split() if word.startswith("oicp_"))
        self._port = server.port

    def send(self, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": SCIM_JSON}
        try:
            connection.request(method, f"/scim/v2{path}", json.dumps(body), headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read() or b"{}")
        finally:
            connection.close()

    def send_at_once(self, method: str, path: str, bodies: list[Any]) -> list[tuple[int, dict[str, Any]]]:
        with ThreadPoolExecutor(SENDERS) as senders:
            return list(senders.map(lambda body: self.send(method, path, body), bodies))


def test_the_same_joiner_and_the_same_mover_sent_eight_times_at_once_are_one(server: Server) -> None:
    sender = Sender(server)

    joined = sender.send_at_once("POST", "/Users", [user("N4711", department="Westshire Police")] * SENDERS)
    assert Counter(status for status, _ in joined) == {201: 1, 409: SENDERS - 1}
    key = next(document["id"] for status, document in joined if status == 201)

    roles = [f"role {number}" for number in range(SENDERS)]
    moves = [
        {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "userType", "value": role}]}
        for role in roles
    ]
    moved = sender.send_at_once("PATCH", f"/Users/{key}", moves)
    assert {status for status, _ in moved} == {200}
    status, shown = sender.send("GET", f"/Users/{key}")
    assert (status, shown["userType"] in roles) == (200, True)

    found = sender.send("GET", "/Users?filter=userName%20eq%20%22uN4711@westshire.example%22")[1]
    assert found["totalResults"] == 1

    whole = [user("N4711", department="Westshire Police", title=f"Rank {n}") for n in range(SENDERS)]
    replaced = sender.send_at_once("PUT", f"/Users/{key}", whole)
    assert {status for status, _ in replaced} == {200}
