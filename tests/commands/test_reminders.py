"""The commands of reminders, as typed; and mail that came back."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from sqlalchemy import select, update

from config import Config, ConfigError
from portal.domain.reminders import tasks
from portal.domain.reminders.models import Message
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs.models import Job, JobState
from portal.platform.jobs.registry import JobProgress
from portal.platform.jobs.worker import start_due_jobs
from tests.domain.reminders.post_office import Office, open_office
from tests.pages.monitoring.world import World, make_world

pytestmark = pytest.mark.slow

NOON = datetime(2026, 5, 15, 11, tzinfo=UTC)
NOTICE = """From: postmaster@relay.example
To: learning@westshire.example
Subject: Undelivered
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

It came back.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.example

Final-Recipient: rfc822; d1001@westshire.example
Action: {action}
Status: 5.2.2
Diagnostic-Code: smtp; 552 Mailbox full

--b
Content-Type: message/rfc822

Message-ID: {id}
Subject: Overdue

--b--
"""


@pytest.fixture
def world(app: Flask, database: None) -> Iterator[World]:
    made = make_world()
    with time_machine.travel(NOON, tick=False):
        yield made


@pytest.fixture
def office(app: Flask) -> Iterator[Office]:
    """A relay that the settings name."""
    before = app.config["PORTAL"]
    with open_office() as opened:
        app.config["PORTAL"] = replace(
            before,
            smtp_host="127.0.0.1",
            smtp_port=opened.port,
            smtp_tls="none",
            smtp_from="Learning portal <learning@westshire.example>",
            smtp_per_minute=60_000,
            smtp_seconds=2,
        )
        yield opened
    app.config["PORTAL"] = before


def run(app: Flask, *arguments: str) -> Result:
    db.session.commit()
    result = app.test_cli_runner().invoke(args=["reminders", *arguments])
    db.session.expire_all()
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def test_a_dry_run_names_everybody_and_writes_nothing(app: Flask, world: World) -> None:
    made = run(app, "plan", "--dry-run", "--day", "22 May 2026")
    assert made.exit_code == 0
    assert "D1001 Priya Shah: OIC-2026 overdue" in made.output
    made = run(app, "plan", "--dry-run", "--day", "2026-05-21")
    assert "D2001 Daniel Okafor: OIC-2026 overdue, to the line manager, Priya Shah" in made.output
    assert "Dry run: nothing was written." in made.output
    assert db.session.scalars(select(Message)).all() == []


@pytest.mark.parametrize("day", ["someday", "2026-02-31", "0001-01-01"])
def test_a_day_that_is_none_is_refused_as_wrong_use(app: Flask, world: World, day: str) -> None:
    done = app.test_cli_runner().invoke(args=["reminders", "plan", "--dry-run", "--day", day])

    assert done.exit_code == 2
    assert "--day is a date such as 2026-04-30" in done.stderr


def test_without_a_relay_the_outbox_is_kept(app: Flask, world: World) -> None:
    assert "Messages: 3" in run(app, "plan").output
    made = run(app, "send")
    assert made.exit_code == 1
    assert "Email is not set up (SMTP_HOST)" in made.output
    assert len(db.session.scalars(select(Message)).all()) == 3


def test_what_is_planned_is_sent_and_a_bounce_is_noted(
    app: Flask, world: World, office: Office, tmp_path: Path
) -> None:
    run(app, "plan")
    assert "3 sent, 0 not needed any more, 0 refused, 0 put off." in run(app, "send").output
    mail = office.to("d1001@westshire.example")[0]
    notice = tmp_path / "notice.eml"
    notice.write_text(NOTICE.format(id=mail["Message-ID"], action="delayed"))
    assert run(app, "bounced", str(notice)).exit_code == 1
    notice.write_text(NOTICE.format(id=mail["Message-ID"], action="failed"))
    made = run(app, "bounced", str(notice))
    assert (made.exit_code, made.output) == (0, "Noted: Came back: 5.2.2 552 Mailbox full\n")
    row = db.session.scalars(select(Message).where(Message.person_id == world.people["D1001"])).one()
    assert (row.state, row.reason) == ("bounced", "Came back: 5.2.2 552 Mailbox full")
    unknown = re.sub("<.{8}", "<00000000", mail["Message-ID"])
    notice.write_text(NOTICE.format(id=unknown, action="failed"))
    assert run(app, "bounced", str(notice)).exit_code == 1


def test_the_job_plans_and_sends(
    app: Flask, world: World, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(JobProgress, "report_progress", lambda self, done, total, said="": told.append(said))
    made = tasks.send_reminders(JobProgress.__new__(JobProgress), {})
    assert made["said"] == ["3 messages planned.", "3 sent, 0 not needed any more, 0 refused, 0 put off."]
    assert len(office.taken) == 3
    assert told[0] == "Planning"
    assert tasks.send_reminders(JobProgress.__new__(JobProgress), {})["said"][0] == "0 messages planned."
    assert len(office.taken) == 3


def test_the_worker_begins_the_job_by_itself_when_something_is_due(
    app: Flask, world: World, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    kinds = select(Job.kind).where(Job.kind == "reminders")

    def look(minutes: int, day: datetime = NOON) -> int:
        with time_machine.travel(day + timedelta(minutes=minutes), tick=False):
            start_due_jobs(clock.now())
            return len(db.session.scalars(kinds).all())

    assert look(0, NOON.replace(hour=3)) == 0  # not at night
    assert look(0) == 1
    assert look(1) == 1  # one is under way
    with transaction():
        db.session.execute(update(Job).values(state=JobState.DONE))
    assert look(20) == 2  # today is still not planned
    with transaction():
        db.session.execute(update(Job).values(state=JobState.DONE))
    run(app, "plan")
    run(app, "send")
    assert look(40) == 2  # nothing is left to do today
    assert look(24 * 60) == 3
    monkeypatch.setattr(tasks, "relay_is_set", lambda: False)
    assert look(48 * 60) == 3


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"smtp_host": "relay", "smtp_from": "nobody"}, "Set SMTP_FROM"),
        ({"smtp_tls": "ssl3"}, "SMTP_TLS is"),
        ({"mail_from_time": "7"}, "are times such as 07:00"),
        ({"mail_from_time": "21:00"}, "lies before"),
        ({"mail_days_off": "Christmas"}, "days such as"),
        ({"mail_bank_holidays": "perhaps"}, "'yes' or 'no'"),
        ({"smtp_per_minute": 0}, "1 or more"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_a_sentence(
    tmp_path: Path, settings: dict[str, object], reason: str
) -> None:
    with pytest.raises(ConfigError, match=reason):
        Config(mode="demo", secret_key="k" * 32, instance=tmp_path, **settings)  # type: ignore[arg-type]
