"""The pages of questions: written, changed, ordered, retired and removed, with HTML alone."""

import pytest
from sqlalchemy import select

from portal.domain.authoring import queries
from portal.domain.authoring.models import DraftSave
from portal.domain.catalogue import version_cache
from portal.domain.item_kinds import kinds_by_name
from portal.platform.db import db
from tests.domain.catalogue.folders import ITEM
from tests.page_reading import PortalClient, words
from tests.pages.authoring.authors import draft_file
from tests.pages.authoring.desk import make_person_with, open_draft_page, publish_sample, signed_in_client
from tests.pages.authoring.item_forms import ITEMS, draft_items, item_form, send_item_form


@pytest.fixture
def folder(database, tmp_path):
    return publish_sample(tmp_path)


@pytest.fixture
def author(app, folder) -> PortalClient:
    make_person_with("D3001", "author")
    client = signed_in_client(app, "D3001")
    open_draft_page(client)
    return client


def summaries() -> list[str]:
    return list(db.session.scalars(select(DraftSave.summary).order_by(DraftSave.number)))


def test_a_question_is_opened_with_what_it_says(author):
    page = author.page(f"{ITEMS}/one")

    assert page.h1 == "Question “One”"
    assert "Question 1 of 2 · One right choice" in page.text
    form = item_form(page)
    assert form.fields["prompt"][0].strip() == "What is it?"
    assert form.fields["choice-0-text"] == ["This"]
    assert form.fields["choice-1-feedback"][0].strip() == "No."
    assert "choice-0-correct" in form.fields
    assert "choice-1-correct" not in form.fields
    assert form.fields["outcome"] == ["see"]
    assert "Preview at phone width, as saved" in page.text
    assert page.all("input", id="seen-choice")
    assert {e.get("name") for e in page.all("input", type="radio")} >= {"outcome", "seen-choice"}


def test_saving_what_is_there_changes_nothing(author):
    page = send_item_form(author, author.page(f"{ITEMS}/one"))

    assert "The question is saved." in page.text
    assert len(summaries()) == 1


def test_a_change_changes_the_lines_that_say_something_else_and_no_others(author):
    before = list(filter(None, draft_file("items/bank.toml").split("\n")))

    send_item_form(author, author.page(f"{ITEMS}/one"), choice__1__feedback="Not quite: it is this.")

    after = list(filter(None, draft_file("items/bank.toml").split("\n")))
    assert [(x, y) for x, y in zip(before, after, strict=True) if x != y] == [
        ('feedback = "No."', 'feedback = "Not quite: it is this."')
    ]
    assert summaries()[-1] == "Changed the question “one”"


def test_another_choice_is_added_by_a_button_and_saved_with_a_key_of_its_own(author):
    page = send_item_form(author, author.page(f"{ITEMS}/one"), prompt="What is it now?", row="choice/add")

    assert len(summaries()) == 1
    assert item_form(page).fields["prompt"][0].strip() == "What is it now?"
    assert item_form(page).fields["choice-2-text"] == [""]
    page = send_item_form(author, page, choice__2__text="Other", choice__2__feedback="Nor this.")

    assert draft_items()["one"]["prompt"] == "What is it now?"
    assert draft_items()["one"]["choice"][2] == {"key": "c", "text": "Other", "feedback": "Nor this."}


def test_a_choice_is_taken_out_and_moved_by_buttons(author):
    page = send_item_form(author, author.page(f"{ITEMS}/one"), row="choice/add")
    page = send_item_form(
        author, page, choice__2__text="Other", choice__2__feedback="Nor this.", row="choice/2/up"
    )
    page = send_item_form(author, page, row="choice/2/remove")
    send_item_form(author, page)

    assert [choice["text"] for choice in draft_items()["one"]["choice"]] == ["This", "Other"]


