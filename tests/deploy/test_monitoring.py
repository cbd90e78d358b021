"""Alert rules and dashboard ask for figures that there are, and each fault makes its alerts fire."""

import os
import re
import subprocess
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select

from config import Config
from portal.app import create_app
from portal.commands.jobs import make_worker_setup
from portal.domain.accounts import services as services_of_accounts
from portal.domain.reminders import notices
from portal.pages.layout.request_log import figures_of
from portal.platform import clock, presence
from portal.platform.backups.making import BACKUP
from portal.platform.db import db, stamp, transaction
from portal.platform.jobs import services
from portal.platform.jobs.models import Job
from portal.platform.jobs.worker import JobRunner, start_due_jobs
from tests.conftest import SECRET
from tests.domain.reminders.office_set import make_administrators, set_office
from tests.factories.jobs import record_backup
from tests.features.saml.hostile_idp import HostileIdp
from tests.features.saml.keys import make_pair
from tests.hostile.reading import full_disk
from tests.jobs import run_job
from tests.platform.backups.made import encrypted_settings
from tests.running import free_port
from tests.scrapes import (
    PROMTOOL,
    ROOT,
    Figures,
    check_alerts,
    list_expressions,
    list_names,
    read_figures,
    read_rules,
)

NIGHT = datetime(2026, 5, 16, 1, 30, tzinfo=UTC)  # no reminders are planned, and notices sent all the same
METRIC = re.compile(r"\bportal_\w+")
ONLY_SOMEWHERE = {"portal_replica_lag_seconds"}  # with a replica
needs_promtool = pytest.mark.skipif(not PROMTOOL, reason="promtool is not on this machine")


@pytest.fixture
def scrape(app, client, monkeypatch):
    """Reads the figures of a portal without a fault; what a test breaks, it breaks afterwards."""
    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], metrics_networks="127.0.0.0/8"))
    record_backup(clock.now(), 1_000_000)
    return lambda: read_figures(client.get("/metrics").text)


def test_every_figure_that_is_asked_for_exists(client, scrape):
    scrape()
    names = list_names(client.get("/metrics").text) | ONLY_SOMEWHERE
    expressions = list_expressions()

    asked = {name for expression in expressions for name in METRIC.findall(expression)}

    assert len(expressions) > 30
    assert len(asked) > 15
    assert asked - names == set()


def test_each_rule_says_what_to_do():
    guide = (ROOT / "docs" / "operating" / "seeing.md").read_text()
    rules = read_rules()

    assert len(rules) == 14
    for name, rule in rules.items():
        assert rule["severity"] in {"page", "ticket"}
        assert rule["runbook"] == f"docs/operating/seeing.md#{name.lower()}"
        assert f"\n### {name}\n" in guide


@needs_promtool
def test_prometheus_reads_rules_and_configuration():
    folder = ROOT / "deploy" / "monitoring"
    for words in (["rules", folder / "alerts.yml"], ["config", "--syntax-only", folder / "prometheus.yml"]):
        done = subprocess.run([PROMTOOL, "check", *words], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_a_portal_without_a_fault_alarms_nobody(client, scrape, tmp_path):
    before = scrape()
    client.get("/sign-in")

    assert check_alerts(tmp_path, scrape(), set(), before) == ""


@needs_promtool
def test_a_portal_that_does_not_answer(tmp_path):
    assert check_alerts(tmp_path, None, {"PortalDown"}) == ""


@needs_promtool
def test_one_of_two_nodes_that_does_not_answer(scrape, tmp_path):
    assert check_alerts(tmp_path, scrape(), {"PortalNodeDown"}, lost_nodes=1) == ""


@needs_promtool
def test_a_database_that_does_not_answer(tmp_path):
    url = f"postgresql://nobody@127.0.0.1:{free_port()}/none"
    settings = {"secret_key": SECRET, "instance": tmp_path, "metrics_networks": "127.0.0.0/8"}
    app = create_app(Config(mode="demo", database_url=url, **settings))

    figures = read_figures(app.test_client().get("/metrics").text)

    assert check_alerts(tmp_path, figures, {"PortalDatabaseDown"}) == ""


@needs_promtool
def test_a_disk_that_is_full(scrape, tmp_path):
    with full_disk():
        figures = scrape()

    assert check_alerts(tmp_path, figures, {"PortalDiskFull"}) == ""


@needs_promtool
def test_a_disk_that_is_nearly_full(scrape, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "portal.platform.operations.readiness.shutil.disk_usage",
        lambda _folder: type("Usage", (), {"total": 1000, "free": 99}),
    )

    assert check_alerts(tmp_path, scrape(), {"PortalDiskFull"}) == ""


@needs_promtool
def test_requests_that_fail_or_take_long(app: Flask, scrape, tmp_path):
    before = scrape()
    for status, seconds in [(200, 0.1)] * 90 + [(503, 3.0)] * 6:
        figures_of(app).count("learning.show_module", status, seconds, 2, 0)

    assert check_alerts(tmp_path, scrape(), {"PortalErrors", "PortalSlow"}, before) == ""


@needs_promtool
def test_jobs_that_no_worker_takes_up(scrape, tmp_path):
    with transaction():
        services.start_job("reconcile", {}, by=None, at=clock.now() - timedelta(minutes=11))

    assert check_alerts(tmp_path, scrape(), {"PortalJobsWait"}) == ""


@needs_promtool
def test_a_relay_that_is_down(app: Flask, scrape, tmp_path):
    with time_machine.travel(NIGHT, tick=False) as frozen, set_office(app, smtp_port=free_port()):
        people = make_administrators()
        with transaction():
            services_of_accounts.close_account(people["D1001"], by=people["D9001"], at=clock.now())
        frozen.shift(timedelta(hours=2))
        (job,) = db.session.scalars(select(Job.reference).where(Job.kind == notices.JOB))
        run_job(JobRunner(make_worker_setup(app), Event()), job)
        start_due_jobs(clock.now())  # as a worker that runs does
        figures = scrape()

    assert figures.value("portal_mail_postponed", kind="notice") == 1
    assert check_alerts(tmp_path, figures, {"PortalMailWaits", "PortalJobFailed"}) == ""


@needs_promtool
@pytest.mark.parametrize("hours", [27, None], ids=["old", "never"])
def test_a_backup_that_was_not_made(app: Flask, scrape, tmp_path, hours):
    with transaction():
        db.session.execute(delete(Job).where(Job.kind == BACKUP))
    if hours:
        record_backup(clock.now() - timedelta(hours=hours), 1)

    assert check_alerts(tmp_path, scrape(), {"PortalBackupOld"}) == ""


@needs_promtool
@pytest.mark.parametrize(("days", "firing"), [(37, {"PortalRehearsalOverdue"}), (35, set())])
def test_a_rehearsal_by_hand_that_is_overdue(app: Flask, scrape, tmp_path, monkeypatch, days, firing):
    encrypted, _ = encrypted_settings(tmp_path)
    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], backup=encrypted))
    with time_machine.travel(clock.now() - timedelta(days=days)):
        record_backup(clock.now(), 1_000_000)
    record_backup(clock.now(), 1_000_000)

    assert check_alerts(tmp_path, scrape(), firing) == ""


