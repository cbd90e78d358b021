"""What stops a disposal that is under way: a longer period, a hold on a class, an end by another run."""

from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from portal.domain.reminders.models import Message
from portal.domain.retention import queries, services, stores
from portal.domain.retention.errors import LongerPeriodError
from portal.domain.retention.queries import preview_class, stores_of
from portal.features.clarity.models import ClarityWords
from portal.pages.retention.views import certificate_rows
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.errors import RuleError
from portal.platform.jobs.models import Job
from tests.domain.retention import aged
from tests.domain.retention.aged import SECRET, approve, dispose, request_disposal, run_jobs
from tests.domain.retention.test_disposals import newest_due, write_rows
from tests.pages.decisions.desk import TODAY


def test_accounts_of_leavers_go_without_what_a_hold_on_another_class_keeps(app, desk):
    person = aged.make_leaver(newest_due("leavers"), "L1")
    with transaction():
        aged.write_texts(person, desk.people["D2001"], clock.now())
        hold = stores.place_hold(stores.CLASS, "clarity", "Case 7", by=desk.people["D3001"], at=clock.now())
    asker, approver = desk.people["D3001"], desk.people["D3002"]

    assert dispose(app, "leavers", asker, approver).disposed_rows == 1

    assert db.session.scalars(select(ClarityWords.text)).all() == [SECRET]
    assert preview_class("leavers", 12, TODAY).rows == 0
    with transaction():
        stores.lift_hold(hold, "Case 7 is over", by=asker, at=clock.now())
    assert dispose(app, "leavers", asker, approver).disposed_rows == 1
    assert db.session.scalars(select(ClarityWords.text)).all() == []


def test_a_period_made_longer_after_the_request_stops_it_before_and_after_approval(app, desk):
    write_rows(desk, newest_due("mail"))
    asker, approver = desk.people["D3001"], desk.people["D3002"]
    uuid = request_disposal("mail", asker)
    approve(uuid, approver)
    with transaction():
        services.set_period("mail", 13, "A dispute", by=asker, at=clock.now())
    with pytest.raises(LongerPeriodError):
        services.refuse_longer_period(queries.get_disposal(uuid), clock.now())

    run_jobs(app)

    (job,) = db.session.scalars(select(Job))
    assert (job.state, job.result) == ("done", {"said": [services.MADE_LONGER]})
    assert db.session.scalar(select(func.count()).select_from(Message)) == 1
    row = queries.get_disposal(uuid)
    assert (row.state, row.disposed_rows, row.held_rows) == ("done", 0, 0)
    assert queries.find_open_disposal("mail") is None  # it can be asked for again when it is due


@pytest.mark.parametrize(
    ("months", "reason"), [(2, "x"), (1_201, "x"), (13, " ")], ids=["short", "long", "no reason"]
)
def test_a_period_has_limits_and_a_reason(desk, months, reason):
    with pytest.raises(RuleError), transaction():
        services.set_period("mail", months, reason, by=desk.people["D3001"], at=clock.now())


def test_a_period_made_longer_while_the_job_runs_keeps_what_is_left_and_frees_the_class(
    app, desk, monkeypatch
):
    for days in range(3):
        write_rows(desk, date(2025, 5, 1) + timedelta(days=days))
    monkeypatch.setattr(services, "SLICE", 2)
    asker, approver = desk.people["D3001"], desk.people["D3002"]
    uuid = request_disposal("mail", asker)
    approve(uuid, approver)
    remove = services._remove_slice

    def remove_then_lengthen(*arguments):
        keys = remove(*arguments)
        with transaction():
            services.set_period("mail", 24, "A dispute", by=asker, at=clock.now())
        return keys

    monkeypatch.setattr(services, "_remove_slice", remove_then_lengthen)
    run_jobs(app)

    row = queries.get_disposal(uuid)
    assert db.session.scalar(select(func.count()).select_from(Message)) == 1
    assert (row.state, row.rows, row.disposed_rows, row.held_rows) == ("done", 3, 2, 0)
    assert {"key": "Ended early", "value": services.MADE_LONGER} in certificate_rows(row)
    with transaction():
        services.set_period("mail", 12, "The dispute is over", by=asker, at=clock.now())
    assert dispose(app, "mail", asker, approver).disposed_rows == 1


def test_a_run_that_lost_its_job_removes_nothing_after_the_certificate(app, desk):
    write_rows(desk, date(2015, 1, 1))
    uuid = request_disposal("mail", desk.people["D3001"])
    approve(uuid, desk.people["D3002"])
    with transaction():
        hold = stores.place_hold(stores.CLASS, "mail", "Case 8", by=desk.people["D3001"], at=clock.now())
    stale = queries.get_disposal(uuid)  # as a run has it that was taken for lost
    run_jobs(app)
    assert queries.get_disposal(uuid).held_rows == 1
    with transaction():
        stores.lift_hold(hold, "Case 8 is over", by=desk.people["D3001"], at=clock.now())

    with pytest.raises(RuleError, match="done already"):
        services._remove_slice(stale, stores_of("mail")[0], None)
    assert db.session.scalar(select(func.count()).select_from(Message)) == 1
