"""Large files are checked and applied by a job."""

from threading import Event

from sqlalchemy import func, select

from portal.commands.jobs import make_worker_setup
from portal.domain.imports import services
from portal.domain.imports.models import ImportRun
from portal.domain.people.models import Person
from portal.platform.db import db
from portal.platform.jobs.models import Job
from portal.platform.jobs.worker import JobRunner
from tests.domain.imports.desk import administrator, csv_of, row, upload_and_check
from tests.jobs import run_job


def test_a_large_file_is_checked_and_applied_as_a_job(client, app, monkeypatch):
    administrator(client)
    monkeypatch.setattr(services, "MOST_ROWS_AT_ONCE", 1)
    runner = JobRunner(make_worker_setup(app), Event())

    page = upload_and_check(client, csv_of([row(), row("R2")]))
    assert page.h1 == "Check of an import"
    path = f"/imports/{db.session.scalars(select(ImportRun.id)).one()}"
    assert client.page(path).h1 == "Check of an import"  # which leads to the job while it waits
    assert "In progress" in client.page("/imports").text
    _run_waiting_jobs(runner)
    page = client.page(path)
    assert page.h1 == "Every row is good"
    before = _count_people()
    assert client.press(page, "Apply the import").h1 == "Import"
    _run_waiting_jobs(runner)

    assert client.page(path).h1 == "roster.csv was applied"
    assert _count_people() == before + 2
    assert {job.state for job in db.session.scalars(select(Job))} == {"done"}


def _count_people():
    return db.session.scalar(select(func.count()).select_from(Person))


def _run_waiting_jobs(runner):
    """Do the jobs that wait, as a worker would."""
    for reference in db.session.scalars(select(Job.reference).where(Job.state == "waiting")):
        run_job(runner, reference)
    db.session.expire_all()
