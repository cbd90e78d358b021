"""What follows the writing of a question of every kind: preview, measures, findings; and saving by itself."""

import re

import html5lib
import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from portal.domain.authoring import queries
from portal.domain.authoring.models import DraftSave
from portal.platform.db import db
from tests.domain.catalogue.kinds_written import BODIES
from tests.examples import few_or_many
from tests.page_reading import H, Page, PortalClient, words
from tests.pages.authoring import desk
from tests.pages.layout.item_kinds.editors import fields_of

pytestmark = pytest.mark.slow

ITEM = "/authoring/sample/items/one"
RENDER = "/authoring/sample/render"
# A text of each kind that its preview shows, by its field's name.
SHOWN = {
    "single": "choice-0-text",
    "multiple": "choice-0-text",
    "order": "step-0-text",
    "match": "pair-0-left",
    "scenario": "scene-0-text",
    "report": "part-0-label",
}
Sent = MultiDict[str, str]


@pytest.fixture
def author(app, database, request) -> PortalClient:
    return desk.author_of_questions(app, getattr(request, "param", "single"))


every_kind = pytest.mark.parametrize("author", sorted(BODIES), indirect=True)


def editor_form(page: Page):
    return next(form for form in page.all("form") if form.get("id") == "editor")


def typed_fields(page: Page, **changed: str) -> Sent:
    """What the editor would send with these fields changed; two underscores stand for a hyphen."""
    sent = MultiDict(fields_of(editor_form(page)))
    for name, text in changed.items():
        sent[name.replace("__", "-")] = text
    return sent


def rendered_parts(client: PortalClient, sent: Sent) -> dict[str, str]:
    """The parts that come back while one writes, as read, by their ids."""
    answer = client.post(RENDER, data=sent)
    assert answer.status_code == 200, answer.get_data(as_text=True)[:500]
    body = html5lib.parse(answer.get_data(as_text=True)).find(f"{H}body")
    return {part.get("id"): words(part) for part in body}


def count_states() -> int:
    return db.session.scalar(select(func.count()).select_from(DraftSave)) or 0


def preview_words(page: Page) -> str:
    return words(next(div for div in page.all("div") if div.get("id") == "preview"))


@pytest.mark.parametrize(("author", "field"), list(SHOWN.items()), indirect=["author"])
def test_the_preview_follows_the_words_of_every_kind_and_saves_nothing(author, field):
    page = author.page(ITEM)
    parts = rendered_parts(
        author, typed_fields(page, **{field: "Written this minute", "prompt": "What now, then?"})
    )

    assert set(parts) == {"told", "findings", "lengths", "preview"}
    assert "Written this minute" in parts["preview"]
    assert "What now, then?" in parts["preview"]
    assert "Written this minute" not in preview_words(page)
    assert count_states() == 1


@every_kind
def test_without_scripts_a_button_shows_the_form_as_it_stands(author):
    page = author.page(ITEM)
    sent = typed_fields(page, prompt="What now, then?", preview="yes")

    page = Page(author.post(ITEM, data=sent), ITEM)

    assert "What now, then?" in preview_words(page)
    assert "This is not saved yet. Press “Save the question” to keep it." in page.text
    assert "Preview at phone width, not saved" in page.text
    assert editor_form(page).get("data-unsaved") == "yes"
    assert typed_fields(page)["prompt"].strip() == "What now, then?"
    assert count_states() == 1


@every_kind
def test_nothing_that_is_not_whole_yet_breaks_what_follows_the_writing(author):
    whole = typed_fields(author.page(ITEM))
    names = [name for name in whole if name not in {"csrf_token", "expected", "place"}]

    for number, name in enumerate(names):
        emptied, without = whole.copy(), whole.copy()
        emptied.setlist(name, [""])
        without.poplist(name)
        for sent in (emptied, without, emptied)[number % 2 :][: few_or_many(1, 2)]:
            assert set(rendered_parts(author, sent)) == {"told", "findings", "lengths", "preview"}
    bare = MultiDict([(name, whole[name]) for name in ("csrf_token", "place")])
    assert "put right" in rendered_parts(author, bare)["told"]


def test_findings_and_lengths_follow_the_writing(author):
    page = author.page(ITEM)
    assert "The right choice has" in page.text
    before = rendered_parts(author, typed_fields(page))
    after = rendered_parts(
        author, typed_fields(page, choice__0__text="A right choice that is much longer than the others")
    )

    assert "Its length gives it away" not in before["findings"]
    assert "The right choice has 50 characters, the longest wrong one" in after["findings"]
    assert "The right choice has 50 characters, the longest wrong one" in after["lengths"]
    assert "The right choice is the longest in 1 of 2 questions" in after["lengths"]
    more = int(re.match(r"\d+", after["lengths"])[0]) - int(re.match(r"\d+", before["lengths"])[0])
    assert more == 10 - len(typed_fields(page)["choice-0-text"].split())


