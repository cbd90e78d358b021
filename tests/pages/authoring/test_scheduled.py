"""Publishing at a time to come: approved now, published by a job then or as soon as it runs, or cancelled."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from portal.domain.authoring import reviews
from portal.domain.authoring.models import ScheduledPublication
from portal.domain.catalogue import version_cache
from portal.domain.people.models import RoleGrant
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs import services as jobs_services
from tests.pages.authoring.desk import signed_in_client
from tests.pages.authoring.reviewing import author as author
from tests.pages.authoring.reviewing import changed as changed
from tests.pages.authoring.reviewing import folder as folder
from tests.pages.authoring.reviewing import publisher as publisher
from tests.pages.authoring.reviewing import send_draft
from tests.pages.monitoring.preparing import jobs, run_jobs

REVIEW = "/authoring/sample/review"
NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
WHEN = datetime(2026, 12, 1, 9, tzinfo=UTC)


@pytest.fixture
def desk(app, changed, author, publisher, time_machine):
    """The publisher, signed in, before a draft that was sent for review."""
    time_machine.move_to(NOW, tick=False)
    send_draft(changed, author)
    return signed_in_client(app, "D3002")


def approve(desk, when: str = "9:00 on 1 December 2026", status: int = 200):
    page = desk.page(desk.page(REVIEW).links["Publish it later"])
    return desk.press(page, "Approve, and publish then", status, when=when)


def run_due(app) -> list[str]:
    """Do, as a worker, what is due; what it says."""
    with transaction():
        jobs_services.start_job("authoring.scheduled", {}, by=None, at=clock.now())
    run_jobs(app)
    return jobs()[-1].result["said"]


def published() -> tuple[int, datetime]:
    version = version_cache.current_version("sample")
    assert version
    return version.number, version.published_at


def test_it_comes_into_force_at_its_time_or_at_the_next_run(app, desk, time_machine):
    page = approve(desk)
    assert "It is published at 09:00 on 1 December 2026" in page.text
    time_machine.move_to(WHEN - timedelta(seconds=1), tick=False)
    assert not reviews.has_due_publications(clock.now())
    missed = WHEN + timedelta(hours=5)
    time_machine.move_to(missed, tick=False)
    assert reviews.has_due_publications(clock.now())

    assert run_due(app) == ["Version 2 of Sample is published."]

    assert published() == (2, missed)
    assert not reviews.has_due_publications(clock.now())
    assert db.session.scalars(select(ScheduledPublication)).one().ended_as == "published"
    assert run_due(app) == ["Nothing was to be published any more."]


def test_it_can_be_cancelled_before_and_a_review_that_ends_cancels_it(app, desk, time_machine):
    approve(desk)
    page = desk.press(desk.page(REVIEW), "Do not publish it then")
    assert "Cancelled." in page.text
    approve(desk)
    desk.press(desk.page(f"{REVIEW}/send-back"), "Send back with a comment", reason="Not yet.")
    time_machine.move_to(WHEN, tick=False)

    assert not reviews.has_due_publications(clock.now())
    rows = db.session.scalars(select(ScheduledPublication).order_by(ScheduledPublication.id)).all()
    assert [row.ended_as for row in rows] == ["cancelled", "cancelled"]
    assert published()[0] == 1


def test_whoever_approved_it_and_lost_the_role_publishes_nothing(app, desk, publisher, time_machine):
    approve(desk)
    with transaction():
        ended = update(RoleGrant).where(RoleGrant.person_id == publisher)
        db.session.execute(ended.values(ended_at=NOW))
    time_machine.move_to(WHEN, tick=False)

    (said,) = run_due(app)

    assert said == "Not published: Whoever approved it may not publish any more. Somebody else can."
    assert published()[0] == 1
    author = signed_in_client(app, "D3001")
    assert "and was not: Whoever approved it may not publish any more." in author.page(REVIEW).text


@pytest.mark.parametrize(
    ("when", "why"),
    [
        ("9:00 on 25 November 2026", "Enter a time to come"),
        ("9:00 on 1 December 2028", "within a year"),
        ("soon", "Enter a time and a day"),
    ],
    ids=["past", "far", "no time"],
)
def test_only_a_time_to_come_within_a_year_is_taken(desk, when, why):
    assert why in approve(desk, when, 400).text
