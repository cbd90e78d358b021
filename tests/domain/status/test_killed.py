"""A directive whose worker is killed while its rows are written ahead: all of it is done after."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select

from config import Config
from portal.domain.directives.changes import propose_version
from portal.domain.directives.files import to_toml
from portal.domain.directives.models import DirectiveVersion
from portal.domain.directives.services import reconcile_all
from portal.domain.status import recording, tasks
from portal.domain.status.models import StatusPeriod
from portal.domain.status.projector import rebuild_status
from portal.domain.status.recording import VersionChange
from portal.platform import clock
from portal.platform.clock import to_microseconds
from portal.platform.db import db, newest_stamp, read_stamps
from portal.platform.jobs.models import Job
from tests.conftest import SECRET
from tests.databases import portal_on
from tests.domain.imports.test_killed import worker
from tests.domain.status.test_ahead import RESPONSE, RULE
from tests.factories.people import make_grant, make_person, make_unit
from tests.pages.directives.test_preview import apply_roster, directive_file, make_world, roster_rows
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.sweep]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with portal_on(Config(mode="demo", secret_key=SECRET, instance=tmp_path)) as made:
        yield made


def count_rows() -> tuple[int, int, int]:
    """Versions, and status periods that are stored, and that are known now."""
    at = to_microseconds(newest_stamp() or clock.now())
    known = (StatusPeriod.known_from <= at, StatusPeriod.known_to > at)
    counts = (
        select(func.count()).select_from(DirectiveVersion),
        select(func.count()).select_from(StatusPeriod),
        select(func.count()).select_from(StatusPeriod).where(*known),
    )
    versions, stored, seen = (db.session.scalar(count) or 0 for count in counts)
    return versions, stored, seen


def test_a_killed_directive_leaves_nothing_to_see_and_is_taken_up_again(app: Flask, tmp_path: Path) -> None:
    with app.app_context():
        upgrade()
        make_world()
        apply_roster(roster_rows(RESPONSE, 1))
        owner = make_person(make_unit("Learning"), staff_number="D4001")
        make_grant(owner, "directive-owner")
        file = directive_file(date(2024, 12, 1), RULE)
        token = propose_version(file).preview()[1]
        change = VersionChange("PRE-1", token, clock.now().isoformat(), toml=to_toml(file).decode())
        recording.MOST_PEOPLE, usual = 0, recording.MOST_PEOPLE
        job: Any = recording.make_change(change, by=owner)
        recording.MOST_PEOPLE = usual

    def state() -> str:
        with app.app_context():
            return db.session.scalar(select(Job.state).where(Job.reference == job)) or ""

    def is_undone() -> bool:
        with app.app_context():
            return read_stamps()[1] is None

    with worker(tmp_path, "tests.domain.status.slow_worker"):
        until((tmp_path / "in-the-middle").exists)
    with app.app_context():
        versions, stored, seen = count_rows()
        assert (versions, seen) == (0, 0)
        assert stored > 0
    assert not is_undone()

    with worker(tmp_path, "flask", "--app", "wsgi", "jobs", "work"):
        until(lambda: state() not in {"running", "waiting"})
        until(is_undone)

    assert state() == "done"
    with app.app_context():
        versions, stored, seen = count_rows()
        assert versions == 1
        assert seen > 0
        assert (reconcile_all(), rebuild_status(False), tasks.check_counts(False)) == ([], [], [])
