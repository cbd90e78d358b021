"""A figure in a question: chosen, described, added as a new picture, and kept to the byte."""

import io

import pytest

from portal.domain.authoring import queries
from portal.domain.authoring.files import Stimulus, join_stimulus, split_stimulus
from tests.domain.catalogue.folders import ITEM, SVG
from tests.page_reading import Page, PortalClient
from tests.pages.authoring.authors import draft_file, error_sentences
from tests.pages.authoring.desk import make_person_with, open_draft_page, publish_sample, signed_in_client
from tests.pages.authoring.item_forms import ITEMS, draft_items, item_form, send_item_form, sent_fields
from tests.pages.authoring.test_media import PNG

BOX = "media/box.svg"
FIGURE = "::: figure media/box.svg\nA box.\n\nIt is empty.\n:::"


@pytest.fixture
def author(app, database, tmp_path) -> PortalClient:
    with_figure = ITEM.format(key="one", outcome="see").replace(
        "explanation", f'stimulus = """\nLook.\n\n{FIGURE}"""\nexplanation', 1
    )
    bank = with_figure + ITEM.format(key="two", outcome="say")
    publish_sample(tmp_path, **{"sample__items__bank.toml": bank})
    make_person_with("D3001", "author")
    client = signed_in_client(app, "D3001")
    open_draft_page(client)
    return client


@pytest.mark.parametrize(
    ("stimulus", "parts"),
    [
        ("", Stimulus("")),
        ("Look.", Stimulus("Look.")),
        (FIGURE, Stimulus("", BOX, "A box.\n\nIt is empty.")),
        (f"One.\n\nTwo.\n\n{FIGURE}\n", Stimulus("One.\n\nTwo.", BOX, "A box.\n\nIt is empty.")),
        (f"{FIGURE}\n\nLook.", None),
        (f"{FIGURE}\n\n{FIGURE}", None),
        (f"::: inset\nLook.\n\n{FIGURE}\n:::", None),
        ("::: figure media/box.svg\n:::", None),
        (f"Look.\n{FIGURE}", None),
    ],
)
def test_a_figure_at_the_end_is_split_off_and_joined_to_the_byte(stimulus, parts):
    assert split_stimulus(stimulus) == (parts or Stimulus(stimulus))
    assert join_stimulus(split_stimulus(stimulus)) == stimulus.strip()


def test_a_question_opens_with_its_figure_and_saving_changes_no_byte(author):
    before = draft_file("items/bank.toml")
    page = author.page(f"{ITEMS}/one")

    assert item_form(page).fields["stimulus"][0].strip() == "Look."
    assert item_form(page).fields["figure_words"][0].strip() == "A box.\n\nIt is empty."
    send_item_form(author, page)
    assert draft_file("items/bank.toml") == before


def test_a_figure_is_chosen_and_a_drawing_brings_its_own_description(author):
    page = send_item_form(author, author.page(f"{ITEMS}/two"), figure=BOX, stimulus="Look here.")

    assert "The question is saved." in page.text
    assert draft_items()["two"]["stimulus"].startswith(f"Look here.\n\n::: figure {BOX}\n")
    assert item_form(page).fields["figure_words"][0].strip()  # from the drawing
    page = send_item_form(author, page, figure="", figure_words="")
    assert draft_items()["two"]["stimulus"] == "Look here."


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"figure": "media/gone.svg"}, "Select a figure of this module, or “No figure”"),
        ({"figure_words": "A box."}, "Select the figure that you describe, or clear its description"),
        ({"figure": BOX, "figure_words": "A box.\n:::\nMore."}, "Remove the line that begins with :::"),
    ],
    ids=["unknown", "no figure", "a mark"],
)
def test_a_wrong_figure_is_said_beside_its_field_and_kept(author, typed, sentence):
    page = send_item_form(author, author.page(f"{ITEMS}/two"), 400, prompt="Kept?", **typed)

    assert error_sentences(page) == [sentence]
    assert item_form(page).fields["prompt"][0].strip() == "Kept?"
    assert "stimulus" not in draft_items()["two"]


def add_picture(author: PortalClient, content: bytes, name: str, path: str = f"{ITEMS}/two", **typed) -> Page:
    page = author.page(path)
    file = (io.BytesIO(content), name) if name else (io.BytesIO(b""), "")
    data = {**sent_fields(page, **typed), "picture": file, "add_picture": "yes"}
    answer = author.post(page.path, data=data, content_type="multipart/form-data")
    assert answer.status_code == 200
    return Page(answer, page.path)


def test_a_new_picture_is_added_in_the_form_and_nothing_typed_is_lost(author):
    page = add_picture(author, PNG, "Gate at night.png", prompt="Whom do you see?", figure_words="A gate.")

    assert "media/gate-at-night.png" in queries.get_draft("sample").files
    assert item_form(page).fields["prompt"][0].strip() == "Whom do you see?"
    assert draft_items()["two"]["prompt"] == "What is it?"
    send_item_form(author, page)
    assert draft_items()["two"]["stimulus"] == "::: figure media/gate-at-night.png\nA gate.\n:::"


def test_a_drawing_is_added_to_a_new_question_and_a_check(author):
    for path in (f"{ITEMS}/_new?kind=order", "/authoring/sample/lessons/first/checks/_new?kind=single"):
        name = "Route.svg" if "items" in path else "Way.svg"
        page = add_picture(author, SVG.encode(), name, path, prompt="In which order?")
        assert f"media/{name.lower()}" in queries.get_draft("sample").files
        assert item_form(page).fields["prompt"][0].strip() == "In which order?"


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"", "", "Choose a file"),
        (PNG, "Gate.png", "Write what the picture shows, then add it"),
        (b"MZ", "Gate.png", "Choose an SVG, PNG, JPEG, WebP or PDF file."),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "x.svg", "of the drawing"),
        (SVG.encode(), "box.svg", "There is a file “box.svg” already."),
    ],
    ids=["nothing", "no words", "no picture", "script", "same name"],
)
def test_a_wrong_picture_is_refused_in_a_sentence_and_nothing_typed_is_lost(author, content, name, sentence):
    before = queries.get_draft("sample").files

    page = add_picture(author, content, name, prompt="Kept?")

    assert sentence in error_sentences(page)[0]
    assert item_form(page).fields["prompt"][0].strip() == "Kept?"
    assert queries.get_draft("sample").files == before
