"""No page that a learner meets holds an author's key of a choice: ``value="safe"`` would be the answer."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from portal.domain.assessment.models import Attempt, Response, Submission
from portal.domain.catalogue import services
from portal.domain.catalogue.markdown import remove_choice_values
from portal.domain.catalogue.models import Item, Lesson
from portal.domain.catalogue.version_cache import current_version
from portal.domain.item_kinds import kinds_by_name
from portal.domain.item_kinds.choices import EARLIER_PAGE
from portal.platform.db import db, stamp, transaction
from tests.examples import sweep_after
from tests.journeys.answering import forms, response
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import another
from tests.pages.assessment.choosing import ticked_labels, values_by_label, values_of_labels
from tests.pages.assessment.published import first_question, publish
from tests.pages.authoring.answering import items_of, register_person
from tests.pages.learning.working import attempt_base, learner

MODULES = Path(__file__).resolve().parents[2] / "modules"
SLUGS = sweep_after(2, "respond", "report", "recognise", "protect")  # the first two have every kind of item
AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
SAVE = "Save and continue"
LOOKS = {"class", "href", "action", "src", "type", "rows", "method"}  # an author's keys go into none of these
STATES = {"aria-hidden", "data-prevent-double-click"}  # the page's own; "true" is a key of an author's too
OURS = {
    "again",
    "back",
    "no",
    "words",
    "yes",
    "choice",
    "reason",
    "scene",
    "way",
}  # names of the page's own, which authors use as keys too


def keys_in(content) -> Iterator[str]:
    """Every key of an item's content, whatever its kind."""
    for each in content.values() if isinstance(content, dict) else content:
        if isinstance(each, dict | list):
            yield from keys_in(each)
    if isinstance(content, dict) and "key" in content:
        yield content["key"]


def told(page: Page, keys: Iterable[str]) -> set[str]:
    """Those of the keys that an attribute of the content holds, whole or as a piece of an id or a way."""
    boxes_sent = [box.get("value") for box in page.all("input") if box.get("type") in {"radio", "checkbox"}]
    numbers = {key for key in keys if key.isdigit()}  # as ids have them: such a key tells nothing there
    return (_words_of_attributes(page) & (set(keys) - OURS - numbers)) | (set(keys) & set(boxes_sent))


def _words_of_attributes(page: Page) -> set[str]:
    held: set[str] = set()
    for main in page.all("main"):
        for element in main.iter():
            if element.get("name") == "csrf_token":
                continue
            for name, value in element.items():
                if name not in LOOKS | STATES:
                    held |= {
                        value,
                        *re.split(r"[\s/=]+", value),
                        *re.split(r"(?:part|reason|for|choice)-", value),
                    }
    return held


@pytest.fixture
def four(client, slug) -> PortalClient:
    """One of the four modules as it is shipped, and a learner."""
    with transaction():
        services.publish_folder(MODULES / slug, at=stamp())
    client.person = learner(client)
    return client


def asked_everything(person: int, version_id: int, *, way: int = -1) -> tuple[Attempt, list[Item]]:
    """An attempt that asks every item, each in the reverse of its author's order, or in that itself (1)."""
    items = [item for item in items_of(version_id) if not item.retired]
    registration = register_person(person, version_id)
    with transaction():
        attempt = Attempt(
            id=uuid4(),
            registration_id=registration,
            number=1,
            mastery_score=Decimal(1),
            drawn=[
                {"item_id": i.id, "order": kinds_by_name()[i.kind].shufflable_keys(i.content)[::way]}
                for i in items
            ],
            started_at=AT,
            recorded_at=stamp(),
        )
        db.session.add(attempt)
    return attempt, items


@pytest.mark.slow
@pytest.mark.parametrize("slug", SLUGS)
def test_no_page_of_any_question_holds_a_key_and_marking_is_as_it_was(four, slug):
    attempt, items = asked_everything(four.person, current_version(slug).id)
    base = f"/assessment/{attempt.id}"
    for number, (item, drawn) in enumerate(zip(items, attempt.drawn, strict=True), 1):
        keys, address = set(keys_in(item.content)), f"{base}/items/{number}"
        best = response(item.kind, item.content, right=True)
        for fields in forms(item.kind, item.content, drawn["order"], best):
            page = four.page(address)
            assert told(page, keys) == set(), item.key
            data: dict[str, list[str]] = {}
            for name, value in fields:
                data.setdefault(name, []).append(value)
            page = four.press(page, SAVE, **data)
            assert not page.title.startswith("Error: "), item.key
        saved = select(Response.choices).where(Response.item_id == item.id).order_by(Response.id.desc())
        assert sorted(db.session.scalars(saved).first()) == sorted(best)
        assert told(four.page(address), keys) == set()
        if item.kind in {"single", "multiple"}:
            assert len(ticked_labels(four.page(address))) == len(best)
    check = four.page(f"{base}/check")
    every = {key for item in items for key in keys_in(item.content)}
    assert told(check, every) == set()
    page = four.press(check, "Submit answers")

    assert page.h1 == "You passed"
    marks = db.session.scalars(select(Submission.marks).where(Submission.attempt_id == attempt.id)).one()
    assert set(marks.values()) == {"1.0000"}
    assert len(marks) == len(items) >= 28
    answers = four.page(f"{base}/answers")
    assert told(answers, every) == set()


