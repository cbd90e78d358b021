"""Lessons that are pictures: places chosen with HTML alone, checked against the model, without a score."""

import re

import pytest
from sqlalchemy import select

from portal.domain.cases import CaseRun, CaseStep
from portal.domain.catalogue import services
from portal.domain.catalogue.version_cache import current_version, package_files
from portal.platform.db import db, stamp, transaction
from tests.domain.catalogue.folders import write
from tests.domain.catalogue.pictures_written import FILES, PICTURE
from tests.page_reading import Page, words
from tests.pages.assessment.choosing import ticked_labels, values_of_labels
from tests.pages.learning.test_cases import CASE, visits
from tests.pages.learning.working import learner

G = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def page(client, tmp_path) -> Page:
    """The picture before anything is chosen."""
    with transaction():
        services.publish_folder(write(tmp_path, FILES), at=stamp())
    learner(client)
    return client.page(CASE)


def chosen_labels(page: Page) -> list[str]:
    """The words beside the boxes that are ticked; the labels on the drawing have none."""
    return [label for label in ticked_labels(page) if label]


def test_places_are_chosen_checked_and_told_and_complete_the_lesson(client, page):
    assert "Nothing is scored" in page.text
    assert "Somebody may not come out." not in page.html

    page = client.press(page, "Check", place=values_of_labels(page, "1. The gate", "2. The bin"))

    assert "You found 1 of 2 places that matter" in page.text
    found, missed, extra = (
        page.text.index(said) for said in ("you found", "you walked past", "did not need")
    )
    told = [page.text.index(said) for said in ("Somebody may not", "Somebody is in there", "Bins are full")]
    assert found < told[0] < missed < told[1] < extra < told[2]
    assert "Two places tell of people." in page.text
    assert "Because it is so." in page.text
    assert page.links["Continue to lesson 2"] == "/learning/modules/sample/lessons/second"
    assert visits() == ["opened", "completed"]
    (step,) = db.session.scalars(select(CaseStep))
    assert (step.choices, step.ends) == (["gate/chosen", "bin/chosen", "door/left"], True)


def test_what_is_chosen_is_kept_for_later_and_the_next_run_begins_empty(client, page):
    client.press(page, "Save and come back later", later="y", place=values_of_labels(page, "3. The door"))
    page = client.page(CASE)
    assert chosen_labels(page) == ["3. The door"]
    assert visits() == ["opened"]

    page = client.press(page, "Check", place=values_of_labels(page, "1. The gate", "3. The door"))
    assert "You found 2 of 2 places that matter" in page.text
    assert "walked past" not in page.text.replace("! walked past", "")
    page = client.page(page.links["Work through it again"])

    assert chosen_labels(page) == []
    assert [run.number for run in db.session.scalars(select(CaseRun))] == [1]
    client.press(page, "Check", place=values_of_labels(page, "2. The bin"))
    assert [run.number for run in db.session.scalars(select(CaseRun).order_by(CaseRun.id))] == [1, 2]
    assert visits() == ["opened", "completed"]


def test_nothing_chosen_and_what_is_not_offered_are_refused(client, page):
    page = client.press(page, "Check")
    assert page.links["Select at least one place"] == "#place-1"
    assert page.title.startswith("Error: ")
    page = client.press(page, "Check", place=["gate"])
    assert "opened before the portal was updated" in page.text
    assert db.session.scalars(select(CaseRun)).all() == []


def test_each_place_on_the_drawing_is_a_label_of_its_checkbox_and_no_key_shows(page):
    boxes = {box.get("id"): box for box in page.all("input", type="checkbox")}
    layers = [svg for svg in page.root.iter(f"{G}svg") if svg.get("viewBox")]

    assert [layer.get("viewBox") for layer in layers] == ["0 0 600 300", "0 0 300 400"]
    for layer in layers:
        assert layer.get("aria-hidden") == "true"
        labels = [e for e in layer.iter() if e.tag.endswith("}label")]
        assert [label.get("for") for label in labels] == list(boxes) == ["place-1", "place-2", "place-3"]
        assert all(words(label) == "" for label in labels)
    (gate,) = page.all("span", id=boxes["place-1"].get("aria-describedby") or "")
    assert words(gate) == "It is locked from outside."
    assert not re.search(r'value="(gate|bin|door)"| style="|matters', page.html)


def test_a_picture_is_published_as_written_and_found_by_its_situation(client, page):
    version = current_version("sample")
    assert version is not None
    assert package_files(version.id)["lessons/first.toml"] == PICTURE.encode()
    assert CASE in client.page("/guides?q=morning").html
    assert CASE not in client.page("/guides?q=somebody").html
