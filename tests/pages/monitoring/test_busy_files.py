"""A file beyond those that are being made and sent: offered as a job, on pages and in a sentence."""

import pytest
import time_machine

from portal.pages.layout.sessions.request_guard import guard_unsafe_request
from portal.platform.db import db
from portal.platform.serving.lanes import FILES_ARE_BUSY, LANE, Lane
from tests.page_reading import Page
from tests.pages.monitoring.preparing import events, jobs, link, run_jobs
from tests.pages.monitoring.reading import sheet
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world

BUSY = {FILES_ARE_BUSY: True}
HTML = {"Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
NAMES = ("completions.csv", "completions.json", "people.csv", "people.xlsx")


@pytest.fixture
def auditor(client):
    with time_machine.travel(TODAY, tick=False):
        yield enter(client, make_world(), "D6001")


def _offered(client, path):
    answer = client.get(path, environ_overrides=BUSY, headers=HTML)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    return Page(answer, path)


def test_who_comes_next_is_offered_the_same_file_by_a_job(app, auditor):
    for name in NAMES:
        path = f"{REPORT}/{name}?status=overdue"
        at_once = auditor.get(path)

        page = _offered(auditor, path)
        assert page.h1 == "Other files are being made"
        assert "keep it for you for 24 hours" in page.text
        answer = auditor.post(path, data=page.form_with("Make this file for me").fields)
        assert auditor.page(answer.location).h1 == "Your file is being made"
        run_jobs(app)
        file = auditor.get(link(auditor.page(answer.location)))

        for header in ("Content-Type", "Content-Disposition", "Cache-Control"):
            assert file.headers[header] == at_once.headers[header], name
        same = sheet(file) == sheet(at_once) if name.endswith("xlsx") else file.data == at_once.data
        assert same, name
    assert len(events("completions.exported")) == 2 * len(NAMES)


def test_an_offer_makes_and_logs_nothing(auditor):
    _offered(auditor, f"{REPORT}/completions.pdf")

    assert (jobs(), events("completions.exported")) == ([], [])


def test_a_program_is_told_in_a_sentence_when_to_come_back(auditor):
    answer = auditor.get(f"{REPORT}/completions.csv", environ_overrides=BUSY, headers={"Accept": "*/*"})

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.text == "Other files are being sent. Try again in a minute.\n"


def test_a_file_that_no_job_makes_is_refused_with_a_page(auditor):
    answer = auditor.get("/audit/acts.csv", environ_overrides=BUSY, headers=HTML)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert "Wait a few minutes, then try again." in answer.text


def test_no_header_of_a_client_makes_files_busy(auditor):
    spelled = {"Portal.files_are_busy": "1", "Portal-Files-Are-Busy": "1"}

    assert auditor.get(f"{REPORT}/completions.csv", headers=spelled).status_code == 200


@pytest.mark.parametrize(("lane", "waits_briefly"), [(Lane.READS, True), (Lane.FILES, False)])
def test_the_threads_of_files_wait_for_another_change_as_long_as_a_change_does(app, lane, waits_briefly):
    with app.test_request_context(f"{REPORT}/people.csv", environ_overrides={LANE: str(lane)}):
        guard_unsafe_request()

        assert ("wait_seconds" in db.session.info) == waits_briefly
