"""Forms of the desk: owner, actions, decisions and risk, as a directive owner fills them in."""

from datetime import UTC, date, datetime

import pytest
import time_machine

from portal.domain.reports.parameters import Position
from portal.features.assurance.desk import list_history, read_recommendation
from portal.platform.db import newest_stamp
from tests.features.assurance.desk_browsing import AUDITOR, LEARNER, OWNER, make_desk_people, sign_in_each
from tests.features.assurance.factories import make_evidence, make_recommendation

TODAY = date(2026, 5, 12)
HERE = "/assurance/e-learning"


@pytest.fixture
def desk(app, database):
    """The people of the desk on 12 May 2026, one recommendation of 1 May, and everybody's browser."""
    with time_machine.travel(datetime(2026, 5, 1, 9, tzinfo=UTC), tick=False):
        desk_people = make_desk_people()
        recommendation = make_recommendation()
    with time_machine.travel(datetime(2026, 5, 12, 9, tzinfo=UTC), tick=False):
        browser_of = sign_in_each(app)
        browser_of.people = desk_people
        browser_of.recommendation = recommendation
        yield browser_of


def find_position(day: date = TODAY) -> Position:
    newest = newest_stamp()
    assert newest
    return Position(day, newest, TODAY, latest=True)


def find_recommendation_on(day: date = TODAY):
    return read_recommendation("e-learning", find_position(day))


def add_action(browser, title: str = "Brief every team", **fields: object):
    form = browser.page(f"{HERE}/actions/new")
    browser.press(form, "Add the action", title=title, **fields)


def test_an_action_is_added_changed_late_and_shown_with_what_it_waits_for(desk):
    browser = desk(OWNER)
    add_action(browser, "Book the suite", due_on="30 April 2026", owner=AUDITOR, from_on="1 May 2026")
    add_action(browser, "Hold ten dates", waits_for=["A-0001"])

    page = browser.page(HERE)
    assert "due on 30 April 2026, which has passed" in page.text
    assert "Waits for A-0001: Book the suite" in page.text

    form = browser.page(f"{HERE}/actions/A-0001")
    told = browser.press(form, "Save the action", state="done", reason="It is booked.", from_on="4 May 2026")
    assert "Action A-0001 is saved." in told.text
    assert "Waits for A-0001" not in told.text
    assert [action.version.state for action in find_recommendation_on(date(2026, 5, 4)).actions] == ["done"]


def test_an_entry_of_an_earlier_day_says_that_a_later_one_holds(desk):
    browser = desk(OWNER)
    add_action(browser, from_on="4 May 2026", state="under_way")

    form = browser.page(f"{HERE}/actions/A-0001")
    browser.press(form, "Save the action", state="done", reason="It is done.")
    told = browser.press(form, "Save the action", state="dropped", reason="Late.", from_on="5 May 2026")

    assert "An entry of a later day is there already" in told.text
    assert find_recommendation_on().actions[0].version.state == "done"
    refused = browser.press(form, "Save the action", 400, state="done", reason="x", from_on="3 May 2026")
    assert "The action did not exist on that day. Enter a later day." in refused.text


def test_a_form_says_what_is_wrong_at_its_field_and_keeps_what_was_typed(desk):
    browser = desk(OWNER)
    form = browser.page(f"{HERE}/actions/new?title=Look+at+unit+A")
    refused = browser.press(form, "Add the action", 400, owner="D9999", from_on="13 May 2026")
    assert "Nobody has the staff number D9999." in refused.text
    refused = browser.press(form, "Add the action", 400, from_on="13 May 2026")
    assert "Enter today’s date or an earlier one." in refused.text
    assert "Look at unit A" in str(refused.form_with("Add the action"))
    assert find_recommendation_on().actions == ()


STATEMENT = {
    "title": "Checklists are in use",
    "text": "Every unit has the checklist.",
    "post": "Head of Crime",
    "review_on": "1 September 2026",
}


@pytest.mark.parametrize(
    ("path", "button", "fields", "words"),
    [
        ("actions/new", "Add the action", {"title": "Brief every team"}, "A-0001 is the same action."),
        (
            "decisions/new",
            "Save the decision",
            {"title": "Two places a shift", "text": "As the board said.", "decided_by": "Force board"},
            "This decision is recorded on that day already.",
        ),
        (
            "risk",
            "Save the risk",
            {"text": "Shifts are short.", "likelihood": "4", "impact": "3"},
            "This is the risk on that day already.",
        ),
        ("evidence/new/statement", "Save", STATEMENT, "E-0001 is the same evidence."),
    ],
)
def test_a_form_that_is_sent_from_two_tabs_is_entered_once(desk, path, button, fields, words):
    tabs = [desk(OWNER).page(f"{HERE}/{path}") for _ in range(2)]
    desk(OWNER).press(tabs[0], button, **fields)
    before = len(list_history("e-learning", find_position()))

    refused = desk(OWNER).press(tabs[1], button, 400, **fields)

    assert words in refused.text
    assert len(list_history("e-learning", find_position())) == before


