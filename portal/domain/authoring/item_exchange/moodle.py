"""Questions in Moodle XML, read and written."""

from collections.abc import Iterator
from xml.etree.ElementTree import Element, SubElement

from portal.domain.authoring.item_exchange.files import OutgoingItem, block_html, format_document, inline_html
from portal.domain.authoring.item_exchange.questions import (
    ESSAY,
    NOTHING_ASKED,
    NUMBER,
    PICTURE,
    SHUFFLED,
    TYPED,
    WHOLE_MARK,
    Markup,
    RawChoice,
    RawQuestion,
    join_inline,
    read_html,
    read_loose_html,
    read_markdown,
    read_plain,
)

# Reads Moodle XML.
#
# Runs in a separate process: the portal calls ``portal.domain.authoring.item_exchange.reading``.
#
# Source: the format's description in Moodle's documentation, "Moodle XML format".

_READERS = {
    "html": read_html,
    "moodle_auto_format": read_loose_html,
    "markdown": read_markdown,
    "plain_text": read_plain,
}
GAPS = "It has gaps in a text. The portal has no such question."
CALCULATED = "Its numbers are drawn anew for each learner and computed. The portal has no such question."
DRAWN = "It is not a question: it draws one from a category at random."
PLACED = "Its answers are put on a picture or into a text. The portal has no such question."
REFUSED = {
    "essay": ESSAY,
    "shortanswer": TYPED,
    "numerical": NUMBER,
    "description": NOTHING_ASKED,
    "random": DRAWN,
    "randomsamatch": DRAWN,
    "cloze": GAPS,
    "multianswer": GAPS,
    "gapselect": GAPS,
    "ddwtos": GAPS,
    "ddimageortext": PLACED,
    "ddmarker": PLACED,
} | dict.fromkeys(("calculated", "calculatedsimple", "calculatedmulti"), CALCULATED)
HINTS = "Its hints were left out: here nobody tries a question twice in one attempt."
COMBINED = "Its feedback for a right, partly right or wrong answer was left out. Each choice keeps its own."


def read_moodle(root: Element) -> Iterator[RawQuestion]:
    """The questions of a file, in its order."""
    category = ""
    for element in root.iterfind("question"):
        kind = element.get("type", "")
        if kind == "category":
            category = (element.findtext("category/text") or "").strip().rpartition("/")[2]
            continue
        question = _read_question(element, kind)
        question.outcome = question.outcome or category
        yield question


def _read_question(element: Element, kind: str) -> RawQuestion:
    question = RawQuestion(
        name=(element.findtext("name/text") or "").strip(),
        key=(element.findtext("idnumber") or "").strip(),
        text=_read_text(element.find("questiontext")),
        explanation=_read_text(element.find("generalfeedback")),
    )
    if kind in _READ:
        _READ[kind](question, element)
        _note_losses(question, element)
    else:
        question.refuse(REFUSED.get(kind, f"The portal has no question of the kind “{kind[:40]}”."))
    _read_tags(question, element)
    return question


def _read_choices(question: RawQuestion, element: Element) -> None:
    question.kind = "single" if _is_true(element.findtext("single"), default=True) else "multiple"
    for answer in element.iterfind("answer"):
        question.choices.append(
            RawChoice(
                _read_text(answer),
                _read_share(answer, question),
                _read_text(answer.find("feedback")),
                answer.get("key", ""),
            )
        )


def _read_truth(question: RawQuestion, element: Element) -> None:
    question.kind = "single"
    words = {"true": "True", "false": "False"}
    for answer in element.iterfind("answer"):
        word = join_inline(_read_text(answer)).lower()
        share = _read_share(answer, question)
        feedback = _read_text(answer.find("feedback"))
        question.choices.append(RawChoice(read_plain(words.get(word, word)), share, feedback, word))


def _read_pairs(question: RawQuestion, element: Element) -> None:
    question.kind = "match"
    question.warn(WHOLE_MARK)
    for row in element.iterfind("subquestion"):
        left, right = _read_text(row), _read_text(row.find("answer"), default="plain_text")
        if left.blocks or left.refusals:
            question.pairs.append((row.get("key", ""), left, right))
        else:
            question.extra.append(right)


def _read_steps(question: RawQuestion, element: Element) -> None:
    question.kind = "order"
    if (element.findtext("gradingtype") or "").strip() not in {"", "ALL_OR_NOTHING", "-1"}:
        question.warn(WHOLE_MARK)
    question.steps = [(answer.get("key", ""), _read_text(answer)) for answer in element.iterfind("answer")]


_READ = {
    "multichoice": _read_choices,
    "truefalse": _read_truth,
    "matching": _read_pairs,
    "ddmatch": _read_pairs,
    "ordering": _read_steps,
}


def _read_text(element: Element | None, default: str = "html") -> Markup:
    """The text of an element in its format; pictures are a reason why the question cannot come."""
    if element is None:
        return Markup()
    read = _READERS.get(element.get("format", default), read_html)
    markup = read(element.findtext("text") or "")
    if element.find("file") is not None and PICTURE not in markup.refusals:
        markup.refusals.append(PICTURE)
    return markup


