"""Files that a job makes: asked for once, there for a day, for their asker alone; on both databases."""

from threading import Event

import pytest
import time_machine
from sqlalchemy import select

from portal.db import db
from portal.jobs.models import Job, State
from portal.jobs.worker import Hands
from portal.monitoring import exports, paper
from tests.monitoring.reading import sheet
from tests.monitoring.world import REPORT, TODAY, enter, make_world

PDF = f"{REPORT}/completions.pdf"
LONG = f"{REPORT}/completions.xlsx"
WIDE = f"{REPORT}/people.xlsx"


@pytest.fixture
def clock():
    with time_machine.travel(TODAY, tick=False) as travelling:
        yield travelling


@pytest.fixture
def large(monkeypatch):
    """Every workbook and PDF is too large to be waited for."""
    monkeypatch.setattr(exports, "XLSX_ROWS", 1)
    monkeypatch.setattr(paper, "MOST_PEOPLE", 1)


@pytest.fixture
def world(clock, client):
    return make_world()


@pytest.fixture
def auditor(client, world):
    return enter(client, world, "D6001")


def jobs():
    return list(db.session.scalars(select(Job).order_by(Job.id).execution_options(populate_existing=True)))


def run_jobs(app):
    """Do, as a worker, what waits."""
    hands = Hands(app, Event())
    for job in jobs():
        if job.state == State.WAITING:
            hands.carry_out(str(job.reference))
    db.session.expire_all()


def asked(client, address):
    """Ask for a file, and the address of its page."""
    answer = client.get(address)
    assert answer.status_code == 303, answer.status_code
    return answer.location


def link(page):
    return next(href for text, href in page.links.items() if text.startswith("Download "))


@pytest.mark.parametrize("address", [LONG, WIDE])
@pytest.mark.parametrize("query", ["", "?status=overdue", "?as_at=2026-04-30&as_known_on=2026-04-30"])
def test_a_large_workbook_is_made_by_a_job_and_holds_what_a_small_one_holds(
    app, auditor, monkeypatch, address, query
):
    small = sheet(auditor.get(f"{address}{query}"))
    monkeypatch.setattr(exports, "XLSX_ROWS", 1)

    page = auditor.page(asked(auditor, f"{address}{query}"))
    assert page.h1 == "Your file is being made"
    run_jobs(app)
    page = auditor.page(page.path)
    file = auditor.get(link(page))

    assert page.h1 == "Your file is ready"
    assert "until 10:00 on 2 June 2026" in page.text
    assert sheet(file) == small
    assert len(small) > 1
    assert file.headers["Cache-Control"] == "no-store"
    assert file.headers["Content-Disposition"].startswith("attachment; filename=OIC-2026-")
