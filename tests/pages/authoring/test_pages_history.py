"""A draft's history, the version it was begun before, the job aid, and the draft as a learner meets it."""

import pytest

from portal.domain.authoring import queries
from portal.domain.catalogue import services as catalogue
from portal.domain.learning import queries as learning
from portal.platform.db import stamp, transaction
from tests.domain.catalogue.folders import MODULE, lesson, write
from tests.page_reading import words
from tests.pages.account.browsing import another
from tests.pages.assessment import choosing
from tests.pages.authoring.authors import (
    DESK,
    LESSON,
    draft_file,
    error_sentences,
    press_button,
    preview_words,
    sign_in_author,
)
from tests.pages.authoring.drafting import save_draft

FIRST = "lessons/first.md"


def history_rows(page) -> list[list[str]]:
    return [[words(cell) for cell in row] for row in page.all("tbody")[0]]


def test_every_save_is_told_and_any_can_be_brought_back(desk):
    before = draft_file(FIRST)
    press_button(desk, title="First try", body="One.")
    press_button(desk, title="Second try", body="Two.")

    page = desk.page(f"{DESK}/history")
    assert [row[:3] for row in history_rows(page)] == [
        ["3", "“Second try” edited", "Priya Shah"],
        ["2", "“First try” edited", "Priya Shah"],
        ["1", "Version 1 as published", "Priya Shah"],
    ]
    page = desk.press(page, "Bring this back, state 1", number="1")

    assert draft_file(FIRST) == before
    assert "State 1 is back" in page.text
    assert history_rows(desk.page(f"{DESK}/history"))[0][1] == "Brought state 1 back"


@pytest.mark.slow
def test_saves_of_one_piece_of_work_are_one_line_until_every_one_is_asked_for(desk):
    for words_so_far in ("One.", "One two.", "One two three."):
        press_button(desk, body=words_so_far)
    press_button(desk, title="Another title")

    page = desk.page(f"{DESK}/history")
    assert [(row[0], row[1]) for row in history_rows(page)] == [
        ("5", "“Another title” edited"),
        ("4", "“A lesson” edited3 saves, the last one shown"),
        ("1", "Version 1 as published"),
    ]
    page = desk.page(page.links["Show every save, 2 more"])
    assert [row[0] for row in history_rows(page)] == ["5", "4", "3", "2", "1"]
    desk.press(page, "Bring this back, state 2", number="2")
    assert draft_file(FIRST).endswith("One.\n")


@pytest.mark.slow
def test_a_long_history_has_pages(desk):
    for number in range(26):
        press_button(desk, title=f"Try {number}")

    page = desk.page(f"{DESK}/history")

    assert len(history_rows(page)) == 25
    assert "Showing 1 to 25 of 27" in page.text
    assert history_rows(desk.page(page.links["Next 2"]))[-1][1] == "Version 1 as published"


@pytest.mark.parametrize("number", ["", "99", "-1", "x", "²"])
def test_a_state_that_is_none_cannot_be_brought_back(desk, number):
    form = desk.page(f"{DESK}/details").form_with("Save the details")

    answer = desk.post(f"{DESK}/history", data={"csrf_token": form.fields["csrf_token"], "number": number})

    assert answer.status_code in {404, 409}


def test_a_reader_brings_nothing_back(app, desk):
    press_button(desk, body="One.")
    publisher = another(app)
    sign_in_author(publisher, "D3002", "publisher")

    page = publisher.page(f"{DESK}/history")

    assert not [b for b in page.all("button") if b.get("name") == "number"]
    assert publisher.post(f"{DESK}/history", data={"number": "1"}).status_code in {400, 403}


# --- a version published meanwhile ------------------------------------------------------------------------


def publish_newer_version(folder, body: str) -> None:
    with transaction():
        catalogue.publish_folder(write(folder, {"sample/lessons/first.md": lesson(body)}), at=stamp())


def test_a_version_published_meanwhile_is_brought_in(desk, tmp_path):
    press_button(desk, desk.page(f"{DESK}/lessons/second"), body="Mine in the second.")
    publish_newer_version(tmp_path, "Theirs in the first.\n")
    page = desk.page(DESK)
    assert "Version 2 was published after this draft was started from version 1" in page.text

    page = desk.press(desk.page(f"{DESK}/bring-in"), "Bring version 2 in")

    assert "Version 2 is brought in. Your own changes are kept." in page.text
    assert "Theirs in the first." in draft_file(FIRST)
    assert "Mine in the second." in draft_file("lessons/second.md")
    assert desk.page(f"{DESK}/bring-in").h1 == "Sample: a small module"


@pytest.mark.parametrize(("side", "kept"), [("mine", "Mine here."), ("theirs", "Theirs here.")])
def test_where_both_changed_one_place_the_author_chooses(desk, tmp_path, side, kept):
    press_button(desk, body="Mine here.")
    publish_newer_version(tmp_path, "Theirs here.\n")
    page = desk.press(desk.page(f"{DESK}/bring-in"), "Bring version 2 in", 409)
    assert "Theirs" in words(page.all("del")[0])
    assert "Mine here." in draft_file(FIRST)

    page = desk.press(page, "Bring version 2 in")
    assert error_sentences(page) == ["Choose what to keep: Lesson “First”"]
    page = desk.press(page, "Bring version 2 in", **{f"keep:{FIRST} text below": side})

    assert "Version 2 is brought in" in page.text
    assert kept in draft_file(FIRST)
    before = queries.state_files(desk.draft, queries.get_draft("sample").number - 1)
    assert b"Mine here." in before[FIRST]


