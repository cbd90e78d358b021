"""An administrator starts a job, watches it, finds a failed one and runs it again; the worker is killed."""

import os
import signal
from pathlib import Path
from uuid import uuid4

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page as Tab

from tests.journeys.walking import ask, change, follow, h1, hold_to_account, press, sign_in, visitor
from tests.running import Server
from tests.waiting import PATIENCE, until

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def made(server: Server, state: str, kind: str = "reconcile", done: int = 0, total: int = 0) -> str:
    """A job written past the portal, as another worker would have left it."""
    reference = uuid4()
    change(
        server.instance,
        "INSERT INTO job (reference, kind, arguments, state, done, total, said, asked_at, started_at,"
        " heartbeat_at, reason, runs, claim) VALUES (?, ?, '{}', ?, ?, ?, 'Reading rows',"
        " datetime('now'), datetime('now'), datetime('now', '+1 hour'), '', 1, ?)",
        reference.hex, kind, state, done, total, uuid4().hex,
    )  # fmt: skip
    return str(reference)


def set_(server: Server, reference: str, values: str) -> None:
    assert change(server.instance, f"UPDATE job SET {values} WHERE reference = ?", reference.replace("-", ""))


def newest(tab: Tab) -> None:
    """Read the newest state until the job has ended, as one does without scripts."""

    def has_ended() -> bool:
        if tab.locator("main a:has-text('Show the latest state')").count() == 0:
            return True
        follow(tab, "Show the latest state")
        return False

    until(has_ended)


def test_a_check_is_started_and_seen_to_its_end(browser: Browser, shared_server: Server) -> None:
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D9001")
        follow(tab, "Jobs")
        hold_to_account(tab)
        press(tab, "Start: Check of all assignments")
        tab.wait_for_selector("main :text('60 people checked: 0 differences.')")
        hold_to_account(tab)
        tab.goto("/jobs?state=done")
        assert "60 people checked" in tab.inner_text("tbody tr:first-child")
        hold_to_account(tab)


@pytest.mark.sweep
def test_progress_is_shown_as_it_is_made(browser: Browser, shared_server: Server) -> None:
    reference = made(shared_server, "running", done=1_000, total=100_000)
    with visitor(browser, shared_server, 320) as tab:
        sign_in(tab, "D9001")
        tab.goto(f"/jobs/{reference}")
        assert "1,000 of 100,000 (1%)" in tab.inner_text("main")
        hold_to_account(tab)
        tab.focus("main button")
        set_(shared_server, reference, "done = 90000, said = 'Checking rows'")
        tab.wait_for_selector("main :text('90,000 of 100,000 (90%)')")
        assert "Checking rows" in tab.inner_text("[role=status]")
        assert tab.evaluate("document.activeElement.textContent.trim()") == "Cancel this job"
        set_(shared_server, reference, "state = 'failed', reason = 'The file is gone.', claim = NULL")
        tab.wait_for_selector("main button:has-text('Try again')")
        assert "The file is gone." in tab.inner_text("main")
        hold_to_account(tab)


@pytest.mark.sweep
def test_a_failed_job_is_found_and_run_again_without_scripts(browser: Browser, shared_server: Server) -> None:
    reference = made(shared_server, "failed")
    set_(shared_server, reference, "reason = 'Something went wrong.'")
    with visitor(browser, shared_server, 320, java_script_enabled=False) as tab:
        sign_in(tab, "D9001")
        tab.goto("/jobs")
        follow(tab, "Failed (")
        hold_to_account(tab)
        tab.goto(f"/jobs/{reference}")
        assert "Something went wrong." in tab.inner_text("main")
        press(tab, "Try again")
        newest(tab)
        assert "60 people checked" in tab.inner_text("main")
        hold_to_account(tab)


@pytest.mark.sweep
def test_a_job_of_a_kind_that_is_gone_fails_with_a_sentence(browser: Browser, shared_server: Server) -> None:
    reference = made(shared_server, "waiting", kind="long-gone")
    with visitor(browser, shared_server) as tab:
        sign_in(tab, "D9001")
        tab.goto(f"/jobs/{reference}")
        newest(tab)
        assert h1(tab) == "long-gone"
        assert "This portal does no jobs of this kind any more." in tab.inner_text("main")


def children(process: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except OSError:  # it has ended
        return []


def worker_of(server: Server) -> int:
    """The worker beside the server: the one process whose parent is neither the server nor a stranger."""
    assert server.process
    supervisor = server.process.pid

    def workers() -> list[int]:
        return [worker for child in children(supervisor) for worker in children(child)]

    until(workers)
    return workers()[0]


@pytest.mark.sweep
def test_a_killed_worker_is_begun_anew_and_ends_with_the_server(browser: Browser, server: Server) -> None:
    killed = worker_of(server)
    os.kill(killed, signal.SIGKILL)
    with visitor(browser, server) as tab:
        sign_in(tab, "D9001")
        tab.goto("/jobs")
        press(tab, "Start: Check of all assignments")
        tab.wait_for_selector("main :text('60 people checked: 0 differences.')")
    worker = worker_of(server)
    assert worker != killed
    assert ask(server.instance, "SELECT state, runs FROM job WHERE kind = 'reconcile'") == [("done", 1)]

    assert server.process
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(timeout=PATIENCE) == 0
    assert not Path(f"/proc/{worker}").exists()
    server.process = None
