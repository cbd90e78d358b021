"""Messages about a row of a question name the row as the page counts them."""

import re

import pytest
from werkzeug.datastructures import MultiDict

from portal.domain.authoring.messages import author_message, row_name
from tests.page_reading import Page, PortalClient
from tests.pages.authoring import desk
from tests.pages.layout.item_kinds.editors import fields_of

ITEM = "/authoring/sample/items/one"
EMPTIED = {  # by kind: the emptied field and the message
    "order": [
        ("step-0-text", "Step 1 is empty. Write it."),
        ("step-2-text", "Step 3 is empty. Write it."),
    ],
    "match": [
        ("pair-0-left", "Pair 1: Shown to the learner is empty. Write it."),
        ("pair-1-right", "Pair 2: What belongs to it is empty. Write it."),
    ],
    "single": [
        ("choice-1-text", "Choice 2 is empty. Write it."),
        ("choice-0-feedback", "Choice 1: Feedback is empty. Write it."),
    ],
    "scenario": [
        ("scene-1-text", "Scene 2 is empty. Write it."),
        ("scene-0-choice-1-text", "Choice 2 of scene 1 is empty. Write it."),
    ],
    "report": [
        ("part-0-label", "Part 1: Label is empty. Write it."),
        ("part-0-choice-1-text", "Choice 2 of part 1 is empty. Write it."),
    ],
}


@pytest.fixture
def author(app, database, request) -> PortalClient:
    return desk.author_of_questions(app, request.param)


@pytest.mark.parametrize(
    ("author", "field", "sentence"),
    [(kind, field, sentence) for kind, fields in EMPTIED.items() for field, sentence in fields],
    indirect=["author"],
)
def test_an_empty_row_is_named_as_the_page_counts_it(author, field, sentence):
    page = author.page(ITEM)
    form = next(form for form in page.all("form") if form.get("id") == "editor")
    sent = {**MultiDict(fields_of(form)), field: "", "preview": "1"}

    answer = Page(author.post(ITEM, data=sent), ITEM)

    assert sentence in answer.text
    assert not re.search(r"\b(?:Words|Text) is (?:empty|missing)", answer.text)


def test_rows_of_each_question_are_counted_anew():
    text = "\n".join(
        ("[[item]]", "[[item.choice]]", "[[item]]", "[[item.scene]]", "[[item.scene.choice]]", "to = ''")
    )

    assert [row_name(text, line) for line in range(1, 7)] == [
        "",
        "choice 1",
        "",
        "scene 1",
        "choice 1 of scene 1",
        "choice 1 of scene 1",
    ]


def test_other_faults_of_a_row_say_where_too():
    twice = author_message("Two pairs have the same left side. Reword one.", {}, "pair 2")
    weight = author_message(
        "“weight” needs a number from 0 to 1, with up to four places.", {}, "choice 1 of scene 2"
    )

    assert twice == "Pair 2: Two pairs have the same left side. Reword one."
    assert weight == (
        "Choice 1 of scene 2: Weight needs a number from 0 to 1, such as 0.5, with at most four places."
    )
