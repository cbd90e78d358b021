"""One line a request: what it says, and what none ever says."""

import re
from dataclasses import replace
from threading import Event

import pytest
from sqlalchemy import text

from portal.commands.jobs import make_worker_setup
from portal.domain.accounts import services
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs import services as jobs
from portal.platform.jobs.worker import JobRunner
from tests.jobs import run_job
from tests.pages.account.browsing import PASSWORD, let_in, make_account, make_administrator, sign_in
from tests.pages.api.calling import system


@pytest.fixture
def all_requests(app, monkeypatch):
    config = app.config["PORTAL"]
    seeing = replace(config.seeing, log_requests="all")
    monkeypatch.setitem(app.config, "PORTAL", replace(config, seeing=seeing))


@pytest.mark.usefixtures("all_requests")
def test_a_line_says_which_request_of_whom_was_answered_how(client, log):
    person = make_account()
    let_in(client)
    answer = client.get("/account")

    line = log.lines("request")[-1]

    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line.pop("at"))
    assert line.pop("milliseconds") > 0
    assert line.pop("statements") > 0
    assert line == {
        "level": "info",
        "source": "portal.requests",
        "event": "request",
        "request": answer.headers["X-Request-ID"],
        "endpoint": "account.show_own_account",
        "method": "GET",
        "status": 200,
        "viewer": person,
    }


def test_the_reference_on_a_page_leads_to_its_line(client, log):
    page = client.page("/no/such-page", 404)

    (line,) = log.lines("request")
    assert re.search(r"reference: ([0-9A-Z-]{9})", page.text)[1] == line["reference"]
    assert (line["endpoint"], line["status"]) == ("unmatched", 404)


@pytest.mark.usefixtures("all_requests")
def test_probes_are_logged_only_when_they_fail(client, log):
    assert (client.get("/healthz").status_code, client.get("/metrics").status_code) == (200, 404)

    assert [(line["endpoint"], line["status"]) for line in log.lines()] == [("operations.metrics", 404)]


def test_the_demo_logs_refused_requests_alone(client, log):
    client.get("/sign-in")
    client.get("/nowhere")

    assert [line["status"] for line in log.lines()] == [404]


def test_a_method_that_nobody_knows_is_not_written_out(client, log):
    client.open("/sign-in", method="SMITH")

    assert [line["method"] for line in log.lines("request")] == ["other"]


def test_a_fault_leaves_where_it_happened_and_nothing_that_was_sent(app, client, log, monkeypatch):
    def fail():
        note = "Adeyemi, 4 High Street"
        try:
            db.session.execute(text("SELECT :note FROM nowhere"), {"note": note})
        except Exception as error:
            raise ValueError(f"no such thing: {note}") from error

    monkeypatch.setitem(app.view_functions, "operations.healthz", fail)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)

    assert client.get("/healthz?who=Adeyemi").status_code == 500

    (fault,) = log.lines("request.failed")
    (line,) = log.lines("request")
    assert fault["request"] == line["request"]
    assert (line["level"], line["status"], len(line["reference"])) == ("error", 500, 9)
    types = [cause["type"] for cause in fault["exception"]]
    assert types[0] == "ValueError"
    assert types[1] in {"OperationalError", "ProgrammingError"}  # of SQLite, of PostgreSQL
    assert re.search(r"test_request_log\.py:\d+ fail$", fault["exception"][0]["at"][-1])
    assert "Adeyemi" not in log.text


@pytest.mark.usefixtures("all_requests")
def test_no_line_of_a_journey_names_anybody(app, client, log):
    make_administrator()
    person = make_account("D7777")
    db.session.execute(
        text("UPDATE person_name SET surname = 'Featherstone', forenames = 'Ottoline', email = :email"
             " WHERE person_id = :person"),
        {"email": "ottoline@westshire.example", "person": person},
    )  # fmt: skip
    with transaction():
        link = services.create_password_link(person, by=None, at=clock.now())
        job = jobs.start_job("reconcile", {}, by=person, at=clock.now())
    sign_in(client, "D7777", "a mistyped passphrase")
    let_in(client)
    for address in (
        "/people?q=Featherstone",
        "/people/D7777",
        "/people/D7777/account?next=/people/D7777",
        "/people/Featherstone",
        f"/set-password/{link}",
        "/audit?actor=D7777",
    ):
        client.get(address)
    client.press(client.page("/people/D7777/account"), "Grant role", role="publisher", unit="")
    caller = system(app)
    caller.ask("/people?q=Featherstone")
    run_job(JobRunner(make_worker_setup(app), Event()), job)

    assert len(log.lines("request")) > 10
    assert len(log.lines("job.ended")) == 1
    for secret in (
        *("Featherstone", "Ottoline", "D7777", "D1001", "westshire.example", PASSWORD, "passphrase", link),
        *(caller.plain, "next=", "q=", "?", "/people", "/audit"),
    ):
        assert secret.lower() not in log.text.lower()
