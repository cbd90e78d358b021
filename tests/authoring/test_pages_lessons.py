"""The editor of a lesson: written, previewed, saved, saved too late, and two authors at once."""

import hashlib
from datetime import timedelta

import pytest
import time_machine

from portal import clock
from portal.authoring import queries, services
from portal.authoring.boxes import BOXES
from portal.db import stamp, transaction
from tests.accounts.browsing import PASSWORD, another
from tests.authoring.authors import DESK, LESSON, author, errors, held, open_draft, publish
from tests.catalogue.folders import SVG, lesson
from tests.pages import words

FIRST = "lessons/first.md"


@pytest.fixture
def desk(client, tmp_path):
    """A draft of the module, and its author signed in."""
    publish(tmp_path)
    client.person = author(client)
    client.draft = open_draft(client.person)
    return client


def save(client, page=None, button="Save and preview", status=200, **typed):
    """Press a button of the editor as a browser does: the pressed one alone is sent."""
    names = {"Save and preview": "save", "Preview": "preview", "Leave without saving": "leave"}
    return client.press(
        page or client.page(LESSON), button, status, **{names.get(button, "save"): "yes"}, **typed
    )


def preview(page) -> str:
    return words(next(div for div in page.all("div") if div.get("id") == "preview"))


def typed(page) -> dict[str, list[str]]:
    return page.form_with("Save and preview").fields


def test_what_is_written_is_saved_and_shown(desk):
    page = save(
        desk, title="A new title", body="## Stop\r\n\r\nAsk **why**.\r\n", minutes="4", outcomes="say"
    )

    assert page.h1 == "A new title"
    assert "Saved" in page.text
    assert preview(page) == "A new title Stop Ask why."
    assert held(FIRST) == (
        '+++\ntitle = "A new title"\nminutes = 4\noutcomes = ["say"]\n+++\n\n## Stop\n\nAsk **why**.\n'
    )


def test_words_are_counted_against_what_a_lesson_has(desk):
    assert "3 words. A lesson has 350 to 600." in desk.page(LESSON).text


def test_nothing_is_saved_by_preview(desk):
    before = held(FIRST)

    page = save(desk, button="Preview", body="Not yet.")

    assert "This is not saved yet" in page.text
    assert preview(page) == "A lesson Not yet."
    assert typed(page)["body"] == ["Not yet."]
    assert held(FIRST) == before


@pytest.mark.parametrize("box", BOXES, ids=lambda box: box.name)
def test_each_box_is_added_to_the_end_of_the_text_unsaved(desk, box):
    before = held(FIRST)
    page = desk.page(LESSON)

    page = desk.press(page, box.label, add=box.name, body="Look here.")

    (body,) = typed(page)["body"]
    assert body.startswith(f"Look here.\n\n::: {box.name}")
    assert body.endswith(":::\n")
    assert held(FIRST) == before
    assert box.does in page.text
    if box.name != "figure":
        assert "Put right" not in page.text


def test_a_figure_offers_a_drawing_of_the_module(desk):
    page = desk.press(desk.page(LESSON), "Figure", add="figure", body="Look.")

    assert "::: figure media/box.svg" in typed(page)["body"][0]


def test_a_second_check_gets_a_key_of_its_own(desk):
    page = desk.press(desk.page(LESSON), "Check", add="check", body="Look.")
    page = desk.press(page, "Check", add="check")

    (body,) = typed(page)["body"]
    assert body.count('key = "check-1"') == body.count('key = "check-2"') == 1
    assert "Put right" not in page.text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"title": " "}, "Enter a title, such as “Refer or notify”"),
        ({"title": "x" * 121}, "This has 121 characters. Shorten it to 120 or fewer; nothing was saved."),
        ({"body": " \r\n"}, "Write the lesson’s text"),
        ({"minutes": "three"}, "Enter the minutes as a whole number from 1 to 60, such as 3"),
        ({"minutes": "0"}, "Enter the minutes as a whole number from 1 to 60, such as 3"),
        ({"outcomes": []}, "Select at least one outcome that the lesson serves"),
        (
            {"body": "x" * 60_001},
            "This has 60,001 characters. Shorten it to 60,000 or fewer; nothing was saved.",
        ),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_kept(desk, wrong, sentence):
    before = held(FIRST)

    page = save(desk, **{"title": "Kept title", **wrong})

    assert errors(page) == [sentence]
    assert held(FIRST) == before
    for name, value in wrong.items():
        if isinstance(value, str) and value.strip():
            assert typed(page)[name] == [value]


