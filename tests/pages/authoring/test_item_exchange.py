"""Questions from a file at the desk: a look first, nothing written, then added; and out again."""

import io
import zipfile

import pytest
from sqlalchemy import func, select

from portal.domain.authoring import queries
from portal.domain.authoring.item_exchange.questions import MOST_QUESTIONS
from portal.domain.authoring.models import DraftSave
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.domain.authoring.item_exchange.foreign_files import BANK, SINGLE, moodle
from tests.page_reading import Page, words
from tests.pages.authoring.authors import (
    DESK,
    draft_file,
    error_sentences,
    open_draft,
    publish_sample_module,
    sign_in_author,
)
from tests.pages.authoring.test_media import post_file

IMPORT, EXPORT = f"{DESK}/items/_import", f"{DESK}/items/_export"


@pytest.fixture
def desk(client, tmp_path):
    """The sample module published, a draft of it open, and an author signed in."""
    publish_sample_module(tmp_path)
    open_draft(sign_in_author(client))
    return client


def look_at(client, content: bytes) -> Page:
    """Choose a file and press the button."""
    form = client.page(IMPORT).form_with("Look at the questions")
    return Page(post_file(client, form, content, "bank.txt"), IMPORT)


def chosen_outcome(page: Page, number: int) -> str:
    """What is chosen in the list beside a question."""
    (field,) = (box for box in page.all("select") if box.get("name") == f"outcome-{number}")
    return next(o.get("value") for o in field if o.get("selected") is not None) or ""


def count_states() -> int:
    return db.session.scalar(select(func.count()).select_from(DraftSave)) or 0


def test_each_question_is_shown_with_what_becomes_of_it_and_nothing_is_written(desk):
    states = count_states()

    page = look_at(desk, BANK)

    assert page.h1 == "6 of 9 questions can come"
    assert "Nothing has been added yet." in page.text
    assert "Which colour has a stop sign? One right choice · “Colour”" in page.text
    assert "Red (right)" in page.text
    assert "8. Notice It is a text that asks nothing. Put it into a lesson." in page.text
    assert page.form_with("Add these 6 questions")
    assert [chosen_outcome(page, number) for number in (1, 2)] == ["see", "see"]
    assert count_states() == states


def test_they_are_added_once_the_author_says_so_and_leave_every_other_file_alone(desk):
    before = queries.get_draft("sample").files
    page = look_at(desk, BANK)

    unsure = desk.press(page, "Add these 6 questions", 400, **{"outcome-1": ""})
    assert error_sentences(unsure) == ["Choose an outcome for all questions, or one for each"]
    added = desk.press(unsure, "Add these 6 questions", **{"outcome": "say", "outcome-2": "-"})

    assert "5 questions added." in added.text
    files = queries.get_draft("sample").files
    assert files.keys() - before.keys() == {"items/imported-1.toml"}
    assert {path: files[path] for path in before} == before
    text = draft_file("items/imported-1.toml")
    assert text.startswith(
        '[[item]]\nkey = "Colour"\noutcome = "say"\nkind = "single"\nsource = "practice"\n'
    )
    assert "The tide" not in text
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "items.imported")).one()
    assert event.detail["number"] == 5


def test_what_the_draft_has_already_is_left_out_unless_the_author_wants_it(desk):
    desk.press(look_at(desk, moodle(SINGLE)), "Add these 1 question", outcome="see")

    again = look_at(desk, moodle(SINGLE))

    assert "The bank has a question with the same words already: “Q”." in again.text
    assert again.form_with("Add these 0 questions")
    assert chosen_outcome(again, 1) == "-"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<!DOCTYPE quiz [<!ENTITY a 'b'>]><quiz/>", "The XML has a document type"),
        (b"%PDF-1.7", "This is no Moodle XML or QTI file."),
        (moodle(*[SINGLE] * (MOST_QUESTIONS + 1)), f"The file has more than {MOST_QUESTIONS} questions."),
    ],
    ids=["entity", "pdf", "many"],
)
def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(desk, content, sentence):
    (error,) = error_sentences(look_at(desk, content))

    assert error.startswith(sentence)


@pytest.mark.parametrize(
    "questions",
    ["", "[", "[1]", '[{"key": "x"}]', '[{"key": "x", "kind": "single", "choice": 1}]', "[" * 5_000],
    ids=["empty", "cut", "number", "part", "wrong", "deep"],
)
def test_a_forged_form_adds_nothing(desk, questions):
    page = look_at(desk, moodle(SINGLE))
    form = page.form_with("Add these 1 question")
    states = count_states()

    response = desk.post(
        form.action,
        data={**{k: v[0] for k, v in form.fields.items()}, "questions": questions, "outcome": "see"},
    )

    assert response.status_code == 409
    assert count_states() == states


def test_questions_go_out_in_both_formats_and_it_is_recorded(desk):
    page = desk.page(EXPORT)
    moodle_file = desk.get(f"{EXPORT}/file?format=moodle")
    package = desk.get(f"{EXPORT}/file?format=qti3")

    assert "questions can go into a file for another system, with the right answers." in page.text
    assert moodle_file.headers["Content-Disposition"] == "attachment; filename=sample-questions.xml"
    assert b"<quiz>" in moodle_file.data
    names = zipfile.ZipFile(io.BytesIO(package.data)).namelist()
    assert names[0] == "imsmanifest.xml"
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "items.exported")).all()
    assert [event.detail["format"] for event in events] == ["moodle", "qti3"]
    assert desk.get(f"{EXPORT}/file?format=csv").status_code == 404


def test_the_draft_page_leads_to_both(desk):
    links = {words(link): link.get("href") for link in desk.page(DESK).all("a")}

    assert links["Add questions from a file"] == IMPORT
    assert links["Take the questions out"] == EXPORT