def _read_share(answer: Element, question: RawQuestion) -> float:
    try:
        return round(float(answer.get("fraction", "0")), 5)
    except ValueError:
        question.refuse("The mark of one of its answers is not a number.")
        return 0.0


def _read_tags(question: RawQuestion, element: Element) -> None:
    """Outcome, sources and state, as the portal's own files have them; other tags are left out."""
    for tag in element.iterfind("tags/tag"):
        name, _, value = (tag.findtext("text") or "").partition(": ")
        if name == "outcome":
            question.outcome = value.strip()
        elif name == "source" and value.strip():
            question.source.append(value.strip())
        elif name == "retired":
            question.retired = True


def _note_losses(question: RawQuestion, element: Element) -> None:
    if element.find("hint") is not None:
        question.warn(HINTS)
    if not _is_true(element.findtext("shuffleanswers"), default=True):
        question.warn(SHUFFLED)
    names = ("correctfeedback", "partiallycorrectfeedback", "incorrectfeedback")
    if any((element.findtext(f"{name}/text") or "").strip() for name in names):
        question.warn(COMBINED)


def _is_true(text: str | None, *, default: bool) -> bool:
    return default if text is None else text.strip().lower() in {"1", "true"}


# Writes questions as Moodle XML, with texts as HTML.
#
# Source: the format's description in Moodle's documentation, "Moodle XML format".

_HTML = {"format": "html"}


def write_moodle(items: list[OutgoingItem], category: str) -> bytes:
    """The questions as one file, in a category of their own."""
    root = Element("quiz")
    head = SubElement(root, "question", type="category")
    _add_text(SubElement(head, "category"), f"$course$/top/{category.replace('/', '//')}")
    for item in items:
        root.append(_write_question(item))
    return format_document(root, lambda element: element.tag != "text" and len(element) > 0)


def _write_question(item: OutgoingItem) -> Element:
    table = item.table
    kinds = {"single": "multichoice", "multiple": "multichoice", "order": "ordering", "match": "matching"}
    question = Element("question", type=kinds[item.kind])
    _add_text(SubElement(question, "name"), item.key)
    text = f"{block_html(str(table.get('stimulus', '')))}<p>{inline_html(str(table['prompt']))}</p>"
    _add_text(SubElement(question, "questiontext", _HTML), text)
    _add_text(SubElement(question, "generalfeedback", _HTML), inline_html(str(table.get("explanation", ""))))
    _add_values(question, {"defaultgrade": "1", "penalty": "0", "hidden": "0", "idnumber": item.key})
    {"order": _add_steps, "match": _add_pairs}.get(item.kind, _add_choices)(question, item)
    tags = SubElement(question, "tags")
    words = [f"outcome: {table['outcome']}"] if table.get("outcome") else []
    words += [f"source: {number}" for number in item.sources]
    words += ["retired"] if table.get("retired") is True else []
    for word in words:
        _add_text(SubElement(tags, "tag"), word)
    return question


def _add_choices(question: Element, item: OutgoingItem) -> None:
    rows = item.rows("choice")
    single = item.kind == "single"
    _add_values(
        question,
        {"single": str(single).lower(), "shuffleanswers": "true", "answernumbering": "none"},
    )
    right = sum(row.get("correct") is True for row in rows)
    for row in rows:
        share = 100 / right if row.get("correct") is True else 0 if single else -100
        fraction = f"{share:.5f}".rstrip("0").rstrip(".") or "0"
        answer = SubElement(question, "answer", {"fraction": fraction, **_HTML, "key": str(row["key"])})
        _add_text(answer, inline_html(str(row.get("text", ""))))
        _add_text(SubElement(answer, "feedback", _HTML), inline_html(str(row.get("feedback", ""))))


def _add_steps(question: Element, item: OutgoingItem) -> None:
    _add_values(
        question,
        {"layouttype": "VERTICAL", "selecttype": "ALL", "selectcount": "0", "gradingtype": "ALL_OR_NOTHING"},
    )
    for number, row in enumerate(item.rows("step"), 1):
        answer = SubElement(question, "answer", {"fraction": str(number), **_HTML, "key": str(row["key"])})
        _add_text(answer, inline_html(str(row.get("text", ""))))


def _add_pairs(question: Element, item: OutgoingItem) -> None:
    _add_values(question, {"shuffleanswers": "true"})
    rows = [
        (str(row.get("left", "")), str(row.get("right", "")), str(row["key"])) for row in item.rows("pair")
    ]
    rows += [("", str(text), "") for text in item.table.get("extra_right", [])]
    for left, right, key in rows:
        attributes = _HTML | ({"key": key} if key else {})
        row = SubElement(question, "subquestion", attributes)
        _add_text(row, inline_html(left))
        _add_text(SubElement(row, "answer", _HTML), inline_html(right))


def _add_values(parent: Element, values: dict[str, str]) -> None:
    for name, value in values.items():
        SubElement(parent, name).text = value


def _add_text(parent: Element, text: str) -> None:
    SubElement(parent, "text").text = text