def test_what_nobody_can_see_in_a_copied_text_is_left_out(desk):
    save(desk, title="A\x00\ufeff title", body="One\x0btwo\x07.\rThree.")

    assert 'title = "A title"' in held(FIRST)
    assert held(FIRST).endswith("One\ntwo.\nThree.\n")


def test_a_megabyte_in_one_field_comes_back_with_a_sentence(desk):
    page = save(desk, body="words " * 175_000)

    (sentence,) = errors(page)
    assert sentence == "This has 1,050,000 characters. Shorten it to 60,000 or fewer; nothing was saved."
    assert len(typed(page)["body"][0]) == 1_050_000


def test_a_finding_quotes_its_place_and_links_to_its_mark(desk):
    page = save(
        desk, body="Fine.\n\nRead [this](lesson:nowhere).\n\n- one\n- two\n\n::: figure media/box.svg\n:::\n"
    )

    assert page.links["“Read [this](lesson:nowhere).”"] == "#mark-1"
    assert page.links["“::: figure media/box.svg”"] == "#mark-2"
    shown = preview(page)
    assert shown.index("Put right: There is no lesson “nowhere”") < shown.index("one")
    assert (
        "Put right: A figure has no text alternative. Between ::: figure and :::, write what it shows."
        in shown
    )
    assert "2 things to put right" in page.text


def test_a_finding_is_marked_below_a_box_that_was_not_closed(desk):
    page = save(desk, body="Fine.\n\n::: inset\nOne.\n")

    assert preview(page).endswith("Add a line ::: below its text.")


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
    page = save(desk, body=f"Look.\n\n{hostile}\n")

    pane = next(div for div in page.all("div") if div.get("id") == "preview")
    assert not [e for e in pane.iter() if e.tag.endswith(("script", "}img"))]
    assert not [a for e in pane.iter() for a, v in e.items() if a.startswith("on") or "javascript:" in v]
    assert typed(page)["body"] == [f"Look.\n\n{hostile}"]


def test_the_live_preview_shows_the_same_and_saves_nothing(desk):
    before = held(FIRST)
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
    assert held(FIRST) == before


def test_the_preview_shows_the_drawing_for_phones(client, tmp_path):
    narrow = SVG.replace("0 0 100 50", "0 0 50 100")
    publish(
        tmp_path,
        {
            "sample/lessons/first.md": lesson("Look.\n\n::: figure media/box.svg\nA box.\n:::\n"),
            "sample/media/box.narrow.svg": narrow,
        },
    )
    open_draft(author(client))

    page = client.page(LESSON)

    (source,) = page.all("source")
    digest = hashlib.sha256(narrow.encode()).hexdigest()
    assert source.get("media") == "all"
    assert source.get("srcset") == f"{DESK}/media/{digest}/box.narrow.svg"
    assert client.get(source.get("srcset")).status_code == 200


# --- two authors ------------------------------------------------------------------------------------------


@pytest.fixture
def other(app, desk):
    """Another author, in another browser."""
    browser = another(app)
    browser.person = author(browser, "D3003", name="Ann Bell")
    return browser


