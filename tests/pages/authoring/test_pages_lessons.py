"""The editor of a lesson: written, added to, previewed, saved, refused; a new lesson, and one taken out."""

import hashlib

import pytest

from portal.domain.authoring import queries
from portal.domain.authoring.files import SNIPPETS
from tests.domain.catalogue.folders import SVG, lesson
from tests.pages.account.browsing import another
from tests.pages.authoring.authors import (
    DESK,
    LESSON,
    draft_file,
    editor_fields,
    error_sentences,
    open_draft,
    press_button,
    preview_words,
    publish_sample_module,
    sign_in_author,
)

FIRST = "lessons/first.md"


def test_what_is_written_is_saved_and_shown(desk):
    page = press_button(
        desk, title="A new title", body="## Stop\r\n\r\nAsk **why**.\r\n", minutes="4", outcomes="say"
    )

    assert page.h1 == "A new title"
    assert "Saved" in page.text
    assert preview_words(page) == "A new title Stop Ask why."
    assert draft_file(FIRST) == (
        '+++\ntitle = "A new title"\nminutes = 4\noutcomes = ["say"]\n+++\n\n## Stop\n\nAsk **why**.\n'
    )


def test_words_are_counted_against_what_a_lesson_has(desk):
    assert "3 words. A lesson has 350 to 600." in desk.page(LESSON).text


def test_minutes_and_reading_grade_are_told_of_what_is_written(desk):
    page = press_button(desk, button="Preview", body="You ring early. They come soon. " * 40)

    assert "240 words. A lesson has 350 to 600. It takes about 2 minutes. Reading grade" in page.text


def test_the_draft_says_what_serves_each_outcome_and_whether_length_gives_answers_away(desk):
    page = desk.page("/authoring/sample")

    assert "See a thing 2 lessons, 1 question" in page.text
    assert "Say a thing 2 lessons, 1 question" in page.text
    assert "The right choice is the longest in 0 of 2 questions" in page.text


def test_nothing_is_saved_by_preview(desk):
    before = draft_file(FIRST)

    page = press_button(desk, button="Preview", body="Not yet.")

    assert "This is not saved yet" in page.text
    assert preview_words(page) == "A lesson Not yet."
    assert editor_fields(page)["body"] == ["Not yet."]
    assert draft_file(FIRST) == before


def test_a_preview_of_what_is_saved_is_not_called_unsaved(desk):
    page = press_button(desk, button="Preview")

    assert "This is not saved yet" not in page.text
    assert "Preview at phone width, as saved" in page.text


@pytest.mark.parametrize("typed", ["999", "0", "some"])
def test_minutes_that_no_lesson_has_are_told_once_and_as_the_form_tells_them(desk, typed):
    previewed = press_button(desk, button="Preview", minutes=typed)
    refused = press_button(desk, minutes=typed)

    assert "Enter the minutes as a whole number from 1 to 60, such as 3" in refused.text
    for page in (previewed, refused):
        assert "Minutes needs a whole number from 1 to 60." in page.text
        assert "1 or more" not in page.text
        assert "The lesson says" not in page.text


@pytest.mark.parametrize("box", SNIPPETS, ids=lambda box: box.name)
def test_each_box_is_added_to_the_end_of_the_text_unsaved(desk, box):
    before = draft_file(FIRST)
    page = desk.page(f"{LESSON}?as=text")

    page = desk.press(page, box.label, add=box.name, body="Look here.")

    (body,) = editor_fields(page)["body"]
    assert body.startswith(f"Look here.\n\n::: {box.name}")
    assert body.endswith(":::\n")
    assert draft_file(FIRST) == before
    assert box.purpose in page.text
    told = preview_words(page).partition("Put right:")[2]
    assert told == "" or "the template’s text" in told or box.name == "figure"


def test_a_figure_offers_a_drawing_of_the_module(desk):
    page = desk.press(desk.page(LESSON), "Figure", add="figure", body="Look.")

    assert "::: figure media/box.svg" in editor_fields(page)["body"][0]


def test_a_second_check_gets_a_key_of_its_own(desk):
    page = desk.press(desk.page(f"{LESSON}?as=text"), "Check", add="check", body="Look.")
    page = desk.press(page, "Check", add="check")

    (body,) = editor_fields(page)["body"]
    assert body.count('key = "check-1"') == body.count('key = "check-2"') == 1
    assert "Two checks" not in page.text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"title": " "}, "Enter a title, such as “Refer or notify”"),
        ({"title": "x" * 121}, "This has 121 characters. Shorten it to 120 or fewer."),
        ({"body": " \r\n"}, "Write the lesson’s text"),
        ({"minutes": "three"}, "Enter the minutes as a whole number from 1 to 60, such as 3"),
        ({"minutes": "0"}, "Enter the minutes as a whole number from 1 to 60, such as 3"),
        ({"outcomes": []}, "Select at least one outcome that the lesson covers"),
        (
            {"body": "x" * 60_001},
            "This has 60,001 characters. Shorten it to 60,000 or fewer.",
        ),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_kept(desk, wrong, sentence):
    before = draft_file(FIRST)

    page = press_button(desk, **{"title": "Kept title", **wrong})

    assert error_sentences(page) == [sentence]
    assert draft_file(FIRST) == before
    for name, value in wrong.items():
        if isinstance(value, str) and value.strip():
            assert editor_fields(page)[name] == [value]


