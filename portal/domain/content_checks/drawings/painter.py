"""Finds the colour behind each word of a drawing by painting its shapes in order, as a browser does. Pure.

Paths are simplified to straight lines between their points. Transformed, translucent and patterned shapes are
refused, because their colour cannot be computed here. Runs in a separate process: other code calls
``portal.domain.content_checks.drawings.isolated_painter``.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

from portal.domain.catalogue.media.svg_rules import SVG
from portal.domain.content_checks.drawings.colours import Colour, contrast_ratio, format_colour, read_colour
from portal.domain.content_checks.drawings.svg_geometry import Shape, read_shape

_NOT_DRAWN = frozenset({"title", "desc", "defs", "symbol", "marker", "clipPath", "mask", "pattern"})
_REFUSED_ATTRIBUTES = ("transform", "clip-path", "mask", "opacity", "fill-opacity", "class")
_LETTER_WIDTH = 0.5  # as a share of the font size
_LETTER_MIDDLE = 0.35  # height of a letter's middle above the baseline, as a share of the font size
_WHITE: Colour = (255, 255, 255)

Style = dict[str, str]


class PaintingError(ValueError):
    """A drawing whose colours cannot be computed; ``line`` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class PaintedText:
    """A run of words in a drawing, with its size and contrast."""

    words: str
    line: int
    size: float  # height of the letters as a share of the drawing's width
    contrast: float  # the lowest ratio along the words
    background: str  # the colour behind the words there


def read_texts(content: bytes) -> list[PaintedText]:
    """Read every run of words in a drawing that the catalogue has accepted.

    Raises:
        PaintingError: A colour cannot be computed.
    """
    source = content.decode("utf-8")
    root: Element = ElementTree.fromstring(content, forbid_dtd=True)
    width = float(re.split(r"[\s,]+", root.get("viewBox", "").strip())[2])
    return list(_paint_element(root, {}, [], source, width))


def paint_each(_arguments: Any, pieces: list[bytes]) -> tuple[Any, list[bytes]]:
    """Run ``read_texts`` on every piece; a refusal is returned as its text and line."""
    answers: list[Any] = []
    for content in pieces:
        try:
            answers.append([asdict(text) for text in read_texts(content)])
        except PaintingError as error:
            answers.append({"refused": str(error), "line": error.line})
    return answers, []


def _paint_element(
    element: Element, inherited: Style, shapes: list[tuple[Shape, Colour]], source: str, width: float
) -> Iterator[PaintedText]:
    """Paint an element and its children: add their shapes to ``shapes``, and yield their texts."""
    name = element.tag.removeprefix(SVG)
    if name in _NOT_DRAWN or element.get("display") == "none":
        return
    _refuse_unsupported(element, name, source)
    style = {**inherited, **element.attrib}
    if name == "text":
        yield from _paint_text(element, style, shapes, source, width)
        return
    shape = read_shape(name, element.attrib)
    fill = style.get("fill", "#000000")
    if shape is not None and fill != "none" and fill != "transparent":
        shapes.append((shape, _require_colour(fill, source)))
    child_style: Style = {key: style[key] for key in ("fill", "font-size", "text-anchor") if key in style}
    for child in element:
        yield from _paint_element(child, child_style, shapes, source, width)


def _refuse_unsupported(element: Element, name: str, source: str) -> None:
    if name == "use" or (name == "svg" and source.find("<svg") != source.rfind("<svg")):
        line = source.count("\n", 0, source.rfind(f"<{name}")) + 1
        raise PaintingError(line, f"Draw each shape in its place, without an inner <{name}>.")
    for attribute in _REFUSED_ATTRIBUTES:
        if attribute in element.attrib:
            raise PaintingError(
                _line_of_text(source, f'{attribute}="{element.attrib[attribute]}'),
                f"Draw <{name}> without “{attribute}”, so that its contrast can be measured.",
            )


def _paint_text(
    text: Element, style: Style, shapes: list[tuple[Shape, Colour]], source: str, width: float
) -> Iterator[PaintedText]:
    """Yield the words of a text element, and of each part of it with a place or colour of its own."""
    position = (_first_number(style.get("x", "0")), _first_number(style.get("y", "0")))
    yield from _paint_run(text.text, style, position, shapes, source, width)
    for part in text:
        part_style = {**style, **part.attrib}
        x = _first_number(part_style.get("x", "0"))
        y = _first_number(part_style.get("y", str(position[1])))
        position = (x + _first_number(part.get("dx", "0")), y + _read_length(part.get("dy", "0"), part_style))
        yield from _paint_run("".join(part.itertext()), part_style, position, shapes, source, width)
        yield from _paint_run(part.tail, style, position, shapes, source, width)


def _paint_run(
    text: str | None,
    style: Style,
    position: tuple[float, float],
    shapes: list[tuple[Shape, Colour]],
    source: str,
    width: float,
) -> Iterator[PaintedText]:
    """Yield the words of one run with their lowest contrast: at their start, middle or end."""
    words = " ".join((text or "").split())
    if not words:
        return
    size = _read_length(style.get("font-size", "16"), {"font-size": "16"})
    length = size * _LETTER_WIDTH * len(words)
    start = position[0] - {"middle": length / 2, "end": length}.get(style.get("text-anchor", "start"), 0.0)
    points = [(start + length * share, position[1] - size * _LETTER_MIDDLE) for share in (0.02, 0.5, 0.98)]
    colour = _require_colour(style.get("fill", "#000000"), source)
    backgrounds = [_background_at(point, shapes) for point in points]
    worst = min(backgrounds, key=lambda background: contrast_ratio(colour, background))
    line = _line_of_text(source, words)
    yield PaintedText(words, line, size / width, contrast_ratio(colour, worst), format_colour(worst))


def _background_at(point: tuple[float, float], shapes: list[tuple[Shape, Colour]]) -> Colour:
    return next((colour for shape, colour in reversed(shapes) if shape.contains(*point)), _WHITE)


def _require_colour(text: str, source: str) -> Colour:
    colour = read_colour(text)
    if colour is None:
        reason = f"“{text}” is not a colour whose contrast can be measured. Write it as #rrggbb."
        raise PaintingError(_line_of_text(source, text), reason)
    return colour


def _first_number(text: str) -> float:
    match = re.match(r"\s*(-?\d*\.?\d+)", text)
    return float(match[1]) if match else 0.0


def _read_length(text: str, style: Style) -> float:
    is_relative = text.strip().endswith("em") and "font-size" in style
    return _first_number(text) * (_first_number(style["font-size"]) if is_relative else 1.0)


def _line_of_text(source: str, text: str) -> int:
    offset = max(source.find(escape(text, quote=False)), source.find(text), 0)
    return source.count("\n", 0, offset) + 1