def test_the_second_author_is_told_who_is_editing_and_may_take_over(desk, other):
    desk.page(LESSON)

    page = other.page(LESSON)

    assert page.h1.startswith("Priya Shah has been editing this since ")
    page = other.press(page, "Take over")
    assert page.h1 == "A lesson"
    assert desk.page(LESSON).h1.startswith("Ann Bell has been editing this since ")
    assert "has been editing this since" in desk.page(DESK).text


def test_who_left_is_no_longer_there(desk, other):
    save(desk, button="Leave without saving", body="Given up")

    assert other.page(LESSON).h1 == "A lesson"
    assert "Given up" not in held(FIRST)


def test_who_was_not_seen_for_a_while_is_no_longer_there(desk, other):
    with time_machine.travel(clock.now() - timedelta(minutes=16), tick=False), transaction():
        services.arrive(desk.draft, "lesson:first", by=desk.person, at=clock.now())

    assert other.page(LESSON).h1 == "A lesson"


def late(desk, other, mine="Mine is here.", theirs="Theirs is here."):
    """Both open the lesson, the other saves, then the first does; returns the first's page."""
    page = desk.page(LESSON)
    save(other, other.press(other.page(LESSON), "Take over"), body=theirs)
    return save(desk, page, status=409, body=mine)


def test_a_save_from_a_stale_page_shows_both_texts_and_overwrites_nothing(desk, other):
    page = late(desk, other)

    assert page.h1 == "Ann Bell saved this after you opened it"
    assert [words(e) for e in page.all("del")] == ["Theirs"]
    assert [words(e) for e in page.all("ins")] == ["Mine"]
    assert held(FIRST).endswith("Theirs is here.\n")


def test_mine_is_kept_and_theirs_stays_in_the_history(desk, other):
    page = desk.press(late(desk, other), "Keep mine", save="yes")

    assert "Saved" in page.text
    assert page.h1.startswith("Ann Bell has been editing this since ")
    assert held(FIRST).endswith("Mine is here.\n")
    state = queries.state(desk.draft, queries.draft("sample").number - 1)
    assert state[FIRST].endswith(b"Theirs is here.\n")


def test_theirs_is_kept(desk, other):
    page = late(desk, other)
    with transaction():
        services.leave(desk.draft, "lesson:first", by=other.person)

    page = desk.press(page, "Keep theirs", theirs="yes")

    assert "You kept what the other person saved" in page.text
    assert held(FIRST).endswith("Theirs is here.\n")


def test_a_stale_text_can_be_edited_before_it_is_saved(desk, other):
    page = desk.press(late(desk, other), "Edit before saving", again="yes")

    assert typed(page)["body"] == ["Mine is here."]
    save(desk, page, body="Both are here.")
    assert held(FIRST).endswith("Both are here.\n")


def test_a_save_that_is_late_twice_is_told_twice(desk, other):
    page = late(desk, other)
    save(other, other.page(LESSON), body="Theirs again.")

    page = desk.press(page, "Keep mine", 409, save="yes")

    assert [words(e) for e in page.all("del")] == ["Theirs again"]
    assert held(FIRST).endswith("Theirs again.\n")


# --- saved while one writes -------------------------------------------------------------------------------


def quietly(client, page, **changes):
    """What the page's script sends while its author thinks."""
    sent = {**page.form_with("Save and preview").fields, "quiet": "yes", **changes}
    answer = client.post(LESSON, data=sent)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_text_is_saved_while_it_is_written(desk):
    page = desk.page(LESSON)

    told = quietly(desk, page, body="So far.")

    digest = hashlib.sha256(held(FIRST).encode()).hexdigest()
    assert held(FIRST).endswith("So far.\n")
    assert f'data-expected="{digest}"' in told
    quietly(desk, page, body="So far, and further.", expected=digest)
    assert held(FIRST).endswith("So far, and further.\n")


def test_what_cannot_be_saved_while_it_is_written_says_so(desk):
    page = desk.page(LESSON)

    assert "Not saved yet: something is missing." in quietly(desk, page, title="")
    assert "Not saved yet: Priya Shah saved this after you opened it" in quietly(
        desk, page, body="Late.", expected="0" * 64
    )


