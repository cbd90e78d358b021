"""Writes questions as a QTI 3.0 package: a manifest, and a document for each question.

Every question is marked as a whole, and its feedback is shown by the choice that was made.

Source: 1EdTech's Question and Test Interoperability 3.0, information model and best practice guide.
"""

from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement

from portal.domain.authoring.item_exchange.outgoing import (
    OutgoingItem,
    append_inline,
    block_elements,
    format_document,
    pack_files,
)
from portal.domain.authoring.item_exchange.packages import MANIFEST

ITEM_SPACE = "http://www.imsglobal.org/xsd/imsqtiasi_v3p0"
ITEM_SCHEMA = "https://purl.imsglobal.org/spec/qti/v3p0/schema/xsd/imsqti_asiv3p0_v1p0.xsd"
MANIFEST_SPACE = "http://www.imsglobal.org/xsd/qti/qtiv3p0/imscp_v1p1"
MANIFEST_SCHEMA = "https://purl.imsglobal.org/spec/qti/v3p0/schema/xsd/imsqtiv3p0_imscpv1p2_v1p0.xsd"
ITEM_TYPE = "imsqti_item_xmlv3p0"
_INSTANCE = "http://www.w3.org/2001/XMLSchema-instance"
_BLOCKS = frozenset(
    "qti-assessment-item qti-response-declaration qti-correct-response qti-outcome-declaration"
    " qti-default-value qti-item-body qti-choice-interaction qti-order-interaction qti-match-interaction"
    " qti-simple-match-set qti-response-processing qti-response-condition qti-response-if qti-match"
    " qti-set-outcome-value qti-modal-feedback qti-content-body manifest metadata resources resource"
    " ul ol table thead tbody tr blockquote".split()
)


def write_package(items: Sequence[OutgoingItem], title: str) -> bytes:
    """The package with all questions, the same bytes for the same questions."""
    documents = [(f"items/{item.key}.xml", _format_document(write_item(item))) for item in items]
    manifest = _write_manifest(
        [(item.key, path) for item, (path, _) in zip(items, documents, strict=True)], title
    )
    return pack_files([(MANIFEST, _format_document(manifest)), *documents])


def encode_key(key: str) -> str:
    """The identifier of a key: identifiers do not begin with a digit.

    >>> encode_key("14"), encode_key("a")
    ('_14', 'a')
    """
    return f"_{key}" if key[:1].isdigit() else key


def write_item(item: OutgoingItem) -> Element:
    """One question as an assessment item."""
    words = [f"outcome:{item.table['outcome']}"] if item.table.get("outcome") else []
    words += [f"source:{' '.join(item.sources)}"]
    words += ["retired"] if item.table.get("retired") is True else []
    root = Element(
        "qti-assessment-item",
        {
            "xmlns": ITEM_SPACE,
            "xmlns:xsi": _INSTANCE,
            "xsi:schemaLocation": f"{ITEM_SPACE} {ITEM_SCHEMA}",
            "identifier": encode_key(item.key),
            "title": item.key,
            "label": "; ".join(words),
            "adaptive": "false",
            "time-dependent": "false",
            "xml:lang": "en-GB",
        },
    )
    interaction, correct = {"order": _order_parts, "match": _match_parts}.get(item.kind, _choice_parts)(item)
    _declare_response(root, item, correct)
    body = SubElement(root, "qti-item-body")
    body.extend(block_elements(str(item.table.get("stimulus", ""))))
    prompt = Element("qti-prompt")
    append_inline(prompt, str(item.table["prompt"]))
    interaction.insert(0, prompt)
    body.append(interaction)
    has_choices = item.kind in {"single", "multiple"}
    _add_processing(root, shows_feedback=has_choices)
    if item.table.get("explanation"):
        feedback = SubElement(root, "qti-modal-feedback", _feedback_attributes("EXPLANATION", "explanation"))
        paragraph = SubElement(SubElement(feedback, "qti-content-body"), "p")
        append_inline(paragraph, str(item.table["explanation"]))
    return root


def _choice_parts(item: OutgoingItem) -> tuple[Element, list[str]]:
    rows = item.rows("choice")
    most = "1" if item.kind == "single" else "0"
    interaction = Element(
        "qti-choice-interaction", {"response-identifier": "RESPONSE", "shuffle": "true", "max-choices": most}
    )
    for row in rows:
        identifier = encode_key(str(row["key"]))
        choice = SubElement(interaction, "qti-simple-choice", identifier=identifier)
        append_inline(choice, str(row.get("text", "")))
        if row.get("feedback"):
            feedback = SubElement(choice, "qti-feedback-inline", _feedback_attributes("FEEDBACK", identifier))
            append_inline(feedback, str(row["feedback"]))
    return interaction, [encode_key(str(row["key"])) for row in rows if row.get("correct") is True]


