"""Slow clients, readers and files take no thread from anybody else; a dead process is begun anew."""

import http.client
import os
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from portal.platform.processes import NICENESS
from tests.forked import Forked
from tests.hostile.slow_app import GROWING, HOLD, PIECE, PIECES
from tests.hostile.slow_clients import (
    all_held,
    all_open,
    answer_to,
    connected,
    is_open_there,
    is_page,
    let_go,
    read_answer,
    read_to_its_end,
    slow_body,
    slow_header,
    slow_reader,
)
from tests.running import Server, free_port, settings
from tests.waiting import until

pytestmark = pytest.mark.slow
FILE = "/monitoring/directives/OIC/completions.csv"
PROCESSES = 2  # of the server, for pages


@contextmanager
def _started(folder: Path, *words: str) -> Iterator[tuple[Forked, int]]:
    port = free_port()
    process = Forked("tests/hostile/slow_app.py", words, settings(folder, port), folder / "log")

    def is_ready() -> bool:
        assert process.poll() is None, (folder / "log").read_text()
        try:
            return is_page(port, "/page")
        except OSError:
            return False

    try:
        until(is_ready)
        yield process, port
    finally:
        process.kill()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the server that the tests share."""
    return tmp_path_factory.mktemp("small")


@pytest.fixture(scope="module")
def small(folder: Path) -> Iterator[int]:
    """The port of the server with a small application."""
    with _started(folder) as (_, port):
        yield port


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The same with windows of a second or two, and few connections; its port and its folder."""
    folder = tmp_path_factory.mktemp("strict")
    with _started(folder, "strict") as (_, port):
        yield port, folder


def test_200_slow_clients_stop_no_page(server: Server) -> None:
    port = server.port

    def slow() -> Iterator[socket.socket]:
        for number in range(200):
            make = (slow_header, slow_body, lambda port: slow_reader(port, "/help"))[number % 3]
            yield make(port)

    with all_open(slow()):  # were a thread kept by each, they would be freed after some minutes
        for path in ("/sign-in", "/healthz", "/readyz", "/help"):
            assert is_page(port, path), path


def test_files_held_open_by_their_readers_stop_neither_pages_nor_files(small: int) -> None:
    with all_open(slow_reader(small, FILE) for _ in range(4)) as readers:
        for reader in readers:
            assert reader.recv(1)
        assert is_page(small, "/page")
        status, body = answer_to(small, FILE)
        assert (status, len(body)) == (200, len(PIECE) * PIECES)
        assert all(map(is_open_there, readers))


