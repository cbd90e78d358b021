"""Finds the colour behind each word of a drawing by painting its shapes in order, as a browser does. Pure.

Paths are simplified to straight lines between their points. Transformed, translucent and patterned shapes are
refused, because their colour cannot be computed here. Runs in a separate process: other code calls
``portal.domain.content_checks.isolated_painter``.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any, Protocol
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

from portal.domain.catalogue.media_rules import SVG

# Colours of drawings, and the contrast between two of them. Pure functions.

Colour = tuple[int, int, int]  # red, green and blue, 0 to 255

NAMED: dict[str, Colour] = {"black": (0, 0, 0), "white": (255, 255, 255)}
_LONG = re.compile(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})")
_SHORT = re.compile(r"#([0-9a-f])([0-9a-f])([0-9a-f])")


def read_colour(text: str) -> Colour | None:
    """Read a colour; None if it is written in any other way than these.

    >>> read_colour("#14284B"), read_colour("#fff"), read_colour("white"), read_colour("url(#a)")
    ((20, 40, 75), (255, 255, 255), (255, 255, 255), None)
    """
    name = text.strip().lower()
    if name in NAMED:
        return NAMED[name]
    if match := _LONG.fullmatch(name):
        return int(match[1], 16), int(match[2], 16), int(match[3], 16)
    if match := _SHORT.fullmatch(name):
        return int(match[1], 16) * 17, int(match[2], 16) * 17, int(match[3], 16) * 17
    return None


def format_colour(colour: Colour) -> str:
    """Write a colour as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def contrast_ratio(one: Colour, other: Colour) -> float:
    """The contrast ratio of WCAG 2: 1 for equal colours, 21 for black and white."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: Colour) -> float:
    red, green, blue = (_linearise(part / 255) for part in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linearise(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


# Shapes of a drawing, and whether a point lies in one. Pure functions.

_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
_PATH_COMMAND = re.compile(r"([MmLlHhVvCcSsQqTtAaZz])([^MmLlHhVvCcSsQqTtAaZz]*)")
_ARGUMENT_COUNTS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}

Point = tuple[float, float]


class Shape(Protocol):
    """A filled shape."""

    def contains(self, x: float, y: float) -> bool:
        """Whether the point lies in it."""


@dataclass(frozen=True, slots=True)
class Oval:
    """A circle or an ellipse."""

    x: float
    y: float
    rx: float
    ry: float

    def contains(self, x: float, y: float) -> bool:
        """Whether the point lies in it."""
        if self.rx <= 0 or self.ry <= 0:
            return False
        return ((x - self.x) / self.rx) ** 2 + ((y - self.y) / self.ry) ** 2 <= 1


@dataclass(frozen=True, slots=True)
class Outline:
    """An area with straight edges; it has several rings if it has holes or parts."""

    rings: Sequence[Sequence[Point]]
    even_odd: bool = False  # the fill rule; else non-zero

    def contains(self, x: float, y: float) -> bool:
        """Whether the point lies in it."""
        winding = sum(_winding_number(ring, x, y) for ring in self.rings)
        return winding % 2 == 1 if self.even_odd else winding != 0


def _winding_number(ring: Sequence[Point], x: float, y: float) -> int:
    """The winding number around the point: edges to its right that go down, less those that go up."""
    count = 0
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], *ring[:1]], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            count += 1 if y2 > y1 else -1
    return count


def read_shape(name: str, attributes: Mapping[str, str]) -> Shape | None:
    """Read the shape of an SVG element; None if it is not a filled shape."""

    def read_number(key: str) -> float:
        match = _NUMBER.search(attributes.get(key, "0"))
        return float(match[0]) if match else 0.0

    even_odd = attributes.get("fill-rule") == "evenodd"
    if name == "rect":
        x, y, width, height = (read_number(key) for key in ("x", "y", "width", "height"))
        return Outline([[(x, y), (x + width, y), (x + width, y + height), (x, y + height)]])
    if name == "circle":
        return Oval(read_number("cx"), read_number("cy"), read_number("r"), read_number("r"))
    if name == "ellipse":
        return Oval(read_number("cx"), read_number("cy"), read_number("rx"), read_number("ry"))
    if name in {"polygon", "polyline"}:
        return Outline([_read_points(attributes.get("points", ""))], even_odd)
    return Outline(_read_rings(attributes.get("d", "")), even_odd) if name == "path" else None


def _read_points(text: str) -> list[Point]:
    numbers = [float(number) for number in _NUMBER.findall(text)]
    return list(zip(numbers[::2], numbers[1::2], strict=False))


def _read_rings(text: str) -> list[list[Point]]:
    """Read the points of a path, one ring for each subpath; curves become straight lines."""
    rings: list[list[Point]] = []
    position: Point = (0.0, 0.0)
    for letter, arguments in _PATH_COMMAND.findall(text):
        if letter in "Zz":
            position = rings[-1][0] if rings else position
            continue
        numbers = [float(number) for number in _NUMBER.findall(arguments)]
        count = _ARGUMENT_COUNTS[letter.upper()]
        for first in range(0, len(numbers) - count + 1, count):
            position = _end_of_step(letter, numbers[first : first + count], position)
            if letter in "Mm" and first == 0:
                rings.append([])
            if rings:
                rings[-1].append(position)
    return rings


def _end_of_step(letter: str, numbers: Sequence[float], start: Point) -> Point:
    """The end point of one path command."""
    origin = start if letter.islower() else (0.0, 0.0)
    if letter in "Hh":
        return origin[0] + numbers[0], start[1]
    if letter in "Vv":
        return start[0], origin[1] + numbers[0]
    return origin[0] + numbers[-2], origin[1] + numbers[-1]


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
