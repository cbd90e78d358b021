"""Two authors at one lesson, saving while one writes, and what is given back where it could not be saved."""

import hashlib
from datetime import timedelta

import pytest
import time_machine

from portal.domain.authoring import queries, reviews, services
from portal.platform import clock
from portal.platform.db import stamp, transaction
from tests.page_reading import words
from tests.pages.account.browsing import PASSWORD, another
from tests.pages.authoring.authors import (
    DESK,
    LESSON,
    draft_file,
    editor_fields,
    error_sentences,
    press_button,
    sign_in_author,
)

FIRST = "lessons/first.md"


@pytest.fixture
def other(app, desk):
    """Another author, in another browser."""
    browser = another(app)
    browser.person = sign_in_author(browser, "D3003", name="Ann Bell")
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
    press_button(desk, button="Leave without saving", body="Given up")

    assert other.page(LESSON).h1 == "A lesson"
    assert "Given up" not in draft_file(FIRST)


def test_who_was_not_seen_for_a_while_is_no_longer_there(desk, other):
    with time_machine.travel(clock.now() - timedelta(minutes=16), tick=False), transaction():
        services.claim_place(desk.draft, "lesson:first", by=desk.person, at=clock.now())

    assert other.page(LESSON).h1 == "A lesson"


def save_after_other(desk, other, mine="Mine is here.", theirs="Theirs is here."):
    """Both open the lesson, the other saves, then the first does; returns the first's page."""
    page = desk.page(LESSON)
    press_button(other, other.press(other.page(LESSON), "Take over"), body=theirs)
    return press_button(desk, page, status=409, body=mine)


def test_a_save_from_a_stale_page_shows_both_texts_and_overwrites_nothing(desk, other):
    page = save_after_other(desk, other)

    assert page.h1 == "Ann Bell saved this after you opened it"
    assert [words(e) for e in page.all("del")] == ["Theirs"]
    assert [words(e) for e in page.all("ins")] == ["Mine"]
    assert draft_file(FIRST).endswith("Theirs is here.\n")


def test_what_two_changed_in_different_places_is_kept_by_one_button(desk, other):
    page = desk.page(LESSON)
    press_button(other, other.press(other.page(LESSON), "Take over"), title="Theirs")
    page = press_button(desk, page, status=409, body="Mine is here.")

    assert "You and Ann Bell changed different places" in page.text
    desk.press(page, "Keep both", both="yes")
    assert 'title = "Theirs"' in draft_file(FIRST)
    assert draft_file(FIRST).endswith("Mine is here.\n")


def test_where_both_changed_one_place_or_one_saved_once_more_they_are_asked_again(desk, other):
    page = save_after_other(desk, other)
    assert "Keep both" not in page.text
    forged = desk.post(LESSON, data={**page.form_with("Keep mine").fields, "both": "yes"})
    assert forged.status_code == 409

    page = desk.press(page, "Edit before saving", again="yes")
    assert page.all("form", id="editor")[0].get("data-saves") is None  # nothing is decided yet
    assert draft_file(FIRST).endswith("Theirs is here.\n")


def test_mine_is_kept_and_theirs_stays_in_the_history(desk, other):
    page = desk.press(save_after_other(desk, other), "Keep mine", save="yes")

    assert "Saved" in page.text
    assert page.h1.startswith("Ann Bell has been editing this since ")
    assert draft_file(FIRST).endswith("Mine is here.\n")
    state = queries.state_files(desk.draft, queries.get_draft("sample").number - 1)
    assert state[FIRST].endswith(b"Theirs is here.\n")


def test_theirs_is_kept(desk, other):
    page = save_after_other(desk, other)
    with transaction():
        services.leave_place(desk.draft, "lesson:first", by=other.person)

    page = desk.press(page, "Keep theirs", theirs="yes")

    assert "You kept what the other person saved" in page.text
    assert draft_file(FIRST).endswith("Theirs is here.\n")


def test_a_stale_text_can_be_edited_before_it_is_saved(desk, other):
    page = desk.press(save_after_other(desk, other), "Edit before saving", again="yes")

    assert editor_fields(page)["body"] == ["Mine is here."]
    press_button(desk, page, body="Both are here.")
    assert draft_file(FIRST).endswith("Both are here.\n")


