"""Files of other systems, written by hand from the formats' public definitions."""

import io
import zipfile

from portal.domain.authoring.item_exchange.questions import ForeignQuestion
from portal.domain.authoring.item_exchange.reading import read_questions

MOODLE_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<quiz>\n'


def moodle(*questions: str) -> bytes:
    """A file of Moodle XML with these questions."""
    return (MOODLE_HEAD + "\n".join(questions) + "\n</quiz>\n").encode()


def moodle_question(
    kind: str, body: str = "", text: str = "<p>Which?</p>", name: str = "Q", form: str = "html"
) -> str:
    """One question of Moodle XML."""
    return (
        f'<question type="{kind}"><name><text>{name}</text></name>'
        f'<questiontext format="{form}"><text><![CDATA[{text}]]></text></questiontext>'
        f'<generalfeedback format="html"><text><![CDATA[<p>Because.</p>]]></text></generalfeedback>'
        f"{body}</question>"
    )


def moodle_answer(text: str, fraction: str, feedback: str = "So.") -> str:
    """One answer of Moodle XML."""
    return (
        f'<answer fraction="{fraction}" format="html"><text>{text}</text>'
        f'<feedback format="html"><text>{feedback}</text></feedback></answer>'
    )


SINGLE = moodle_question(
    "multichoice",
    "<single>true</single><shuffleanswers>true</shuffleanswers>"
    + moodle_answer("Red", "100")
    + moodle_answer("Blue", "0"),
)


def category(name: str) -> str:
    """A line of Moodle XML that puts the questions after it into a category."""
    return f'<question type="category"><category><text>$course$/top/{name}</text></category></question>'


def moodle_answers(*answers: tuple[str, str]) -> str:
    """Answers of Moodle XML, each with its share of the mark."""
    return "".join(moodle_answer(*answer) for answer in answers)


def moodle_pair(left: str, right: str) -> str:
    """One pair of Moodle XML."""
    return f"<subquestion><text>{left}</text><answer><text>{right}</text></answer></subquestion>"


# The bank of a made-up force: six questions that can come, and three that cannot.
BANK = moodle(
    category("see"),
    moodle_question(
        "multichoice",
        moodle_answers(("Red", "100"), ("Blue", "0"), ("Green", "0")),
        "Which colour has a stop sign?",
        "Colour",
    ),
    moodle_question(
        "truefalse",
        moodle_answers(("true", "100"), ("false", "0")),
        "The tide rises twice a day.",
        "Tide",
    ),
    moodle_question(
        "matching",
        moodle_pair("Cat", "meows") + moodle_pair("Dog", "barks"),
        "Match the animal with its sound.",
        "Animals",
    ),
    moodle_question(
        "multichoice",
        "<single>false</single>" + moodle_answers(("Severn", "50"), ("Trent", "50"), ("Snowdon", "0")),
        "Which two are rivers?",
        "Rivers",
    ),
    moodle_question(
        "ordering",
        moodle_answers(("Look", "1"), ("Think", "2"), ("Act", "3")),
        "What comes first?",
        "Steps",
    ),
    moodle_question("shortanswer", moodle_answers(("Dickens", "100")), "Who wrote it?", "Typed"),
    moodle_question("essay", "", "Say why.", "Essay"),
    moodle_question("description", "", "A text that asks nothing.", "Notice"),
    moodle_question(
        "multichoice", moodle_answers(("Cardiff", "100"), ("Newport", "0")), "Where is the Senedd?", "Senedd"
    ),
)

QTI_21 = """<?xml version="1.0" encoding="UTF-8"?>
<assessmentItem xmlns="http://www.imsglobal.org/xsd/imsqti_v2p1" identifier="{identifier}" title="{title}"
    adaptive="false" timeDependent="false">
  <responseDeclaration identifier="RESPONSE" cardinality="{cardinality}" baseType="{base}">
    <correctResponse>{correct}</correctResponse>
  </responseDeclaration>
  <outcomeDeclaration identifier="SCORE" cardinality="single" baseType="float"/>
  <itemBody>{body}</itemBody>
  {processing}
</assessmentItem>
"""
MATCH_CORRECT = (
    '<responseProcessing template="http://www.imsglobal.org/question/qti_v2p1/rptemplates/match_correct"/>'
)
CHOICE_BODY = """<p>A stop sign stands here.</p>
<choiceInteraction responseIdentifier="RESPONSE" shuffle="true" maxChoices="1">
  <prompt>Which <strong>colour</strong> has it?</prompt>
  <simpleChoice identifier="red">Red<feedbackInline outcomeIdentifier="FEEDBACK" identifier="red"
    showHide="show">Right.</feedbackInline></simpleChoice>
  <simpleChoice identifier="blue">Blue</simpleChoice>
</choiceInteraction>"""


def qti(
    body: str = CHOICE_BODY,
    *correct: str,
    cardinality: str = "single",
    base: str = "identifier",
    processing: str = MATCH_CORRECT,
    identifier: str = "stop-sign",
    title: str = "Stop sign",
) -> bytes:
    """An item of QTI 2.1."""
    values = "".join(f"<value>{value}</value>" for value in correct or ("red",))
    return QTI_21.format(
        body=body,
        correct=values,
        cardinality=cardinality,
        base=base,
        processing=processing,
        identifier=identifier,
        title=title,
    ).encode()


def qti_3(body: str, correct: str, cardinality: str = "single", base: str = "identifier") -> bytes:
    """An item of QTI 3.0."""
    return f"""<qti-assessment-item xmlns="http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
  identifier="item-3" title="Item 3" adaptive="false" time-dependent="false">
  <qti-response-declaration identifier="RESPONSE" cardinality="{cardinality}" base-type="{base}">
    <qti-correct-response>{correct}</qti-correct-response>
  </qti-response-declaration>
  <qti-item-body>{body}</qti-item-body>
  <qti-response-processing
    template="https://purl.imsglobal.org/spec/qti/v3p0/rptemplates/match_correct.xml"/>
</qti-assessment-item>""".encode()


def manifest(*hrefs: str, kind: str = "imsqti_item_xmlv2p1") -> bytes:
    """The manifest of a package."""
    rows = "".join(
        f'<resource identifier="r{number}" type="{kind}" href="{href}"><file href="{href}"/></resource>'
        for number, href in enumerate(hrefs)
    )
    space = "http://www.imsglobal.org/xsd/imscp_v1p1"
    return f'<manifest xmlns="{space}"><resources>{rows}</resources></manifest>'.encode()


def package(files: dict[str, bytes]) -> bytes:
    """A package of these files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def read_one(content: bytes) -> ForeignQuestion:
    """The one question of a file."""
    _, (question,) = read_questions(content)
    return question
