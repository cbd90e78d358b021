"""Counts of several processes are one sum, which never falls."""

import os
import signal
from threading import Thread

import pytest

from portal.platform.observability import request_figures
from portal.platform.observability.request_figures import BUCKETS, PARTS, STATUSES, RequestFigures, take_part


@pytest.fixture
def own_part(monkeypatch):
    monkeypatch.setattr(request_figures, "_own_part", [0])


def in_a_process(part, act):
    """Do something in a process of its own, which counts in this part; its exit code."""
    pid = os.fork()
    if not pid:
        try:
            take_part(part)
            act()
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def read(figures):
    return {row.endpoint: row for row in figures.read()}


@pytest.mark.usefixtures("own_part")
def test_the_requests_of_all_processes_are_added_up():
    figures = RequestFigures(["a", "b"])
    for part in range(3):
        assert in_a_process(part, lambda: [figures.count("b", 200, 0.02, 2, 0) for _ in range(100)]) == 0
    figures.count("b", 503, 20, 5, 1)

    row = read(figures)["b"]

    assert set(read(figures)) == {"b"}
    assert row.by_status == {"200": 300, "503": 1}
    assert sum(row.by_bucket) == 301
    assert (row.by_bucket[BUCKETS.index(0.025)], row.by_bucket[-1]) == (300, 1)
    assert row.seconds == pytest.approx(26)
    assert (row.statements, row.slow_statements) == (605, 1)


@pytest.mark.usefixtures("own_part")
def test_a_process_that_was_killed_is_followed_by_one_that_counts_on():
    figures = RequestFigures(["a"])

    def die():
        figures.count("a", 200, 0.1, 1, 0)
        os.kill(os.getpid(), signal.SIGKILL)

    assert in_a_process(1, die) == -signal.SIGKILL
    assert in_a_process(1, lambda: figures.count("a", 200, 0.1, 1, 0)) == 0

    assert read(figures)["a"].by_status == {"200": 2}


@pytest.mark.usefixtures("own_part")
def test_the_threads_of_a_process_lose_no_request():
    figures = RequestFigures(["a"])
    threads = [
        Thread(target=lambda: [figures.count("a", 200, 0.001, 1, 0) for _ in range(2_000)]) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert read(figures)["a"].by_status == {"200": 8_000}


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0, 0), (0.005, 0), (0.0051, 1), (10, len(BUCKETS) - 1), (10.1, len(BUCKETS))]
)
def test_a_bucket_holds_what_is_at_most_its_bound(seconds, bucket):
    figures = RequestFigures([])
    figures.count("nobody knows it", 299, seconds, 0, 0)

    (row,) = figures.read()

    assert (row.endpoint, row.by_status) == ("unmatched", {"other": 1})
    assert row.by_bucket.index(1) == bucket


def test_statuses_are_told_apart_and_parts_are_bounded():
    assert len(set(STATUSES)) == len(STATUSES)
    for number in (-1, PARTS):
        with pytest.raises(ValueError, match="at most"):
            take_part(number)
