"""Shapes of a drawing, and whether a point lies in one. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
_STEP = re.compile(r"([MmLlHhVvCcSsQqTtAaZz])([^MmLlHhVvCcSsQqTtAaZz]*)")
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}

Point = tuple[float, float]


class Shape(Protocol):
    """Something that is filled."""

    def holds(self, x: float, y: float) -> bool:
        """Whether the point lies in it."""


@dataclass(frozen=True, slots=True)
class Oval:
    """A circle or an ellipse."""

    x: float
    y: float
    rx: float
    ry: float

    def holds(self, x: float, y: float) -> bool:
        """Whether the point lies in it."""
        if self.rx <= 0 or self.ry <= 0:
            return False
        return ((x - self.x) / self.rx) ** 2 + ((y - self.y) / self.ry) ** 2 <= 1


@dataclass(frozen=True, slots=True)
class Outline:
    """Straight lines around an area; several where one has holes or parts."""

    rings: Sequence[Sequence[Point]]
    even_odd: bool = False  # else what is wound around at all is filled

    def holds(self, x: float, y: float) -> bool:
        """Whether the outline winds around the point."""
        turns = sum(_turns(ring, x, y) for ring in self.rings)
        return turns % 2 == 1 if self.even_odd else turns != 0


def _turns(ring: Sequence[Point], x: float, y: float) -> int:
    """How often it winds around the point: lines at its right that lead down, less those that lead up."""
    count = 0
    for (x1, y1), (x2, y2) in zip(ring, [*ring[1:], *ring[:1]], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
            count += 1 if y2 > y1 else -1
    return count


def read_shape(name: str, said: Mapping[str, str]) -> Shape | None:
    """The shape of an element with these attributes; None where it is none that is filled."""

    def number(key: str, otherwise: str = "0") -> float:
        found = _NUMBER.search(said.get(key, otherwise))
        return float(found[0]) if found else 0.0

    even_odd = said.get("fill-rule") == "evenodd"
    if name == "rect":
        x, y, width, height = (number(key) for key in ("x", "y", "width", "height"))
        return Outline([[(x, y), (x + width, y), (x + width, y + height), (x, y + height)]])
    if name == "circle":
        return Oval(number("cx"), number("cy"), number("r"), number("r"))
    if name == "ellipse":
        return Oval(number("cx"), number("cy"), number("rx"), number("ry"))
    if name in {"polygon", "polyline"}:
        return Outline([_points(said.get("points", ""))], even_odd)
    return Outline(_rings(said.get("d", "")), even_odd) if name == "path" else None


def _points(text: str) -> list[Point]:
    numbers = [float(each) for each in _NUMBER.findall(text)]
    return list(zip(numbers[::2], numbers[1::2], strict=False))


def _rings(text: str) -> list[list[Point]]:
    """A path's points with straight lines between them."""
    rings: list[list[Point]] = []
    at: Point = (0.0, 0.0)
    for letter, rest in _STEP.findall(text):
        if letter in "Zz":
            at = rings[-1][0] if rings else at
            continue
        numbers = [float(each) for each in _NUMBER.findall(rest)]
        takes = _TAKES[letter.upper()]
        for first in range(0, len(numbers) - takes + 1, takes):
            at = _ahead(letter, numbers[first : first + takes], at)
            if letter in "Mm" and first == 0:
                rings.append([])
            if rings:
                rings[-1].append(at)
    return rings


def _ahead(letter: str, numbers: Sequence[float], at: Point) -> Point:
    """Where a step leads."""
    origin = at if letter.islower() else (0.0, 0.0)
    if letter in "Hh":
        return origin[0] + numbers[0], at[1]
    if letter in "Vv":
        return at[0], origin[1] + numbers[0]
    return origin[0] + numbers[-2], origin[1] + numbers[-1]
