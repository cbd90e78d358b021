"""Items of the kinds beyond single and multiple, as a learner meets them with HTML alone."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from portal.domain.assessment.models import Attempt, Response, Submission
from portal.domain.assessment.services import NO_WAY_BACK
from portal.domain.catalogue.models import Item
from portal.domain.item_kinds import kinds_by_name
from portal.domain.item_kinds.choices import EARLIER_PAGE
from portal.domain.people.models import FactNote
from portal.domain.people.services import erase_notes
from portal.domain.records.models import Registration
from portal.platform.db import db, transaction
from tests.page_reading import Page, PortalClient, words
from tests.pages.assessment.choosing import values_of_labels
from tests.pages.assessment.published import first_question, publish
from tests.pages.learning.working import attempt_base, learner
from tests.pages.monitoring.counting import statements

SECRETS = (
    "feedback",
    "Because it is so",
    "weight",
    "debrief",
    "Words save time",
    "A model",
    "Does yours have",
)
ORDER = {"Stop the lorry": "1", "Call the control room": "2", "Wait for the ambulance": "3"}
MATCH = {
    "An intelligence report": "The NCCU",
    "A child at risk": "Children's services",
    "A referral": "The NCCU",
}
TEXT = "At 02:10 a driver <b>reported</b> voices."


def count_rows(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


def labels_by_id(page: Page) -> dict[str, str]:
    """The name of the control below each label."""
    return {words(label): label.get("for") for label in page.all("label")}


def place_fields(page: Page, places: dict[str, str]) -> dict[str, str]:
    """The form with these places given to the steps."""
    return {labels_by_id(page)[step]: place for step, place in places.items()}


def match_fields(page: Page, belongs: dict[str, str]) -> dict[str, str]:
    """The form with what belongs to each left side."""
    numbers = {words(option): option.get("value") for option in page.all("option")}
    return {labels_by_id(page)[left]: numbers[right] for left, right in belongs.items()}


def chosen_labels(page: Page) -> dict[str, str]:
    """What each list of the page is set to."""
    return {
        select.get("name"): next(o.get("value") for o in select.iter() if o.get("selected") is not None)
        for select in page.all("select")
    }


@pytest.fixture
def asked(client, tmp_path, request) -> Page:
    publish(tmp_path, request.param)
    learner(client)
    return first_question(client)


def finish(client: PortalClient, page: Page, heading: str) -> Page:
    """From the check of all answers to what was answered."""
    assert page.h1 == "Check your answers"
    page = client.press(page, "Submit answers")
    assert page.h1 == heading
    return client.page(f"{attempt_base(page)}/answers")


@pytest.mark.parametrize("asked", ["order", "match", "scenario", "report"], indirect=True)
def test_a_question_gives_nothing_away(asked):
    assert asked.h1 == "What do you do?"
    for secret in SECRETS:
        assert secret not in asked.html


@pytest.mark.parametrize("asked", ["order"], indirect=True)
def test_steps_are_put_in_order(client, asked):
    for _ in range(2):
        asked = client.press(asked, "Save and continue", **place_fields(asked, ORDER))

    assert "1. Stop the lorry 2. Call the control room 3. Wait for the ambulance" in asked.text
    page = finish(client, asked, "You passed")
    assert "Stop the lorry – right" in page.text


@pytest.mark.parametrize("asked", ["order"], indirect=True)
def test_the_page_of_an_order_does_not_show_the_keys_of_its_steps(asked):
    assert not re.search(r'"(for-)?(stop|call|wait)"', asked.html)


@pytest.mark.parametrize("asked", ["order"], indirect=True)
def test_an_order_with_a_gap_or_a_place_twice_is_told_and_kept(client, asked):
    page = client.press(asked, "Save and continue", **place_fields(asked, {**ORDER, "Stop the lorry": ""}))
    assert page.title.startswith("Error: ")
    assert page.links["Choose a place for “Stop the lorry”"] == "#" + labels_by_id(page)["Stop the lorry"]
    assert chosen_labels(page) == place_fields(page, {**ORDER, "Stop the lorry": ""})

    page = client.press(page, "Save and continue", **place_fields(asked, {**ORDER, "Stop the lorry": "2"}))
    assert "Place 2 is given twice. Use each place once" in page.links
    page = client.press(page, "Save and continue", **place_fields(asked, dict.fromkeys(ORDER, "1")))
    told = [link for link in page.links if link.startswith("Place")]
    assert told == ["Place 1 is given 3 times. Use each place once"]
    assert page.text.count(told[0]) == 2, "above, and at the first step"
    page = client.press(page, "Save and continue", **place_fields(asked, {**ORDER, "Stop the lorry": "99"}))
    assert "Choose a place for “Stop the lorry”" in page.links
    assert count_rows(Response) == 0


@pytest.mark.parametrize("asked", ["match"], indirect=True)
def test_pairs_are_matched(client, asked):
    assert not re.search(r'value="(intel|safety|extra\.1)"', asked.html)
    for _ in range(2):
        asked = client.press(asked, "Save and continue", **match_fields(asked, MATCH))

    assert "A referral: The NCCU" in asked.text
    page = finish(client, asked, "You passed")
    assert "Children's services – your answer – right" in page.text


@pytest.mark.parametrize("asked", ["match"], indirect=True)
def test_a_wrong_match_is_read_back_without_what_was_right(client, asked):
    wrong = dict.fromkeys(MATCH, "Nobody")
    for _ in range(2):
        asked = client.press(asked, "Save and continue", **match_fields(asked, wrong))

    page = finish(client, asked, "You did not pass")
    assert page.text.count("Nobody – your answer") == 6
    assert "Children's services" not in page.text


@pytest.mark.parametrize("asked", ["match"], indirect=True)
def test_a_match_left_open_or_made_up_is_told_and_kept(client, asked):
    form = match_fields(asked, MATCH)
    page = client.press(asked, "Save and continue", **{**form, "for-2": "9"})

    assert page.links["Choose what belongs to “A child at risk”"] == "#for-2"
    assert chosen_labels(page) == {**form, "for-2": ""}
    assert count_rows(Response) == 0


@pytest.mark.parametrize("asked", ["scenario"], indirect=True)
def test_a_scenario_leads_on_and_keeps_its_reasons(client, asked):
    assert "knocks" in asked.text
    assert "eight voices" not in asked.text
    page = client.press(
        asked, "Save and continue", choice=values_of_labels(asked, "Listen"), reason="They may be alive\x00"
    )
    assert page.path.endswith("/items/1")
    assert "You hear eight voices." in page.text
    assert "Your reason: They may be alive" in page.text
    assert client.page(f"{attempt_base(page)}/check").text.count("Not finished") == 1
    page = client.press(page, "Save and continue", choice=values_of_labels(page, "Call for"), reason="")
    assert "The scenario ends here." in page.text
    page = client.press(page, "Save and continue")
    assert "Question 2 of 2" in page.text
    page = client.press(page, "Save and continue", choice=values_of_labels(page, "Open"), reason="<i>Now</i>")
    page = client.press(page, "Save and continue", choice=values_of_labels(page, "Close the road"))
    page = client.press(page, "Save and continue")

    assert "1. Listen and speak 2. Call for an ambulance" in page.text
    page = finish(client, page, "You did not pass")  # 1 + 0.45 of 2
    assert "Your reason: They may be alive" in page.text
    assert "Your reason: <i>Now</i>" in page.text
    assert "Open the doors at once – what you did" in page.text
    assert "You learn that people are alive." not in page.text
    assert list(db.session.scalars(select(Submission)).one().marks.values()) == ["1.0000", "0.4500"]


@pytest.mark.parametrize("asked", ["scenario"], indirect=True)
def test_after_a_pass_a_scenario_is_explained(client, asked):
    page = asked
    for choice in ("Listen", "Call for", None, "Listen", "Call for", None):
        page = client.press(
            page, "Save and continue", choice=values_of_labels(page, choice) if choice else []
        )

    page = finish(client, page, "You passed")
    assert page.text.count("Worth 1 of 1") == 2
    for said in ("You learn that people are alive.", "Nobody is there to help you.", "Words save time here."):
        assert said in page.text


@pytest.mark.parametrize("asked", ["scenario"], indirect=True)
@pytest.mark.parametrize("button", ["back", "again"])
def test_a_scenario_offers_no_way_back(client, asked, button):
    page = client.press(
        asked, "Save and continue", choice=values_of_labels(asked, "Open"), reason="In a hurry"
    )
    assert [list(form.buttons) for form in page.forms() if form.action.endswith("/items/1")] == [
        ["Save and continue"]
    ]

    page = client.press(page, "Save and continue", **{button: "y"})

    assert page.links[NO_WAY_BACK] == "#scene"
    assert "People climb out" in page.text
    assert [response.choices for response in db.session.scalars(select(Response))] == [["road/open"]]


@pytest.mark.parametrize("asked", ["scenario"], indirect=True)
def test_a_step_that_the_scenario_does_not_offer_is_refused(client, asked):
    page = client.press(asked, "Save and continue", reason="Because")
    assert page.links["Select what you do"] == "#choice"
    assert "Because" in page.html
    page = client.press(page, "Save and continue", choice="c.3")  # of another scene
    assert page.links[EARLIER_PAGE] == "#choice"
    page = client.press(page, "Save and continue", choice=values_of_labels(page, "Open"), way="c.3")
    assert page.links[EARLIER_PAGE] == "#scene"
    page = client.press(page, "Save and continue", choice=values_of_labels(page, "Open"), reason="x" * 2_001)
    assert "Keep this under 2,000 characters. You have written 2,001" in page.links
    assert count_rows(Response) == 0


@pytest.mark.parametrize("asked", ["scenario"], indirect=True)
def test_a_window_left_behind_is_no_way_back(client, asked):
    client.press(asked, "Save and continue", choice=values_of_labels(asked, "Listen"))
    page = client.press(asked, "Save and continue", choice=values_of_labels(asked, "Open"))
    assert page.links[NO_WAY_BACK] == "#scene"
    assert "You hear eight voices." in page.text

    page = client.press(asked, "Save and continue", choice=values_of_labels(asked, "Listen"))  # sent twice
    assert "You hear eight voices." in page.text
    assert [response.choices for response in db.session.scalars(select(Response))] == [["road/listen"]]


@pytest.mark.parametrize("asked", ["report"], indirect=True)
def test_a_report_is_marked_by_its_choices_and_its_words_are_compared(client, asked):
    assert "Training only. Enter no real person" in asked.text
    done = {"answer-1": "c.2", "answer-2": "c.1", "answer-3": TEXT}
    for _ in range(2):
        asked = client.press(asked, "Save and continue", **done)

    assert f"What was seen and said: {TEXT}" in asked.text
    page = finish(client, asked, "You passed")
    assert TEXT in page.text
    assert "At 02:10 on a date a driver reported voices." in page.text
    assert len(page.all("input", type="checkbox")) == 4


@pytest.mark.parametrize("asked", ["report"], indirect=True)
def test_a_report_done_badly_shows_neither_key_nor_model(client, asked):
    for _ in range(2):
        done = {"answer-1": "c.1", "answer-2": "c.1", "answer-3": "Voices."}
        asked = client.press(asked, "Save and continue", **done)

    page = finish(client, asked, "You did not pass")
    assert list(db.session.scalars(select(Submission)).one().marks.values()) == ["0.5000"] * 2
    assert "Voices." in page.text
    for secret in (*SECRETS, "2: untested", "You know nothing of him"):
        assert secret not in page.html


@pytest.mark.parametrize("asked", ["report"], indirect=True)
def test_a_report_with_gaps_is_told_of_each_and_kept(client, asked):
    page = client.press(asked, "Save and continue", **{"answer-1": "c.3", "answer-3": " "})
    assert page.links["Select an answer to “Source evaluation”"] == "#answer-1"
    assert page.links["Select an answer to “Handling”"] == "#answer-2"
    assert page.links["Write something under “What was seen and said”"] == "#answer-3"

    page = client.press(page, "Save and continue", **{"answer-1": "c.2", "answer-3": "y" * 5_001})
    assert "Keep this under 5,000 characters. You have written 5,001" in page.links
    assert "y" * 5_001 in page.html
    assert [i.get("value") for i in page.all("input", type="radio") if i.get("checked") is not None] == [
        "c.2"
    ]
    assert count_rows(Response) == 0


@pytest.mark.parametrize("asked", ["report"], indirect=True)
def test_what_a_learner_wrote_can_be_erased_without_touching_the_fact(client, asked):
    done = {"answer-1": "c.2", "answer-2": "c.1", "answer-3": TEXT}
    for _ in range(2):
        asked = client.press(asked, "Save and continue", **done)
    facts = [(r.id, r.choices) for r in db.session.scalars(select(Response))]
    person = db.session.scalars(select(Registration.person_id)).one()
    assert TEXT not in str(facts)
    assert count_rows(FactNote) == 2

    erase_notes("response", [fact for fact, _ in facts], actor_id=person, subject_id=person)
    db.session.commit()

    page = finish(client, asked, "You passed")
    assert page.text.count("Nothing is stored.") == 2
    assert [(r.id, r.choices) for r in db.session.scalars(select(Response))] == facts


def shown_order(page: Page, kind: str) -> list[str]:
    """What the page shows in the order of this attempt, in words."""
    if kind == "match":
        return [words(option) for option in page.all("select")[0] if option.get("value")]
    return [words(e) for e in page.all("label") if e.get("for", "").startswith(("for-", "choice", "answer-"))]


WORDS = {
    "order": {"stop": "Stop the lorry", "call": "Call the control room", "wait": "Wait for the ambulance"},
    "match": {"intel": "The NCCU", "safety": "Children's services", "extra.1": "Nobody"},
    "scenario": {"road/listen": "Listen and speak", "road/open": "Open the doors at once"},
}


@pytest.mark.parametrize("kind", sorted(WORDS))
def test_a_page_shows_the_order_that_the_attempt_keeps_each_time(client, tmp_path, kind):
    publish(tmp_path, kind)
    learner(client)
    page = first_question(client)
    drawn = db.session.scalars(select(Attempt.drawn)).one()

    for number, question in enumerate(drawn, start=1):
        for _ in range(2):
            page = client.page(f"{attempt_base(page)}/items/{number}")
            kept = [WORDS[kind][key] for key in question["order"] if key in WORDS[kind]]
            seen = [text for text in shown_order(page, kind) if text in kept]
            assert seen == kept


@pytest.mark.parametrize("asked", ["report"], indirect=True)
def test_a_form_asks_in_its_own_order(asked):
    shown = ["1: reliable", "2: untested", "P: may be shared", "C: with conditions", "What was seen and said"]
    assert [words(label) for label in asked.all("label")] == shown


@pytest.mark.parametrize(("kind", "more"), [("single", 0), ("order", 0), ("report", 1)])
def test_texts_cost_one_statement_where_learners_write_some_and_none_elsewhere(client, tmp_path, kind, more):
    publish(tmp_path, kind)
    learner(client)
    page = first_question(client)
    base = attempt_base(page)
    with statements() as plain:
        client.get(f"{base}/items/2")
    item_id = db.session.scalars(select(Attempt.drawn)).one()[0]["item_id"]
    attempt = db.session.scalars(select(Attempt.id)).one()
    at = datetime(2026, 5, 5, 9, tzinfo=UTC)
    content = db.session.get_one(Item, item_id).content
    best = kinds_by_name()[kind].best_choices(content)
    with transaction():
        db.session.add(
            Response(attempt_id=attempt, item_id=item_id, choices=best, saved_at=at, recorded_at=at)
        )
    with statements() as answered:
        client.get(f"{base}/items/2")

    assert len(answered) == len(plain) + more
