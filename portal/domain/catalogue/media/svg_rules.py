"""The allow-list of drawings: elements and attributes not listed here are refused by name.

Runs in a separate process: the portal calls ``portal.domain.catalogue.media.isolated_svg``.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

SVG = "{http://www.w3.org/2000/svg}"
XML = "{http://www.w3.org/XML/1998/namespace}"

ELEMENTS = frozenset(
    "svg title desc defs g rect circle ellipse line path polygon polyline text tspan marker symbol use"
    " linearGradient radialGradient stop clipPath mask pattern".split()
)
ATTRIBUTES = frozenset(
    "id class role aria-label aria-labelledby aria-describedby aria-hidden lang viewBox preserveAspectRatio"
    " version x y x1 y1 x2 y2 cx cy r rx ry fx fy dx dy d points width height transform rotate pathLength"
    " fill fill-opacity fill-rule stroke stroke-width stroke-dasharray stroke-dashoffset stroke-linecap"
    " stroke-linejoin stroke-miterlimit stroke-opacity opacity color display visibility vector-effect"
    " font-family font-size font-style font-weight font-variant letter-spacing word-spacing text-anchor"
    " text-decoration dominant-baseline alignment-baseline baseline-shift textLength lengthAdjust"
    " marker-start marker-mid marker-end markerWidth markerHeight markerUnits orient refX refY"
    " gradientUnits gradientTransform spreadMethod offset stop-color stop-opacity clip-path clip-rule"
    " clipPathUnits mask maskUnits maskContentUnits patternUnits patternContentUnits patternTransform"
    " href focusable shape-rendering text-rendering paint-order xml:space".split()
)
MAX_DRAWN = 20_000  # elements; one that is reused counts each time it is drawn
MAX_DEPTH = 60  # levels of nesting
_OWN = re.compile(r"url\s*\(\s*#([\w\-]+)\s*\)")
_OUTSIDE = re.compile(r"url\s*\((?!\s*#[\w\-]+\s*\))|\\|javascript:|data:|expression\s*\(|@import", re.I)


@dataclass(frozen=True)
class Drawing:
    """The title, description and proportions of a drawing."""

    title: str
    description: str
    width: int  # meaningful only in proportion to the height
    height: int


class DrawingError(ValueError):
    """A drawing that cannot be published; ``line`` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason)


def read_drawing(content: bytes) -> Drawing:
    """Check a drawing and return its title, description and size.

    Raises:
        DrawingError: It has something that is not on the allow-list, or lacks title, description or size.
    """
    text = _plain_text(content)
    try:
        root = ElementTree.fromstring(text, forbid_dtd=True)
    except ParseError as error:
        raise DrawingError(error.position[0], "This is not well-formed SVG.") from error
    except DefusedXmlException as error:
        raise DrawingError(1, "Take out the document type and its entities.") from error
    if root.tag != f"{SVG}svg":
        raise DrawingError(1, 'The outermost element must be <svg xmlns="http://www.w3.org/2000/svg">.')
    for element in root.iter():
        _check_element(element, text)
    _refuse_oversized(root, text)
    width, height = _view_box_size(root, text)
    return Drawing(_child_text(root, "title"), _child_text(root, "desc"), width, height)


def read_each(_arguments: Any, pieces: list[bytes]) -> tuple[Any, list[bytes]]:
    """Run ``read_drawing`` on every piece; an error is returned as its text and line."""
    answers: list[dict[str, Any]] = []
    for content in pieces:
        try:
            answers.append(asdict(read_drawing(content)))
        except DrawingError as error:
            answers.append({"refused": str(error), "line": error.line})
    return answers, []


def _refuse_oversized(root: Element, text: str) -> None:
    """Raise an error for a drawing that contains itself, or draws too many elements for a browser."""
    elements_by_id: dict[str, list[Element]] = {}
    for element in root.iter():
        if "id" in element.attrib:
            elements_by_id.setdefault(element.attrib["id"], []).append(element)
    counts: dict[Element, int | None] = {}
    if _count_drawn(root, elements_by_id, counts, 0) > MAX_DRAWN:
        raise DrawingError(
            _line_of(text, "<use"), f"This drawing draws more than {MAX_DRAWN:,} shapes. Simplify it."
        )