def test_pages_and_health_are_answered_while_every_thread_of_others_is_busy(small: int, folder: Path) -> None:
    for method, path, threads in (("GET", "", 4), ("POST", "", 4), ("POST", "/sign-in", 2)):
        request = f"{method} {path}/hold HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode()
        with all_held(small, folder, request, threads * PROCESSES):
            for page in ("/healthz", "/readyz", *(["/page"] if method == "POST" else [])):
                assert is_page(small, page), (method, page)
            if path:  # they wait for one another alone
                with connected(small) as one:
                    one.sendall(b"POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
                    assert one.recv(4096).startswith(b"HTTP/1.1 200")
            assert (folder / HOLD).exists()


def test_a_client_that_is_too_slow_is_closed(strict: tuple[int, Path]) -> None:
    makers = (slow_header, slow_body, connected, lambda port: slow_reader(port, FILE))
    with all_open(make(strict[0]) for make in makers) as clients:
        for one in clients:
            until(lambda client=one: not is_open_there(client))
            read_to_its_end(one)


def test_a_body_that_comes_slowly_but_steadily_arrives(strict: tuple[int, Path]) -> None:
    with connected(strict[0]) as one:
        one.sendall(b"POST /page HTTP/1.1\r\nHost: a\r\nContent-Length: 96000\r\n\r\n")
        for _ in range(12):  # for longer than the rate is averaged over
            one.sendall(b"x" * 8000)
            time.sleep(0.2)
        assert read_answer(one, b" 96000").startswith(b"HTTP/1.1 200")


def _is_answered(one: socket.socket) -> bool:
    one.sendall(b"GET /page HTTP/1.1\r\nHost: a\r\n\r\n")
    return read_answer(one, b" 0").endswith(b" 0")


def test_connections_that_are_used_again_and_again_stay_open(strict: tuple[int, Path]) -> None:
    with all_open(connected(strict[0]) for _ in range(8)) as browsers:
        for _ in range(16):  # for longer than a connection may idle
            for one in browsers:
                assert _is_answered(one)
            time.sleep(0.2)
        time.sleep(1.2)  # for longer than a new connection may take over its first header
        for one in browsers:
            assert _is_answered(one)


def test_more_connections_than_there_may_be_shut_nobody_out(strict: tuple[int, Path]) -> None:
    with all_open(connected(strict[0]) for _ in range(100)):
        assert is_page(strict[0], "/page")


def test_readers_that_take_nothing_shut_nobody_out(strict: tuple[int, Path]) -> None:
    with all_open(slow_reader(strict[0], "/large") for _ in range(100)):
        assert is_page(strict[0], "/page")  # after all that the others wait for is made


HOLD_FILE = "/monitoring/hold.csv"


def test_each_process_has_one_file_at_a_time_and_the_next_ones_wait(small: int, folder: Path) -> None:
    request = f"GET {HOLD_FILE} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
    with all_held(small, folder, request, 1), all_open(connected(small) for _ in range(3)) as others:
        for one in others:
            one.sendall(request)
        assert is_page(small, "/page")
        assert len(list((folder / HOLD).iterdir())) <= PROCESSES
        let_go(folder)
        assert {one.recv(12) for one in others} == {b"HTTP/1.1 200"}


def test_one_file_too_many_is_told_so_by_the_application(strict: tuple[int, Path]) -> None:
    port, folder = strict
    (folder / HOLD).mkdir()
    most = PROCESSES * 2  # each passes one on and lets one wait
    with ThreadPoolExecutor(12) as pool:
        try:
            files = [pool.submit(answer_to, port, HOLD_FILE) for _ in range(12)]
            until(lambda: sum(one.done() for one in files) >= 12 - most)
        finally:
            let_go(folder)
        answers = [one.result() for one in files]
    refused = [body for status, body in answers if status == 503]
    assert 12 - most <= len(refused) < 12
    assert set(refused) == {b"busy"}


def test_files_are_made_in_a_process_of_their_own_that_gives_way_to_pages(small: int) -> None:
    pages = {answer_to(small, "/page")[1].split()[0] for _ in range(20)}
    files = [answer_to(small, "/monitoring/nice.csv")[1].split() for _ in range(10)]

    assert len({pid for pid, _ in files}) == 1
    assert pages.isdisjoint(pid for pid, _ in files)
    assert {int(niceness) - os.nice(0) for _, niceness in files} == {NICENESS}


@pytest.mark.parametrize("size", [0, 300, 200_000])
def test_a_form_whose_page_takes_seconds_reaches_that_process_whole(small: int, size: int) -> None:
    maker = answer_to(small, "/monitoring/nice.csv")[1].split()[0]

    assert answer_to(small, "/directives/preview", sent=b"n" * size) == (200, b"%s %d" % (maker, size))


def test_a_page_that_takes_seconds_waits_for_no_file(small: int, folder: Path) -> None:
    request = f"GET {HOLD_FILE} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
    with all_held(small, folder, request, PROCESSES), all_open(connected(small) for _ in range(3)) as others:
        for one in others:
            one.sendall(request)  # every thread of files is taken by now, and more wait
        assert answer_to(small, "/directives/preview", sent=b"name=value")[0] == 200


def test_a_file_whose_process_dies_is_seen_to_be_cut_off_and_the_next_is_made(small: int) -> None:
    with pytest.raises(http.client.IncompleteRead):
        answer_to(small, "/monitoring/cut.csv")
    status, body = answer_to(small, FILE)

    assert (status, len(body)) == (200, len(PIECE) * PIECES)


def test_a_file_that_is_cut_off_is_no_whole_file_to_an_old_client_either(small: int) -> None:
    """HTTP/1.0 knows no chunks: an orderly end of the connection would be the end of the file."""
    with connected(small) as old:
        old.sendall(b"GET /monitoring/cut.csv HTTP/1.0\r\nHost: a\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            list(iter(lambda: old.recv(65_536), b""))


def test_a_process_for_files_that_has_grown_finishes_its_file_while_the_next_takes_what_is_new(
    small: int, folder: Path
) -> None:
    request = f"GET {HOLD_FILE} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()

    def maker() -> bytes:
        return answer_to(small, "/directives/preview", sent=b"")[1].split()[0]

    with all_held(small, folder, request, 1) as (held, *_):
        grown = maker()
        assert answer_to(small, GROWING)[1].split()[0] == grown
        until(lambda: maker() != grown)
        os.kill(int(grown), 0)  # it is there still
        let_go(folder)
        assert grown in read_answer(held, b"0\r\n\r\n")
    until(lambda: not Path(f"/proc/{int(grown)}").exists())


def test_a_process_that_is_killed_is_begun_anew(small: int) -> None:
    def at_work() -> set[int]:
        return {int(answer_to(small, "/page")[1].split()[0]) for _ in range(40)}

    before = at_work()
    os.kill(min(before), signal.SIGKILL)
    until(lambda: at_work() - before)
    assert min(before) not in at_work()


def test_a_request_under_way_is_answered_before_the_server_ends(tmp_path: Path) -> None:
    with _started(tmp_path) as (process, port), all_open(slow_header(port) for _ in range(1)) as (slow,):

        def is_refused() -> bool:
            try:
                connected(port).close()
            except OSError:
                return True
            return False

        with all_held(port, tmp_path, b"GET /hold HTTP/1.1\r\nHost: a\r\n\r\n", 1) as (asked, *_):
            process.send_signal(signal.SIGTERM)
            until(is_refused)
            read_to_its_end(slow)  # it is not waited for, and the other is
            assert (tmp_path / HOLD).exists()
            let_go(tmp_path)
            assert read_answer(asked, b" 0").startswith(b"HTTP/1.1 200")
        assert process.wait(timeout=120) == 0
