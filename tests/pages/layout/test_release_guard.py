"""While a server and its database are of different releases, pages say so and nothing is written."""

import shutil
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from config import Config
from portal.commands.jobs import make_worker_setup
from portal.pages.layout.setup import WATCH
from portal.platform import presence
from portal.platform.backups import copies
from portal.platform.db import db
from portal.platform.jobs.worker import Worker
from portal.platform.operations import readiness
from tests.conftest import SECRET
from tests.databases import portal_on
from tests.page_reading import Page
from tests.running import fresh_database
from tests.waiting import until

OLDER = "0044"


@pytest.fixture(scope="module")
def older_file(tmp_path_factory) -> Path:
    """A database of the release before, in a file that is only copied."""
    folder = tmp_path_factory.mktemp("older")
    with portal_on(Config(mode="demo", secret_key=SECRET, instance=folder)) as app, app.app_context():
        copies.upgrade_database(db.engine, OLDER)
    return folder / "portal.sqlite"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def portal(request, older_file, tmp_path, monkeypatch):
    """A portal that was started before the upgrade, as a server is; it looks at its database each time."""
    monkeypatch.setattr(readiness, "OTHER_SECONDS", 0)
    monkeypatch.setattr(readiness, "CURRENT_SECONDS", 0)
    monkeypatch.setattr(presence, "_held", {})
    url = ""
    if request.param == "postgresql":
        url = fresh_database(request.getfixturevalue("postgresql"), "guarded")
    else:
        shutil.copy(older_file, tmp_path)
    with portal_on(Config(mode="demo", database_url=url, secret_key=SECRET, instance=tmp_path)) as app:
        if url:
            with app.app_context():
                copies.upgrade_database(db.engine, OLDER)
        app.extensions[WATCH].watch_for_server()
        yield app


def bring_to_head(app: Flask) -> None:
    with app.app_context():
        copies.upgrade_database(db.engine, "head")


def claim_newer_release(app: Flask) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))


def test_people_read_that_the_portal_is_being_upgraded_until_it_is(portal, log):
    client = portal.test_client()
    client.set_cookie("session", "of-before-the-upgrade")
    page = client.get("/sign-in")

    Page(page, "/sign-in")  # refuses what no page may be
    assert (page.status_code, page.headers["Retry-After"]) == (503, "60")
    assert "The portal is being upgraded" in page.text
    assert "it was not carried out" in page.text
    assert client.post("/sign-in", data={"staff_number": "W1001"}).status_code == 503
    assert "run flask --app wsgi db upgrade" in log.lines("pages.refused")[0]["reason"]

    bring_to_head(portal)
    assert client.get("/sign-in").status_code == 200


def test_systems_get_a_document_and_whoever_watches_reads_what_to_do(portal):
    client = portal.test_client()
    answer, watched = client.get("/api/v1/directives"), client.get("/readyz")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert answer.mimetype == "application/problem+json"
    assert answer.json["detail"] == (
        "The portal is being upgraded. Nothing was changed. Try again in a few minutes."
    )
    assert (watched.status_code, watched.json["status"]) == (503, "not ready")
    assert watched.json["reason"] == "The database is of an older release: run flask --app wsgi db upgrade"
    assert client.get("/readyz", environ_base={"REMOTE_ADDR": "10.9.9.9"}).json == {"status": "not ready"}
    assert client.get("/healthz").status_code == 200


def test_a_newer_database_is_refused_too_and_workers_take_up_nothing(portal):
    bring_to_head(portal)
    client = portal.test_client()
    assert client.get("/sign-in").status_code == 200
    claim_newer_release(portal)

    assert client.get("/sign-in").status_code == 503
    assert client.get("/readyz").json["reason"] == (
        "The database is of a newer release (9999): install that release."
    )
    worker = Worker(make_worker_setup(portal), 1)
    looks = []
    worker.runner.claim_next_job = lambda **_: looks.append("claimed")  # type: ignore[method-assign]
    worker._threads[0].start()
    assert worker.setup.reason_to_wait()
    worker.runner.stopping.set()
    worker._threads[0].join()
    assert looks == []


def test_a_server_that_waits_does_not_hold_up_a_restore_and_one_that_serves_does(portal, tmp_path):
    client = portal.test_client()
    assert client.get("/sign-in").status_code == 503
    with presence.hold_alone(tmp_path):
        bring_to_head(portal)
        assert client.get("/sign-in").status_code == 503, "the upgrade has not ended"

    until(lambda: client.get("/sign-in").status_code == 200)
    with pytest.raises(presence.RunningError), presence.hold_alone(tmp_path):
        pass


def test_a_database_that_does_not_answer_is_not_an_upgrade(portal, monkeypatch):
    bring_to_head(portal)
    client = portal.test_client()
    assert client.get("/sign-in").status_code == 200
    monkeypatch.setattr(readiness, "reason_against_connection", _fail)

    assert client.get("/sign-in").status_code == 200


def _fail(_connection: object) -> str:
    raise readiness.sqlite3.OperationalError("unable to open database file")
