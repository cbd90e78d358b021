"""“Must it be passed again?”: it is shown whom that concerns before it is published."""

from datetime import date

import pytest
from sqlalchemy import select

from portal.domain.authoring import reviews
from portal.domain.catalogue.models import MinimumVersion, ModuleVersion
from portal.domain.status.projector import rebuild_status
from portal.platform.db import db
from tests.pages.authoring.desk import signed_in_client
from tests.pages.authoring.reviewing import author as author
from tests.pages.authoring.reviewing import changed as changed
from tests.pages.authoring.reviewing import count_rows, send_draft
from tests.pages.authoring.reviewing import folder as folder
from tests.pages.authoring.reviewing import publisher as publisher
from tests.pages.authoring.test_publishing import answer_all_right
from tests.pages.learning.asking import ask
from tests.pages.monitoring.preparing import jobs, run_jobs

PAGE = "/authoring/sample/review/pass-again"
SHOW = "Show whom it concerns"
PUBLISH = "Publish version 2, to be passed again from 1 September 2027"


@pytest.fixture(autouse=True)
def _today(time_machine):
    time_machine.move_to("2026-11-25T10:00:00+00:00", tick=True)


@pytest.fixture
def learner(app, changed, author, publisher):
    """The author, who passed version 1, which a directive requires; the draft waits to be published."""
    send_draft(changed, author)
    learner = signed_in_client(app, "D3001")
    assert answer_all_right(learner).h1 == "You passed"
    ask("sample", due="2027-04-30")
    return learner


def preview(client, day: str = "1 September 2027", status: int = 200):
    review = client.page("/authoring/sample/review")
    assert "Must it be passed again?" in review.links
    return client.press(client.page(PAGE), SHOW, status, from_on=day)


def test_it_is_previewed_then_published_and_the_pass_stays(app, learner):
    record = learner.page("/records").text
    publisher = signed_in_client(app, "D3002")

    page = preview(publisher)

    assert page.h1 == "1 person would have to pass again"
    assert "would be incomplete from 1 September 2027" in page.text
    assert count_rows(ModuleVersion) == 1
    done = publisher.press(page, PUBLISH, publish="y")
    assert (
        "From 1 September 2027 only a pass of it or a later version counts, which 1 person will need"
        in done.text
    )
    assert db.session.scalars(select(MinimumVersion)).one().from_on == date(2027, 9, 1)
    assert rebuild_status(False) == []
    assert "valid until 31 August 2027" in learner.page("/learning").text
    assert learner.page("/records").text == record
    assert "From 1 September 2027 only a pass of version 2 or later counts" in (
        learner.page("/learning/modules/sample").text
    )


@pytest.mark.parametrize(("day", "why"), [("25 November 2026", "a day to come"), ("soon", "Enter a date")])
def test_nobody_is_made_incomplete_without_notice(app, learner, day, why):
    assert why in preview(signed_in_client(app, "D3002"), day, 400).text
    assert count_rows(MinimumVersion) == 0


def test_another_day_or_other_people_than_previewed_are_shown_again(app, learner):
    publisher = signed_in_client(app, "D3002")
    page = preview(publisher)

    other_day = publisher.press(page, PUBLISH, publish="y", from_on="1 October 2027")
    assert "from 1 October 2027" in other_day.text
    others = publisher.press(page, PUBLISH, 409, publish="y", people="7")
    assert "it would concern 1 person. Nothing was published." in others.text
    assert count_rows(ModuleVersion) == 1


def test_of_many_people_a_job_does_it(app, learner, monkeypatch):
    monkeypatch.setattr(reviews, "MOST_PEOPLE", 0)
    publisher = signed_in_client(app, "D3002")

    page = publisher.press(preview(publisher), PUBLISH, publish="y")

    assert "Publication of a module that must be passed again" in page.text
    assert count_rows(MinimumVersion) == 0
    run_jobs(app)
    (job,) = jobs()
    assert "which 1 person will need" in str(job.result)
    assert count_rows(MinimumVersion) == 1
