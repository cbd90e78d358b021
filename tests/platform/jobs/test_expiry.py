"""Jobs go a setting's days after they ended, by the worker's own tidying; on both databases."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal.commands.jobs import make_worker_setup
from portal.domain.imports.models import ImportRun
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs import services
from portal.platform.jobs.models import Job, JobState
from portal.platform.jobs.worker import Worker
from tests.domain.imports import desk
from tests.domain.imports.rosters import row
from tests.page_reading import PortalClient
from tests.pages.jobs.test_views import made

KEPT = timedelta(days=90)


def ended(state: JobState, ago: timedelta) -> UUID:
    return made(state, ended_at=clock.now() - ago, asked_at=clock.now() - ago)


def held() -> set[UUID]:
    return set(db.session.scalars(select(Job.reference)))


def test_what_ended_ninety_days_ago_goes_at_the_workers_next_look(app: Flask, database: None):
    over = [
        ended(state, KEPT + timedelta(minutes=1))
        for state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
    ]
    young = {
        ended(state, KEPT - timedelta(hours=1))
        for state in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)
    }
    long_ago = {"asked_at": clock.now() - 2 * KEPT, "heartbeat_at": clock.now()}
    under_way = {made(JobState.WAITING, **long_ago), made(JobState.RUNNING, **long_ago)}

    Worker(make_worker_setup(app), 1).maintain_jobs()

    left = held()
    assert not left & set(over)
    assert left >= young | under_way


def test_a_few_go_at_a_time_the_oldest_first(database: None, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(services, "MOST_EXPIRED", 2)
    made_ = [ended(JobState.DONE, KEPT + timedelta(days=day)) for day in (3, 2, 1)]

    for left in (made_[2:], []):
        with transaction():
            services.delete_expired_jobs(clock.now() - KEPT)
        assert held() == set(left)


def test_an_import_outlives_the_job_that_checked_it(client: PortalClient):
    desk.administrator(client)
    page = desk.upload_and_check(client, desk.csv_of([row("W1")]))
    heading, path = page.h1, f"/imports/{desk.run_id(page)}"
    with transaction():
        db.session.execute(update(ImportRun).values(job_id=uuid4()))  # of a job that is not kept any more

    assert client.page(path).h1 == heading
