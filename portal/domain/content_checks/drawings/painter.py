"""Find the colour behind each word of a drawing by painting its shapes in order, as a browser does. Pure.

A path is taken as straight lines between its points. A shape that is moved, faded or patterned behind a
word is refused, because its colour cannot be known from the file alone. Runs in a separate process: the
desk calls ``portal.domain.content_checks.drawings.isolated_painter``.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from html import escape
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

from portal.domain.catalogue.media.svg_rules import SVG
from portal.domain.content_checks.drawings.colours import Colour, contrast, read_colour, shown
from portal.domain.content_checks.drawings.svg_geometry import Shape, read_shape

_HIDDEN = frozenset({"title", "desc", "defs", "symbol", "marker", "clipPath", "mask", "pattern"})
_MOVED = ("transform", "clip-path", "mask", "opacity", "fill-opacity", "class")
_WIDTH = 0.5  # of a letter, as a share of its height
_RISE = 0.35  # from the line on which letters stand to their middle, as a share of their height
_WHITE: Colour = (255, 255, 255)

Style = dict[str, str]


class PaintingError(ValueError):
    """A drawing whose colours cannot be told; ``line`` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        super().__init__(reason)


@dataclass(frozen=True, slots=True)
class Painted:
    """Some words of a drawing, as they are seen."""

    words: str
    line: int
    size: float  # height of the letters as a share of the drawing's width
    contrast: float  # the least against what stands behind them
    ground: str  # that colour


def texts(content: bytes) -> list[Painted]:
    """Every run of words of a drawing that the catalogue has read, with what stands behind it.

    Raises:
        PaintingError: A colour cannot be told.
    """
    source = content.decode("utf-8")
    root: Element = ElementTree.fromstring(content, forbid_dtd=True)
    width = float(re.split(r"[\s,]+", root.get("viewBox", "").strip())[2])
    return list(_walked(root, {}, [], source, width))


def paint_each(_arguments: Any, pieces: list[bytes]) -> tuple[Any, list[bytes]]:
    """Run ``texts`` on every piece; a refusal comes back as its text and its line."""
    answers: list[Any] = []
    for content in pieces:
        try:
            answers.append([asdict(words) for words in texts(content)])
        except PaintingError as error:
            answers.append({"refused": str(error), "line": error.line})
    return answers, []


def _walked(
    element: Element, above: Style, beneath: list[tuple[Shape, Colour]], source: str, width: float
) -> Iterator[Painted]:
    name = element.tag.removeprefix(SVG)
    if name in _HIDDEN or element.get("display") == "none":
        return
    _refuse_moved(element, name, source)
    style = {**above, **element.attrib}
    if name == "text":
        yield from _runs(element, style, beneath, source, width)
        return
    shape = read_shape(name, element.attrib)
    fill = style.get("fill", "#000000")
    if shape is not None and fill != "none" and fill != "transparent":
        beneath.append((shape, _colour(fill, source)))
    inherited: Style = {key: style[key] for key in ("fill", "font-size", "text-anchor") if key in style}
    for child in element:
        yield from _walked(child, inherited, beneath, source, width)


def _refuse_moved(element: Element, name: str, source: str) -> None:
    if name == "use" or (name == "svg" and source.find("<svg") != source.rfind("<svg")):
        line = source.count("\n", 0, source.rfind(f"<{name}")) + 1
        raise PaintingError(line, f"Draw each shape where it stands, without an inner <{name}>.")
    for attribute in _MOVED:
        if attribute in element.attrib:
            raise PaintingError(
                _line(source, f'{attribute}="{element.attrib[attribute]}'),
                f"Draw <{name}> without “{attribute}”, so that its contrast can be counted.",
            )


def _runs(
    text: Element, style: Style, beneath: list[tuple[Shape, Colour]], source: str, width: float
) -> Iterator[Painted]:
    """The words of a text, and of each part of it that has its own place or colour."""
    at = (_number(style.get("x", "0")), _number(style.get("y", "0")))
    yield from _run(text.text, style, at, beneath, source, width)
    for part in text:
        own = {**style, **part.attrib}
        x, y = _number(own.get("x", "0")), _number(own.get("y", str(at[1])))
        at = (x + _number(part.get("dx", "0")), y + _length(part.get("dy", "0"), own))
        yield from _run("".join(part.itertext()), own, at, beneath, source, width)
        yield from _run(part.tail, style, at, beneath, source, width)


def _run(
    words: str | None,
    style: Style,
    at: tuple[float, float],
    beneath: list[tuple[Shape, Colour]],
    source: str,
    width: float,
) -> Iterator[Painted]:
    said = " ".join((words or "").split())
    if not said:
        return
    size = _length(style.get("font-size", "16"), {"font-size": "16"})
    long = size * _WIDTH * len(said)
    start = at[0] - {"middle": long / 2, "end": long}.get(style.get("text-anchor", "start"), 0.0)
    points = [(start + long * share, at[1] - size * _RISE) for share in (0.02, 0.5, 0.98)]
    letters = _colour(style.get("fill", "#000000"), source)
    grounds = [_ground(point, beneath) for point in points]
    least = min(grounds, key=lambda ground: contrast(letters, ground))
    line = _line(source, said)
    yield Painted(said, line, size / width, contrast(letters, least), shown(least))


def _ground(point: tuple[float, float], beneath: list[tuple[Shape, Colour]]) -> Colour:
    return next((colour for shape, colour in reversed(beneath) if shape.holds(*point)), _WHITE)


def _colour(text: str, source: str) -> Colour:
    found = read_colour(text)
    if found is None:
        reason = f"“{text}” is not a colour whose contrast can be counted. Write it as #rrggbb."
        raise PaintingError(_line(source, text), reason)
    return found


def _number(text: str) -> float:
    found = re.match(r"\s*(-?\d*\.?\d+)", text)
    return float(found[1]) if found else 0.0


def _length(text: str, style: Style) -> float:
    times = _number(style["font-size"]) if text.strip().endswith("em") and "font-size" in style else 1.0
    return _number(text) * times


def _line(source: str, needle: str) -> int:
    at = max(source.find(escape(needle, quote=False)), source.find(needle), 0)
    return source.count("\n", 0, at) + 1
