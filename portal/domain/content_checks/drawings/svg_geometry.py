"""Shapes of a drawing, and whether a point lies in one. Pure functions."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

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
