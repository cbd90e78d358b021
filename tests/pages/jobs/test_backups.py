"""What the page of jobs says of backups, to whom, and where the portal makes none."""

import dataclasses
from datetime import timedelta

import pytest

from portal.platform import clock
from portal.platform.backups.making import BACKUP, figures_of
from portal.platform.db import transaction
from portal.platform.jobs.services import record_ended_job
from tests.factories.people import make_grant
from tests.pages.account.browsing import let_in, make_account
from tests.platform.backups.made import backup_settings

WARNING = "The newest backup failed: The disk is full."


@pytest.fixture
def administrator(app, client, tmp_path, monkeypatch):
    """Of a portal whose newest backup is an hour old, and that failed to make another."""
    config = dataclasses.replace(app.config["PORTAL"], backup=backup_settings(tmp_path))
    monkeypatch.setitem(app.config, "PORTAL", config)
    make_grant(make_account("D9001"), "administrator")
    let_in(client, "D9001")
    taken = clock.now() - timedelta(hours=1, seconds=5)
    with transaction():
        figures = figures_of(clock.format_utc(taken), 3.2, "portal-20261128T021500Z.backup", 4_000_000)
        record_ended_job(BACKUP, figures, "", started_at=taken, at=taken)
        record_ended_job(BACKUP, None, "The disk is full.", started_at=clock.now(), at=clock.now())
    return client


def test_the_page_says_what_would_be_lost_and_what_is_wrong(administrator):
    page = administrator.page("/jobs")

    assert f"Warning {WARNING}" in " ".join(page.text.split())
    assert "It has 4,000,000 bytes and took 3 seconds." in page.text
    assert "If the database were lost now, the last 1 hour would be lost:" in page.text
    started = administrator.press(page, "Start: Backup")
    assert started.h1 == "Backup"


def test_where_the_portal_makes_no_backups_none_is_offered(administrator, app, monkeypatch):
    config = app.config["PORTAL"]
    without = dataclasses.replace(config, backup=dataclasses.replace(config.backup, folder="", copy_to=""))
    monkeypatch.setitem(app.config, "PORTAL", without)

    page = administrator.page("/jobs")

    assert WARNING not in page.text.split("Outcome")[0]
    assert "Backups so far" not in page.text
    assert "Start: Backup" not in {button for form in page.forms() for button in form.buttons}
