"""What people are told of backups: what would be lost, what is wrong, and when a mail says so."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from portal.platform.backups import tasks
from portal.platform.backups.making import BACKUP, REHEARSAL, describe_gap, figures_of, read_backup_status
from portal.platform.clock import format_utc
from portal.platform.db import Stamp, db, transaction
from portal.platform.jobs.services import record_ended_job
from portal.platform.jobs.worker import start_due_jobs
from tests.domain.reminders.post_office import open_office
from tests.platform.backups.made import backup_settings, encrypted_settings

NOW = datetime(2026, 11, 28, 7, 0, tzinfo=UTC)
NIGHT = NOW.replace(hour=2, minute=15)
ADDRESS = "operators@west.police.uk"


@pytest.fixture
def settings(app, database, tmp_path, monkeypatch):
    """Of the running application: a backup each night at 02:15, rehearsed each week, with a relay."""
    made = backup_settings(tmp_path, MAIL_TO=ADDRESS)
    with open_office() as office:
        config = dataclasses.replace(
            app.config["PORTAL"], backup=made, smtp_host="127.0.0.1", smtp_port=office.port, smtp_tls="none",
            smtp_from="Portal <portal@west.police.uk>",
        )  # fmt: skip
        monkeypatch.setitem(app.config, "PORTAL", config)
        made_office[:] = [office]
        yield made


made_office = []


def done(kind, taken_at, ended_at=None, reason=""):
    """A job of that kind that ended so."""
    ended_at = ended_at or taken_at
    figures = figures_of(format_utc(taken_at), 3.2, "portal-20261128T021500Z.backup", 4_000_000)
    with transaction():
        record_ended_job(kind, None if reason else figures, reason, started_at=ended_at, at=ended_at)


def troubles(settings, now=NOW):
    return [trouble.sentence for trouble in read_backup_status(settings, now).troubles]


def test_without_a_backup_everything_would_be_lost(settings):
    status = read_backup_status(settings, NOW)

    assert status.sentences == ["No backup has been made yet."]
    assert describe_gap(status) == "If the database were lost now, everything would be lost."
    assert (status.is_due, status.troubles) == (True, [])


def test_what_would_be_lost_is_counted_from_the_newest_backup(settings):
    done(BACKUP, NIGHT)
    with transaction():
        db.session.add_all(Stamp(recorded_at=NIGHT + timedelta(hours=hours)) for hours in (-1, 1, 2))
    status = read_backup_status(settings, NOW)

    assert status.sentences[0] == (
        "The newest backup is of 02:15 on 28 November 2026. It has 4,000,000 bytes and took 3 seconds."
    )
    assert describe_gap(status) == (
        "If the database were lost now, the last 4 hours 45 minutes would be lost: 2 changes."
    )
    assert (status.is_due, status.troubles) == (False, [])


def test_a_backup_that_was_missed_or_failed_is_said_until_one_is_made(settings):
    done(BACKUP, NIGHT - timedelta(days=1))
    assert troubles(settings, NIGHT + timedelta(hours=2)) == []
    assert troubles(settings) == ["The backup that was due at 02:15 on 28 November 2026 was not made."]

    done(BACKUP, NIGHT, reason="The disk is full.")
    assert troubles(settings) == ["The newest backup failed: The disk is full."]

    done(BACKUP, NIGHT + timedelta(hours=1))
    assert troubles(settings) == []


def test_a_rehearsal_that_failed_is_said_until_one_is_done(settings):
    done(BACKUP, NIGHT)
    done(REHEARSAL, NIGHT, reason="It is damaged.")
    assert troubles(settings) == ["The newest backup could not be restored: It is damaged."]

    done(REHEARSAL, NIGHT, NIGHT + timedelta(hours=1))
    assert troubles(settings) == []


def test_a_rehearsal_by_hand_is_said_when_it_is_overdue(app, settings, monkeypatch, tmp_path):
    encrypted, _ = encrypted_settings(tmp_path)
    monkeypatch.setitem(app.config, "PORTAL", dataclasses.replace(app.config["PORTAL"], backup=encrypted))
    overdue = (
        "The rehearsal by hand that was due at 07:00 on 28 November 2026 was not made:"
        " run backups rehearse --identity FILE."
    )
    due = NOW - timedelta(days=35)

    def rehearsals_missed(now):
        return [sentence for sentence in troubles(encrypted, now) if "rehearsal" in sentence]

    assert rehearsals_missed(NOW) == []
    done(BACKUP, due)
    done(BACKUP, NOW)
    assert [rehearsals_missed(NOW + timedelta(hours=hours)) for hours in (0, 24, 25)] == [[], [], [overdue]]
    assert rehearsals_missed(NOW + timedelta(days=30)) == [overdue]
    done(REHEARSAL, NOW, NOW + timedelta(hours=25))
    assert rehearsals_missed(NOW + timedelta(hours=26)) == []
    assert rehearsals_missed(NOW + timedelta(days=38)) != []
    with time_machine.travel(NOW + timedelta(days=400), tick=False):
        assert not tasks.is_rehearsal_due()
    never = dataclasses.replace(encrypted, rehearsal_days=0)
    assert read_backup_status(never, NOW + timedelta(days=400)).rehearsal_due_at is None


def test_jobs_start_when_they_are_due(settings):
    with time_machine.travel(NOW, tick=False):
        assert (tasks.is_backup_due(), tasks.is_rehearsal_due()) == (True, False)
        start_due_jobs(NOW)
        done(BACKUP, NIGHT)
        assert (tasks.is_backup_due(), tasks.is_rehearsal_due()) == (False, True)
        done(REHEARSAL, NIGHT, NIGHT - timedelta(days=6))
        assert not tasks.is_rehearsal_due()
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        assert (tasks.is_backup_due(), tasks.is_rehearsal_due()) == (True, True)


def test_trouble_is_mailed_once_a_day_and_again_after_a_success(settings):
    def mail_at(now):
        with time_machine.travel(now, tick=False):
            if not tasks.is_alarm_due():
                return False
            result = tasks.mail_troubles(None, {})
            with transaction():
                record_ended_job(tasks.ALARM, result, "", started_at=now, at=now)
            return True

    done(BACKUP, NIGHT - timedelta(days=1))
    assert not mail_at(NIGHT)
    done(BACKUP, NIGHT, reason="s3://portal cannot be used.")
    assert [mail_at(NIGHT + timedelta(minutes=5)), mail_at(NIGHT + timedelta(hours=9))] == [True, False]
    done(BACKUP, NIGHT, NIGHT + timedelta(hours=10))
    done(BACKUP, NIGHT, NIGHT + timedelta(hours=11), reason="Again.")
    assert [mail_at(NIGHT + timedelta(hours=12)), mail_at(NIGHT + timedelta(hours=36))] == [True, True]

    mails = made_office[0].to(ADDRESS)
    assert len(mails) == 3
    assert mails[0]["Subject"].endswith("learning portal: something is wrong with backups")
    assert "The newest backup failed: s3://portal cannot be used." in mails[0].get_body("plain").get_content()


def test_without_anybody_to_write_to_no_mail_is_due(settings, app, monkeypatch):
    config = app.config["PORTAL"]
    quiet = dataclasses.replace(config, backup=dataclasses.replace(settings, mail_to=()))
    monkeypatch.setitem(app.config, "PORTAL", quiet)
    done(BACKUP, NIGHT, reason="The disk is full.")

    assert not tasks.is_alarm_due()
