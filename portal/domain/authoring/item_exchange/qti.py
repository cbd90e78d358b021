"""Questions in QTI: 2.1 and 3.0 are read, 3.0 is written."""

import re
from collections.abc import Collection, Iterator, Sequence
from html import escape
from xml.etree.ElementTree import Element, SubElement

from portal.domain.authoring.item_exchange.files import (
    MANIFEST,
    OutgoingItem,
    append_inline,
    block_elements,
    format_document,
    pack_files,
)
from portal.domain.authoring.item_exchange.questions import (
    ESSAY,
    MINUS,
    NOTHING_ASKED,
    SHUFFLED,
    TYPED,
    WHOLE_MARK,
    Markup,
    RawChoice,
    RawQuestion,
    join_markups,
    merge_texts,
    read_html,
)

# One naming for QTI 2.1 and 3.0: elements and attributes as version 3.0 has them, without ``qti-``.
#
# Runs in a separate process: the portal calls ``portal.domain.authoring.item_exchange.reading``.

_CAPITAL = re.compile(r"(?<=[a-z0-9])([A-Z])")
_KEPT = ("href", "style")  # attributes that the reader of HTML looks at
_OWN = frozenset({"feedback-inline", "feedback-block", "modal-feedback", "rubric-block", "prompt"})


def element_name(element: Element) -> str:
    """The name of an element in one form for both versions.

    >>> element_name(Element("simpleChoice")), element_name(Element("qti-simple-choice"))
    ('simple-choice', 'simple-choice')
    """
    name = element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""
    return name.removeprefix("qti-") if name.startswith("qti-") else _hyphenate(name)


def attribute_value(element: Element, name: str, default: str = "") -> str:
    """The value of an attribute by its name in version 3.0."""
    for raw_name, value in element.attrib.items():
        if _hyphenate(raw_name.rpartition("}")[2]) == name:
            return value
    return default


def find_all(root: Element, *names: str) -> list[Element]:
    """The elements below, in their order, that have one of these names."""
    return [element for element in root.iter() if element is not root and element_name(element) in names]


def children_named(root: Element, *names: str) -> list[Element]:
    """The direct children that have one of these names."""
    return [element for element in root if element_name(element) in names]


def values_of(root: Element) -> list[str]:
    """The values that a declaration lists."""
    return ["".join(element.itertext()).strip() for element in find_all(root, "value")]


def read_content(element: Element, leave_out: Collection[Element] = ()) -> Markup:
    """The text of an element without its feedback, and without the elements to leave out."""
    left_out = frozenset(map(id, leave_out))
    return read_html("".join(_inner_html(element, left_out)))


def _inner_html(element: Element, left_out: frozenset[int]) -> Iterator[str]:
    """The content as HTML; elements of QTI are only their words. Depth is bounded where it was parsed."""
    yield escape(element.text or "")
    for child in element:
        name = element_name(child)
        if id(child) not in left_out and name not in _OWN:
            attributes = "".join(
                f' {key}="{escape(child.attrib[key])}"' for key in _KEPT if key in child.attrib
            )
            yield f"<{name}{attributes}>"
            yield from _inner_html(child, left_out)
            yield f"</{name}>"
        yield escape(child.tail or "")


def _hyphenate(name: str) -> str:
    return _CAPITAL.sub(r"-\1", name).lower()


# Reads items of QTI 2.1 and 3.0.
#
# Runs in a separate process: the portal calls ``portal.domain.authoring.item_exchange.reading``.
#
# Source: 1EdTech's Question and Test Interoperability, information models of versions 2.1 and 3.0.

