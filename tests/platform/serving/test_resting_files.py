"""Files rest while many requests are in hand, and for pages that take long; no file rests for ever."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from threading import Event, Thread
from time import monotonic
from typing import Any

import pytest

from portal.platform import presence
from portal.platform.db import transaction
from portal.platform.jobs.registry import JobProgress
from portal.platform.presence import IN_HAND, MANY, Rest
from portal.platform.serving import long_requests
from portal.platform.serving.long_requests import LongRequests, answer_request
from portal.platform.serving.server import Server
from tests.platform.serving.running import connect, serve_with
from tests.waiting import PATIENCE, until

SOON = 0.3  # seconds within which nothing comes


@pytest.fixture(autouse=True)
def nothing_is_in_hand() -> Iterator[None]:
    IN_HAND.set_own(0)
    yield
    IN_HAND.set_own(0)


@pytest.fixture
def let_in() -> Iterator[Event]:
    """Until it is set, nobody is signed in."""
    event = Event()
    yield event
    event.set()


@pytest.fixture
def page_made() -> Iterator[Event]:
    """Until it is set, the page that takes long is being made; a test clears it."""
    event = Event()
    event.set()
    yield event
    event.set()


@pytest.fixture
def server(let_in: Event, page_made: Event) -> Iterator[Server]:
    """A server that signs people in once they are let in; a thread answers for its other process."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        if environ["PATH_INFO"] == "/sign-in":
            assert let_in.wait(PATIENCE)
        if environ["PATH_INFO"] == "/assurance":
            assert page_made.wait(PATIENCE)
        start_response("200 OK", [])
        yield b"first, "
        yield b"last"

    def answer_long_requests() -> None:
        while not over.is_set():
            if connection := passed_on._next_request():
                Thread(target=answer_request, args=(application, connection)).start()

    over, passed_on = Event(), LongRequests()
    passed_on.requests.settimeout(0.05)
    thread = Thread(target=answer_long_requests)
    thread.start()
    try:
        with serve_with(application, passed_on) as running:
            yield running
    finally:
        over.set()
        thread.join()


def ask(server: Server, line: str) -> socket.socket:
    asked = connect(server)
    asked.sendall(f"{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    return asked


def answer_within(asked: socket.socket, seconds: float) -> bytes:
    """What comes within so many seconds."""
    asked.settimeout(seconds)
    received = b""
    with suppress(TimeoutError):
        while piece := asked.recv(4096):
            received += piece
    return received


def test_a_file_rests_while_many_requests_are_in_hand_and_a_page_does_not(
    server: Server, let_in: Event
) -> None:
    with ExitStack() as stack:
        people = [ask(server, "POST /sign-in") for _ in range(MANY)]
        for person in people:
            stack.enter_context(person)
        until(lambda: IN_HAND.add_up() == MANY)
        file = stack.enter_context(ask(server, "GET /monitoring/completions.csv"))
        page = stack.enter_context(ask(server, "GET /assurance"))

        assert b"last" in answer_within(page, PATIENCE)
        assert answer_within(file, SOON) == b""
        let_in.set()
        assert b"last" in answer_within(file, PATIENCE)
        assert all(b"last" in answer_within(person, PATIENCE) for person in people)


def test_a_file_rests_while_a_page_that_takes_long_is_made(server: Server, page_made: Event) -> None:
    page_made.clear()
    with ExitStack() as stack:
        page = stack.enter_context(ask(server, "GET /assurance"))
        until(lambda: long_requests._pages)
        file = stack.enter_context(ask(server, "GET /monitoring/completions.csv"))

        assert answer_within(file, SOON) == b""
        page_made.set()
        assert b"last" in answer_within(page, PATIENCE)
        assert b"last" in answer_within(file, PATIENCE)


def test_a_file_comes_at_once_where_few_are_in_hand() -> None:
    IN_HAND.set_own(MANY - 1)
    Rest().wait_for_others(lambda _seconds: pytest.fail("It rests for a few."))


def test_no_file_rests_for_longer_than_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "MOST_SECONDS", 0.3)
    IN_HAND.set_own(MANY)
    rest, begun = Rest(), monotonic()

    for _ in range(5):
        rest.wait_for_others()

    assert 0.3 <= monotonic() - begun < PATIENCE


class Job:
    """A job that was claimed."""

    reference = claim = None
    asked_by_id = None


@pytest.mark.parametrize("low_priority", [True, False])
def test_a_job_of_low_priority_rests_and_no_other(low_priority: bool, client: Any) -> None:
    IN_HAND.set_own(MANY)
    rests: list[float] = []

    class Stopping(Event):
        def wait(self, timeout: float | None = None) -> bool:
            rests.append(timeout or 0.0)
            IN_HAND.set_own(0)
            return False

    progress = JobProgress(Job(), Stopping(), low_priority=low_priority)  # type: ignore[arg-type]
    progress.concluded = True  # nothing is recorded of it any more
    progress.report_progress(1, 2)

    assert len(rests) == (1 if low_priority else 0)


def test_a_job_that_may_hold_a_lock_does_not_rest(client: Any) -> None:
    IN_HAND.set_own(MANY)
    progress = JobProgress(Job(), low_priority=True)  # type: ignore[arg-type]
    progress.concluded = True
    begun = monotonic()
    with transaction():
        progress.report_progress(1, 2)

    assert monotonic() - begun < presence.MOST_SECONDS / 2


def test_a_worker_that_ends_is_not_kept_waiting() -> None:
    IN_HAND.set_own(MANY)
    stopping = Event()
    stopping.set()
    begun = monotonic()
    Rest().wait_for_others(stopping.wait)

    assert monotonic() - begun < presence.MOST_SECONDS / 2
