"""A question edited as the text of its file, which then says what was typed; no word of it is lost."""

import pytest

from config import ROOT
from portal.domain.authoring import item_files
from portal.domain.authoring.item_files import read_item_text, write_item_text
from tests.domain.catalogue.folders import ITEM
from tests.page_reading import Page, PortalClient
from tests.pages.authoring.authors import draft_file, error_sentences
from tests.pages.authoring.desk import make_person_with, open_draft_page, publish_sample, signed_in_client
from tests.pages.authoring.item_forms import ITEMS, send_item_form

BANK = "items/bank.toml"
ONE, TWO = ITEM.format(key="one", outcome="see"), ITEM.format(key="two", outcome="say")


@pytest.fixture
def author(app, database, tmp_path) -> PortalClient:
    publish_sample(tmp_path)
    make_person_with("D3001", "author")
    client = signed_in_client(app, "D3001")
    open_draft_page(client)
    return client


def save_text(author: PortalClient, text: str) -> Page:
    page = author.page(f"{ITEMS}/one/text")
    return author.press(page, "Save the question", text=text.replace("\n", "\r\n"), save="yes")


def test_the_text_of_a_shipped_question_is_its_own_lines_and_saving_them_changes_no_byte():
    for key in ("recognise", "protect", "respond", "report"):
        paths = (ROOT / "modules" / key / "items").glob("*.toml")
        files = {f"items/{path.name}": path.read_bytes() for path in paths}
        for place in item_files.read_items(files)[::15]:
            text = read_item_text(files, place.key)
            assert text in files[place.path].decode()
            assert write_item_text(files, place.key, text.replace("\n", "\r\n")) == {}


def test_what_is_typed_is_what_the_file_says(author):
    assert author.page(f"{ITEMS}/one").links["Edit as text"] == f"{ITEMS}/one/text"
    typed = ONE.replace("What is it?", "What was it?")

    page = save_text(author, f"# About the thing\n{typed}")

    assert page.h1 == "Question “One”"
    assert "The question is saved." in page.text
    assert draft_file(BANK) == f"{typed}\n{TWO}"


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("[[item]\nkey", "This text cannot be read as TOML:"),
        ("", "Write the question"),
        (ONE + TWO, "Write one question: its lines begin with [[item]], and nothing is above them."),
        (f'title = "x"\n{ONE}', "Write one question: its lines begin with [[item]], and nothing is above"),
        (ONE.replace('"one"', '"other"'), "Keep the line key = “one”."),
        (ONE.replace('"single"', '"quiz"'), "Write a kind that the portal knows: single,"),
        ("x" * 60_001, "This has 60,001 characters. Shorten it to 60,000 or fewer."),
        ("x" * 1_050_000, "This has 1,050,000 characters."),
    ],
    ids=["no TOML", "empty", "two", "more", "key", "kind", "long", "megabyte"],
)
def test_what_is_no_question_is_refused_and_kept(author, typed, sentence):
    page = author.page(f"{ITEMS}/one/text")
    answer = author.post(page.path, data={**page.form_with("Save the question").fields, "text": typed})

    page = Page(answer, page.path)
    assert answer.status_code in {400, 409}
    assert sentence.replace("“", '"').replace("”", '"') in error_sentences(page)[0]
    assert page.form_with("Save the question").fields["text"][0].strip() == typed.strip()
    assert draft_file(BANK) == ONE + TWO


@pytest.mark.parametrize(
    "line",
    [
        "source = 3",
        "prompt = 4",
        'choice = "a"',
        "stimulus = [1]",
        'retired = "y"',
        "outcome = {}",
        "extra = 1",
    ],
)
def test_the_form_opens_whatever_the_text_says(author, line):
    name = line.partition(" ")[0]
    kept = [each for each in ONE.split("\n") if not each.startswith(f"{name} =")]
    typed = "\n".join([*kept[:1], line, *kept[1:]])
    typed = typed.partition("\n[[item.choice]]")[0] + "\n" if name == "choice" else typed

    page = save_text(author, typed)

    assert page.h1 == "Question “One”"
    assert author.get("/authoring/sample").status_code == 200
    assert author.get(f"{ITEMS}/one/text").status_code == 200


def test_another_save_meanwhile_is_shown_and_not_overwritten_unasked(app, author):
    mine = author.page(f"{ITEMS}/one/text")
    make_person_with("D3003", "author")
    other = signed_in_client(app, "D3003")
    other.press(other.page(f"{ITEMS}/one"), "Take over")
    send_item_form(other, other.page(f"{ITEMS}/one"), prompt="What was it?")

    typed = ONE.replace("What is it?", "What will it be?")
    page = author.press(mine, "Save the question", 409, text=typed, save="yes")

    assert "Their text is below yours. Saving again keeps yours." in error_sentences(page)[0]
    assert "What was it?" in page.text
    assert "What was it?" in draft_file(BANK)
    author.press(page, "Save the question", save="yes")
    assert "What will it be?" in draft_file(BANK)
