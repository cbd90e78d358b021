"""Forms that no page of the portal sends: answered in words, never with a fault, and nothing is lost."""

import re

import pytest
from sqlalchemy import func, select
from werkzeug.datastructures import MultiDict

from portal.domain.authoring import item_files, queries
from portal.domain.authoring.models import DraftSave
from portal.pages.layout.forms import MOST_SENT
from portal.platform.db import db
from tests.domain.catalogue.kinds_written import BODIES
from tests.page_reading import Page, PortalClient
from tests.pages.authoring import desk
from tests.pages.layout.item_kinds.editors import fields_of

ITEM = "/authoring/sample/items/one"
DETAILS = "/authoring/sample/details"
GROUPS = {  # of each kind its rows, and what a new one has to say
    "single": ("choice", ("text", "feedback")),
    "multiple": ("choice", ("text", "feedback")),
    "order": ("step", ("text",)),
    "match": ("pair", ("left", "right")),
    "scenario": ("scene", ("text",)),
    "report": ("part", ("label", "model", "checklist")),
}


@pytest.fixture
def author(app, database, request) -> PortalClient:
    return desk.author_of_questions(app, getattr(request, "param", "single"))


every_kind = pytest.mark.parametrize("author", sorted(BODIES), indirect=True)


def sent_by(page: Page) -> MultiDict[str, str]:
    """What the editor would send."""
    return MultiDict(fields_of(next(form for form in page.all("form") if form.get("id") == "editor")))


def kind_of(sent: MultiDict[str, str]) -> str:
    first = next(name for name in sent if re.match(r"(choice|step|pair|scene|part)-0", name))
    return next(kind for kind, (group, _) in GROUPS.items() if first.startswith(f"{group}-"))


def count_saves() -> int:
    return db.session.scalar(select(func.count()).select_from(DraftSave)) or 0


@every_kind
@pytest.mark.parametrize("button", ["", "quiet", "preview"])
def test_more_rows_than_a_form_takes_are_refused_in_words(author, button):
    sent = sent_by(author.page(ITEM))
    group, names = GROUPS[kind_of(sent)]
    before = count_saves()
    for number in range(100, 230):
        for name in names:
            sent[f"{group}-{number}-{name}"] = f"{name} {number}"
    if button:
        sent[button] = "1"

    answer = author.post(ITEM, data=sent)

    assert answer.status_code == 400
    assert re.search(
        rf"There are 1\d\d rows .* It takes {MOST_SENT} at the most", answer.get_data(as_text=True)
    )
    assert count_saves() == before


@every_kind
def test_as_many_rows_as_a_form_takes_are_each_named(author):
    sent = sent_by(author.page(ITEM))
    group, names = GROUPS[kind_of(sent)]
    held = len({name.split("-")[1] for name in sent if name.startswith(f"{group}-")})
    for number in range(100, 100 + MOST_SENT - held):
        for name in names:
            sent[f"{group}-{number}-{name}"] = f"{name} {number}"
        sent |= {f"{group}-{number}-kind": "text"} if group == "part" else {}

    answer = author.post(ITEM, data=sent, follow_redirects=True)

    assert answer.status_code == 200
    table = next(place.table for place in item_files.read_items(_contents()) if place.key == "one")
    keys = [row["key"] for row in table[group]]
    assert len(keys) == len(set(keys)) == MOST_SENT


def _contents() -> dict[str, bytes]:
    return queries.draft_files(queries.get_draft("sample"))


@every_kind
@pytest.mark.parametrize("number", ["²", "٣", "9" * 5000, "-1", "1e3", "0x1", ""])
def test_what_is_no_number_of_a_row_is_passed_over(author, number):
    page = author.page(ITEM)
    sent, before = sent_by(page), count_saves()
    group, names = GROUPS[kind_of(sent)]
    sent |= {f"{group}-{number}-{names[0]}": "Smuggled", f"source-{number}": "1"}

    answer = author.post(ITEM, data=sent, follow_redirects=True)

    assert answer.status_code == 200
    assert "Smuggled" not in answer.get_data(as_text=True)
    assert count_saves() == before


@pytest.mark.parametrize("number", ["²", "٣", "9" * 5000, "-1", "x", ""])
def test_an_outcome_that_there_is_not_is_neither_added_nor_taken_out(author, number):
    page = author.page(DETAILS)
    form = next(f for f in page.forms() if "mastery" in f.fields)

    for extra in ({f"outcomes-{number}-text": "Smuggled"}, {"remove": number}):
        answer = author.post(DETAILS, data={**form.fields, **extra}, follow_redirects=True)

        assert answer.status_code == 200
        assert "Smuggled" not in answer.get_data(as_text=True)
