"""A directive owner writes the plan, a second person publishes it, and officers are shown it."""

import pytest

from portal.domain.catalogue.models import SharedVersion
from portal.domain.catalogue.services import set_force_values
from portal.features.force_plan.services import plan_template
from portal.platform.db import db, read_stamps, stamp, transaction
from tests.factories.people import make_grant
from tests.features.assurance.factories import give_owner, make_action, make_recommendation
from tests.features.force_plan.factories import answer_all, propose_plan, publish_next_plan, write_plan
from tests.page_reading import PortalClient
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.monitoring.counting import statements

PLAN, DRAFT = "/assurance/plan/document", "/assurance/plan/draft"
SETTINGS = b"""[[setting]]
key = "sharing_plan"
label = "Plan"
hint = "Where it is."

[[setting]]
key = "nccu_contact"
label = "Desk"
hint = "Its number."
"""
SAVE, SEND, SEND_BACK = "Save and go on", "Send to a second person", "Send back"


@pytest.fixture
def browse(app, database):
    """Signs in owners D4001 and D4002, an auditor D6001 and a learner D1001."""
    make_recommendation("plan", title="A plan to collect, analyse and share")
    people = {}
    for number, role in (
        ("D4001", "directive-owner"), ("D4002", "directive-owner"), ("D6001", "auditor"), ("D1001", ""),
    ):  # fmt: skip
        people[number] = make_account(number)
        if role:
            make_grant(people[number], role)

    def signed_in(number: str) -> PortalClient:
        browser = another(app)
        let_in(browser, number)
        browser.person = people[number]
        return browser

    return signed_in


def fill(browser: PortalClient, answers: dict[str, str]) -> None:
    """Fill and save each section, from the first on."""
    for section in plan_template().sections:
        page = browser.page(f"{DRAFT}/{section.key}")
        given = {f"plan-{each.key}": answers[each.key] for each in section.questions}
        assert browser.press(page, SAVE, **given).h1


def test_one_writes_it_section_by_section_and_a_second_publishes_it(browse):
    owner, auditor = browse("D4001"), browse("D6001")
    page = owner.page(PLAN)
    assert page.h1 == "No plan is published"
    page = owner.press(page, "Write the plan")
    assert page.h1 == "Write the next version of the plan"
    assert page.links["What we collect"] == f"{DRAFT}/collect"
    refused = owner.press(owner.page(DRAFT), SEND, 400, note="The first", review_on="31 January 2030")
    assert "Answer “At first contact”." in refused.text
    fill(owner, answer_all(arrival="Ask:\n- who waits", in_one_line="ask who waits"))
    refused = owner.press(owner.page(DRAFT), SEND, 400, note="The first", review_on="31 January 2020")
    assert "Enter a review date after today and within three years." in refused.text

    page = owner.press(owner.page(DRAFT), SEND, note="The first")
    assert page.h1 == "The first version of the plan"
    assert "Somebody else has to publish it." in page.text
    waits = "1 version of the force’s plan to read and publish"
    assert auditor.page("/desk").links[waits] == PLAN
    page = auditor.page(auditor.page(PLAN).links["The next version waits for a second person"])
    assert "ask who waits (the whole plan, of" in page.text
    page = auditor.press(page, "Publish it")

    assert page.h1 == "Version 1 of the plan is up to date"
    assert "The next version waits" not in page.text
    assert "Write the next version" not in page.text  # an auditor confirms, and writes nothing
    guide = browse("D1001").page("/guides/force-plan")
    assert "who waits" in guide.text
    assert "Have you read this guide?" in guide.text


def test_a_learner_sees_none_of_it_and_its_author_cannot_publish_it(browse):
    owner = browse("D4001")
    proposal = propose_plan(owner.person)
    address = f"/assurance/plan/proposals/{proposal}"
    assert "Publish it" not in owner.page(address).text
    form = owner.page(address).form_with("Withdraw it")
    refused = owner.post(f"{address}/publish", data={"csrf_token": form.fields["csrf_token"]})
    assert "You proposed this yourself" in refused.get_data(as_text=True)
    assert owner.page(PLAN).h1 == "No plan is published"
    assert browse("D1001").get(PLAN).status_code == 403
    assert browse("D6001").get(DRAFT).status_code == 403