_OF_PICTURES = "It is answered on a picture. The portal has no such question."
_OF_GAPS = "It has gaps in a text. The portal has no such question."
_OTHER = "The portal has no question of its kind"
INTERACTIONS = {
    "text-entry-interaction": TYPED,
    "extended-text-interaction": ESSAY,
    "upload-interaction": "It asks for a file. The portal has no such question.",
    "drawing-interaction": _OF_PICTURES,
    "hotspot-interaction": _OF_PICTURES,
    "graphic-order-interaction": _OF_PICTURES,
    "graphic-associate-interaction": _OF_PICTURES,
    "graphic-gap-match-interaction": _OF_PICTURES,
    "select-point-interaction": _OF_PICTURES,
    "position-object-interaction": _OF_PICTURES,
    "gap-match-interaction": _OF_GAPS,
    "inline-choice-interaction": _OF_GAPS,
    "hottext-interaction": f"{_OTHER}: words of a text are chosen.",
    "associate-interaction": f"{_OTHER}: any two things are put together.",
    "slider-interaction": f"{_OTHER}: a number is set on a scale.",
    "media-interaction": f"{_OTHER}: something is listened to or watched.",
    "custom-interaction": "It needs a program of its own, which the portal does not run.",
    "portable-custom-interaction": "It needs a program of its own, which the portal does not run.",
    "end-attempt-interaction": f"{_OTHER}: it ends the attempt.",
}
MATCH_CORRECT, MAP_RESPONSE = "match_correct", "map_response"
_PLAIN_RULES = frozenset(
    "response-processing response-condition response-if response-else-if response-else match variable correct"
    " base-value set-outcome-value is-null not and or equal sum".split()
)
OWN_MARKING = "It is marked by rules of its own, which the portal does not follow."
NO_KEY = "It does not say which answer is right."
RUBRIC = "What it says to markers or teachers was left out."


def read_item(root: Element) -> RawQuestion:
    """The question that a document holds."""
    question = RawQuestion(
        name=attribute_value(root, "title"), key=decode_key(attribute_value(root, "identifier"))
    )
    bodies = children_named(root, "item-body")
    if element_name(root) != "assessment-item" or not bodies:
        question.refuse("It is no item of QTI 2.1 or 3.0.")
        return question
    body = bodies[0]
    interactions = [element for element in body.iter() if element_name(element).endswith("-interaction")]
    if len(interactions) != 1:
        question.text = read_content(body, interactions)
        question.refuse(
            "It asks several things at once: make a question of each." if interactions else NOTHING_ASKED
        )
        return question
    (interaction,) = interactions
    prompts = find_all(interaction, "prompt")
    question.text = join_markups([read_content(body, interactions), *map(read_content, prompts)])
    if find_all(body, "rubric-block"):
        question.warn(RUBRIC)
    _read_interaction(question, root, interaction)
    _read_metadata(question, root)
    return question


def decode_key(identifier: str) -> str:
    """The key that an identifier stands for; one that begins with a digit has a line below before it.

    >>> decode_key("_14"), decode_key("a")
    ('14', 'a')
    """
    return identifier[1:] if identifier[:1] == "_" and identifier[1:2].isdigit() else identifier


def _read_interaction(question: RawQuestion, root: Element, interaction: Element) -> None:
    name = element_name(interaction)
    if name in INTERACTIONS:
        question.refuse(INTERACTIONS[name])
        return
    readers = {
        "choice-interaction": _read_choices,
        "order-interaction": _read_steps,
        "match-interaction": _read_pairs,
    }
    response = attribute_value(interaction, "response-identifier")
    declarations = [
        declaration
        for declaration in children_named(root, "response-declaration")
        if attribute_value(declaration, "identifier") == response
    ]
    if name not in readers or not declarations:
        question.refuse(NO_KEY if name in readers else f"{_OTHER}.")
        return
    way = _way_of_marking(root)
    if not way:
        question.refuse(OWN_MARKING)
    if attribute_value(interaction, "shuffle", "false") != "true" and name != "match-interaction":
        question.warn(SHUFFLED)
    readers[name](question, root, interaction, declarations[0], way)


def _way_of_marking(root: Element) -> str:
    """How the response is marked: as right or wrong, or by a sum of values; empty: in a way of its own."""
    processing = children_named(root, "response-processing")
    if not processing:
        return MATCH_CORRECT
    template = attribute_value(processing[0], "template") or attribute_value(
        processing[0], "template-location"
    )
    if template:
        name = template.rpartition("/")[2].removesuffix(".xml")
        return name if name in {MATCH_CORRECT, MAP_RESPONSE} else ""
    names = {element_name(element) for element in processing[0].iter()}
    if "map-response" in names and names <= _PLAIN_RULES | {"map-response"}:
        return MAP_RESPONSE
    return MATCH_CORRECT if names <= _PLAIN_RULES and "correct" in names else ""


def _correct_values(declaration: Element) -> list[str]:
    return [
        value for element in children_named(declaration, "correct-response") for value in values_of(element)
    ]


def _mapped_values(declaration: Element) -> dict[str, float]:
    """The marks by value that a mapping gives; values that are no numbers count as none."""
    marks = {}
    for entry in find_all(declaration, "map-entry"):
        try:
            marks[attribute_value(entry, "map-key")] = float(attribute_value(entry, "mapped-value", "0"))
        except ValueError:
            continue
    return marks