def test_an_empty_question_says_what_to_put_right(author):
    parts = rendered_parts(author, typed_fields(author.page(ITEM), prompt=" ", choice__0__text=""))

    assert "2 things to put right" in parts["told"]
    assert parts["findings"].count("Put right") == 2


def test_what_is_not_written_yet_is_named_in_the_preview(author):
    parts = rendered_parts(author, typed_fields(author.page(ITEM), prompt="", choice__1__text=""))

    assert parts["preview"].count("Not written yet") == 2


def test_a_new_question_is_shown_as_it_is_written(author):
    path = "/authoring/sample/items/_new?kind=multiple"
    page = author.page(path)
    assert editor_form(page).get("data-saves") is None  # it has no name yet
    sent = typed_fields(page, prompt="Which two?", choice__0__text="This", choice__1__text="That")

    assert "Which two?" in rendered_parts(author, sent)["preview"]
    sent["preview"] = "yes"
    page = Page(author.post(path, data=sent), path)
    assert preview_words(page).startswith("Which two?")
    assert "This is not saved yet. Press “Add the question” to keep it." in page.text
    assert "put right" in page.text.lower()
    assert count_states() == 1


def test_a_megabyte_in_one_field_is_neither_rendered_nor_lost(author):
    long = "word " * 200_000
    page = author.page(ITEM)

    parts = rendered_parts(author, typed_fields(page, stimulus=long))
    assert "200,0" in parts["lengths"]
    assert "There is no preview until" in parts["preview"]

    answer = author.post(ITEM, data=typed_fields(page, stimulus=long))
    assert answer.status_code == 400
    page = Page(answer, ITEM)
    assert "Shorten it to 4,000 or fewer" in page.text
    assert typed_fields(page)["stimulus"].strip() == long.strip()
    assert count_states() == 1


def test_scripts_in_any_field_are_shown_as_words(author):
    page = author.page(ITEM)
    bad = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    sent = typed_fields(page, stimulus=bad, prompt=bad, choice__0__text=bad, choice__1__feedback=bad)

    answer = author.post(RENDER, data=sent)

    body = html5lib.parse(answer.get_data(as_text=True))
    assert not list(body.iter(f"{H}script"))
    assert not list(body.iter(f"{H}img"))


# ------------------------------------------------------------------------------------- saving by itself


def autosave(client: PortalClient, sent: Sent) -> tuple[str, str | None]:
    """Send the form as the page's script does; what it is told, and what it is to expect from then on."""
    sent["quiet"] = "yes"
    answer = client.post(ITEM, data=sent)
    assert answer.status_code == 200
    (part,) = html5lib.parse(answer.get_data(as_text=True)).find(f"{H}body")
    assert part.get("id") == "saved"
    return words(part), part.get("data-expected")


@every_kind
def test_a_question_is_saved_while_it_is_written_and_again_from_the_same_page(author):
    page = author.page(ITEM)
    first, second = typed_fields(page, prompt="Once?"), typed_fields(page, prompt="Twice?")

    said, expected = autosave(author, first)
    assert "Saved automatically at" in said
    second["expected"] = expected
    assert "Saved automatically at" in autosave(author, second)[0]

    assert count_states() == 3
    assert typed_fields(author.page(ITEM))["prompt"].strip() == "Twice?"
    assert 'prompt = "Twice?"' in queries.draft_files(queries.get_draft("sample"))["items/bank.toml"].decode()


def test_what_is_not_whole_or_not_theirs_any_more_waits_for_the_button(app, author):
    page = author.page(ITEM)
    assert "something is missing" in autosave(author, typed_fields(page, prompt=""))[0]
    desk.make_person_with("D3003", "author")
    other = desk.signed_in_client(app, "D3003")
    other.press(other.page(ITEM), "Take over")

    said = autosave(author, typed_fields(page, prompt="Mine?"))[0]
    assert "took this over" in said
    assert "Press “Save the question” to keep your text." in said

    other.post(ITEM, data=typed_fields(other.page(ITEM), prompt="Theirs?"))
    author.press(author.page(ITEM), "Take over")
    assert "saved this after you opened it" in autosave(author, typed_fields(page, prompt="Mine?"))[0]
    assert typed_fields(author.page(ITEM))["prompt"].strip() == "Theirs?"


def test_who_leaves_is_no_longer_there(app, author):
    desk.make_person_with("D3003", "author")
    other = desk.signed_in_client(app, "D3003")
    author.post(ITEM, data=typed_fields(author.page(ITEM), prompt="Given up?", leave="yes"))

    assert other.page(ITEM).h1 == "Question “One”"
    assert count_states() == 1


@pytest.mark.parametrize("kind", sorted(BODIES))
def test_the_preview_of_a_question_not_written_yet_has_no_empty_heading(author: PortalClient, kind: str):
    page = author.page(f"/authoring/sample/items/_new?kind={kind}")
    heads = [head for level in ("h1", "h2", "h3", "legend") for head in page.all(level)]
    assert heads
    assert all(words(head) for head in heads)