def test_it_is_sent_back_with_a_reason_and_written_again(browse):
    owner, other = browse("D4001"), browse("D4002")
    proposal = propose_plan(owner.person, rocu="Once a month")
    address = f"/assurance/plan/proposals/{proposal}"
    refused = other.press(other.page(address), SEND_BACK, 400, reason="")
    assert "Enter what has to change" in refused.text
    page = other.press(other.page(address), SEND_BACK, reason="Say who stands in")
    assert "“Say who stands in”" in page.text
    assert page.h1 == "A version of the plan: sent back"

    page = owner.press(owner.page(PLAN), "Write the plan")
    assert "questions to answer" not in page.text
    assert "Once a month" in owner.page(f"{DRAFT}/share").text
    assert other.get(DRAFT).status_code == 302  # it is shown instead, and can be ended
    links = other.page(PLAN).links
    page = other.page(next(links[words] for words in links if words.endswith("is writing the next version")))
    assert "Publish it" not in page.text
    other.press(page, SEND_BACK, reason="They are away")


def test_the_page_of_a_past_day_shows_the_plan_of_that_day_and_offers_no_change(browse):
    owner = browse("D4001")
    other = browse("D4002").person
    publish_next_plan(owner.person, other, rocu="The first way")
    newest, _ = read_stamps()
    publish_next_plan(owner.person, other, rocu="The second way")

    now = owner.page(PLAN)
    known = newest.isoformat().replace("+00:00", "Z")
    then = owner.page(f"{PLAN}?as_known_on={known}")

    assert now.h1 == "Version 2 of the plan is up to date"
    assert "The second way" in now.text
    assert then.h1 == "Version 1 of the plan is up to date"
    assert "The first way" in then.text
    assert "Position on" in then.text
    assert "Write the next version" not in then.text
    assert owner.page(f"{PLAN}?as_at=soon", 400)


def test_the_page_says_what_made_the_plan_untrue_and_shows_its_milestones(browse):
    owner = browse("D4001")
    other = browse("D4002").person
    publish_next_plan(owner.person, other)
    recommendation = make_recommendation("plan", title="A plan")
    title = plan_template().milestones[0]
    make_action(recommendation, by=other, title=title)
    with transaction():
        set_force_values({"sharing_plan": "plan W-40"}, by=other)

    page = owner.page(PLAN)

    assert page.h1 == "Version 1 of the plan needs attention"
    assert "Lessons and guides show something else under" in page.text
    assert page.links[title] == "/assurance/plan/actions/A-0001"
    assert page.links[plan_template().milestones[1]].startswith("/assurance/plan/actions/new?title=Name")


def test_the_owner_finds_a_plan_that_no_longer_holds_among_what_is_theirs(browse):
    owner = browse("D4001")
    other = browse("D4002")
    publish_next_plan(owner.person, other.person)
    give_owner(make_recommendation("plan", title="A plan"), owner.person, by=other.person)
    assert "Needs attention" not in owner.page("/assurance/mine").text
    with transaction():
        set_force_values({"sharing_plan": "plan W-40"}, by=other.person)

    assert "Needs attention" in owner.page("/assurance/mine").text
    assert "Needs attention" not in other.page("/assurance/mine").text
    assert owner.page("/assurance/plan").links["The plan, and whether it is up to date"] == PLAN


def test_the_page_of_the_forces_details_names_what_the_plan_fills(browse):
    owner = browse("D4001")
    with transaction():
        db.session.add(SharedVersion(recorded_at=stamp(), name="_force.toml", number=1, content=SETTINGS))
    make_grant(browse("D1001").person, "author")
    assert "The force’s plan fills this." not in browse("D1001").page("/force-settings").text

    publish_next_plan(owner.person, browse("D4002").person)

    assert browse("D1001").page("/force-settings").text.count("The force’s plan fills this.") == 1


def test_an_answer_that_is_too_long_is_refused_in_its_field(browse):
    owner = browse("D4001")
    write_plan(owner.person)
    page = owner.press(owner.page(f"{DRAFT}/review"), SAVE, 400, **{"plan-owner": "w" * 121})
    assert page.h1 == "Who keeps it true"
    assert "This has 121 characters. Shorten it to 120 or fewer." in page.text


def test_many_versions_cost_no_more_statements_than_one(browse):
    owner = browse("D4001")
    other = browse("D4002").person
    publish_next_plan(owner.person, other)
    owner.page(PLAN)  # what is read once is read
    with statements() as few:
        assert owner.page(PLAN)
    for number in range(4):
        publish_next_plan(owner.person, other, rocu=f"Way {number}")
    with statements() as many:
        owner.page(PLAN)
    assert len(many) == len(few)
