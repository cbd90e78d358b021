"""A lesson that is a case at the authoring desk: made, edited as text, previewed, moved, published, shown."""

import re

import pytest
from sqlalchemy import select

from portal.domain.authoring import queries
from portal.domain.authoring.content_diff import diff_folders
from portal.domain.catalogue.models import Lesson
from portal.platform.db import db
from tests.domain.catalogue.pictures_written import PICTURE
from tests.page_reading import Page, PortalClient
from tests.pages.assessment.choosing import values_of_labels
from tests.pages.authoring.desk import author_of_questions
from tests.pages.learning.test_cases import case_file

CASE = "lessons/the-lay-by.toml"
LESSON = {"title": "The lay-by", "minutes": "4", "outcomes": ["see"]}


@pytest.fixture
def author(app, database) -> PortalClient:
    return author_of_questions(app, "single")


def add_case(author: PortalClient, kind: str) -> Page:
    page = author.page("/authoring/sample/lessons/_new")
    return author.press(page, "Add the lesson", kind=kind, **LESSON)


@pytest.mark.parametrize("kind", ["call", "picture", "report", "scenario"])
def test_a_new_case_is_whole_but_for_its_words(author, kind):
    page = add_case(author, kind)

    assert page.h1 == "The lay-by"
    assert "This is still the template’s text. Write your own." in page.text
    assert "".join(page.all("textarea")[0].itertext()).strip().startswith("title = ")
    findings = author.page("/authoring/sample").text
    assert "a case to work through" in findings
    assert "is missing" not in findings


def test_a_case_is_edited_as_text_and_previewed_step_by_step(author):
    page = add_case(author, "scenario")
    text = case_file("scenario")
    page = author.press(
        page, "Save and preview", save="yes", body=text.replace('to = "safe"', 'to = "sfae"', 1)
    )
    assert "There is no scene “sfae”." in page.text
    page = author.press(page, "Save and preview", save="yes", body=text)
    assert page.h1 == "A case"
    assert queries.read_files(queries.get_draft("sample").files)[CASE] == text.encode()

    shown = author.page("/authoring/sample/preview/lessons/the-lay-by")
    for choice in ("Open the doors", "Close the road"):
        shown = author.press(shown, "Decide", choice=values_of_labels(shown, choice))
    assert "Two ways led here." in shown.text
    assert "colleagues" not in shown.text


def test_a_picture_is_told_what_is_missing_and_previewed_with_its_verdicts(author):
    page = add_case(author, "picture")
    assert "There is no file “name.svg” among the media. Upload it" in page.text
    text = (
        re.sub(r"narrow = .*\n", "", PICTURE)
        .replace("yard.svg", "box.svg")
        .replace("0, 20, 100, 60]", ", 2, 15, 9]")
    )
    page = author.press(page, "Save and preview", save="yes", body=text)
    assert queries.read_files(queries.get_draft("sample").files)[CASE] == text.encode()

    shown = author.page("/authoring/sample/preview/lessons/the-lay-by")
    assert "/authoring/sample/media/" in shown.html
    shown = author.press(shown, "Check", place=values_of_labels(shown, "1. The gate"))
    assert "You found 1 of 2 places that matter" in shown.text


def test_a_call_is_kept_byte_for_byte_and_previewed_to_its_debrief(author):
    page, text = add_case(author, "call"), case_file("call")
    page = author.press(page, "Save and preview", save="yes", body=text.replace("who/ages", "who/age", 1))
    assert "“who/age” is no right choice of a bit." in page.text
    author.press(page, "Save and preview", save="yes", body=text)
    assert queries.read_files(queries.get_draft("sample").files)[CASE] == text.encode()

    shown = author.page("/authoring/sample/preview/lessons/the-lay-by")
    for choice in ("How old", "Read me both"):
        shown = author.press(shown, "Say this", choice=values_of_labels(shown, choice))
    shown = author.press(shown, "Finish and compare", **{"answer-1": "9", "answer-2": "c.1"})
    assert "You asked 2 of 2 good questions, and passed on 2 of 2 things" in shown.text


def test_a_case_is_moved_and_removed_as_any_lesson(author):
    add_case(author, "report")
    page = author.page("/authoring/sample")
    token = page.all("input", name="csrf_token")[0].get("value")
    author.post("/authoring/sample/lessons/_order", data={"csrf_token": token, "up": "the-lay-by"})
    before, after = {}, queries.read_files(queries.get_draft("sample").files)
    change = next(each for each in diff_folders(before, after) if each.place == "lesson:the-lay-by")
    assert change.title == "Lesson 2, The lay-by"
    assert [passage.summary for passage in change.passages] == ["New lesson"]
    changed = {**after, CASE: after[CASE].replace(b"The lay-by", b"The bridge")}
    assert [each.place for each in diff_folders(after, changed)] == ["lesson:the-lay-by"]

    author.press(author.page("/authoring/sample/lessons/the-lay-by/remove"), "Remove the lesson")

    assert CASE not in queries.get_draft("sample").files


def test_two_authors_of_one_case_see_both_texts(app, author):
    page = add_case(author, "report")
    text = case_file("report")
    author.press(page, "Save and preview", save="yes", body=text)

    late = author.press(
        page, "Save and preview", status=409, save="yes", body=text.replace("02:10", "03:10"), quiet_off="1"
    )

    assert "saved this after you opened it" in late.h1
    assert db.session.scalars(select(Lesson.case_kind)).all() == [None, None]