def test_what_is_missing_is_said_beside_its_field_and_what_was_typed_is_kept(author):
    page = send_item_form(
        author,
        author.page(f"{ITEMS}/one"),
        400,
        prompt=" ",
        explanation="Typed <b>this</b>.",
        choice__0__text="",
        choice__1__correct="y",
        source__0="",
    )

    assert page.title.startswith("Error: Question “One”")
    assert page.links["Write the question"] == "#prompt"
    assert page.links["Write the choice"] == "#choice-0-text"
    assert page.links["Mark exactly one choice as right"] == "#choice-0-correct"
    assert page.links["Select the source of the answer, or “Practice”"] == "#source-0"
    assert item_form(page).fields["explanation"][0].strip() == "Typed <b>this</b>."
    assert len(summaries()) == 1


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("outcome", "other", "Select the outcome that the question tests"),
        ("source__0", "6", "Select a source that may be tested, or “Practice”"),
        ("source__0", "<script>", "Select a source that may be tested, or “Practice”"),
        ("prompt", "One.\n\nTwo.", "Write the question as one paragraph."),
        ("prompt", "x" * 601, "This has 601 characters. Shorten it to 600 or fewer"),
    ],
)
def test_what_no_question_may_say_is_refused_in_a_sentence(author, field, value, sentence):
    page = send_item_form(author, author.page(f"{ITEMS}/one"), 400, **{field: value})

    assert sentence in page.text
    assert len(summaries()) == 1


@pytest.mark.parametrize("field", ["stimulus", "explanation", "choice-0-text", "choice-1-feedback"])
def test_what_nobody_can_see_is_left_out(author, field):
    form = item_form(author.page(f"{ITEMS}/one"))

    answer = author.post(f"{ITEMS}/one", data={**form.fields, "source-0": "1", field: "a\x01\ufeffb\x00c"})

    assert answer.status_code == 303
    assert '"abc"' in queries.draft_files(queries.get_draft("sample"))["items/bank.toml"].decode()


def test_a_question_of_every_kind_is_begun_from_the_list_of_kinds(author):
    page = author.page(f"{ITEMS}/_new")
    assert page.h1 == "What kind of question is it?"
    assert {kind.label: page.links.get(kind.label) for kind in kinds_by_name().values()} == {
        kind.label: f"{ITEMS}/_new?kind={kind.name}" for kind in kinds_by_name().values()
    }

    for kind in kinds_by_name().values():
        page = author.page(f"{ITEMS}/_new?kind={kind.name}")
        assert page.h1 == "New question"
        assert kind.advice in page.text
        assert "name" in item_form(page).fields


def test_a_new_question_joins_the_file_of_its_outcome_and_is_named_by_its_name(author):
    page = author.page(f"{ITEMS}/_new?kind=single")
    page = send_item_form(
        author,
        page,
        name="Nail bar",
        prompt="What must you do?",
        stimulus="She has no pay.",
        explanation="It is the duty.",
        outcome="say",
        source__0="1",
        choice__0__text="Tell",
        choice__0__feedback="Yes.",
        choice__0__correct="y",
        choice__1__text="Wait",
        choice__1__feedback="No.",
    )

    assert page.h1 == "Question “Nail bar”"
    assert "The question is added." in page.text
    assert words(page.all("div", class_="portal-preview")[0]).startswith("She has no pay. What must you do?")
    assert draft_items()["nail-bar"] == {
        "key": "nail-bar",
        "outcome": "say",
        "kind": "single",
        "stimulus": "She has no pay.",
        "prompt": "What must you do?",
        "explanation": "It is the duty.",
        "source": "1",
        "choice": [
            {"key": "a", "text": "Tell", "feedback": "Yes.", "correct": True},
            {"key": "b", "text": "Wait", "feedback": "No."},
        ],
    }
    assert (
        queries.check_draft_files(
            "sample", queries.draft_files(queries.get_draft("sample"))
        ).faults.sentences()
        == []
    )


def test_two_questions_of_one_name_have_two_keys_and_one_pressed_twice_is_one(author):
    for feedback in ("No.", "No.", "Not yet."):
        send_item_form(
            author,
            author.page(f"{ITEMS}/_new?kind=single"),
            name="One",
            prompt="Which?",
            explanation="So.",
            outcome="see",
            source__0="practice",
            choice__0__text="Tell",
            choice__0__feedback="Yes.",
            choice__0__correct="y",
            choice__1__text="Wait",
            choice__1__feedback=feedback,
        )

    assert set(draft_items()) == {"one", "two", "one-2", "one-3"}


