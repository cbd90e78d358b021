"""The details of a module: fields, outcomes as a group that grows, rules in plain words, saved too late."""

import pytest

from portal.domain.catalogue.module_check import sha256_of
from tests.domain.catalogue.folders import MODULE
from tests.page_reading import words
from tests.pages.account.browsing import another
from tests.pages.authoring.authors import (
    DESK,
    draft_file,
    error_sentences,
    open_draft,
    publish_sample_module,
    sign_in_author,
)

DETAILS = f"{DESK}/details"
SAVE = "Save the details"


@pytest.fixture
def desk(client, tmp_path):
    """A draft of the module, and its author signed in."""
    publish_sample_module(tmp_path)
    client.person = sign_in_author(client)
    open_draft(client.person)
    return client


def save_details(client, page=None, status=200, **typed):
    return client.press(page or client.page(DETAILS), SAVE, status, **typed)


def outcome_texts(page) -> list[str]:
    fields = page.form_with(SAVE).fields
    return [values[0].strip() for name, values in fields.items() if name.endswith("-text")]


def test_saving_what_is_shown_changes_no_byte(desk):
    page = save_details(desk)

    assert page.h1 == "Sample: a small module"
    assert draft_file("module.toml") == MODULE
    assert "Nothing has been changed in it yet" in desk.page(f"{DESK}/discard").text


def test_one_change_changes_one_line(desk):
    save_details(desk, review_on="1/6/28")

    assert draft_file("module.toml") == MODULE.replace("2027-05-31", "2028-06-01")


def test_lessons_by_duty_are_lines_of_the_form_and_paths_of_the_preview(desk):
    save_details(desk, parts="first: contact\nsecond: response, everybody else")

    assert '[[by_duty]]\nfor = ["response"]\nlessons = ["second"]\n' in draft_file("module.toml")
    assert desk.page(DETAILS).form_with(SAVE).fields["parts"][0].split("\n")[0] == "first: contact"
    rows = [words(row) for row in desk.page(f"{DESK}/preview").all("tr")[1:]]
    assert [row.split()[0] for row in rows] == ["Contact", "Response", "Everybody"]

    before = draft_file("module.toml")
    save_details(desk)
    assert draft_file("module.toml") == before


def test_a_line_without_a_duty_is_refused(desk):
    page = save_details(desk, parts="first: drivers")

    assert error_sentences(page) == ["“first: drivers” is not a lesson’s name, a colon and whom it is for"]
    assert draft_file("module.toml") == MODULE


@pytest.mark.parametrize("written", ["1 June 2028", "2028-06-01", "Thu 1 June 2028", "01.06.2028"])
def test_a_day_is_read_generously(desk, written):
    save_details(desk, review_on=written)

    assert "review_on = 2028-06-01\n" in draft_file("module.toml")


@pytest.mark.parametrize(("written", "kept"), [("75", "0.75"), ("82.5 %", "0.825"), ("100%", "1.0")])
def test_a_pass_mark_is_a_percentage(desk, written, kept):
    save_details(desk, mastery=written)

    assert f"mastery_score = {kept}\n" in draft_file("module.toml")
    shown = desk.page(DETAILS).form_with(SAVE).fields["mastery"]
    assert shown == [written.rstrip(" %")]


def test_an_empty_rule_is_no_rule_and_a_full_one_is_written(desk):
    save_details(desk, attempts="3", wait_minutes="60", test_out="y", pre_test="y")

    rules = "attempts = 3\nwait_minutes = 60\ntest_out = true\npre_test = true\n"
    assert draft_file("module.toml") == MODULE + rules
    page = desk.page(DESK)
    assert "3 attempts at most; 60 minutes between them; open before the lessons; a try before" in page.text
    page = desk.page(DETAILS)
    form = page.form_with(SAVE)
    desk.post(form.action, data={**form.fields, "attempts": "", "wait_minutes": "", "at_least": ""})
    assert "no limit of attempts" in desk.page(DESK).text


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"title": ""}, "Enter a title"),
        ({"aim": " "}, "Enter the aim in one sentence"),
        ({"owner": ""}, "Enter the unit that is responsible for the content"),
        ({"review_on": "next spring"}, "Enter a date, such as 31 May 2027"),
        ({"review_on": "31 February 2027"}, "Enter a date, such as 31 May 2027"),
        ({"minutes": "half an hour"}, "Enter the minutes as a whole number from 1 to 600, such as 30"),
        ({"mastery": "0"}, "Enter the pass mark as a number from 1 to 100, such as 80"),
        ({"mastery": "101"}, "Enter the pass mark as a number from 1 to 100, such as 80"),
        ({"draw": ""}, "Enter how many questions an attempt has, as a whole number from 1 to 200"),
        ({"draw": "1"}, "1 is too few: 2 outcomes with 1 question or more each need 2"),
        ({"attempts": "-1"}, "Enter a whole number, such as 3, or leave it empty for no limit"),
        ({"outcomes-0-text": "", "outcomes-1-text": ""}, "Write at least one outcome"),
        (
            {"outcomes-1-text": "x" * 301},
            "This has 301 characters. Shorten it to 300 or fewer.",
        ),
    ],
)
def test_what_is_wrong_is_said_beside_its_field_and_kept(desk, wrong, sentence):
    page = save_details(desk, **wrong)

    assert error_sentences(page) == [sentence]
    assert draft_file("module.toml") == MODULE
    fields = page.form_with(SAVE).fields
    assert {name: fields[name][0].strip() for name in wrong} == {k: v.strip() for k, v in wrong.items()}


