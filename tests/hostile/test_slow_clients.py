"""Slow clients, readers and files take no thread from anybody else; a dead process is begun anew."""

import http.client
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from portal.platform.processes import NICENESS
from tests.forked import Forked
from tests.hostile.slow_app import HOLD_SECONDS, PIECE, PIECES
from tests.hostile.slow_clients import (
    all_open,
    answer_to,
    connected,
    seconds_to,
    seconds_until_closed,
    slow_body,
    slow_header,
    slow_reader,
)
from tests.running import Server, copied, settings

pytestmark = pytest.mark.slow
AT_ONCE = 1.0  # seconds
FILE = "/monitoring/directives/OIC/completions.csv"


@pytest.fixture(scope="module")
def portal(small_force: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a real portal, warmed up in both of its processes."""
    running = Server(copied(small_force, tmp_path_factory.mktemp("slow") / "instance")).start()
    try:
        for _ in range(20):
            seconds_to(running.port, "/sign-in")
        yield running.port
    finally:
        running.kill()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _started(folder: Path, *words: str) -> tuple[Forked, int]:
    port = _free_port()
    process = Forked("tests/hostile/slow_app.py", words, settings(folder, port), folder / "log")
    for _ in range(200):
        try:
            seconds_to(port, "/page")
        except OSError:
            time.sleep(0.1)
        else:
            return process, port
    raise AssertionError((folder / "log").read_text())


@pytest.fixture
def small(tmp_path: Path) -> Iterator[tuple[Forked, int]]:
    """The server with a small application, and its port."""
    process, port = _started(tmp_path)
    try:
        yield process, port
    finally:
        process.kill()


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[int]:
    """The same with windows of a second or two, and few connections."""
    process, port = _started(tmp_path, "strict")
    try:
        yield port
    finally:
        process.kill()


def test_eight_bodies_that_do_not_come_stop_no_page(portal: int) -> None:
    with all_open(slow_body(portal) for _ in range(8)):
        time.sleep(0.2)
        for path in ("/sign-in", "/healthz", "/readyz", "/help"):
            assert seconds_to(portal, path) < AT_ONCE, path


def test_a_page_within_a_second_beside_200_slow_clients(portal: int) -> None:
    def slow() -> Iterator[socket.socket]:
        for number in range(200):
            make = (slow_header, slow_body, lambda port: slow_reader(port, "/help"))[number % 3]
            yield make(portal)

    with all_open(slow()):
        for path in ("/sign-in", "/healthz", "/readyz"):
            assert seconds_to(portal, path) < AT_ONCE, path


def test_files_held_open_by_their_readers_stop_neither_pages_nor_files(small: tuple[Forked, int]) -> None:
    port = small[1]
    with all_open(slow_reader(port, FILE) for _ in range(4)):
        time.sleep(0.5)
        for _ in range(8):
            assert seconds_to(port, "/page") < AT_ONCE
        status, body = answer_to(port, FILE)
        assert (status, len(body)) == (200, len(PIECE) * PIECES)


def test_health_is_answered_while_every_thread_is_busy(small: tuple[Forked, int]) -> None:
    port = small[1]
    with ThreadPoolExecutor(16) as pool:
        held = [pool.submit(answer_to, port, "/hold", 60) for _ in range(16)]
        time.sleep(0.5)
        for path in ("/healthz", "/readyz"):
            assert seconds_to(port, path) < AT_ONCE, path
        assert not any(one.done() for one in held)


def test_forms_that_wait_leave_pages_their_threads(small: tuple[Forked, int]) -> None:
    port = small[1]
    wait = b"POST /hold HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    with all_open(connected(port) for _ in range(24)) as forms:
        for one in forms:
            one.sendall(wait)
        time.sleep(0.2)
        assert seconds_to(port, "/page") < AT_ONCE


def test_people_who_sign_in_wait_for_one_another_alone(small: tuple[Forked, int]) -> None:
    port = small[1]
    sign_in = b"POST /sign-in/hold HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    change = b"POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
    with all_open(connected(port) for _ in range(12)) as waiting:
        for one in waiting:
            one.sendall(sign_in)
        time.sleep(0.3)
        begun = time.monotonic()
        with connected(port) as one:
            one.sendall(change)
            assert one.recv(4096).startswith(b"HTTP/1.1 200")
        assert time.monotonic() - begun < AT_ONCE
        assert seconds_to(port, "/page") < AT_ONCE


def test_a_client_that_is_too_slow_is_closed(strict: int) -> None:
    for make in (slow_header, slow_body, connected, lambda port: slow_reader(port, FILE)):
        with make(strict) as one:
            if make is not slow_header and make is not slow_body and make is not connected:
                time.sleep(7)  # it takes nothing, so only the end of what the system holds is seen
            assert seconds_until_closed(one) < 5


def test_a_body_that_comes_slowly_but_steadily_arrives(strict: int) -> None:
    with connected(strict) as one:
        one.sendall(b"POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 4000\r\n\r\n")
        for _ in range(20):
            one.sendall(b"x" * 200)
            time.sleep(0.2)
        assert one.recv(4096).endswith(b" 4000")


def _is_answered(one: socket.socket) -> bool:
    one.sendall(b"GET /page HTTP/1.1\r\nHost: a\r\n\r\n")
    said = b""
    while not said.endswith(b" 0"):
        more = one.recv(4096)
        if not more:
            return False
        said += more
    return True


def test_connections_that_are_used_again_and_again_stay_open(strict: int) -> None:
    with all_open(connected(strict) for _ in range(8)) as browsers:
        for _ in range(12):  # for longer than a connection may idle
            for one in browsers:
                assert _is_answered(one)
                time.sleep(0.03)
        time.sleep(1.2)  # for longer than a new connection may take over its first header
        for one in browsers:
            assert _is_answered(one)


def test_more_connections_than_there_may_be_shut_nobody_out(strict: int) -> None:
    with all_open(connected(strict) for _ in range(100)):
        assert seconds_to(strict, "/page") < 5


def test_readers_that_take_nothing_shut_nobody_out(strict: int) -> None:
    with all_open(slow_reader(strict, "/large") for _ in range(100)):
        assert seconds_to(strict, "/page") < 10  # after all that the others wait for is made


def test_each_process_writes_one_file_at_a_time_and_the_next_ones_wait(small: tuple[Forked, int]) -> None:
    port = small[1]
    with ThreadPoolExecutor(4) as pool:  # no more than may wait, should all come to the same process
        begun = time.monotonic()
        files = [pool.submit(answer_to, port, "/monitoring/hold.csv", 60) for _ in range(4)]
        time.sleep(0.5)
        assert seconds_to(port, "/page") < AT_ONCE
        assert {one.result()[0] for one in files} == {200}
    assert time.monotonic() - begun > 2 * HOLD_SECONDS - 0.5


def test_one_file_too_many_is_told_so_by_the_application(strict: int) -> None:
    with ThreadPoolExecutor(12) as pool:
        files = [pool.submit(answer_to, strict, "/monitoring/hold.csv", 60) for _ in range(12)]
        answers = [one.result() for one in files]
    refused = [body for status, body in answers if status == 503]
    assert 0 < len(refused) < 12
    assert set(refused) == {b"busy"}


def test_files_are_made_in_a_process_of_their_own_that_gives_way_to_pages(small: tuple[Forked, int]) -> None:
    port = small[1]
    pages = {answer_to(port, "/page")[1].split()[0] for _ in range(20)}
    files = [answer_to(port, "/monitoring/nice.csv")[1].split() for _ in range(10)]

    assert len({pid for pid, _ in files}) == 1
    assert pages.isdisjoint(pid for pid, _ in files)
    assert {int(niceness) - os.nice(0) for _, niceness in files} == {NICENESS}


def test_a_file_whose_process_dies_is_seen_to_be_cut_off_and_the_next_is_made(
    small: tuple[Forked, int],
) -> None:
    port = small[1]
    with pytest.raises(http.client.IncompleteRead):
        answer_to(port, "/monitoring/cut.csv")
    begun = time.monotonic()
    status, body = answer_to(port, FILE)

    assert (status, len(body)) == (200, len(PIECE) * PIECES)
    assert time.monotonic() - begun < 10


def test_a_file_that_is_cut_off_is_no_whole_file_to_an_old_client_either(small: tuple[Forked, int]) -> None:
    """HTTP/1.0 knows no chunks: an orderly end of the connection would be the end of the file."""
    with connected(small[1]) as old:
        old.sendall(b"GET /monitoring/cut.csv HTTP/1.0\r\nHost: a\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            list(iter(lambda: old.recv(65_536), b""))


def test_a_process_that_is_killed_is_begun_anew(small: tuple[Forked, int]) -> None:
    _, port = small

    def at_work() -> set[int]:
        return {int(answer_to(port, "/page")[1].split()[0]) for _ in range(40)}

    before = at_work()
    os.kill(min(before), signal.SIGKILL)
    last = time.monotonic() + 15
    while len(at_work() - before) < 1:
        assert time.monotonic() < last
    assert min(before) not in at_work()


def test_a_request_under_way_is_answered_before_the_server_ends(small: tuple[Forked, int]) -> None:
    process, port = small
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    asked.request("GET", "/hold")
    with all_open(slow_header(port) for _ in range(1)):
        time.sleep(0.5)
        process.send_signal(signal.SIGTERM)
        time.sleep(1)
        with pytest.raises(OSError):
            connected(port)
        answer = asked.getresponse()
        assert (answer.status, answer.read().split()[1]) == (200, b"0")
    asked.close()
    begun = time.monotonic()
    assert process.wait(timeout=30) == 0
    assert time.monotonic() - begun < 3 * HOLD_SECONDS