@needs_promtool
def test_a_machine_whose_worker_is_gone(app: Flask, scrape, tmp_path, monkeypatch):
    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], instance=tmp_path))
    (routine,) = [each for each in make_worker_setup(app).routines if each.name == "presence"]
    routine.run(Event())
    ((own, _),) = presence.read_workers(tmp_path).items()
    for name, hours in (("worker-2", 1), ("taken-away", 8 * 24)):
        (file := tmp_path / presence.WORKERS / name).touch()
        os.utime(file, (time.time() - 3600 * hours,) * 2)
    routine.run(Event())
    figures = scrape()
    goes_on = ("portal_worker_seen_timestamp_seconds", frozenset({("worker", own)}))
    figures = Figures(figures.values | {goes_on: figures.values[goes_on] + 3600})

    assert presence.read_workers(tmp_path).keys() == {own, "worker-2"}
    assert check_alerts(tmp_path, figures, {"PortalWorkerMissing"}, more_labels={"worker": "worker-2"}) == ""


@needs_promtool
@pytest.mark.parametrize(
    ("days", "valid_days", "of"),
    [(20, 0, "saml-certificate"), (30, 0, ""), (30, 20, "saml-metadata")],
    ids=["certificate", "later", "metadata"],
)
def test_a_certificate_of_saml_that_ends(app: Flask, scrape, tmp_path, monkeypatch, days, valid_days, of):
    until = (clock.now() + timedelta(days=valid_days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    more = f' validUntil="{until}"' if valid_days else ""
    (tmp_path / "idp.xml").write_text(HostileIdp(tmp_path).metadata(more=more))
    with time_machine.travel(clock.now() + timedelta(days=days + 1)):  # it ran out a day before then
        key, certificate = make_pair.__wrapped__("portal").write(tmp_path, "portal")
    saml = replace(
        app.config["PORTAL"].feature_settings["saml"],
        idp_metadata=str(tmp_path / "idp.xml"), key_files=(str(key),), certificate_files=(str(certificate),),
        match_attribute="employee_id", match_field="staff_number",
    )  # fmt: skip
    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], feature_settings={"saml": saml}))

    firing = {"PortalCertificateEnds"} if of else set()
    assert check_alerts(tmp_path, scrape(), firing, more_labels={"certificate": of}) == ""


@needs_promtool
@pytest.mark.parametrize("days", [20, 22])
def test_a_certificate_of_the_site_that_ends(scrape, tmp_path, days):
    site = {"job": "portal-certificate", "instance": "https://learning.example.police.uk/healthz"}
    probe = {("probe_ssl_earliest_cert_expiry", frozenset(site.items())): days * 24 * 3600.0}
    firing = {"PortalCertificateEnds"} if days < 21 else set()

    figures = Figures(scrape().values | probe)

    assert check_alerts(tmp_path, figures, firing, more_labels={"instance": site["instance"]}) == ""


@needs_promtool
def test_a_clock_that_is_behind(scrape, tmp_path):
    with transaction(stamp_as=clock.now() + timedelta(hours=1)):
        stamp()

    assert check_alerts(tmp_path, scrape(), {"PortalClockWrong"}) == ""
