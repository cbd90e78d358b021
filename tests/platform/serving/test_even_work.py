"""Web processes share the work evenly, whichever of them accepted the connections that a proxy keeps."""

import http.client
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest

from portal.platform.observability import request_figures
from portal.platform.observability.request_figures import SharedCount, take_part
from portal.platform.serving import server as serving
from portal.platform.serving.lanes import THREADS, Lane
from tests.platform.serving.running import serve
from tests.running import Server
from tests.waiting import PATIENCE, until

ASKED = THREADS[Lane.READS]


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> SharedCount:
    """The counts of the other web processes."""
    count = SharedCount()
    monkeypatch.setattr(serving, "IN_HAND", count)
    monkeypatch.setattr(request_figures, "_own_part", [0])
    return count


def set_as(part: int, count: SharedCount, requests: int) -> None:
    """Have another process set how many it has in hand."""
    pid = os.fork()
    if not pid:
        take_part(part)
        count.set_own(requests)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0


@contextmanager
def answered_at_once() -> Iterator[list[http.client.HTTPResponse]]:
    """The answers to as many requests as a process has threads for, which it answers one after the other."""
    turns = [Event() for _ in range(ASKED)]

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        assert turns[int(environ["QUERY_STRING"])].wait(PATIENCE)
        start_response("200 OK", [("Content-Length", "2")])
        return [b"ok"]

    with serve(application) as server, ExitStack() as stack:
        connections = []
        for place in range(ASKED):
            connection = http.client.HTTPConnection("127.0.0.1", int(server.effective_port), timeout=PATIENCE)
            stack.callback(connection.close)
            connection.request("GET", f"/?{place}")
            connections.append(connection)
        until(lambda: len(server.in_hand) == ASKED)
        answers = []
        for left, (turn, connection) in enumerate(zip(turns, connections, strict=True)):
            turn.set()
            answers.append(connection.getresponse())
            assert answers[-1].read() == b"ok"
            until(lambda left=left: len(server.in_hand) == ASKED - 1 - left)  # type: ignore[misc]
        yield answers


def list_closing(answers: list[http.client.HTTPResponse]) -> list[bool]:
    return [answer.getheader("Connection") == "close" for answer in answers]


def test_a_process_gives_up_connections_until_it_has_no_more_in_hand_than_another(
    others: SharedCount,
) -> None:
    set_as(1, others, 0)
    with answered_at_once() as answers:
        assert list_closing(answers) == [True] * (ASKED - 1) + [False]


@pytest.mark.parametrize("requests", [(ASKED - 1,), (ASKED + 5,), (7 * ASKED, ASKED)])
def test_connections_are_kept_where_the_others_have_as_much_in_hand(
    others: SharedCount, requests: tuple[int, ...]
) -> None:
    for part, count in enumerate(requests, start=1):
        set_as(part, others, count)
    with answered_at_once() as answers:
        assert list_closing(answers) == [False] * ASKED


@pytest.mark.usefixtures("others")
def test_the_only_web_process_keeps_its_connections() -> None:
    with answered_at_once() as answers:
        assert list_closing(answers) == [False] * ASKED


def owner_of(connection: http.client.HTTPConnection, port: int) -> int:
    """The process that accepted it; 0 where it was closed meanwhile."""
    with suppress(OSError, AttributeError):
        own = connection.sock.getsockname()[1]
        ends = f"0100007F:{port:04X} 0100007F:{own:04X}"
        lines = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
        inode = next((line[9] for line in lines if f"{line[1]} {line[2]}" == ends), "")
        for folder in Path("/proc").glob("[0-9]*/fd"):
            with suppress(OSError):
                if f"socket:[{inode}]" in {os.readlink(file) for file in folder.iterdir()}:
                    return int(folder.parent.name)
    return 0


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_process_that_rests_takes_over_from_one_that_has_all_connections(server: Server) -> None:
    def ask(connection: http.client.HTTPConnection) -> None:
        connection.request("GET", "/sign-in")
        assert connection.getresponse().read()

    def ask_on(connection: http.client.HTTPConnection) -> None:
        while not over.is_set():
            ask(connection)

    with ExitStack() as stack:
        by_owner: dict[int, list[http.client.HTTPConnection]] = {}
        while max(map(len, by_owner.values()), default=0) < ASKED:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
            stack.callback(connection.close)
            ask(connection)
            by_owner.setdefault(owner_of(connection, server.port), []).append(connection)
        owner, kept = max(by_owner.items(), key=lambda owned: len(owned[1]))
        over = Event()
        threads = [Thread(target=ask_on, args=(connection,)) for connection in kept]
        for thread in threads:
            thread.start()
        try:
            until(lambda: {owner_of(connection, server.port) for connection in kept} - {0, owner})
        finally:
            over.set()
            for thread in threads:
                thread.join()