def test_outcomes_are_added_and_removed_without_a_script_and_saved_at_the_end(desk):
    page = desk.press(desk.page(DETAILS), "Add another outcome", add="yes", owner="Not saved yet")
    assert outcome_texts(page) == ["See a thing", "Say a thing", ""]
    assert page.form_with(SAVE).fields["owner"] == ["Not saved yet"]
    assert draft_file("module.toml") == MODULE
    page = desk.press(page, "Remove outcome 1", remove="0", **{"outcomes-2-text": "Do a thing"})
    assert outcome_texts(page) == ["Say a thing", "Do a thing"]

    page = save_details(desk, page)

    text = draft_file("module.toml")
    assert 'key = "see"' not in text
    assert '[[outcome]]\nkey = "say"\ntext = "Say a thing"\n' in text
    assert '[[outcome]]\nkey = "do-a-thing"\ntext = "Do a thing"\n' in text
    assert "The outcome “see” is not one of this module’s" in page.text


def test_an_outcome_says_what_serves_and_tests_it(desk):
    assert "Covered by 2 lessons, tested by 1 question." in desk.page(DETAILS).text


def test_an_empty_outcome_is_no_outcome(desk):
    page = desk.press(desk.page(DETAILS), "Add another outcome", add="yes")

    save_details(desk, page)

    assert draft_file("module.toml") == MODULE


def save_after_other(app, desk):
    page = desk.page(DETAILS)
    other = another(app)
    sign_in_author(other, "D3003", name="Ann Bell")
    save_details(other, other.press(other.page(DETAILS), "Take over"), owner="Training", minutes="12")
    return save_details(desk, page, 409, owner="Learning", title="Mine")


def test_a_save_from_a_stale_page_shows_both_and_overwrites_nothing(app, desk):
    page = save_after_other(app, desk)

    assert page.h1 == "Ann Bell saved this after you opened it"
    assert [words(h2) for h2 in page.all("h2")][1:5] == [
        "Title",
        "Owner",
        "Minutes for the whole module",
        "About this portal",
    ]
    assert 'owner = "Training"' in draft_file("module.toml")


def test_what_two_changed_in_different_places_is_kept_by_one_button(app, desk):
    page = desk.page(DETAILS)
    other = another(app)
    sign_in_author(other, "D3003", name="Ann Bell")
    save_details(other, other.press(other.page(DETAILS), "Take over"), owner="Training")
    page = save_details(desk, page, 409, title="Mine")

    assert "You and Ann Bell changed different places" in page.text
    desk.press(page, "Keep both", both="yes")
    assert 'title = "Mine"' in draft_file("module.toml")
    assert 'owner = "Training"' in draft_file("module.toml")


def test_where_both_changed_one_place_there_is_no_keeping_both(app, desk):
    page = save_after_other(app, desk)

    assert "Keep both" not in page.text
    forged = desk.post(DETAILS, data={**page.form_with("Keep mine").fields, "both": "yes"})
    assert forged.status_code == 409
    assert 'owner = "Training"' in draft_file("module.toml")


def test_details_are_saved_while_they_are_written(desk):
    sent = desk.page(DETAILS).form_with(SAVE).fields

    assert "something is missing" in autosave(desk, sent, title="")
    said = autosave(desk, sent, title="Mine")
    assert "Saved automatically at" in said
    assert sha256_of(draft_file("module.toml").encode()) in said
    assert 'title = "Mine"' in draft_file("module.toml")
    assert "saved this after you opened it" in autosave(desk, sent, title="Mine, late")


def autosave(client, sent, **typed) -> str:
    """What the page's script is answered when it saves."""
    answer = client.post(DETAILS, data={**sent, **typed, "quiet": "yes"})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


def test_findings_follow_the_writing_of_the_details_and_save_nothing(desk):
    page = desk.page(DETAILS)
    sent = {**page.form_with(SAVE).fields, "minutes": "400"}

    answer = desk.post(f"{DESK}/render", data=sent)

    assert answer.status_code == 200
    assert "The module says 400 minutes." in answer.get_data(as_text=True)
    page = desk.press(page, "Check without saving", minutes="400", preview="yes")
    assert "The module says 400 minutes." in page.text
    assert "This is not saved yet" in page.text
    assert draft_file("module.toml") == MODULE


def test_mine_is_kept(app, desk):
    desk.press(save_after_other(app, desk), "Keep mine", save="yes")

    assert 'title = "Mine"' in draft_file("module.toml")
    assert 'owner = "Learning"' in draft_file("module.toml")


def test_theirs_is_kept(app, desk):
    page = desk.press(save_after_other(app, desk), "Keep theirs", theirs="yes")

    assert "You kept what the other person saved" in page.text
    assert 'owner = "Training"' in draft_file("module.toml")


def test_a_stale_form_can_be_edited_before_it_is_saved(app, desk):
    page = desk.press(save_after_other(app, desk), "Edit before saving", again="yes")

    assert outcome_texts(page) == ["See a thing", "Say a thing"]
    assert page.form_with(SAVE).fields["owner"] == ["Learning"]
    save_details(desk, page, owner="Both")
    assert 'owner = "Both"' in draft_file("module.toml")


def test_who_saved_the_details_has_left_them(app, desk):
    save_details(desk)
    other = another(app)
    sign_in_author(other, "D3003")

    assert other.page(DETAILS).h1 == "Module details"


def test_the_try_before_the_lessons_is_previewed_as_a_learner_meets_it(desk):
    save_details(desk, pre_test="y")
    page = desk.page(desk.page(f"{DESK}/preview").links["See what you know already"])

    plan = desk.press(page, "Show which lessons to read", **{"try-1-1": "1"})

    assert page.h1 == "What do you know already?"
    assert plan.h1 == "1 lesson to read with care"  # the second has no check
    assert plan.links["Lesson 2, A lesson"] == f"{DESK}/preview/lessons/second"
    assert "Start:" not in plan.text
