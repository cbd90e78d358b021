"""What whoever watches the machine asks, and how little everybody else is told."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from config import Config
from portal.app import create_app
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs import services
from tests.conftest import SECRET


def test_a_portal_at_head_is_ready(client):
    assert client.get("/healthz").json == {"status": "ok"}
    response = client.get("/readyz")

    assert (response.status_code, response.json["status"]) == (200, "ready")


def test_a_portal_behind_its_migrations_is_not_ready_and_says_so_in_one_line(client, log):
    db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json["checks"] == {"database": True, "migrations": False, "disk": True}
    assert [line["checks"] for line in log.lines("checks.failed")] == [["migrations"]]


@pytest.mark.parametrize("url", ["postgresql://nobody:hush@127.0.0.1:1/none", "sqlite:////nowhere/x.sqlite"])
def test_a_database_that_does_not_answer_is_one_line_without_a_traceback(tmp_path, log, url):
    app = create_app(Config(mode="demo", database_url=url, secret_key=SECRET, instance=tmp_path))

    response = app.test_client().get("/readyz")

    assert (response.status_code, response.json["status"]) == (503, "not ready")
    assert response.json["checks"] == {"database": False, "migrations": False, "disk": True}
    (line,) = log.lines("checks.failed")
    assert "exception" not in line
    assert "hush" not in log.text


def test_jobs_that_nobody_takes_up_are_told_without_a_page_less(client):
    assert client.get("/readyz").json["jobs"] is True
    with transaction():
        services.start_job("reconcile", {}, by=None, at=clock.now() - timedelta(minutes=2))

    response = client.get("/readyz")

    assert (response.status_code, response.json["jobs"]) == (200, False)


@pytest.mark.parametrize(
    ("address", "more", "told"),
    [
        ("127.0.0.1", {}, True),
        ("127.9.9.9", {}, True),
        ("::1", {}, True),
        ("::ffff:127.0.0.1", {}, True),
        ("10.1.2.3", {}, False),
        ("10.1.2.3", {"HTTP_X_FORWARDED_FOR": "127.0.0.1"}, False),
        ("127.0.0.1", {"HTTP_X_FORWARDED_FOR": "10.1.2.3"}, False),
        ("127.0.0.1", {"HTTP_FORWARDED": "for=127.0.0.1"}, False),
        ("", {}, False),
        ("unix:", {}, False),
    ],
)
def test_details_are_for_trusted_networks_alone(client, address, more, told):
    for status, code, more_told in (("ready", 200, set()), ("not ready", 503, {"reason"})):
        response = client.get("/readyz", environ_base={"REMOTE_ADDR": address, **more})
        assert (response.status_code, response.json["status"]) == (code, status)
        details = {"checks", "jobs", "clock"} | more_told if told else set()
        assert set(response.json) == {"status"} | details
        db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))


def test_which_networks_are_trusted_is_a_setting(client, app, monkeypatch):
    networks = "10.0.0.0/8, 2001:db8::/32"
    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], status_networks=networks))

    for address, told in (("10.1.2.3", True), ("2001:db8::7", True), ("127.0.0.1", False), ("::1", False)):
        answer = client.get("/readyz", environ_base={"REMOTE_ADDR": address}).json
        assert ("checks" in answer) is told