def test_nothing_is_saved_by_itself_after_somebody_took_over(desk, other):
    page = desk.page(LESSON)
    other.press(other.page(LESSON), "Take over")

    told = quietly(desk, page, body="Mine.")

    assert "Not saved: Ann Bell took this over at " in told
    assert "Mine." not in held(FIRST)


# --- nothing is lost --------------------------------------------------------------------------------------


def test_a_whole_lesson_is_kept_over_a_lapse(desk):
    page = desk.page(LESSON)
    body = "It’s a “word”. " * 4_000  # 60,000 characters

    with time_machine.travel(clock.now() + timedelta(hours=2)):
        asked = save(desk, page, body=body)
        assert asked.h1 == "Sign in"
        kept = desk.press(asked, "Sign in", name="D3001", password=PASSWORD)
        assert kept.h1 == "What you sent was kept"
        done = desk.press(kept, "Continue")

    assert done.h1 == "A lesson"
    assert held(FIRST).endswith(f"{body.strip()}\n") or held(FIRST).endswith(f"{body}\n")


def test_a_text_for_a_draft_that_has_ended_is_given_back(desk):
    page = desk.page(LESSON)
    with transaction():
        services.discard(desk.draft, by=desk.person, at=stamp())

    page = save(desk, page, status=409, body="Do not lose me.")

    assert page.h1 == "This draft has ended"
    assert "Do not lose me." in page.html


def test_a_text_for_a_lesson_that_was_removed_is_given_back(desk, other):
    page = desk.page(LESSON)
    other.press(other.page(f"{LESSON}/remove"), "Remove the lesson")

    page = save(desk, page, status=409, body="Do not lose me.")

    assert page.h1 == "This part was removed"
    assert "Do not lose me." in page.html


# --- new and removed --------------------------------------------------------------------------------------


def test_a_lesson_is_added_at_the_end_and_written_next(desk):
    page = desk.press(
        desk.page(f"{DESK}/lessons/new"), "Add the lesson", title="Who’s who?", minutes="2", outcomes="see"
    )

    assert page.h1 == "Who’s who?"
    assert "Lesson 3 of 3" in page.text
    assert 'lessons = ["first", "second", "whos-who"]' in held("module.toml")
    again = desk.press(
        desk.page(f"{DESK}/lessons/new"), "Add the lesson", title="Who’s who?", minutes="2", outcomes="see"
    )
    assert again.path.endswith("/lessons/new")
    assert '"whos-who-2"]' in held("module.toml")


def test_what_a_new_lesson_lacks_is_said(desk):
    page = desk.press(desk.page(f"{DESK}/lessons/new"), "Add the lesson", title="", minutes="")

    assert errors(page) == [
        "Enter a title, such as “Refer or notify”",
        "Enter the minutes as a whole number from 1 to 60, such as 3",
        "Select at least one outcome that the lesson serves",
    ]


def test_removing_a_lesson_says_what_happens_and_history_brings_it_back(desk):
    save(desk, body="Go to [the other](lesson:second).")

    page = desk.page(f"{DESK}/lessons/second/remove")
    assert "“A lesson” has a link to it" in page.text
    page = desk.press(page, "Remove the lesson")

    assert "lessons/second.md" not in queries.draft("sample").files
    assert 'lessons = ["first"]' in held("module.toml")
    assert "There is no lesson “second”" in page.text
    desk.press(desk.page(f"{DESK}/history"), "Bring this back, state 2", number="2")
    assert "lessons/second.md" in queries.draft("sample").files


def test_a_session_of_nobody_sees_no_lesson(app, desk):
    assert another(app).page(LESSON).h1 == "Sign in"
    stranger = another(app)
    author(stranger, "D1001", "manager")
    assert stranger.get(LESSON).status_code == 403