def test_saving_twice_by_one_press_is_saving_once(author):
    page = author.page(f"{ITEMS}/one")
    for _ in range(2):
        assert "The question is saved." in send_item_form(author, page, prompt="What now?").text

    assert summaries()[1:] == ["Changed the question “one”"]


def test_a_retired_question_is_drawn_no_longer_and_comes_back(author):
    send_item_form(author, author.page(f"{ITEMS}/one"), retired="y")
    assert draft_items()["one"]["retired"] is True
    page = author.page("/authoring/sample")
    assert "retired, no longer drawn" in page.text

    form = item_form(author.page(f"{ITEMS}/one"))
    assert "retired" in form.fields
    author.post(
        f"{ITEMS}/one", data={k: v for k, v in form.fields.items() if k != "retired"} | {"source-0": "1"}
    )
    assert "retired" not in draft_items()["one"]


def test_several_sources_are_kept_and_one_is_written_as_one(author):
    send_item_form(author, author.page(f"{ITEMS}/one"), source__1="practice")
    assert draft_items()["one"]["source"] == ["1", "practice"]

    send_item_form(author, author.page(f"{ITEMS}/one"), source__1="")
    assert draft_items()["one"]["source"] == "1"


def test_questions_change_places_by_buttons(author):
    page = author.page("/authoring/sample")
    form = next(f for f in page.forms() if f.action.endswith("/items/_order"))

    author.post(form.action, data={**form.fields, "down": "one"})
    assert list(draft_items()) == ["two", "one"]
    author.post(form.action, data={**form.fields, "up": "one"})
    assert list(draft_items()) == ["one", "two"]
    assert author.post(form.action, data={**form.fields, "up": "nobody"}).status_code == 404


def test_removing_says_what_it_means_first(author):
    page = author.page(f"{ITEMS}/two/remove")
    assert page.h1 == "Remove Question “Two”?"
    assert "1 question is left to draw from." in page.text

    page = author.press(page, "Remove the question")

    assert "The question is removed from the draft." in page.text
    assert list(draft_items()) == ["one"]
    assert version_cache.current_version("sample").items[1].key == "two"


def test_removing_what_someone_changed_meanwhile_asks_again(author):
    page = author.page(f"{ITEMS}/two/remove")
    send_item_form(author, author.page(f"{ITEMS}/two"), prompt="Later?")

    page = author.press(page, "Remove the question")

    assert "Someone saved this question after you opened the page." in page.text
    assert list(draft_items()) == ["one", "two"]


def test_findings_stand_at_the_question(author):
    text = ITEM.replace('"This"', '"This, because the law asks for it"')
    page = send_item_form(
        author, author.page(f"{ITEMS}/one"), choice__0__text="This, because the law asks for it"
    )

    assert text
    found = words(page.all("ul", class_="portal-findings")[0])
    assert "Consider “This, because the law asks for it” The right choice has 33 characters" in found


@pytest.mark.parametrize("path", ["one/remove", "nobody", "nobody/remove"])
def test_a_question_that_there_is_not_is_not_found(author, path):
    status = 200 if path.startswith("one") else 404

    assert author.get(f"{ITEMS}/{path}").status_code == status


def test_a_publisher_reads_and_does_not_write(app, author):
    make_person_with("D3002", "publisher")
    reader = signed_in_client(app, "D3002")

    for path in ("one", "_new", "one/remove"):
        assert reader.get(f"{ITEMS}/{path}").status_code == 403


def test_a_question_can_be_for_some_roles_and_saving_keeps_the_way_it_is_written(author):
    send_item_form(author, author.page(f"{ITEMS}/one"), duties=["custody", "supervisors"])
    marked = draft_items()["one"]
    form = item_form(author.page(f"{ITEMS}/one"))
    send_item_form(author, author.page(f"{ITEMS}/one"), prompt="What is it now?")

    assert marked["for"] == ["custody", "supervisors"] == form.fields["duties"]
    assert draft_items()["one"] == marked | {"prompt": "What is it now?"}
    send_item_form(author, author.page(f"{ITEMS}/one"), duties=[])
    assert "for" not in draft_items()["one"]