@pytest.mark.parametrize("slug", SLUGS)
def test_no_lesson_holds_a_key_of_its_checks(four, slug):
    lessons = db.session.scalars(
        select(Lesson.key).where(Lesson.module_version_id == current_version(slug).id)
    ).all()
    radios = 0
    for key in lessons:
        page = four.page(f"/learning/modules/{slug}/lessons/{key}")
        boxes_of_checks = [box for box in page.all("input") if (box.get("name") or "").startswith("check-")]
        radios += len(boxes_of_checks)
        for box in boxes_of_checks:  # a number of the place alone, which tells nothing of the key
            assert box.get("id") == f"{box.get('name')}-{box.get('value')}"
            assert box.get("value").isdigit()
    assert radios > 0


def test_a_lesson_that_an_earlier_release_stored_is_shown_without_its_keys():
    box = '<input class="govuk-radios__input" id="check-lena-1" name="check-lena" type="radio"'

    assert remove_choice_values(f'{box} value="safe"><p value="kept">x</p>') == f'{box}><p value="kept">x</p>'


def test_the_numbers_are_the_same_at_each_look_and_others_in_another_attempt(app, client, tmp_path):
    publish(tmp_path, "single")
    version = current_version("sample").id
    seen = []
    for number, way in (("D1001", 1), ("D1002", -1)):
        browser = another(app)
        attempt, _ = asked_everything(learner(browser, number), version, way=way)
        pages = [browser.page(f"/assessment/{attempt.id}/items/1") for _ in range(2)]
        assert values_by_label(pages[0]) == values_by_label(pages[1])
        seen.append(values_by_label(pages[0]))
    first, second = seen

    assert list(first.values()) == list(second.values()) == [f"c.{n}" for n in range(1, len(first) + 1)]
    assert list(first) == list(second)[::-1]


def earlier(page: Page, **fields: str) -> dict[str, str]:
    """What a page that an earlier release rendered sends, beside its token."""
    return {"csrf_token": page.all("input", name="csrf_token")[0].get("value"), **fields}


@pytest.mark.parametrize("kind", ["single", "multiple"])
def test_a_page_opened_before_the_update_is_shown_again_with_what_was_saved(client, tmp_path, kind):
    publish(tmp_path, kind)
    learner(client)
    asked = first_question(client)
    said = next(iter(values_by_label(asked)))
    client.press(asked, SAVE, choice=values_of_labels(asked, said))
    address = f"{attempt_base(asked)}/items/1"
    item = db.session.get_one(Item, db.session.scalars(select(Attempt)).one().drawn[0]["item_id"])
    key = item.content["choices"][0]["key"]

    page = Page(client.post(address, data=earlier(asked, choice=key)), address)

    assert page.links[EARLIER_PAGE] == "#choice"
    assert ticked_labels(page) == [said]
    assert len(db.session.scalars(select(Response)).all()) == 1


def test_a_scenario_opened_before_the_update_goes_on_from_what_was_saved(client, tmp_path):
    publish(tmp_path, "scenario")
    learner(client)
    asked = first_question(client)
    client.press(asked, SAVE, choice=values_of_labels(asked, "Listen"), reason="They may be alive")
    address = f"{attempt_base(asked)}/items/1"
    old = {
        "way": "road/listen",
        "reason-road": "They may be alive",
        "choice": "call",
        "reason": "Eight voices",
    }

    page = Page(client.post(address, data=earlier(asked, **old)), address)

    assert page.links[EARLIER_PAGE] == "#scene"
    assert "You hear eight voices." in page.text
    assert "Your reason: They may be alive" in page.text
    assert "Eight voices" in page.html
    page = client.press(page, SAVE, choice=values_of_labels(page, "Call for"))
    assert "The scenario ends here." in page.text
    assert "Your reason: Eight voices" in page.text


def test_a_report_opened_before_the_update_keeps_what_was_written(client, tmp_path):
    publish(tmp_path, "report")
    learner(client)
    asked = first_question(client)
    address = f"{attempt_base(asked)}/items/1"
    old = {"part-source": "two", "part-handling": "p", "part-words": "Eight voices at 02:10."}

    page = Page(client.post(address, data=earlier(asked, **old)), address)

    assert page.links["Select an answer to “Source evaluation”"] == "#answer-1"
    assert "Eight voices at 02:10." in page.html
    assert ticked_labels(page) == []
    page = client.press(page, SAVE, **{"answer-1": "c.2", "answer-2": "c.1"})
    assert page.path.endswith("/items/1") or "Question 2" in page.text
    assert db.session.scalars(select(Response.choices)).one() == ["source/two", "handling/p"]
