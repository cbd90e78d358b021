"""In a large force a directive is issued and withdrawn by a job."""

import pytest
from sqlalchemy import select, update

from portal.domain.people.models import Post, RoleGrant
from portal.domain.status import projection_rows, recording, tasks
from portal.domain.status.projector import rebuild_status
from portal.platform import clock
from portal.platform.db import db, stamp, transaction
from tests.factories.people import make_person, make_unit
from tests.pages.directives.pages import ISSUE, count_versions, open_preview, send_again
from tests.pages.monitoring.preparing import jobs, run_jobs

pytestmark = pytest.mark.slow


@pytest.fixture
def large(desk, monkeypatch):
    """A force that counts as large, in which each person is written ahead in a slice."""
    monkeypatch.setattr(recording, "MOST_PEOPLE", 1)
    monkeypatch.setattr(recording, "MOST_AT_ONCE", 0)
    monkeypatch.setattr(projection_rows, "SLICE", 1)
    return desk


def job_page(client):
    """The page of the newest job."""
    return client.page(f"/jobs/{jobs()[-1].reference}")


def lose_role():
    db.session.execute(update(RoleGrant).values(ended_at=clock.now()))


def leave_force():
    of_owners = select(Post).where(Post.person_id.in_(select(RoleGrant.person_id)))
    for post in db.session.scalars(of_owners):
        same = {
            key: getattr(post, key) for key in ("person_id", "rank_or_grade", "designated_role", "unit_id")
        }
        ended = Post(valid_from=post.valid_from, recorded_at=stamp(), replaces_id=post.id, void=True, **same)
        db.session.add(ended)


def check_all():
    assert rebuild_status(False) == []
    assert tasks.check_counts(False) == []


def test_a_job_issues_and_withdraws_what_was_previewed(app, large):
    waiting = send_again(large, open_preview(large), ISSUE, do="issue")
    assert waiting.h1 == "Issue of a directive"
    assert "It begins when a worker is free." in waiting.text
    assert count_versions() == 0

    run_jobs(app)

    done = job_page(large)
    assert "Version 1 of NEW-1 is issued and in force from 1 December 2025." in done.text
    shown = large.page(done.links["Open the page it belongs to"])
    assert "It applies to 2 people today." in shown.text
    check_all()
    path = "/directives/NEW-1/withdraw"
    preview = send_again(large, large.page(path), path, do="preview", effective_on="1 December 2026")
    send_again(large, preview, path, do="withdraw")
    run_jobs(app)
    assert "NEW-1 is withdrawn from 1 December 2026. Its versions stay." in job_page(large).text
    check_all()


def test_a_job_issues_nothing_that_differs_from_the_preview(app, large):
    send_again(large, open_preview(large), ISSUE, do="issue")
    make_person(make_unit("Team B"), staff_number="D1003")

    run_jobs(app)

    assert "have changed since your preview. Nothing was issued." in job_page(large).text
    assert count_versions() == 0
    check_all()


@pytest.mark.parametrize("lost", [lose_role, leave_force], ids=["role", "post"])
def test_a_job_issues_nothing_for_somebody_who_lost_their_role_or_left(app, large, lost):
    send_again(large, open_preview(large), ISSUE, do="issue")
    with transaction():
        lost()

    run_jobs(app)

    refusal = "The person who started this may no longer issue directives."
    assert [(job.state, job.reason) for job in jobs()] == [("failed", refusal)]
    assert count_versions() == 0
