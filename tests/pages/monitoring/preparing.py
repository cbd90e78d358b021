"""Requests files that a job makes, and runs the jobs."""

import io
from threading import Event

from pypdf import PdfReader
from sqlalchemy import select, update

from portal.commands.jobs import make_worker_setup
from portal.domain.people.models import RoleGrant
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from portal.platform.jobs.models import Job, JobState
from portal.platform.jobs.worker import JobRunner
from tests.jobs import run_job
from tests.pages.monitoring.world import REPORT, TODAY

PDF = f"{REPORT}/completions.pdf"
LONG = f"{REPORT}/completions.xlsx"
WIDE = f"{REPORT}/people.xlsx"


def jobs():
    return list(db.session.scalars(select(Job).order_by(Job.id).execution_options(populate_existing=True)))


def run_jobs(app):
    """Do, as a worker, what waits."""
    runner = JobRunner(make_worker_setup(app), Event())
    for job in jobs():
        if job.state == JobState.WAITING:
            run_job(runner, job.reference)
    db.session.expire_all()


def asked(client, address):
    """Ask for a file, and the address of its page."""
    answer = client.get(address)
    assert answer.status_code == 303, answer.status_code
    return answer.location


def link(page):
    return next(href for text, href in page.links.items() if text.startswith("Download "))


def events(action):
    found = select(AuditEvent).where(AuditEvent.action == action).order_by(AuditEvent.id)
    return list(db.session.scalars(found))


def ready(app, client, address=LONG):
    """A file that is made, and its page."""
    path = asked(client, address)
    run_jobs(app)
    return client.page(path)


def words_of(pdf):
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def end_grants(world, staff_number):
    with transaction():
        ended = update(RoleGrant).where(RoleGrant.person_id == world.people[staff_number])
        db.session.execute(ended.values(ended_at=TODAY))