def test_a_save_that_is_late_twice_is_told_twice(desk, other):
    page = save_after_other(desk, other)
    press_button(other, other.page(LESSON), body="Theirs again.")

    page = desk.press(page, "Keep mine", 409, save="yes")

    assert [words(e) for e in page.all("del")] == ["Theirs again"]
    assert draft_file(FIRST).endswith("Theirs again.\n")


# --- saved while one writes -------------------------------------------------------------------------------


def autosave(client, page, **changes):
    """What the page's script sends while its author thinks."""
    sent = {**page.form_with("Save and preview").fields, "quiet": "yes", **changes}
    answer = client.post(LESSON, data=sent)
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_a_text_is_saved_while_it_is_written(desk):
    page = desk.page(LESSON)

    told = autosave(desk, page, body="So far.")

    digest = hashlib.sha256(draft_file(FIRST).encode()).hexdigest()
    assert draft_file(FIRST).endswith("So far.\n")
    assert f'data-expected="{digest}"' in told
    autosave(desk, page, body="So far, and further.", expected=digest)
    assert draft_file(FIRST).endswith("So far, and further.\n")


def test_what_cannot_be_saved_while_it_is_written_says_so(desk):
    page = desk.page(LESSON)

    assert "Not saved yet: something is missing." in autosave(desk, page, title="")
    assert "Not saved yet: Priya Shah saved this after you opened it" in autosave(
        desk, page, body="Late.", expected="0" * 64
    )


def test_nothing_is_saved_by_itself_after_somebody_took_over(desk, other):
    page = desk.page(LESSON)
    other.press(other.page(LESSON), "Take over")

    told = autosave(desk, page, body="Mine.")

    assert "Not saved: Ann Bell took this over at " in told
    assert "Mine." not in draft_file(FIRST)


# --- nothing is lost --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_whole_lesson_is_kept_over_a_lapse(desk):
    page = desk.page(LESSON)
    body = "It’s a “word”. " * 4_000  # 60,000 characters

    with time_machine.travel(clock.now() + timedelta(hours=2)):
        asked = press_button(desk, page, body=body)
        assert asked.h1 == "Sign in"
        kept = desk.press(asked, "Sign in", name="D3001", password=PASSWORD)
        assert kept.h1 == "What you sent was kept"
        done = desk.press(kept, "Continue")

    assert done.h1 == "A lesson"
    assert draft_file(FIRST).endswith(f"{body.strip()}\n") or draft_file(FIRST).endswith(f"{body}\n")


def test_a_text_for_a_draft_that_has_ended_is_given_back(desk):
    page = desk.page(LESSON)
    with transaction():
        services.discard_draft(desk.draft, by=desk.person, at=stamp())

    page = press_button(desk, page, status=409, body="Do not lose me.")

    assert page.h1 == "This draft has ended"
    assert "Do not lose me." in page.html


def test_a_text_for_a_lesson_that_was_removed_is_given_back(desk, other):
    page = desk.page(LESSON)
    other.press(other.page(f"{LESSON}/remove"), "Remove the lesson")

    page = press_button(desk, page, status=409, body="Do not lose me.")

    assert page.h1 == "This part was removed"
    assert "Do not lose me." in page.html


def test_a_draft_under_review_keeps_what_was_typed_and_says_why_it_is_not_saved(desk):
    page = press_button(desk, title="Changed")
    details = desk.page(f"{DESK}/details")
    with transaction():
        reviews.send_for_review(desk.draft, note="Read this.", by=desk.person, at=stamp())
    before = draft_file(FIRST)

    page = press_button(desk, page, status=409, body="Still writing.")
    again = desk.press(details, "Save the details", 409, owner="Training")

    for answer in (page, again):
        assert error_sentences(answer) == [
            "This draft is being reviewed. Withdraw it from review before you change it."
        ]
    assert editor_fields(page)["body"] == ["Still writing."]
    assert again.form_with("Save the details").fields["owner"] == ["Training"]
    assert page.links["Read or withdraw the review"] == f"{DESK}/review"
    assert draft_file(FIRST) == before
    assert "You cannot change it until the review ends" in desk.page(DESK).text
    assert desk.page(DESK).links["1. Changed"] == f"{DESK}/preview/lessons/first"