def test_actions_that_would_wait_for_each_other_are_refused_at_the_field(desk):
    browser = desk(OWNER)
    add_action(browser), add_action(browser, "Ask every team", waits_for=["A-0001"])
    form = browser.page(f"{HERE}/actions/A-0001")
    refused = browser.press(form, "Save the action", 400, waits_for=["A-0002"], reason="A mistake.")
    assert "wait for each other: A-0001 waits for A-0002 waits for A-0001." in refused.text


def test_a_decision_is_recorded_corrected_and_taken_back_and_the_history_says_so(desk):
    browser = desk(OWNER)
    form = browser.page(f"{HERE}/decisions/new")
    browser.press(
        form,
        "Save the decision",
        title="Two places a shift",
        text="As the board said.",
        decided_by="Force board",
    )
    first = find_recommendation_on().decisions[0].id
    form = browser.page(f"{HERE}/decisions/{first}")
    browser.press(form, "Save the decision", title="Three places a shift", from_on="11 May 2026")
    second = find_recommendation_on().decisions[0].id
    assert find_recommendation_on(date(2026, 5, 11)).decisions[0].title == "Three places a shift"
    browser.page(f"{HERE}/decisions/{first}", 409)

    browser.press(browser.page(f"{HERE}/decisions/{second}"), "Take the decision back")

    assert find_recommendation_on().decisions == ()
    history = desk(AUDITOR).page(f"{HERE}/history").text
    assert "Two places a shift. As the board said. Corrected later." in history
    assert "Taken back later." in history
    assert "11 May 2026, entered late" in history


def test_the_owner_and_the_risk_are_shown_with_their_day(desk):
    browser = desk(OWNER)
    told = browser.press(browser.page(f"{HERE}/owner"), "Save the owner", owner=AUDITOR, from_on="4 May 2026")
    assert "owns it from 4 May 2026 on." in told.text
    assert (find_recommendation_on(date(2026, 5, 3)).owner_id, find_recommendation_on().owner_id) == (
        None,
        desk.people[AUDITOR],
    )

    form = browser.page(f"{HERE}/risk")
    browser.press(form, "Save the risk", text="Shifts are short.", likelihood="4", impact="3")
    assert "Likelihood 4 of 5 (likely), impact 3 of 5 (moderate)" in browser.page(HERE).text
    assert "Shifts are short." in browser.page(f"{HERE}/history").text


def test_a_reader_sees_no_way_to_change_and_a_past_position_offers_none(desk):
    add_action(desk(OWNER))

    ways = {"Add an action", "Record a decision", "Assess the risk", "Change the owner"}
    assert ways <= set(desk(OWNER).page(HERE).links)
    for browser, path in ((desk(AUDITOR), HERE), (desk(OWNER), f"{HERE}?as_at=2026-05-11")):
        assert not ways & set(browser.page(path).links)
    for path in ("owner", "actions/new", "actions/A-0001", "decisions/new", "risk"):
        desk(AUDITOR).page(f"{HERE}/{path}", 403)


def test_whoever_owns_an_action_says_how_far_it_is_and_nobody_else(desk):
    add_action(desk(OWNER), owner=LEARNER, due_on="30 June 2026")
    add_action(desk(OWNER), "Another’s", owner=AUDITOR)

    learner = desk(LEARNER)
    mine = learner.page("/assurance/mine")
    assert list(mine.links).count("Brief every team") == 1
    assert "Another’s" not in mine.text
    form = learner.page("/assurance/mine/A-0001")
    told = learner.press(form, "Save", state="under_way", reason="Two teams of five are briefed.")
    assert "Under way" in told.text
    assert "Two teams of five are briefed." in desk(AUDITOR).page(f"{HERE}/history").text
    learner.page("/assurance/mine/A-0002", 404)

    learner.press(learner.page("/assurance/mine/A-0001"), "Save", state="done", reason="All are.")
    assert "You have nothing to do." in learner.page("/assurance/mine").text
    learner.page("/assurance/mine/A-0001", 404)


def test_the_desk_of_whoever_owns_an_action_leads_to_it(desk):
    add_action(desk(OWNER), owner=AUDITOR)
    assert desk(AUDITOR).page("/desk").links["1 action to see to"] == "/assurance/mine"


def test_evidence_that_no_longer_holds_is_its_owners_to_see_to(desk):
    people = desk.people
    details = {"address": "https://police.example/plan"}
    make_evidence(
        desk.recommendation,
        "link",
        details,
        by=people[OWNER],
        owner_id=people[AUDITOR],
        review_on=date(2026, 5, 11),
    )

    mine = desk(AUDITOR).page("/assurance/mine")

    assert mine.links["Completed modules"] == "/assurance/e-learning/evidence/E-0001"
    assert "Its review was due on 11 May 2026." in mine.text
    assert "Completed modules" not in desk(OWNER).page("/assurance/mine").text