def _read_choices(
    question: RawQuestion, root: Element, interaction: Element, declaration: Element, way: str
) -> None:
    several = attribute_value(declaration, "cardinality") == "multiple"
    question.kind = "multiple" if several else "single"
    shares = dict.fromkeys(_correct_values(declaration), 100.0)
    if way == MAP_RESPONSE:
        shares = _shares_of_marks(_mapped_values(declaration), several=several)
    if not shares:
        question.refuse(NO_KEY)
        return
    feedback = _feedback_by_choice(root)
    rows = find_all(interaction, "simple-choice")
    for row in rows:
        name = attribute_value(row, "identifier")
        own = [read_content(element) for element in find_all(row, "feedback-inline", "feedback-block")]
        question.choices.append(
            RawChoice(
                read_content(row),
                shares.get(name, 0.0),
                merge_texts([*own, *feedback.pop(name, [])]),
                decode_key(name),
            )
        )
    question.explanation = merge_texts(text for texts in feedback.values() for text in texts)


def _shares_of_marks(marks: dict[str, float], *, several: bool) -> dict[str, float]:
    most = max(marks.values(), default=0.0)
    total = sum(mark for mark in marks.values() if mark > 0)
    whole = total if several else most
    return {name: round(mark / whole * 100, 5) for name, mark in marks.items()} if whole > 0 else {}


def _feedback_by_choice(root: Element) -> dict[str, list[Markup]]:
    """The texts of feedback that is shown for the whole item, by the value that shows it."""
    texts: dict[str, list[Markup]] = {}
    for element in children_named(root, "modal-feedback"):
        texts.setdefault(attribute_value(element, "identifier"), []).append(read_content(element))
    return texts


def _read_explanation(question: RawQuestion, root: Element) -> None:
    question.explanation = merge_texts(text for texts in _feedback_by_choice(root).values() for text in texts)


def _read_steps(
    question: RawQuestion, root: Element, interaction: Element, declaration: Element, way: str
) -> None:
    question.kind = "order"
    _read_explanation(question, root)
    if way == MAP_RESPONSE:
        question.refuse(OWN_MARKING)
    texts = {attribute_value(row, "identifier"): row for row in find_all(interaction, "simple-choice")}
    order = _correct_values(declaration)
    if sorted(order) != sorted(texts):
        question.refuse(NO_KEY if not order else "Its right order does not name each of its steps once.")
        return
    question.steps = [(decode_key(name), read_content(texts[name])) for name in order]


def _read_pairs(
    question: RawQuestion, root: Element, interaction: Element, declaration: Element, way: str
) -> None:
    question.kind = "match"
    _read_explanation(question, root)
    sets = [
        {attribute_value(row, "identifier"): row for row in find_all(group, "simple-associable-choice")}
        for group in find_all(interaction, "simple-match-set")
    ]
    if way == MAP_RESPONSE:
        marks = _mapped_values(declaration)
        values = [value for value, mark in marks.items() if mark > 0]
        question.warn(WHOLE_MARK, *([MINUS] if min(marks.values(), default=0) < 0 else []))
    else:
        values = _correct_values(declaration)
    if len(sets) != 2 or not values:
        question.refuse(NO_KEY)
        return
    lefts, rights = sets
    pairs = [tuple(value.split()) for value in values]
    chosen = dict(pair for pair in pairs if len(pair) == 2 and pair[0] in lefts and pair[1] in rights)
    if len(chosen) != len(pairs):
        question.refuse("Something in it belongs to two things. Here each belongs to one.")
    elif len(chosen) != len(lefts):
        question.refuse("Something in it belongs to nothing. Here each belongs to one.")
    else:
        question.pairs = [
            (decode_key(name), read_content(lefts[name]), read_content(rights[chosen[name]]))
            for name in lefts
        ]
        question.extra = [read_content(row) for name, row in rights.items() if name not in chosen.values()]


def _read_metadata(question: RawQuestion, root: Element) -> None:
    """Outcome, sources and state, which the portal's own files have in the item's label."""
    for word in attribute_value(root, "label").split(";"):
        name, _, value = word.strip().partition(":")
        if name == "outcome":
            question.outcome = value.strip()
        elif name == "source" and value.strip():
            question.source = value.split()
        elif name == "retired":
            question.retired = True


# Writes questions as a QTI 3.0 package: a manifest, and a document for each question.
#
# Every question is marked as a whole, and its feedback is shown by the choice that was made.
#
# Source: 1EdTech's Question and Test Interoperability 3.0, information model and best practice guide.

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
