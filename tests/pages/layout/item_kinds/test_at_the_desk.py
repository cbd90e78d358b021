"""Items of every kind at the authoring desk: opened, given a row, saved, and tried as a learner does."""

import pytest
from werkzeug.datastructures import MultiDict

from portal.domain.authoring import queries
from tests.domain.catalogue.kinds_written import BODIES
from tests.page_reading import Page, PortalClient, words
from tests.pages.assessment.choosing import values_of_labels
from tests.pages.authoring import desk
from tests.pages.layout.item_kinds.editors import fields_of

ITEM = "/authoring/sample/items/one"
BANK = "items/bank.toml"
TRIED = "/authoring/sample/preview/items/one"


@pytest.fixture
def author(app, database, request) -> PortalClient:
    return desk.author_of_questions(app, request.param)


every_kind = pytest.mark.parametrize("author", sorted(BODIES), indirect=True)


def send(client: PortalClient, page: Page, **more: str) -> Page:
    """Send the editor's form as a browser would, with a button or a field changed."""
    form = next(f for f in page.all("form") if f.get("id") == "editor")
    data = MultiDict([pair for pair in fields_of(form) if pair[0] not in more] + list(more.items()))
    response = client.post(ITEM, data=data, follow_redirects=True)
    assert response.status_code == 200
    return Page(response, ITEM)


def bank() -> bytes:
    return queries.draft_files(queries.get_draft("sample"))[BANK]


@every_kind
def test_saving_what_was_opened_changes_no_byte(author):
    before = bank()

    page = send(author, author.page(ITEM), save="yes")

    assert "The question is saved." in page.text
    assert bank() == before


@every_kind
def test_an_edit_changes_its_own_line_alone(author):
    before = bank().decode().split("\n")

    send(author, author.page(ITEM), save="yes", prompt="What would you do?")

    after = bank().decode().split("\n")
    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [
        ('prompt = "What do you do?"', 'prompt = "What would you do?"')
    ]


@every_kind
def test_a_row_is_added_without_saving(author):
    before, page = bank(), author.page(ITEM)
    button = next(b for b in page.all("button", name="row") if words(b).startswith("Add"))

    again = send(author, page, row=button.get("value"))

    assert len(again.all("fieldset")) > len(page.all("fieldset"))
    assert "is saved" not in again.text
    assert bank() == before


@pytest.mark.parametrize("author", ["scenario"], indirect=True)
def test_a_scenario_is_tried_scene_by_scene(author):
    page = author.page(TRIED)
    for choice, said in (("Listen and speak", "eight voices"), ("Call for", "The scenario ends here.")):
        page = author.press(page, "Save and continue", choice=values_of_labels(page, choice))
        assert said in page.text
    page = author.press(page, "Save and continue")

    assert "You learn that people are alive." in page.text