def _count_drawn(
    element: Element, elements_by_id: dict[str, list[Element]], counts: dict[Element, int | None], depth: int
) -> int:
    """Count the elements that this one draws; ``counts`` caches results, None while in progress."""
    if depth > MAX_DEPTH:
        raise DrawingError(1, f"This drawing nests elements more than {MAX_DEPTH} deep. Simplify it.")
    if element in counts:
        count = counts[element]
        if count is None:
            raise DrawingError(
                1, "A part of this drawing is drawn inside itself. Take out the reference to it."
            )
        return count
    counts[element] = None
    used = [other for name in _referenced_ids(element) for other in elements_by_id.get(name, ())]
    count = 1 + sum(_count_drawn(other, elements_by_id, counts, depth + 1) for other in (*element, *used))
    counts[element] = count = min(count, MAX_DRAWN + 1)
    return count


def _referenced_ids(element: Element) -> Iterator[str]:
    for name, value in element.attrib.items():
        if name == "href":
            yield value[1:]
        else:
            yield from _OWN.findall(value)


def _plain_text(content: bytes) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DrawingError(1, "Save the drawing as UTF-8.") from error
    declaration = re.match(r"<\?xml\s[^>]*\?>", text)
    if declaration:
        encoding = re.search(r"encoding\s*=\s*[\"']([^\"']*)", declaration[0])
        if encoding and encoding[1].lower() != "utf-8":
            raise DrawingError(1, "Save the drawing as UTF-8.")
        text = " " * len(declaration[0]) + text[len(declaration[0]) :]
    if "<?" in text:
        raise DrawingError(_line_of(text, "<?"), "Take out the processing instruction (<?…?>).")
    return text.lstrip(" ") if declaration else text


def _check_element(element: Element, text: str) -> None:
    tag = str(element.tag)
    name = tag.removeprefix(SVG)
    if not tag.startswith(SVG) or name not in ELEMENTS:
        local_name = tag.rpartition("}")[2]
        raise DrawingError(
            _line_of(text, local_name), f"A drawing may not contain <{local_name}>. Take it out."
        )
    for attribute, value in element.attrib.items():
        _check_attribute(name, attribute.replace(XML, "xml:"), value, text)


def _check_attribute(element: str, attribute: str, value: str, text: str) -> None:
    local_name = attribute.rpartition("}")[2]
    if attribute not in ATTRIBUTES and attribute != "xml:lang":
        reason = f"<{element}> may not have “{local_name}”. Take it out."
    elif attribute == "href" and not re.fullmatch(r"#[\w\-]+", value):
        reason = f'<{element}> may only refer to its own drawing (href="#name").'
    elif not attribute.startswith("aria-") and _OUTSIDE.search(value):
        reason = f"“{local_name}” of <{element}> refers to something outside the drawing. Take it out."
    else:
        return
    raise DrawingError(_line_of(text, f"{local_name}="), reason)


def _child_text(root: Element, name: str) -> str:
    child = root.find(f"{SVG}{name}")
    text = " ".join("".join(child.itertext()).split()) if child is not None else ""
    if not text:
        raise DrawingError(
            1, f"Add a <{name}> as a child of <svg>: people who cannot see the drawing need it."
        )
    return text


def _view_box_size(root: Element, text: str) -> tuple[int, int]:
    numbers = list(_parse_numbers(root.get("viewBox", "")))
    if len(numbers) != 4 or numbers[2] < 1 or numbers[3] < 1:
        raise DrawingError(_line_of(text, "<svg"), 'Give <svg> a viewBox such as viewBox="0 0 1000 400".')
    return round(numbers[2]), round(numbers[3])


def _parse_numbers(text: str) -> Iterator[float]:
    for part in re.split(r"[\s,]+", text.strip()):
        if not re.fullmatch(r"-?\d{1,6}(\.\d{1,6})?", part):
            return
        yield float(part)


def _line_of(text: str, needle: str) -> int:
    index = text.find(needle)
    return text[: max(index, 0)].count("\n") + 1
