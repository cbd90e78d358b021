"""Reads items of QTI 2.1 and 3.0.

Runs in a separate process: the portal calls ``portal.domain.authoring.item_exchange.reading``.

Source: 1EdTech's Question and Test Interoperability, information models of versions 2.1 and 3.0.
"""

from xml.etree.ElementTree import Element

from portal.domain.authoring.item_exchange.gift import ESSAY, NOTHING_ASKED, TYPED
from portal.domain.authoring.item_exchange.markup import Markup, join_markups
from portal.domain.authoring.item_exchange.qti_elements import (
    attribute_value,
    children_named,
    element_name,
    find_all,
    read_content,
    values_of,
)
from portal.domain.authoring.item_exchange.question import (
    MINUS,
    SHUFFLED,
    WHOLE_MARK,
    RawChoice,
    RawQuestion,
    merge_texts,
)

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
