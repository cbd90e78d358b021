"""The pages of jobs: who sees which, what each shows, and what its buttons do; on both databases."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import update

from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs import services
from portal.platform.jobs.models import Job, JobState
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.monitoring.counting import statements

START = "Start: Check of all assignments"


@pytest.fixture
def administrator(client: PortalClient) -> PortalClient:
    """A browser in which D9001 is signed in."""
    make_grant(make_account("D9001"), "administrator")
    let_in(client, "D9001")
    return client


def made(state: JobState = JobState.WAITING, by: int | None = None, **values: object) -> UUID:
    """A job that stands so."""
    now = clock.now()
    with transaction():
        reference = services.start_job("reconcile", {}, by=by, at=now)
        times = {"started_at": now, "heartbeat_at": now} if state != JobState.WAITING else {}
        ended = {"ended_at": now} if state not in {JobState.WAITING, JobState.RUNNING} else {}
        values = {"state": state, **times, **ended, **values}
        db.session.execute(update(Job).where(Job.reference == reference).values(**values))
    return reference


def buttons(page: Page) -> set[str]:
    return {button for form in page.forms() for button in form.buttons} - {"Sign out"}


def test_the_administrator_starts_a_check_and_cancels_it(administrator):
    page = administrator.page(administrator.page("/desk").links["Jobs"])
    assert "No job has been started yet" in page.text

    started = administrator.press(page, START)

    assert started.h1 == "Check of all assignments"
    assert "Asked for by Priya Shah" in started.text
    assert "It begins when a worker is free." in started.text
    assert "Show the latest state" in started.links
    cancelled = administrator.press(started, "Cancel this job")
    assert "What it had not finished was not applied" in cancelled.text
    assert buttons(cancelled) == {"Try again"}
    again = administrator.press(cancelled, "Try again")
    assert "Job queued again." in again.text


@pytest.mark.parametrize(
    ("state", "values", "said", "wanted"),
    [
        (JobState.WAITING, {}, "Waiting It begins", {"Cancel this job"}),
        (
            JobState.RUNNING,
            {"done": 400, "total": 1600, "said": "Reading rows"},
            "Running Reading rows 400 of 1,600 (25%)",
            {"Cancel this job"},
        ),
        (
            JobState.DONE,
            {"result": {"said": ["3 checked.", "1 <b>wrong</b>."]}},
            "3 checked. 1 <b>wrong</b>.",
            set(),
        ),
        (JobState.DONE, {"result": {"Bad rows": 1203}}, "Result Bad rows 1,203", set()),
        (JobState.FAILED, {"reason": "The file is gone."}, "Failed The file is gone.", {"Try again"}),
        (
            JobState.FAILED,
            {"reason": "Line 1: no.\nLine 2: no."},
            "Why it could not be done: Line 1: no. Line 2: no.",
            {"Try again"},
        ),
        (JobState.FAILED, {"reason": "Cut off.", "runs": 3}, "for the third time", {"Try again"}),
        (JobState.CANCELLED, {}, "Cancelled", {"Try again"}),
    ],
)
def test_each_state_says_where_the_job_stands_and_what_can_be_done(
    administrator, state, values, said, wanted
):
    page = administrator.page(f"/jobs/{made(state, **values)}")

    assert said in page.text
    assert buttons(page) == wanted


def test_the_list_shows_one_state_or_all(administrator):
    made(JobState.FAILED, reason="Line 1: no such unit.\nLine 2: no such unit.")
    made(JobState.RUNNING, done=1, total=3)
    made(JobState.DONE, result={"said": ["60 people checked."]})
    made(JobState.DONE, result={"Joiners": 12, "Bad rows": 0})

    everything = administrator.page("/jobs")
    assert len(everything.all("tbody")[0]) == 4
    assert "Joiners: 12, Bad rows: 0" in everything.text
    assert {"Waiting (0)", "Running (1)", "Failed (1)"} <= set(everything.links)

    failed = administrator.page(everything.links["Failed (1)"])
    assert len(failed.all("tbody")[0]) == 1
    assert "Line 1: no such unit. 1 more reason." in failed.text
    assert "Command line" in failed.text
    assert "60 people checked." not in failed.text
    assert "No job is waiting." in administrator.page("/jobs?state=waiting").text
    assert len(administrator.page("/jobs?state=nonsense&page=nonsense", 400).all("tbody")[0]) == 4


def test_the_list_is_paged_and_costs_the_same_for_two_and_for_twenty(administrator):
    people = [make_account(f"D7{n:03}") for n in range(3)]
    for n in range(2):
        made(JobState.DONE, by=people[n % 3])
    administrator.page("/jobs")  # what a process keeps is kept by now
    with statements() as two:
        administrator.page("/jobs")
    for n in range(18):
        made(JobState.FAILED, by=people[n % 3], reason="No.")
    with statements() as twenty:
        administrator.page("/jobs")
    assert len(two) == len(twenty)

    for _ in range(8):
        made(JobState.DONE)
    second = administrator.page("/jobs?page=2")
    assert len(second.all("tbody")[0]) == 3


def test_who_asked_for_a_job_sees_that_one_alone(app: Flask, administrator):
    learner = another(app)
    own = made(JobState.RUNNING, by=make_account("D1001"), total=10, done=4)
    others = made(JobState.RUNNING)
    let_in(learner, "D1001")

    page = learner.page(f"/jobs/{own}")
    assert "4 of 10 (40%)" in page.text
    assert "Jobs" not in page.links
    assert "Jobs" not in learner.page("/desk").links
    for path in (f"/jobs/{others}", f"/jobs/{others}/progress", f"/jobs/{uuid4()}", "/jobs/7"):
        assert learner.get(path).status_code == 404
    assert learner.get("/jobs").status_code == 403
    token = page.form_with("Cancel this job").fields["csrf_token"]
    for act in ("cancel", "again"):
        assert learner.post(f"/jobs/{others}/{act}", data={"csrf_token": token}).status_code == 404
    assert "Try again" in buttons(learner.press(page, "Cancel this job"))
    assert "Cancel this job" in buttons(administrator.page(f"/jobs/{others}"))


def test_an_administrator_of_a_unit_sees_no_job_but_their_own(client):
    here = make_unit("Here")
    own = make_account("D9002", unit=here)
    make_grant(own, "administrator", here)
    let_in(client, "D9002")
    mine = made(by=own)
    near = made(JobState.FAILED, by=make_person(here, surname="Near"), reason="Line 1: W1234 is nobody.")
    commands = made(
        JobState.FAILED, reason="Line 1: W1234 is nobody.", asked_at=clock.now() - timedelta(hours=1)
    )

    listed = client.page("/jobs")
    assert len(listed.all("tbody")[0]) == 1
    assert "the jobs of others are not listed" in listed.text
    assert {"Waiting (1)", "Failed (0)"} <= set(listed.links)
    assert not {"W1234", "Near"} & set(client.page("/jobs?state=failed").text.split())
    assert START not in buttons(listed)
    page = client.page(f"/jobs/{mine}")
    token = page.form_with("Cancel this job").fields["csrf_token"][0]
    for other in (near, commands):
        assert client.get(f"/jobs/{other}").status_code == 404
        assert client.get(f"/jobs/{other}/progress").status_code == 404
        for act in ("cancel", "again"):
            assert client.post(f"/jobs/{other}/{act}", data={"csrf_token": token}).status_code == 404
    begun = client.post("/jobs", data={"csrf_token": token, "kind": "reconcile"})
    assert begun.status_code == 403
    assert "Try again" in buttons(client.press(page, "Cancel this job"))


def test_a_button_pressed_too_late_says_so(administrator):
    reference = made(JobState.RUNNING)
    page = administrator.page(f"/jobs/{reference}")
    with transaction():
        db.session.execute(update(Job).values(state=JobState.DONE))

    late = administrator.press(page, "Cancel this job", 409)

    assert "it is done already" in late.text


def test_a_second_press_leads_to_the_job_that_is_under_way(administrator):
    page = administrator.page("/jobs")
    administrator.press(page, START)

    second = administrator.press(page, START)

    assert "This job is running already" in second.text
    assert "Waiting (1)" in administrator.page("/jobs").links


def test_what_is_not_offered_is_not_started(administrator):
    page = administrator.page("/jobs")

    assert "Choose one of the jobs" in administrator.press(page, START, 400, kind="counting").text
    assert "No job has been started yet" in administrator.page("/jobs").text


def test_the_pieces_that_change_are_there_until_the_job_has_ended(administrator):
    def pieces(one: UUID) -> int:
        return administrator.get(f"/jobs/{one}/progress").get_data(as_text=True).count("data-piece=")

    assert (pieces(made(JobState.RUNNING)), pieces(made(JobState.WAITING)), pieces(made(JobState.DONE))) == (
        2,
        2,
        0,
    )
    assert 'data-refresh="/jobs/' in administrator.page(f"/jobs/{made(JobState.RUNNING)}").html
    assert "data-refresh" not in administrator.page(f"/jobs/{made(JobState.FAILED)}").html


def test_the_list_warns_where_no_worker_takes_up_what_waits(administrator):
    warning = "no worker is running"
    made(asked_at=clock.now() - timedelta(minutes=2))
    assert warning in administrator.page("/jobs").text

    made(JobState.RUNNING)
    assert warning not in administrator.page("/jobs").text