def _order_parts(item: OutgoingItem) -> tuple[Element, list[str]]:
    interaction = Element("qti-order-interaction", {"response-identifier": "RESPONSE", "shuffle": "true"})
    for row in item.rows("step"):
        choice = SubElement(interaction, "qti-simple-choice", identifier=encode_key(str(row["key"])))
        append_inline(choice, str(row.get("text", "")))
    return interaction, [encode_key(str(row["key"])) for row in item.rows("step")]


def _match_parts(item: OutgoingItem) -> tuple[Element, list[str]]:
    """Left sides, and right sides without those that are equal; a dot keeps their identifiers apart."""
    rows = item.rows("pair")
    extra = [str(text) for text in item.table.get("extra_right", [])]
    rights = list(dict.fromkeys([*(str(row.get("right", "")) for row in rows), *extra]))
    names = {text: f"right.{number}" for number, text in enumerate(rights, 1)}
    interaction = Element(
        "qti-match-interaction",
        {"response-identifier": "RESPONSE", "shuffle": "true", "max-associations": str(len(rows))},
    )
    lefts = [(encode_key(str(row["key"])), str(row.get("left", "")), "1") for row in rows]
    options = [(names[text], text, "0") for text in rights]
    for group in (lefts, options):
        match_set = SubElement(interaction, "qti-simple-match-set")
        for identifier, text, most in group:
            choice = SubElement(
                match_set, "qti-simple-associable-choice", {"identifier": identifier, "match-max": most}
            )
            append_inline(choice, text)
    return interaction, [f"{encode_key(str(row['key']))} {names[str(row.get('right', ''))]}" for row in rows]


def _declare_response(root: Element, item: OutgoingItem, correct: Sequence[str]) -> None:
    cardinality = {"single": "single", "order": "ordered"}.get(item.kind, "multiple")
    base_type = "directedPair" if item.kind == "match" else "identifier"
    response = SubElement(
        root,
        "qti-response-declaration",
        {"identifier": "RESPONSE", "cardinality": cardinality, "base-type": base_type},
    )
    values = SubElement(response, "qti-correct-response")
    for value in correct:
        SubElement(values, "qti-value").text = value
    _declare_outcome(root, "SCORE", "single", "float", "0")
    _declare_outcome(root, "MAXSCORE", "single", "float", "1")
    if item.kind in {"single", "multiple"}:
        _declare_outcome(root, "FEEDBACK", cardinality, "identifier")
    _declare_outcome(root, "EXPLANATION", "single", "identifier")


def _declare_outcome(
    root: Element, identifier: str, cardinality: str, base_type: str, default: str = ""
) -> None:
    declaration = SubElement(
        root,
        "qti-outcome-declaration",
        {"identifier": identifier, "cardinality": cardinality, "base-type": base_type},
    )
    if default:
        SubElement(SubElement(declaration, "qti-default-value"), "qti-value").text = default


def _add_processing(root: Element, *, shows_feedback: bool) -> None:
    """Give the whole mark for exactly the right response, and show what belongs to the response."""
    processing = SubElement(root, "qti-response-processing")
    branch = SubElement(SubElement(processing, "qti-response-condition"), "qti-response-if")
    match = SubElement(branch, "qti-match")
    SubElement(match, "qti-variable", identifier="RESPONSE")
    SubElement(match, "qti-correct", identifier="RESPONSE")
    mark = SubElement(branch, "qti-set-outcome-value", identifier="SCORE")
    SubElement(mark, "qti-base-value", {"base-type": "float"}).text = "1"
    if shows_feedback:
        shown = SubElement(processing, "qti-set-outcome-value", identifier="FEEDBACK")
        SubElement(shown, "qti-variable", identifier="RESPONSE")
    explained = SubElement(processing, "qti-set-outcome-value", identifier="EXPLANATION")
    SubElement(explained, "qti-base-value", {"base-type": "identifier"}).text = "explanation"


def _feedback_attributes(outcome: str, identifier: str) -> dict[str, str]:
    return {"outcome-identifier": outcome, "identifier": identifier, "show-hide": "show"}


def _write_manifest(items: Sequence[tuple[str, str]], title: str) -> Element:
    root = Element(
        "manifest",
        {
            "xmlns": MANIFEST_SPACE,
            "xmlns:xsi": _INSTANCE,
            "xsi:schemaLocation": f"{MANIFEST_SPACE} {MANIFEST_SCHEMA}",
            "identifier": f"bank.{encode_key(title)}",
        },
    )
    metadata = SubElement(root, "metadata")
    SubElement(metadata, "schema").text = "QTI Package"
    SubElement(metadata, "schemaversion").text = "3.0.0"
    SubElement(root, "organizations")
    resources = SubElement(root, "resources")
    for key, path in items:
        resource = SubElement(
            resources, "resource", {"identifier": f"item.{key}", "type": ITEM_TYPE, "href": path}
        )
        SubElement(resource, "file", href=path)
    return root


def _format_document(root: Element) -> bytes:
    return format_document(root, lambda element: element.tag in _BLOCKS)
