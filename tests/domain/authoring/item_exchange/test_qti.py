"""Items of QTI 2.1 and 3.0: what becomes of each interaction, and why some cannot come."""

import pytest

from portal.domain.authoring.item_exchange import qti as item_exchange_qti
from portal.domain.authoring.item_exchange import questions
from portal.domain.authoring.item_exchange.reading import read_questions
from tests.domain.authoring.item_exchange.foreign_files import (
    CHOICE_BODY,
    manifest,
    package,
    qti,
    qti_3,
    read_one,
)


def test_a_choice_of_version_2_1_comes_with_situation_question_and_feedback():
    row = read_one(qti())

    assert row.reasons == ()
    assert row.table == {
        "key": "stop-sign",
        "kind": "single",
        "source": "practice",
        "stimulus": "A stop sign stands here.",
        "prompt": "Which **colour** has it?",
        "choice": [
            {"key": "red", "text": "Red", "feedback": "Right.", "correct": True},
            {"key": "blue", "text": "Blue"},
        ],
    }
    assert set(row.warnings) == {questions.NO_EXPLANATION, questions.NO_FEEDBACK}


def test_the_same_choice_of_version_3_0_is_the_same_question():
    body = (
        '<p>A stop sign stands here.</p><qti-choice-interaction response-identifier="RESPONSE" shuffle="true"'
        ' max-choices="1"><qti-prompt>Which <strong>colour</strong> has it?</qti-prompt>'
        '<qti-simple-choice identifier="red">Red<qti-feedback-inline outcome-identifier="FEEDBACK"'
        ' identifier="red" show-hide="show">Right.</qti-feedback-inline></qti-simple-choice>'
        '<qti-simple-choice identifier="blue">Blue</qti-simple-choice></qti-choice-interaction>'
    )

    row = read_one(qti_3(body, "<qti-value>red</qti-value>"))

    assert row.table == read_one(qti()).table | {"key": "item-3"}


def test_steps_come_in_their_right_order():
    body = '<orderInteraction responseIdentifier="RESPONSE" shuffle="true"><prompt>In which order?</prompt>'
    body += "".join(f'<simpleChoice identifier="{key}">{key}</simpleChoice>' for key in ("b", "c", "a"))

    row = read_one(qti(f"{body}</orderInteraction>", "a", "b", "c", cardinality="ordered"))

    assert [step["key"] for step in row.table["step"]] == ["a", "b", "c"]


def match_body(*rights: str) -> str:
    lefts = "".join(
        f'<simpleAssociableChoice identifier="{key}" matchMax="1">{key}</simpleAssociableChoice>'
        for key in ("cat", "dog")
    )
    options = "".join(
        f'<simpleAssociableChoice identifier="{key}" matchMax="2">{key}</simpleAssociableChoice>'
        for key in rights
    )
    return (
        '<matchInteraction responseIdentifier="RESPONSE" shuffle="true" maxAssociations="2">'
        "<prompt>What belongs together?</prompt>"
        f"<simpleMatchSet>{lefts}</simpleMatchSet><simpleMatchSet>{options}</simpleMatchSet></matchInteraction>"
    )


def test_pairs_come_with_what_belongs_to_none():
    body = match_body("meows", "barks", "sings")
    values = {"cardinality": "multiple", "base": "directedPair"}

    row = read_one(qti(body, "cat meows", "dog barks", **values))

    assert row.table["pair"] == [
        {"key": "cat", "left": "cat", "right": "meows"},
        {"key": "dog", "left": "dog", "right": "barks"},
    ]
    assert row.table["extra_right"] == ["sings"]
    assert "belongs to two things" in read_one(qti(body, "cat meows", "cat barks", **values)).reasons[0]
    assert "belongs to nothing" in read_one(qti(body, "cat meows", **values)).reasons[0]


@pytest.mark.parametrize("name", sorted(item_exchange_qti.INTERACTIONS))
@pytest.mark.parametrize("version", ["2.1", "3.0"])
def test_other_interactions_say_why_they_cannot_come(name, version):
    if version == "3.0":
        content = qti_3(
            f'<p>Say.</p><qti-{name} response-identifier="RESPONSE"/>', "<qti-value>a</qti-value>"
        )
    else:
        first, *words = name.split("-")
        element = first + "".join(map(str.capitalize, words))
        content = qti(f'<p>Say.</p><{element} responseIdentifier="RESPONSE"/>')

    assert read_one(content).reasons == (item_exchange_qti.INTERACTIONS[name],)


@pytest.mark.parametrize(
    ("processing", "reason"),
    [
        ('<responseProcessing template="https://example.org/own"/>', item_exchange_qti.OWN_MARKING),
        ("<responseProcessing><setOutcomeValue identifier='SCORE'><customOperator/></setOutcomeValue>"
         "</responseProcessing>", item_exchange_qti.OWN_MARKING),
        ('<responseProcessing template="http://x/rptemplates/map_response"/>', item_exchange_qti.NO_KEY),
    ],
    ids=["own-template", "own-operator", "no-map"],
)  # fmt: skip
def test_marking_of_its_own_is_a_reason(processing, reason):
    assert reason in read_one(qti(processing=processing)).reasons


def test_a_sum_of_marks_is_several_right_answers_with_a_warning():
    content = (
        qti(cardinality="multiple", processing='<responseProcessing template="x/map_response"/>')
        .decode()
        .replace(
            "</responseDeclaration>",
            '<mapping defaultValue="0"><mapEntry mapKey="red" mappedValue="2"/>'
            '<mapEntry mapKey="blue" mappedValue="1"/></mapping></responseDeclaration>',
        )
    )
    row = read_one(content.encode())

    assert (row.kind, questions.WHOLE_MARK in row.warnings) == ("multiple", True)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("<p>Only words.</p>", "asks nothing"),
        (CHOICE_BODY + CHOICE_BODY, "several things at once"),
        (CHOICE_BODY.replace("Blue", '<img src="a.png" alt="a"/>'), "picture"),
        (CHOICE_BODY.replace("Blue", '<object data="a.swf"/>'), "runs or is filled in"),
        (CHOICE_BODY.replace('"RESPONSE"', '"OTHER"'), "does not say which answer is right"),
    ],
    ids=["nothing", "two", "picture", "object", "no-key"],
)
def test_items_that_are_no_single_question_say_why(body, reason):
    assert any(reason in sentence for sentence in read_one(qti(body)).reasons)


def test_a_package_comes_in_the_order_of_its_manifest_and_names_what_it_lacks():
    files = {
        "imsmanifest.xml": manifest("b.xml", "items/a%20b.xml", "none.xml", "broken.xml", "../out.xml"),
        "items/a b.xml": qti(title="A"),
        "b.xml": qti(title="B", identifier="b"),
        "broken.xml": b"<assessmentItem>",
    }

    name, rows = read_questions(package(files))

    assert name == "qti"
    assert [row.name for row in rows] == ["B", "A", "none.xml", "broken.xml", "../out.xml"]
    assert [bool(row.table) for row in rows] == [True, True, False, False, False]
    assert "does not hold it" in rows[2].reasons[0]
    assert "not well-formed" in rows[3].reasons[0]
    assert "does not hold it" in rows[4].reasons[0]
