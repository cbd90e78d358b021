"""Self-checks of a lesson by their form: written, changed, moved as two lines, removed, by two authors."""

import pytest

from portal.domain.authoring import files, queries
from portal.domain.authoring.files import UNREADABLE
from portal.domain.item_kinds import kinds_by_name
from tests.page_reading import Page, PortalClient, words
from tests.pages.authoring.authors import LESSON, draft_file, editor_fields, error_sentences, press_button
from tests.pages.authoring.desk import (
    make_person_with,
    open_draft_page,
    publish_sample,
    rewrite_lesson,
    signed_in_client,
)
from tests.pages.authoring.item_forms import item_form, send_item_form

FIRST = "lessons/first.md"
CHECK = f"{LESSON}/checks/try"
FOLDED = "::: check try\n:::"


@pytest.fixture
def author(app, database, tmp_path) -> PortalClient:
    publish_sample(tmp_path)
    make_person_with("D3001", "author")
    client = signed_in_client(app, "D3001")
    open_draft_page(client)
    return client


def draft_checks() -> dict[str, dict]:
    """Every check of the first lesson by its key."""
    body = files.read_lesson(draft_file(FIRST).encode()).body
    return {check.key: check.table for check in files.read_checks(body)}


def summaries() -> list[str]:
    return [saved.summary for saved in reversed(queries.list_saves(queries.get_draft("sample").draft_id))][1:]


def other_author(app) -> tuple[int, PortalClient]:
    person = make_person_with("D3003", "author")
    return person, signed_in_client(app, "D3003")


def test_a_lesson_shows_its_check_as_two_lines_and_opens_its_form_with_the_text_saved(author):
    page = author.page(LESSON)
    assert editor_fields(page)["body"][0].strip() == f"## Look\n\nRead this.\n\n{FOLDED}"

    page = author.press(page, "Edit check 1", body=f"Read that.\r\n\r\n{FOLDED}", check="try")

    assert page.h1 == "Check of “A lesson”"
    assert "One right choice" in page.text
    assert item_form(page).fields["prompt"][0].strip() == "Which?"
    assert item_form(page).fields["choice-0-text"] == ["This"]
    assert draft_file(FIRST).endswith("Read that.\n\n" + CHECK_TOML)
    assert draft_checks()["try"]["choice"][0]["correct"] is True


def test_a_change_changes_the_lines_that_say_something_else_and_no_others(author):
    before = draft_file(FIRST).split("\n")

    page = send_item_form(author, author.page(CHECK), choice__1__feedback="Not quite: it is this.")

    assert "The check is saved." in page.text
    changed = [pair for pair in zip(before, draft_file(FIRST).split("\n"), strict=True) if len(set(pair)) > 1]
    assert changed == [('feedback = "No."', 'feedback = "Not quite: it is this."')]
    assert summaries() == ["Changed the check “try”"]


def test_rows_are_added_moved_and_removed_with_html_alone_and_nothing_typed_is_lost(author):
    page = send_item_form(author, author.page(CHECK), prompt="Which now?", row="choice/add")
    page = send_item_form(
        author, page, choice__2__text="Other", choice__2__feedback="Nor this.", row="choice/2/up"
    )
    page = send_item_form(author, page, row="choice/2/remove")
    assert summaries() == []
    send_item_form(author, page)

    assert draft_checks()["try"]["prompt"] == "Which now?"
    assert [choice["text"] for choice in draft_checks()["try"]["choice"]] == ["This", "Other"]


def test_a_check_of_every_kind_that_is_not_saved_for_learners_can_be_added(author):
    page = author.press(author.page(LESSON), "Check", body="Read.", new_check="yes")

    usable = [kind for kind in kinds_by_name().values() if kind.usable_as_check]
    assert draft_file(FIRST).endswith("\nRead.\n")  # saved first
    assert {kind.label for kind in kinds_by_name().values()} & set(page.links) == {
        kind.label for kind in usable
    }
    assert author.get(f"{LESSON}/checks/_new?kind=scenario").status_code == 200
    for kind in usable:
        assert author.page(f"{LESSON}/checks/_new?kind={kind.name}").h1 == "New check"


def test_a_new_check_is_added_at_the_end_and_moved_with_the_text(author):
    page = author.page(f"{LESSON}/checks/_new?kind=match")
    page = send_item_form(
        author,
        page,
        prompt="What belongs to what?",
        explanation="By law.",
        pair__0__left="Smuggling",
        pair__0__right="Border",
        pair__1__left="Trafficking",
        pair__1__right="Person",
    )

    assert page.path.startswith(LESSON)
    assert "The check is added at the end of the lesson." in page.text
    (body,) = editor_fields(page)["body"]
    assert body.strip().endswith(f"{FOLDED}\n\n::: check check-1\n:::")
    press_button(author, page, body=f"::: check check-1\n:::\n\nThen.\n\n{FOLDED}")
    assert list(draft_checks()) == ["check-1", "try"]
    assert draft_checks()["check-1"]["pair"][0] == {"key": "pair-1", "left": "Smuggling", "right": "Border"}
    assert "What belongs to what?" in author.page("/authoring/sample/preview/lessons/first").text


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_saved(author):
    page = send_item_form(author, author.page(CHECK), 400, prompt="", choice__0__correct=None)

    assert error_sentences(page) == ["Write the question", "Mark exactly one choice as right"]
    page = send_item_form(author, author.page(CHECK), 409, stimulus="Look.\n\n::: inset\nNever closed")
    assert UNREADABLE in page.text
    assert item_form(page).fields["stimulus"][0].strip() == "Look.\n\n::: inset\nNever closed"
    page = send_item_form(author, author.page(CHECK), 400, explanation="words " * 175_000)
    assert len(item_form(page).fields["explanation"][0]) >= 1_050_000
    assert summaries() == []


