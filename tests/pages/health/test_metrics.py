"""Who reads the figures, and that they say what is so, also while the disk or the database is gone."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import time_machine
from sqlalchemy import text, update

from config import Config
from portal.app import create_app
from portal.domain.reminders.models import Message
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs import services
from portal.platform.jobs.models import Job
from tests.conftest import SECRET
from tests.factories.jobs import record_backup
from tests.hostile.reading import full_disk
from tests.pages.account.browsing import make_account
from tests.scrapes import read_figures

TOKEN = "d41d8cd98f00b204e9800998ecf8427e"
LOOPBACK = "127.0.0.0/8"
NOON = datetime(2026, 4, 29, 12, tzinfo=UTC)


def let_see(app, monkeypatch, networks=LOOPBACK, token="", **more):
    """Have the settings let somebody see the figures."""
    config = app.config["PORTAL"]
    seeing = replace(config.seeing, token=token)
    monkeypatch.setitem(
        app.config, "PORTAL", replace(config, metrics_networks=networks, seeing=seeing, **more)
    )


@pytest.fixture
def seen(app, client, monkeypatch):
    """Reads the figures."""
    let_see(app, monkeypatch)

    def see():
        response = client.get("/metrics")
        assert (response.status_code, response.mimetype) == (200, "text/plain")
        return read_figures(response.text)

    return see


@pytest.mark.parametrize(
    ("address", "sent", "status"),
    [
        ("10.1.2.3", {}, 200),
        ("::ffff:10.1.2.3", {}, 200),
        ("10.1.2.3", {"HTTP_X_FORWARDED_FOR": "10.1.2.3"}, 404),
        ("127.0.0.1", {}, 404),
        ("127.0.0.1", {"HTTP_X_FORWARDED_FOR": "10.1.2.3"}, 404),
        ("unix:", {}, 404),
        ("127.0.0.1", {"HTTP_AUTHORIZATION": f"Bearer {TOKEN}"}, 200),
        ("127.0.0.1", {"HTTP_AUTHORIZATION": f"Bearer {TOKEN[:-1]}"}, 404),
        ("127.0.0.1", {"HTTP_AUTHORIZATION": "Bearer "}, 404),
        ("127.0.0.1", {"HTTP_AUTHORIZATION": "Bearer é"}, 404),
    ],
    ids=[
        *("network", "mapped", "forwarded", "elsewhere", "says-so", "socket"),
        *("token", "wrong-token", "no-token", "strange-token"),
    ],
)
def test_figures_are_for_a_network_or_a_token(app, client, monkeypatch, address, sent, status):
    let_see(app, monkeypatch, "10.1.0.0/16", TOKEN)

    assert client.get("/metrics", environ_base={"REMOTE_ADDR": address, **sent}).status_code == status


@pytest.mark.parametrize("sent", [{}, {"Authorization": "Bearer "}, {"Authorization": "Bearer x"}])
def test_unless_it_is_set_nobody_reads_them(client, sent):
    assert client.get("/metrics", headers=sent).status_code == 404


def test_requests_are_counted_by_endpoint_and_status(client, seen):
    client.get("/sign-in")
    before = seen()
    client.get("/sign-in")
    client.get("/nowhere")
    after = seen()

    def grown(name, **labels):
        return after.value(name, **labels) - before.value(name, **labels)

    assert grown("portal_requests_total", endpoint="sign_in.sign_in", status="200") == 1
    assert grown("portal_requests_total", endpoint="unmatched", status="404") == 1
    assert grown("portal_request_duration_seconds_count", endpoint="sign_in.sign_in") == 1
    assert grown("portal_request_duration_seconds_bucket", endpoint="sign_in.sign_in", le="+Inf") == 1
    assert grown("portal_request_duration_seconds_sum", endpoint="sign_in.sign_in") > 0
    assert grown("portal_statements_total", endpoint="operations.metrics") > 5


def test_jobs_are_told_by_kind_and_age(seen):
    now = clock.now()
    with transaction():
        services.start_job("reconcile", {}, by=None, at=now - timedelta(minutes=20))
        services.start_job("kept-days", {}, by=None, at=now - timedelta(minutes=5))
        failed = services.start_job("kept-days", {}, by=None, at=now)
        ended = {"state": "failed", "ended_at": now - timedelta(hours=2)}
        db.session.execute(update(Job).where(Job.reference == failed).values(ended))

    figures = seen()

    assert figures.value("portal_jobs", kind="reconcile", state="waiting") == 1
    assert figures.value("portal_jobs", kind="reconcile", state="running") == 0
    oldest = figures.value("portal_job_oldest_seconds", kind="reconcile", state="waiting")
    assert 1_200 <= oldest < 1_300
    assert figures.value("portal_jobs_failed", kind="kept-days") == 1
    assert figures.value("portal_check_passed", check="jobs") == 0


def test_backup_disk_and_database_have_their_sizes(seen):
    record_backup(clock.now() - timedelta(hours=30), 12_345)

    figures = seen()

    assert figures.value("portal_last_backup_bytes") == 12_345
    assert clock.now().timestamp() - figures.value("portal_last_backup_timestamp_seconds") >= 30 * 3600
    assert figures.value("portal_database_bytes") > 500_000
    assert 0 < figures.value("portal_disk_free_bytes") < figures.value("portal_disk_bytes")


def add_message(person, kind, *, created_at, not_before, reason=""):
    with transaction():
        db.session.add(
            Message(
                reference=uuid4(), person_id=person, kind=kind, created_at=created_at,
                not_before=not_before, reason=reason,
            )
        )  # fmt: skip


def test_mail_is_as_old_as_it_could_have_been_sent(app, seen, monkeypatch):
    let_see(app, monkeypatch, smtp_host="relay.example", smtp_from="Portal <portal@west.example>")
    evening = NOON - timedelta(hours=17, minutes=1)
    with time_machine.travel(NOON, tick=False):
        person = make_account()
        add_message(  # tried, and put off
            person, "notice", created_at=NOON - timedelta(hours=3), not_before=NOON + timedelta(hours=1),
            reason="The relay does not answer.",
        )  # fmt: skip
        add_message(person, "invitation", created_at=NOON, not_before=NOON + timedelta(hours=9))
        add_message(person, "reminder", created_at=evening, not_before=evening)
        by_day = seen()
    with time_machine.travel(NOON + timedelta(hours=8), tick=False):  # 21:00 in London
        by_night = seen()

    assert by_day.value("portal_mail_relay_set") == 1
    assert by_day.value("portal_mail_postponed", kind="notice") == 1
    assert by_day.value("portal_mail_oldest_seconds", kind="notice") == 3 * 3600
    assert by_day.get("portal_mail_waiting", kind="invitation") is None
    assert by_day.value("portal_mail_oldest_seconds", kind="reminder") == 6 * 3600  # since 07:00 in London
    assert by_night.value("portal_mail_oldest_seconds", kind="notice") == 11 * 3600
    assert by_night.value("portal_mail_oldest_seconds", kind="reminder") == 0


def test_a_database_that_is_gone_is_seen_as_that(tmp_path):
    url = "postgresql://nobody:hush@127.0.0.1:1/none"
    settings = {"secret_key": SECRET, "instance": tmp_path, "metrics_networks": LOOPBACK}
    app = create_app(Config(mode="demo", database_url=url, **settings))

    response = app.test_client().get("/metrics")
    figures = read_figures(response.text)

    assert figures.value("portal_check_passed", check="database") == 0
    assert figures.value("portal_check_passed", check="disk") == 1
    assert figures.value("portal_disk_bytes") > 0
    assert figures.get("portal_database_bytes") is None
    assert "hush" not in response.text


def test_a_full_disk_is_seen_as_that(seen):
    with full_disk():
        figures = seen()

    assert figures.value("portal_check_passed", check="disk") == 0
    assert figures.value("portal_check_passed", check="database") == 1


def test_figures_that_cannot_be_read_leave_the_others(seen, monkeypatch):
    def fail(_at):
        db.session.execute(text("SELECT * FROM nowhere"))

    monkeypatch.setattr("portal.pages.health.views.read_job_figures", fail)
    with db.session.begin_nested():
        figures = seen()

    assert figures.value("portal_check_passed", check="figures") == 0
    assert figures.get("portal_jobs", kind="reconcile", state="waiting") is None
    assert figures.value("portal_mail_relay_set") == 0


def test_a_read_of_the_figures_asks_as_much_however_many_there_are(client, seen):
    def statements():
        before = seen().value("portal_statements_total", endpoint="operations.metrics")
        return seen().value("portal_statements_total", endpoint="operations.metrics") - before

    few = statements()
    with transaction():
        for _ in range(20):
            services.start_job("reconcile", {}, by=None, at=clock.now())

    assert statements() == few < 60, "one or two for each kind of job"
