"""Writes questions as Moodle XML, with texts as HTML.

Source: the format's description in Moodle's documentation, "Moodle XML format".
"""

from xml.etree.ElementTree import Element, SubElement

from portal.domain.authoring.item_exchange.outgoing import (
    OutgoingItem,
    block_html,
    format_document,
    inline_html,
)

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
