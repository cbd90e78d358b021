"""Every kind of question in Moodle XML: what becomes of it, and why some cannot come."""

import base64

import pytest

from portal.domain.authoring.item_exchange import moodle as item_exchange_moodle
from portal.domain.authoring.item_exchange import questions
from portal.domain.authoring.item_exchange.reading import read_questions
from tests.domain.authoring.item_exchange.foreign_files import (
    SINGLE,
    category,
    moodle,
    moodle_answer,
    moodle_question,
    read_one,
)


def test_one_right_answer_comes_with_feedback_explanation_and_category():
    _, (row,) = read_questions(moodle(category("see"), SINGLE))

    assert (row.outcome, row.warnings, row.reasons) == ("see", (), ())
    assert row.table == {
        "key": "Q",
        "kind": "single",
        "source": "practice",
        "prompt": "Which?",
        "explanation": "Because.",
        "choice": [
            {"key": "a", "text": "Red", "feedback": "So.", "correct": True},
            {"key": "b", "text": "Blue", "feedback": "So."},
        ],
    }


def test_several_right_answers_are_marked_as_a_whole_and_it_says_so():
    body = "<single>false</single>" + "".join(
        moodle_answer(text, share) for text, share in [("a", "50"), ("b", "50"), ("c", "-50")]
    )
    row = read_one(moodle(moodle_question("multichoice", body)))

    assert row.kind == "multiple"
    assert row.warnings == (questions.MINUS, questions.WHOLE_MARK)


def test_true_or_false_is_one_right_choice():
    body = moodle_answer("true", "0") + moodle_answer("false", "100")
    row = read_one(moodle(moodle_question("truefalse", body)))

    assert [choice.get("correct", False) for choice in row.table["choice"]] == [False, True]
    assert [choice["text"] for choice in row.table["choice"]] == ["True", "False"]


def test_pairs_and_steps_come_in_order():
    pairs = "".join(
        f'<subquestion format="html"><text>{left}</text><answer><text>{right}</text></answer></subquestion>'
        for left, right in [("Cat", "meows"), ("Dog", "barks"), ("", "sings")]
    )
    steps = "".join(moodle_answer(text, str(number)) for number, text in enumerate(("one", "two", "three")))
    _, (match, order) = read_questions(
        moodle(moodle_question("matching", pairs), moodle_question("ordering", steps))
    )

    assert [pair["right"] for pair in match.table["pair"]] == ["meows", "barks"]
    assert match.table["extra_right"] == ["sings"]
    assert [step["text"] for step in order.table["step"]] == ["one", "two", "three"]


@pytest.mark.parametrize("kind", [*sorted(item_exchange_moodle.REFUSED), "fileresponse"])
def test_other_kinds_say_why_they_cannot_come(kind):
    row = read_one(moodle(moodle_question(kind, moodle_answer("1", "100"))))

    assert row.table == {}
    assert row.reasons == (
        item_exchange_moodle.REFUSED.get(kind, "The portal has no question of the kind “fileresponse”."),
    )


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ([("a", "100"), ("b", "100")], questions.EITHER),
        ([("a", "100"), ("b", "50")], "It gives part of the mark for a second answer."),
        ([("a", "0"), ("b", "0")], "None of its answers is right."),
        ([("a", "100"), ("a", "0")], "Two of its answers have the same text."),
        ([("a", "much"), ("b", "100")], "The mark of one of its answers is not a number."),
        ([("a", "100")], "two or more choices"),
    ],
    ids=["either", "part", "none", "same", "no-number", "one"],
)
def test_marks_that_the_portal_cannot_give_are_a_reason(answers, reason):
    body = "<single>true</single>" + "".join(moodle_answer(*answer) for answer in answers)

    row = read_one(moodle(moodle_question("multichoice", body)))

    assert any(reason in sentence for sentence in row.reasons)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('<p>See <img src="@@PLUGINFILE@@/a.png" alt="a"></p>', questions.PICTURE),
        ("<svg><script>1</script></svg>", questions.PICTURE),
        ("<math><mi>x</mi></math>", questions.FORMULA),
        (r"What is \(x^2\)?", questions.FORMULA),
        ("<iframe src='https://example.org'></iframe>?", questions.REFUSED["iframe"]),
        ("<audio src='a.mp3'></audio>?", questions.REFUSED["audio"]),
        (" ", "It has no text that asks something."),
        ("x" * (questions.LONGEST_TEXT + 1), "characters."),
        ("x" * (questions.LONGEST_MARKUP + 1), "characters."),
    ],
    ids=["picture", "svg", "math", "tex", "frame", "sound", "empty", "long", "very-long"],
)
def test_what_words_alone_cannot_hold_is_a_reason(text, reason):
    body = moodle_answer("a", "100") + moodle_answer("b", "0")

    row = read_one(moodle(moodle_question("multichoice", body, text)))

    assert row.table == {}
    assert any(reason in sentence for sentence in row.reasons)


