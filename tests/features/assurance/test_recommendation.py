"""The list of recommendations and the page of each, as at a date."""

from datetime import UTC, date, datetime

import pytest
import time_machine

from tests.features.assurance.desk_browsing import (
    AUDITOR,
    LEARNER,
    MANAGER,
    OWNER,
    make_desk_people,
    sign_in_each,
)
from tests.features.assurance.factories import give_owner, make_action, make_recommendation
from tests.page_reading import PortalClient
from tests.pages.monitoring.counting import statements

PAGES = (
    "/assurance/e-learning",
    "/assurance/e-learning/history",
    "/assurance/e-learning/actions/new",
    "/assurance/mine",
)


@pytest.fixture
def desk(app, database):
    """The people of the desk, one recommendation that the directive owner owns, and everybody's browser."""
    people = make_desk_people()
    recommendation = make_recommendation()
    give_owner(recommendation, people[OWNER], by=people[OWNER])
    return sign_in_each(app)


def test_the_desk_lists_each_recommendation_and_leads_to_its_page(desk):
    board = desk(AUDITOR).page("/assurance")

    title = "Relevant personnel complete the four e-learning modules"
    assert board.links[title] == "/assurance/e-learning"
    page = desk(AUDITOR).page("/assurance/e-learning")
    assert title in page.text
    assert "Not judged" in page.text
    assert "30 April 2026" in page.text


def test_it_is_for_whoever_sees_the_whole_force(desk):
    for number in (MANAGER, LEARNER):
        desk(number).page("/assurance", 403)
        desk(number).page("/assurance/e-learning", 403)
    desk(OWNER).page("/assurance/nothing", 404)


def test_a_past_position_says_so_and_shows_what_was_known(app, database):
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False):
        people = make_desk_people()
        recommendation = make_recommendation(deadline_on=date(2026, 5, 31))
    with time_machine.travel(datetime(2026, 5, 4, 9, tzinfo=UTC), tick=False):
        give_owner(recommendation, people[OWNER], by=people[OWNER], on=date(2026, 4, 1))
        auditor = sign_in_each(app)(AUDITOR)

        then = auditor.page("/assurance/e-learning?as_at=2026-04-30&as_known_on=2026-04-30")
        now = auditor.page("/assurance/e-learning?as_at=2026-04-30")

        assert "Show today" in then.links
        assert "Owner Nobody" in then.text
        assert "Owner Nobody" not in now.text
        assert then.links["Assurance"].startswith("/assurance?as_at=2026-04-30")
        auditor.page("/assurance/e-learning?as_at=2027-01-01", 400)
        auditor.page("/assurance?as_at=2027-01-01", 400)


def test_pages_take_as_many_statements_for_twenty_entries_as_for_two(app, database):
    people = make_desk_people()
    recommendation = make_recommendation()
    give_owner(recommendation, people[OWNER], by=people[OWNER])
    browser = sign_in_each(app)(OWNER)
    counts = []
    for more in (2, 18):
        for _ in range(more):
            make_action(recommendation, by=people[OWNER], owner_id=people[OWNER], due_on=date(2026, 5, 31))
        counts.append([count_statements(browser, path) for path in PAGES])

    assert counts[0] == counts[1]


def count_statements(browser: PortalClient, path: str) -> int:
    """How many statements the page takes."""
    with statements() as seen:
        browser.page(path)
    return len(seen)