def test_what_nobody_can_see_in_a_copied_text_is_left_out(desk):
    press_button(desk, title="A\x00\ufeff title", body="One\x0btwo\x07.\rThree.")

    assert 'title = "A title"' in draft_file(FIRST)
    assert draft_file(FIRST).endswith("One\ntwo.\nThree.\n")


def test_a_megabyte_in_one_field_comes_back_with_a_sentence(desk):
    page = press_button(desk, body="words " * 175_000)

    (sentence,) = error_sentences(page)
    assert sentence == "This has 1,050,000 characters. Shorten it to 60,000 or fewer."
    assert len(editor_fields(page)["body"][0]) == 1_050_000


def test_a_finding_quotes_its_place_and_links_to_its_mark(desk):
    page = press_button(
        desk, body="Fine.\n\nRead [this](lesson:nowhere).\n\n- one\n- two\n\n::: figure media/box.svg\n:::\n"
    )

    assert page.links["“Read [this](lesson:nowhere).”"] == "#mark-1"
    assert page.links["Figure box.svg"] == "#mark-2"
    shown = preview_words(page)
    assert shown.index("Put right: There is no lesson “nowhere”") < shown.index("one")
    assert (
        "Put right: A figure has no text alternative. Between ::: figure and :::, write what it shows."
        in shown
    )
    assert "2 things to put right" in page.text


def test_a_finding_is_marked_below_a_box_that_was_not_closed(desk):
    page = press_button(desk, body="Fine.\n\n::: inset\nOne.\n")

    assert preview_words(page).endswith("Add a line ::: below its text.")


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        '<img src="x" onerror="alert(1)">',
        "\ue0001\ue001",
        "::: details <script>alert(1)</script>\nx\n:::",
    ],
)
def test_no_text_becomes_a_script_in_the_preview(desk, hostile):
    page = press_button(desk, body=f"Look.\n\n{hostile}\n")

    pane = next(div for div in page.all("div") if div.get("id") == "preview")
    assert not [e for e in pane.iter() if e.tag.endswith(("script", "}img"))]
    assert not [a for e in pane.iter() for a, v in e.items() if a.startswith("on") or "javascript:" in v]
    assert editor_fields(page)["body"] == [f"Look.\n\n{hostile}"]


def test_the_live_preview_shows_the_same_and_saves_nothing(desk):
    before = draft_file(FIRST)
    form = desk.page(LESSON).form_with("Save and preview")
    sent = {**form.fields, "body": "Read [this](lesson:nowhere).", "title": "While I write"}

    answer = desk.post(f"{DESK}/render", data=sent)

    shown = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert 'id="told"' in shown
    assert 'id="findings"' in shown
    assert "While I write" in shown
    assert "There is no lesson “nowhere”" in shown
    assert "<html" not in shown
    assert draft_file(FIRST) == before


def test_the_preview_shows_the_drawing_for_phones(client, tmp_path):
    narrow = SVG.replace("0 0 100 50", "0 0 50 100")
    publish_sample_module(
        tmp_path,
        {
            "sample/lessons/first.md": lesson("Look.\n\n::: figure media/box.svg\nA box.\n:::\n"),
            "sample/media/box.narrow.svg": narrow,
        },
    )
    open_draft(sign_in_author(client))

    page = client.page(LESSON)

    (source,) = page.all("source")
    digest = hashlib.sha256(narrow.encode()).hexdigest()
    assert source.get("media") == "all"
    assert source.get("srcset") == f"{DESK}/media/{digest}/box.narrow.svg"
    assert client.get(source.get("srcset")).status_code == 200


def test_a_lesson_is_added_at_the_end_and_written_next(desk):
    page = desk.press(
        desk.page(f"{DESK}/lessons/_new"), "Add the lesson", title="Who’s who?", minutes="2", outcomes="see"
    )

    assert page.h1 == "Who’s who?"
    assert "Lesson 3 of 3" in page.text
    assert 'lessons = ["first", "second", "whos-who"]' in draft_file("module.toml")
    again = desk.press(
        desk.page(f"{DESK}/lessons/_new"), "Add the lesson", title="Who’s who?", minutes="2", outcomes="see"
    )
    assert again.path.endswith("/lessons/_new")
    assert '"whos-who-2"]' in draft_file("module.toml")


def test_what_a_new_lesson_lacks_is_said(desk):
    page = desk.press(desk.page(f"{DESK}/lessons/_new"), "Add the lesson", title="", minutes="")

    assert error_sentences(page) == [
        "Enter a title, such as “Refer or notify”",
        "Enter the minutes as a whole number from 1 to 60, such as 3",
        "Select at least one outcome that the lesson covers",
    ]


def test_removing_a_lesson_says_what_happens_and_history_brings_it_back(desk):
    press_button(desk, body="Go to [the other](lesson:second).")

    page = desk.page(f"{DESK}/lessons/second/remove")
    assert "“A lesson” links to it" in page.text
    page = desk.press(page, "Remove the lesson")

    assert "lessons/second.md" not in queries.get_draft("sample").files
    assert 'lessons = ["first"]' in draft_file("module.toml")
    assert "There is no lesson “second”" in page.text
    desk.press(desk.page(f"{DESK}/history"), "Bring this back, state 2", number="2")
    assert "lessons/second.md" in queries.get_draft("sample").files


def test_a_session_of_nobody_sees_no_lesson(app, desk):
    assert another(app).page(LESSON).h1 == "Sign in"
    stranger = another(app)
    sign_in_author(stranger, "D1001", "manager")
    assert stranger.get(LESSON).status_code == 403
