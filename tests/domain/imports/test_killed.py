"""Imports whose worker is killed in the middle: nothing is half applied, and another takes them up."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade
from sqlalchemy import func, select

from config import Config
from portal.domain.imports import columns, services
from portal.domain.imports.models import ImportRun
from portal.domain.imports.services import Upload
from portal.domain.people.models import Person, Post
from portal.features.watched_folder.importing import JOB
from portal.features.watched_folder.models import FolderFile
from portal.platform import clock
from portal.platform.db import Stamp, db, transaction
from portal.platform.jobs import services as jobs
from portal.platform.jobs.models import Job
from portal.platform.tables.table_files import open_sheet
from tests.conftest import SECRET
from tests.databases import portal_on
from tests.domain.imports.desk import csv_of
from tests.domain.imports.rosters import row
from tests.forked import Forked
from tests.running import settings
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.sweep]
MANY = 1_500


@contextmanager
def worker(instance: Path, module: str, *words: str) -> Iterator[Forked]:
    environment = {**settings(instance), "JOBS_LOST_SECONDS": "3", "SECRET_KEY": SECRET}
    environment |= {"IMPORT_FOLDER": str(instance / "drop"), "IMPORT_FOLDER_SETTLE_SECONDS": "0"}
    process = Forked(module, words, environment, instance / "worker.log")
    try:
        yield process
    finally:
        process.kill()


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    with portal_on(Config(mode="demo", secret_key=SECRET, instance=tmp_path)) as made:
        yield made


def test_a_killed_import_leaves_nothing_and_is_taken_up_again(app: Flask, tmp_path: Path) -> None:
    content = csv_of([row(f"K{n}", unit_path=f"Force/Team {n % 9}") for n in range(MANY)])
    with app.app_context():
        upgrade()
        sheet = open_sheet(content, "r.csv")
        upload = Upload("roster", "r.csv", content, sheet, columns.map_roster(sheet.columns))
        with transaction():
            run_id = services.begin_import(upload, by=None, at=clock.now()).id
        result = services.check_run(db.session.get_one(ImportRun, run_id))
        with transaction():
            services.save_check(run_id, result, clock.now())
            job = services.start_apply(run_id, result.digest, by=None)

    def count_rows() -> tuple[int, ...]:
        with app.app_context():
            counts = (select(func.count()).select_from(table) for table in (Person, Post, Stamp))
            return tuple(db.session.scalar(count) or 0 for count in counts)

    def state() -> str:
        with app.app_context():
            return db.session.scalar(select(Job.state).where(Job.reference == job)) or ""

    with worker(tmp_path, "tests.domain.imports.slow_worker"):
        until((tmp_path / "in-the-middle").exists)
    assert count_rows() == (0, 0, 0)
    assert state() == "running"

    with worker(tmp_path, "flask", "--app", "wsgi", "jobs", "work"):
        until(lambda: state() != "running" and state() != "waiting")

    assert state() == "done"
    assert count_rows() == (MANY, MANY, 1)
    with app.app_context():
        assert db.session.get_one(ImportRun, run_id).ended_as == "applied"


@pytest.mark.parametrize(
    "moment", ["tests.domain.imports.slow_worker", "tests.features.watched_folder.slow_mover"]
)
def test_a_file_of_the_watched_folder_is_imported_once_and_never_lost(
    app: Flask, tmp_path: Path, moment: str
) -> None:
    """The worker is killed before the commit, and between the commit and the move of the file."""
    arrived = tmp_path / "drop/incoming/roster/default/night.csv"
    arrived.parent.mkdir(parents=True)
    arrived.write_bytes(csv_of([row(f"K{n}") for n in range(20)]))
    with app.app_context():
        upgrade()
        with transaction():
            job = jobs.start_job(JOB, {}, by=None, at=clock.now())

    def state() -> str:
        with app.app_context():
            return db.session.scalar(select(Job.state).where(Job.reference == job)) or ""

    with worker(tmp_path, moment):
        until((tmp_path / "in-the-middle").exists)
    assert [place.name for place in tmp_path.glob("drop/waiting/roster/default/*")] == ["night.csv"]
    with worker(tmp_path, "flask", "--app", "wsgi", "jobs", "work"):
        until(lambda: state() == "done")

    assert [place.name for place in tmp_path.glob("drop/**/*.csv")] == ["night.csv"]
    assert list(tmp_path.glob("drop/done/*/roster/default/night.csv"))
    with app.app_context():
        counts = [db.session.scalar(select(func.count()).select_from(t)) for t in (Person, Post, Stamp)]
        assert counts == [20, 20, 1]
        assert db.session.scalars(select(FolderFile.state)).all() == ["imported"]
        assert db.session.scalars(select(ImportRun.ended_as)).all() == ["applied"]