def test_a_check_that_the_lesson_does_not_have_is_refused_and_kept(author):
    page = press_button(author, body="Read.\n\n::: check other\n:::\n")

    assert error_sentences(page) == [
        "This lesson has no check “other”. Remove its two lines, and add a check with the button “Check”"
    ]
    assert "::: check other" in editor_fields(page)["body"][0]
    assert summaries() == []


def test_whoever_prefers_the_text_edits_the_check_as_text(author):
    page = author.press(
        author.page(LESSON), "Edit the checks as text", as_text="yes", body=f"New.\n\n{FOLDED}"
    )

    (body,) = editor_fields(page)["body"]
    assert body.strip() == f"New.\n\n{CHECK_TOML}".strip()
    assert summaries() == []
    page = press_button(author, page, body=body.replace('prompt = "Which?"', 'prompt = "Which one?"'))
    assert 'prompt = "Which one?"' in editor_fields(page)["body"][0]  # it stays a text
    assert draft_checks()["try"]["prompt"] == "Which one?"
    page = author.press(page, "Show checks as two lines", as_blocks="yes")
    assert editor_fields(page)["body"][0].strip() == f"New.\n\n{FOLDED}"


def test_a_check_that_no_form_could_save_stays_a_text(author):
    wrong = CHECK_TOML.replace('key = "a"', "key =")
    press_button(author, author.page(f"{LESSON}?as=text"), body=wrong)

    page = author.page(LESSON)
    assert editor_fields(page)["body"][0].strip() == wrong.strip()
    assert author.get(CHECK).status_code == 404


def test_a_check_is_removed_and_history_brings_it_back(author):
    page = author.page(f"{CHECK}/remove")
    assert page.h1 == "Remove this check?"
    page = author.press(page, "Remove the check")

    assert draft_checks() == {}
    assert draft_file(FIRST).endswith("Read this.\n")
    author.press(author.page("/authoring/sample/history"), "Bring this back, state 1", number="1")
    assert list(draft_checks()) == ["try"]


def test_one_changes_the_text_while_another_changes_the_check(app, author):
    mine = author.page(CHECK)
    rewrite_lesson(other_author(app)[0], f"Read everything.\n\n{CHECK_TOML}".rstrip())

    page = send_item_form(author, mine, prompt="Which one?")

    assert "The check is saved." in page.text
    assert "Read everything." in draft_file(FIRST)
    assert draft_checks()["try"]["prompt"] == "Which one?"


def test_text_that_was_opened_before_the_check_changed_keeps_both(app, author):
    mine = author.page(LESSON)
    changed = CHECK_TOML.replace("Which?", "Which one?")
    rewrite_lesson(other_author(app)[0], f"## Look\n\nRead this.\n\n{changed}".rstrip())

    page = press_button(author, mine, status=409, body=f"## Look\n\nRead that.\n\n{FOLDED}")
    page = author.press(page, "Keep both", both="yes")

    assert "Read that." in draft_file(FIRST)
    assert draft_checks()["try"]["prompt"] == "Which one?"


@pytest.mark.parametrize("both", [True, False], ids=["different places", "the same place"])
def test_two_authors_of_one_check_lose_nothing(app, author, both):
    mine = author.page(CHECK)
    theirs = CHECK_TOML.replace("Which?", "Which was it?")
    rewrite_lesson(other_author(app)[0], f"## Look\n\nRead this.\n\n{theirs}".rstrip())

    typed = {"explanation": "Because."} if both else {"prompt": "Which will it be?"}
    page = send_item_form(author, mine, 409, **typed)

    assert bool(page.all("button", name="both")) is both
    assert draft_checks()["try"]["prompt"] == "Which was it?"
    page = send_item_form(author, page, **({"save": None, "both": "yes"} if both else {}))
    assert "The check is saved." in page.text
    assert draft_checks()["try"]["prompt"] == ("Which was it?" if both else "Which will it be?")


def test_a_check_that_was_removed_meanwhile_gives_back_what_was_typed(app, author):
    mine: Page = author.page(CHECK)
    rewrite_lesson(other_author(app)[0], "Nothing.")

    answer = author.post(CHECK, data={**item_form(mine).fields, "prompt": "Typed long and hard"})

    assert answer.status_code == 409
    page = Page(answer, CHECK)
    assert page.h1 == "This check is not in the draft any more"
    assert "Typed long and hard" in words(page.all("main")[0])


CHECK_TOML = """::: check
key = "try"
kind = "single"
prompt = "Which?"
explanation = "So."

[[choice]]
key = "a"
text = "This"
feedback = "Yes."
correct = true

[[choice]]
key = "b"
text = "That"
feedback = "No."
:::
"""