def test_a_picture_beside_the_text_is_a_reason_too():
    data = base64.b64encode(b"\x89PNG").decode()
    text = f'<text>Which?</text><file name="a.png" encoding="base64">{data}</file>'
    body = f'<question type="multichoice"><name><text>Q</text></name><questiontext>{text}</questiontext>'

    row = read_one(moodle(body + moodle_answer("a", "100") + moodle_answer("b", "0") + "</question>"))

    assert questions.PICTURE in row.reasons


def test_paragraphs_lists_and_tables_become_the_situation_and_looks_are_named():
    text = (
        "<p>A van <strong>stops</strong>.</p><ol><li>One</li><li>Two &amp; three</li></ol>"
        "<table><tr><th>A</th><th>B</th></tr><tr><td>1</td><td>2|3</td></tr></table>"
        '<p style="color:red">Call <a href="https://example.org/x">them</a> or'
        ' <a href="javascript:alert(1)">not</a>. H<sub>2</sub>O?</p><script>alert(1)</script>'
    )
    body = moodle_answer("<b>a</b>", "100").replace("<b>", "&lt;b&gt;").replace("</b>", "&lt;/b&gt;")

    row = read_one(moodle(moodle_question("multichoice", body + moodle_answer("b", "0"), text)))

    assert row.table["stimulus"] == (
        "A van **stops**.\n\n1. One\n2. Two & three\n\n| A | B |\n| --- | --- |\n| 1 | 2\\|3 |"
    )
    assert row.table["prompt"] == r"Call [them](https://example.org/x) or not. H2O?"
    assert row.table["choice"][0]["text"] == "**a**"
    assert {questions.LINK, questions.SMALL, questions.SCRIPT} <= set(row.warnings)


def test_what_is_left_out_of_a_question_is_named():
    body = "<shuffleanswers>0</shuffleanswers>" + moodle_answer("a", "100") + moodle_answer("b", "0")
    body += "<hint><text>Think</text></hint><correctfeedback><text>Well done</text></correctfeedback>"

    row = read_one(moodle(moodle_question("multichoice", body)))

    assert set(row.warnings) == {
        questions.SHUFFLED,
        item_exchange_moodle.HINTS,
        item_exchange_moodle.COMBINED,
    }


@pytest.mark.parametrize(
    ("text", "form", "prompt"),
    [
        ("<b>Who</b> <script>alert(1)</script>calls?", "moodle_auto_format", "**Who** calls?"),
        ("<p>First.</p><p>Who calls?</p>", "html", "Who calls?"),
        ("5 * 3 * 2 is what?", "moodle_auto_format", "5 * 3 * 2 is what?"),
        ("What is 2 + 2 in *words*?", "markdown", "What is 2 + 2 in *words*?"),
        ("Is <b> a tag?", "plain_text", "Is <b> a tag?"),
        ("Use [[force.none]]?", "moodle_auto_format", "Use [[force.none]]?"),
        ("::: warning?", "plain_text", r"\::: warning?"),
    ],
    ids=["script", "html", "stars", "emphasis", "tag", "slot", "box"],
)
def test_no_markup_comes_but_the_portals_own(text, form, prompt):
    body = moodle_answer("a", "100") + moodle_answer("b", "0")

    assert read_one(moodle(moodle_question("multichoice", body, text, form=form))).table["prompt"] == prompt


@pytest.mark.parametrize("kind", sorted(item_exchange_moodle.REFUSED))
def test_a_reason_is_a_sentence(kind):
    assert item_exchange_moodle.REFUSED[kind].endswith(".")
