"""Growth as pictures: lines over sizes, one chart or many small ones, as SVG that reads without colour."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log10

WIDTH, HEIGHT = 720, 300  # of one chart
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 40, 50
APART = 15  # between two lines of text, as names at the ends of lines may be
DASHES = ("", "8 4", "2 4", "12 3 2 3")
INK, GRID, LIMIT = "#0b0c0c", "#b1b4b6", "#d4351c"


@dataclass(frozen=True, slots=True)
class Line:
    """Values by size; ``name`` stands at its end, in bold where it is to be noticed."""

    name: str
    points: Sequence[tuple[float, float]]
    noticed: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines in one frame. Where it is logarithmic, a line as steep as the thin diagonal grows as the size."""

    title: str
    unit: str
    across: str  # what the sizes count
    lines: Sequence[Line]
    target: float | None = None
    powers: tuple[float, float] | None = (
        None  # least and most of a logarithmic axis; None: from 0, even steps
    )

    def at(self, x: float, y: float) -> tuple[float, float]:
        """The place of a value in the frame."""
        sizes = [size for line in self.lines for size, _ in line.points]
        if self.powers:
            right = _share(x, min(sizes), max(sizes)) if max(sizes) > min(sizes) else 0
            up = _share(y, *self.powers)
        else:
            right, up = x / max(sizes), y / self.most
        return LEFT + right * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)

    @property
    def most(self) -> float:
        """The upper end of the axis of values."""
        if self.powers:
            return self.powers[1]
        return _round_up(max([*(y for line in self.lines for _, y in line.points), self.target or 0]))

    @property
    def marks(self) -> list[float]:
        """Values that the frame names."""
        if not self.powers:
            return [self.most * quarter / 4 for quarter in range(5)]
        least, most = self.powers
        return [10**power for power in range(round(log10(least)), round(log10(most)) + 1)]

    @property
    def words(self) -> str:
        """Every number."""
        return f"{self.title}. " + "; ".join(
            f"{line.name}: " + ", ".join(f"{y:,.3g} {self.unit} at {x:,.0f}" for x, y in line.points)
            for line in self.lines
        )


def drawing(chart: Chart) -> str:
    """One chart; its description holds every number."""
    return _svg(chart.title, chart.words, WIDTH, HEIGHT, _inside(chart))


def small_multiples(title: str, charts: Sequence[Chart], columns: int = 2) -> str:
    """Charts beside and below each other in one drawing; its description holds every number."""
    parts = [_text(LEFT, 24, title, weight="bold", size=18)]
    for number, chart in enumerate(charts):
        right, down = number % columns * WIDTH, 40 + number // columns * HEIGHT
        parts.append(f'<g transform="translate({right} {down})">{_inside(chart)}</g>')
    height = 40 + -(-len(charts) // columns) * HEIGHT
    words = "\n".join(chart.words for chart in charts)
    return _svg(title, words, WIDTH * columns, height, "".join(parts))


def _svg(title: str, words: str, width: int, height: int, inside: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"'
        f' font-family="sans-serif" font-size="13"><title>{escape(title)}</title><desc>{escape(words)}</desc>'
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>{inside}</svg>\n'
    )


def _inside(chart: Chart) -> str:
    sizes = sorted({x for line in chart.lines for x, _ in line.points})
    end, foot = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [_text(LEFT, 22, f"{chart.title} ({chart.unit})", weight="bold")]
    for mark in chart.marks:
        _, y = chart.at(sizes[-1], mark)
        parts.append(_rule(LEFT, y, end, y))
        parts.append(_text(LEFT - 8, y + 4, _number(mark), anchor="end"))
    if chart.target:
        _, y = chart.at(0, chart.target)
        parts.append(_rule(LEFT, y, end, y, LIMIT))
        parts.append(_text((LEFT + end) / 2, y - 5, f"target {chart.target:,.4g} {chart.unit}"))
    if chart.powers:
        parts += _diagonal(chart, sizes[0], sizes[-1])
    for x in sizes:
        parts.append(_text(chart.at(x, chart.most)[0], foot + 20, f"{x:,.0f}", anchor="middle"))
    parts.append(_text((LEFT + end) / 2, HEIGHT - 8, chart.across, anchor="middle"))
    return "".join(parts + _drawn(chart))


def _diagonal(chart: Chart, least: float, most: float) -> list[str]:
    """How steep a cost is that grows as the size, from the lower left as far as the frame goes."""
    assert chart.powers
    low, high = chart.powers
    reach = min(most / least, high / low)
    start, end = chart.at(least, low), chart.at(least * reach, low * reach)
    middle, height = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    return [_rule(*start, *end), _text(middle + 8, height + 14, "linear", ink="#505a5f")]


def _drawn(chart: Chart) -> list[str]:
    parts, ends = [], []
    for number, line in enumerate(chart.lines):
        places = [chart.at(*point) for point in line.points]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(
            f'<polyline points="{way}" fill="none" stroke="{INK}" stroke-width="{3 if line.noticed else 2}"'
            f' stroke-dasharray="{DASHES[number % len(DASHES)]}"/>'
        )
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{INK}"/>' for x, y in places]
        ends.append(places[-1])
    names = zip(ends, _spread([y for _, y in ends]), chart.lines, strict=True)
    for (x, y), height, line in names:
        if abs(height - y) > 2:
            parts.append(_rule(x + 4, y, WIDTH - RIGHT + 10, height))
        weight = "bold" if line.noticed else "normal"
        parts.append(_text(WIDTH - RIGHT + 12, height + 4, line.name, weight=weight))
    return parts


def _spread(heights: Sequence[float]) -> list[float]:
    """The heights, moved as little as it takes so that no two names lie on each other, inside the frame."""
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    moved = list(heights)
    last: float = TOP - APART
    for place in order:
        last = moved[place] = max(heights[place], last + APART)
    last = HEIGHT - BOTTOM + APART
    for place in reversed(order):
        last = moved[place] = min(moved[place], last - APART)
    return moved


def _rule(x1: float, y1: float, x2: float, y2: float, ink: str = GRID) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{ink}"/>'


def _text(
    x: float, y: float, words: str, *, anchor: str = "start", weight: str = "normal", size: int = 13,
    ink: str = INK,
) -> str:  # fmt: skip
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}" font-size="{size}"'
    return f'<text {place} fill="{ink}">{escape(words)}</text>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:,.4g}"


def _share(value: float, least: float, most: float) -> float:
    return log10(value / least) / log10(most / least)


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 6, 8 times a power of ten: its quarters are read easily."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    while power > value:
        power /= 10
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value)