def test_a_question_and_a_detail_that_both_changed_are_asked_by_their_names(desk, tmp_path):
    bank = draft_file("items/bank.toml")
    sides = [
        {
            "module.toml": MODULE.replace("a small", size),
            "items/bank.toml": bank.replace("What is it?", asks, 1),
        }
        for size, asks in (("my", "What was it?"), ("their", "What will it be?"))
    ]
    save_draft(desk.draft, {path: text.encode() for path, text in sides[0].items()}, by=desk.person)
    with transaction():
        files = {f"sample/{path}": text for path, text in sides[1].items()}
        catalogue.publish_folder(write(tmp_path, files), at=stamp())

    page = desk.press(desk.page(f"{DESK}/bring-in"), "Bring version 2 in", 409)

    assert {"Question “One”", "Module details: title"} <= {words(each) for each in page.all("h2")}
    assert "their" in {words(each) for each in page.all("del")}
    assert {"my", "was"} <= {words(each) for each in page.all("ins")}
    choices = {"keep:items/bank.toml question one": "theirs", "keep:module.toml title": "mine"}
    assert "Version 2 is brought in" in desk.press(page, "Bring version 2 in", **choices).text
    assert "What will it be?" in draft_file("items/bank.toml")
    assert 'title = "Sample: my module"' in draft_file("module.toml")


# --- the job aid ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(("place", "name"), [("job-aid", "job aid"), ("briefing", "briefing")])
def test_a_sheet_is_edited_previewed_removed_and_written_anew(desk, place, name):
    aid = f"{DESK}/{place}"
    page = press_button(desk, desk.page(aid), title="In the field", body="1. Call first.")
    assert preview_words(page) == "In the field Call first."
    assert draft_file(f"{place}.md") == '+++\ntitle = "In the field"\n+++\n\n1. Call first.\n'
    assert "Call first." in desk.page(f"{DESK}/preview/{place}").text

    page = desk.press(desk.page(f"{aid}/remove"), f"Remove the {name}")
    assert f"{place}.md" not in queries.get_draft("sample").files
    assert page.links[f"Write a {name}"] == aid

    page = press_button(desk, desk.page(aid), title="Again", body="Do that.")
    assert draft_file(f"{place}.md") == '+++\ntitle = "Again"\n+++\n\nDo that.\n'


def test_a_check_has_no_place_in_a_job_aid(desk):
    page = desk.page(f"{DESK}/job-aid")

    assert "Check" not in [words(button) for button in page.all("button")]
    page = press_button(desk, page, body="::: check\n:::\n")
    assert "Only a lesson can have a check" in page.text


# --- as a learner -----------------------------------------------------------------------------------------


def test_a_draft_is_read_as_a_learner_reads_it_and_nothing_is_kept(desk):
    press_button(desk, title="New title", body="New words.")

    page = desk.page(f"{DESK}/preview")
    assert page.h1 == "Sample: a small module"
    page = desk.page(page.links["1. New title"])
    assert "New words." in page.text
    assert "Draft of version 2, not published." in page.text
    page = desk.press(page, "Mark as complete and continue")
    assert "Lesson 2 of 2" in page.text
    page = desk.press(page, "Mark as complete and continue")
    assert page.h1 == "What is it?"
    assert learning.module_progress(desk.person, "sample").progress is None


def test_links_of_a_preview_stay_in_it(desk):
    press_button(desk, body="Go to [the other](lesson:second).")
    assert desk.page(LESSON).links["the other"] == f"{DESK}/preview/lessons/second"
    for path in ("preview", "preview/lessons/first", "preview/lessons/second", "preview/job-aid"):
        page = desk.page(f"{DESK}/{path}")
        main = page.all("main")[0]
        inside = {a.get("href") for a in main.iter() if a.tag.endswith("}a")}
        assert not [link for link in inside if link.startswith(("/learning", "/assessment"))]


def test_a_question_is_asked_and_read_back_as_after_a_pass(desk):
    question = f"{DESK}/preview/items/one"
    page = desk.press(desk.page(question), "Save and continue")
    assert error_sentences(page)

    page = desk.press(page, "Save and continue", choice=choosing.values_of_labels(page, "That"))

    assert "That – your answer" in page.text
    assert "This – right Yes." in page.text
    assert "Because it is." in page.text
    assert page.links["Question 2"] == f"{DESK}/preview/items/two"


@pytest.mark.parametrize("path", ["preview/lessons/nowhere", "preview/items/none", "lessons/nowhere"])
def test_what_is_not_there_is_not_found(desk, path):
    desk.page(f"{DESK}/{path}", 404)


def test_the_live_preview_of_a_place_that_is_none_is_not_found(desk):
    token = desk.page(LESSON).form_with("Save and preview").fields["csrf_token"]

    for place in ("", "lesson:", "lesson:nowhere", "item:nowhere", "new-item:riddle", "cover"):
        assert desk.post(f"{DESK}/render", data={"csrf_token": token, "place": place}).status_code == 404
