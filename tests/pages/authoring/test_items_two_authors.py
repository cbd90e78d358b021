"""Two authors of one question, and what is given back where it could not be saved."""

import pytest

from tests.page_reading import Page, PortalClient, words
from tests.pages.authoring.desk import make_person_with, open_draft_page, publish_sample, signed_in_client
from tests.pages.authoring.item_forms import ITEMS, draft_items, item_form, send_item_form


@pytest.fixture
def author(app, database, tmp_path) -> PortalClient:
    publish_sample(tmp_path)
    make_person_with("D3001", "author")
    client = signed_in_client(app, "D3001")
    open_draft_page(client)
    return client


def test_two_authors_of_one_question_lose_nothing(app, author):
    make_person_with("D3003", "author")
    other = signed_in_client(app, "D3003")
    mine = author.page(f"{ITEMS}/one")
    page = other.page(f"{ITEMS}/one")
    assert "has been editing this since" in page.h1
    page = other.press(page, "Take over")
    page = other.page(f"{ITEMS}/one")
    send_item_form(other, page, prompt="What was it?")

    page = send_item_form(author, mine, 409, prompt="What will it be?")

    assert not page.all("button", name="both")
    assert "saved this after you opened it. Neither version is lost." in page.text
    assert [words(each) for each in page.all("del")] == ["was"]
    assert [words(each) for each in page.all("ins")] == ["will", "be"]
    assert draft_items()["one"]["prompt"] == "What was it?"
    assert item_form(page).fields["prompt"][0].strip() == "What will it be?"
    send_item_form(author, page)
    assert draft_items()["one"]["prompt"] == "What will it be?"


def test_what_two_authors_changed_in_different_places_is_kept_by_one_button(app, author):
    page = save_after_other(app, author, {"prompt": "What was it?"}, {"explanation": "It is this one."})

    assert draft_items()["one"]["explanation"] == "Because it is."
    page = send_item_form(author, page, save=None, both="yes")

    assert "The question is saved." in page.text
    assert (draft_items()["one"]["prompt"], draft_items()["one"]["explanation"]) == (
        "What was it?",
        "It is this one.",
    )


@pytest.mark.slow
def test_both_are_asked_for_anew_where_the_other_saved_once_more(app, author):
    page = save_after_other(app, author, {"prompt": "What was it?"}, {"explanation": "It is this one."})
    other = signed_in_client(app, "D3003")
    send_item_form(other, other.page(f"{ITEMS}/one"), explanation="No, that.")

    page = send_item_form(author, page, 409, save=None, both="yes")

    assert not page.all("button", name="both")
    assert draft_items()["one"]["explanation"] == "No, that."
    page = send_item_form(author, page, save=None, theirs="yes")
    assert "You kept what the other person saved." in page.text


@pytest.mark.slow
def test_until_one_of_both_is_saved_they_stay_in_sight_and_nothing_saves_itself(app, author):
    page = save_after_other(app, author, {"prompt": "What was it?"}, {"prompt": "What will it be?"})

    page = send_item_form(author, page, save=None, preview="yes")

    assert [words(each) for each in page.all("del")] == ["was"]
    assert page.all("form", id="editor")[0].get("data-saves") is None
    author.press(send_item_form(author, page), "Take over")
    page = author.page(f"{ITEMS}/one")
    assert page.all("form", id="editor")[0].get("data-saves") == "20"
    assert draft_items()["one"]["prompt"] == "What will it be?"


def save_after_other(app, author, theirs: dict, mine: dict) -> Page:
    """Two open one question, the other saves first; what the author is shown who saves next."""
    make_person_with("D3003", "author")
    other = signed_in_client(app, "D3003")
    opened_first = author.page(f"{ITEMS}/one")
    other.press(other.page(f"{ITEMS}/one"), "Take over")
    send_item_form(other, other.page(f"{ITEMS}/one"), **theirs)
    return send_item_form(author, opened_first, 409, **mine)


def test_two_authors_of_two_questions_in_one_file_do_not_meet(app, author):
    make_person_with("D3003", "author")
    other = signed_in_client(app, "D3003")
    mine = author.page(f"{ITEMS}/one")
    send_item_form(other, other.page(f"{ITEMS}/two"), prompt="Which then?")

    page = send_item_form(author, mine, prompt="What else?")

    assert "The question is saved." in page.text
    assert [table["prompt"] for table in draft_items().values()] == ["What else?", "Which then?"]


def test_a_draft_that_ended_meanwhile_gives_back_what_was_typed(author):
    paths = ["items/one", "items/_new?kind=single", "lessons/first/checks/try"]
    paths += ["lessons/first/checks/_new?kind=single", "items/one/text"]
    pages = [author.page(f"/authoring/sample/{path}") for path in paths]
    author.press(author.page("/authoring/sample/discard"), "Discard the draft")

    for page in pages:
        form = next(form for form in page.forms() if "expected" in form.fields)
        typed = dict.fromkeys(("prompt", "text"), "Typed long and hard")
        answer = author.post(page.path, data={**form.fields, **typed})

        assert answer.status_code == 409, page.path
        assert "Typed long and hard" in answer.get_data(as_text=True)


def test_under_review_nothing_is_saved_and_nothing_is_lost(author):
    mine = author.page(f"{ITEMS}/one")
    send_item_form(author, author.page(f"{ITEMS}/two"), prompt="Which then?")
    author.press(author.page("/authoring/sample/review/send"), "Send for review", note="Clearer.")

    page = send_item_form(author, mine, 409, prompt="Too late?")

    assert "This draft is being reviewed. Withdraw it from review before you change it." in page.text
    assert item_form(page).fields["prompt"][0].strip() == "Too late?"
    assert draft_items()["one"]["prompt"] == "What is it?"
