"""Notes for authors: any table of a module may have one; its author sees and changes it, no learner does."""

import re

import pytest

from portal.domain.authoring.preview import merge_form_values
from portal.domain.catalogue import services as catalogue
from portal.platform.db import stamp, transaction
from portal.platform.errors import BadInputError
from tests.domain.catalogue.folders import CHECK, FORCE, GLOSSARY, ITEM, MODULE, SOURCES, lesson, write
from tests.page_reading import PortalClient
from tests.pages.authoring.authors import DESK, LESSON, draft_file, press_button
from tests.pages.authoring.desk import make_person_with, open_draft_page, publish_sample, signed_in_client
from tests.pages.authoring.item_forms import ITEMS, draft_items, send_item_form

NOTE = 'note = "Ask Hugh."\n'


def with_notes(text: str) -> str:
    """The TOML with a note at its beginning and below each header."""
    return NOTE + re.sub(r"^(\[.*\]\n)", rf"\1{NOTE}", text, flags=re.M)


def noted_files() -> dict[str, str]:
    bank = "\n".join(
        ITEM.format(key=key, outcome=outcome) for key, outcome in (("one", "see"), ("two", "say"))
    )
    check = with_notes(CHECK.removeprefix("::: check\n"))
    return {
        "_sources.toml": with_notes(SOURCES),
        "_glossary.toml": with_notes(GLOSSARY),
        "_force.toml": with_notes(FORCE),
        "sample/module.toml": with_notes(MODULE),
        "sample/items/bank.toml": with_notes(bank),
        "sample/lessons/first.md": lesson(f"## Look\n\nRead this.\n\n::: check\n{check}").replace(
            "+++\n", f"+++\n{NOTE}", 1
        ),
    }


@pytest.fixture
def author(app, database, tmp_path) -> PortalClient:
    publish_sample(tmp_path, **{path.replace("/", "__"): text for path, text in noted_files().items()})
    make_person_with("D3001", "author")
    client = signed_in_client(app, "D3001")
    open_draft_page(client)
    return client


@pytest.mark.parametrize(
    ("note", "sentence"),
    [
        ('note = " "', "“note” needs a text between quotation marks."),
        ("remark = 1", "“remark” is not a known key"),
    ],
)
def test_a_note_is_a_text_and_another_key_is_refused(database, tmp_path, note, sentence):
    with pytest.raises(BadInputError) as refused, transaction():
        catalogue.publish_folder(write(tmp_path, {"sample/module.toml": f"{note}\n{MODULE}"}), at=stamp())

    assert sentence in str(refused.value)


def test_each_form_shows_the_note_and_saves_another(author):
    pages = {
        "details": ("Save the details", "module.toml"),
        "lessons/first": ("Save and preview", "lessons/first.md"),
        "job-aid": ("Save and preview", "job-aid.md"),
        "lessons/first/checks/try": ("Save the check", "lessons/first.md"),
    }
    for number, (path, (button, file)) in enumerate(pages.items()):
        page = author.page(f"{DESK}/{path}")
        shown = page.form_with(button).fields["note"][0].strip()
        assert shown == ("" if path == "job-aid" else "Ask Hugh."), path

        if "checks" in path:
            send_item_form(author, page, note=f"Ask {number}.")
        else:
            press_button(author, page, button, note=f"Ask {number}.")

        assert f'note = "Ask {number}."\n' in draft_file(file), path


def test_the_note_of_a_question_is_changed_and_removed_and_those_of_its_choices_stay(author):
    page = author.page(f"{ITEMS}/one")
    assert "Ask Hugh." in page.form_with("Save the question").fields["note"][0]

    send_item_form(author, page, note="Ask Carys.")

    assert draft_items()["one"]["note"] == "Ask Carys."
    assert [choice["note"] for choice in draft_items()["one"]["choice"]] == ["Ask Hugh.", "Ask Hugh."]
    send_item_form(author, author.page(f"{ITEMS}/one"), note="")
    assert "note" not in draft_items()["one"]


def test_rows_within_rows_keep_their_notes():
    old = {
        "scene": [{"key": "a", "choice": [{"key": "b", "note": "N", "text": "T"}]}, {"key": "c", "note": "M"}]
    }
    kind_values = {"scene": [{"key": "c"}, {"key": "a", "choice": [{"key": "b", "text": "U"}, {"key": "d"}]}]}

    assert merge_form_values(old, {}, kind_values) == {
        "scene": [
            {"key": "c", "note": "M"},
            {"key": "a", "choice": [{"key": "b", "note": "N", "text": "U"}, {"key": "d"}]},
        ]
    }


def test_no_page_of_a_learner_and_no_preview_shows_a_note(app, author):
    make_person_with("D3009")
    learner = signed_in_client(app, "D3009")

    for client, path in (
        (learner, "/learning/modules/sample"),
        (learner, "/learning/modules/sample/lessons/first"),
        (author, f"{DESK}/preview"),
        (author, f"{DESK}/preview/lessons/first"),
        (author, f"{DESK}/preview/items/one"),
    ):
        answer = client.get(path, follow_redirects=True)
        assert (answer.status_code, "Ask Hugh." in answer.get_data(as_text=True)) == (200, False), path
    assert "Ask Hugh." in author.page(LESSON).form_with("Save and preview").fields["note"][0]
