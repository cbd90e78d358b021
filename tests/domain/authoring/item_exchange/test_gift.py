"""Every kind of question in GIFT: what becomes of it, and why some cannot come."""

import pytest

from portal.domain.authoring.item_exchange import gift, moodle
from portal.domain.authoring.item_exchange import questions as item_exchange_questions
from portal.domain.authoring.item_exchange.reading import read_questions
from tests.domain.authoring.item_exchange.foreign_files import GIFT, read_one


@pytest.fixture(scope="module")
def questions():
    return {row.name: row for row in read_questions(GIFT.encode())[1]}


def test_a_question_with_one_right_answer_comes_whole(questions):
    row = questions["Colour"]

    assert row.outcome == "see"
    assert row.warnings == ()
    assert row.table == {
        "key": "Colour",
        "kind": "single",
        "source": "practice",
        "prompt": "Which colour has a stop sign?",
        "explanation": "Stop signs are red.",
        "choice": [
            {"key": "a", "text": "Red", "feedback": "Right, everywhere.", "correct": True},
            {"key": "b", "text": "Blue", "feedback": "That is a motorway sign."},
            {"key": "c", "text": "Green", "feedback": "That is an exit."},
        ],
    }


def test_true_or_false_becomes_one_right_choice_with_the_feedback_where_it_belongs(questions):
    row = questions["Tide"]

    assert (row.kind, row.table["explanation"]) == ("single", "The moon does it.")
    assert row.table["choice"] == [
        {"key": "true", "text": "True", "feedback": "Yes, about every 12 hours.", "correct": True},
        {"key": "false", "text": "False", "feedback": "It does."},
    ]


def test_pairs_come_with_what_belongs_to_none(questions):
    table = questions["Match the animal with its sound."].table

    assert table["pair"] == [
        {"key": "1", "left": "Cat", "right": "meows"},
        {"key": "2", "left": "Dog", "right": "barks"},
    ]
    assert table["extra_right"] == ["sings"]


def test_shares_of_the_mark_become_several_right_answers_and_the_page_says_so(questions):
    row = questions["Both"]

    assert row.kind == "multiple"
    assert [choice.get("correct", False) for choice in row.table["choice"]] == [True, True, False]
    assert set(row.warnings) == {item_exchange_questions.WHOLE_MARK, item_exchange_questions.MINUS}


def test_a_missing_word_is_a_line_in_the_question(questions):
    row = questions["Gap"]

    assert row.table["prompt"] == "The capital of Wales is _____, on the coast."
    assert set(row.warnings) == {item_exchange_questions.NO_EXPLANATION, item_exchange_questions.NO_FEEDBACK}


def test_escapes_are_resolved_and_emphasis_stays(questions):
    table = questions["Escapes"].table

    assert table["prompt"] == r"What is 2 + 2 = in *words*: {four}?"
    assert [choice["text"] for choice in table["choice"]] == ["four ~ 4", "five # 5"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("Typed", gift.TYPED),
        ("Number", gift.NUMBER),
        ("Essay", gift.ESSAY),
        ("A text that asks nothing.", gift.NOTHING_ASKED),
        ("Two keys", item_exchange_questions.EITHER),
        ("Weights", item_exchange_questions.PARTLY),
        ("Broken", gift.BROKEN),
    ],
)
def test_what_cannot_come_says_why(questions, name, reason):
    assert (questions[name].table, questions[name].reasons) == ({}, (reason,))


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("<b>Who</b> <script>alert(1)</script>calls? {=A#1 ~B#2####x}", "**Who** calls?"),
        ("[html]<p>First.</p><p>Who calls?</p>{=A#1 ~B#2####x}", "Who calls?"),
        ("5 * 3 * 2 is what? {=30#1 ~31#2####x}", r"5 * 3 * 2 is what?"),
        ("[plain]Is <b> a tag? {T}", "Is <b> a tag?"),
        ("Use [[force.none]]? {T}", "Use [[force.none]]?"),
        ("[plain]\\:\\:\\: warning? {T}", r"\::: warning?"),
    ],
    ids=["script", "html", "stars", "tag", "slot", "box"],
)
def test_no_markup_comes_but_the_portals_own(text, prompt):
    assert read_one(text.encode()).table["prompt"] == prompt


@pytest.mark.parametrize("kind", sorted(moodle.REFUSED))
def test_a_reason_is_a_sentence(kind):
    assert moodle.REFUSED[kind].endswith(".")


def test_comments_windows_line_ends_and_a_byte_order_mark_do_no_harm():
    text = "\ufeff// a comment\r\nWhich? {\r\n// inside\r\n=A#1\r\n~B#2\r\n####x}\r\n\r\n"

    assert read_one(text.encode()).table["prompt"] == "Which?"
