"""Growth as a picture: lines over the number of people, as SVG that reads without colour."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 720, 300
LEFT, RIGHT, TOP, BOTTOM = 70, 190, 40, 50
DASHES = ("", "8 4", "2 4")


@dataclass(frozen=True, slots=True)
class Line:
    """Values by number of people; ``name`` stands at its end."""

    name: str
    points: Sequence[tuple[float, float]]


def drawing(title: str, unit: str, lines: Sequence[Line], target: float | None = None) -> str:
    """One chart; its description holds every number."""
    most_x = max(x for line in lines for x, _ in line.points)
    most_y = _round_up(max([*(y for line in lines for _, y in line.points), target or 0]))

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            LEFT + x / most_x * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - y / most_y * (HEIGHT - TOP - BOTTOM),
        )

    parts = [_text(LEFT, 22, f"{title} ({unit})", weight="bold")]
    for share in (0, 0.25, 0.5, 0.75, 1):
        x, y = at(most_x, most_y * share)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{x:.1f}" y2="{y:.1f}" stroke="#b1b4b6"/>')
        parts.append(_text(LEFT - 8, y + 4, f"{most_y * share:,.4g}", anchor="end"))
    if target:
        (_, y), (x, _) = at(0, target), at(most_x, 0)
        parts.append(f'<line x1="{LEFT}" y1="{y:.1f}" x2="{x:.1f}" y2="{y:.1f}" stroke="#d4351c"/>')
        parts.append(_text((LEFT + x) / 2, y - 5, f"target {target:,.4g} {unit}"))
    for x in sorted({x for line in lines for x, _ in line.points}):
        parts.append(_text(at(x, 0)[0], HEIGHT - BOTTOM + 20, f"{x:,.0f}", anchor="middle"))
    parts.append(_text(at(most_x / 2, 0)[0], HEIGHT - 8, "people in the audience", anchor="middle"))
    parts += _drawn(lines, at)
    said = "; ".join(
        f"{line.name}: " + ", ".join(f"{y:,.3g} {unit} at {x:,.0f}" for x, y in line.points) for line in lines
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img"'
        f' font-family="sans-serif" font-size="13"><title>{escape(title)}</title><desc>{escape(said)}</desc>'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>{"".join(parts)}</svg>\n'
    )


def _drawn(lines: Sequence[Line], at: Callable[[float, float], tuple[float, float]]) -> list[str]:
    parts = []
    ends: list[float] = []
    for line, dash in zip(lines, DASHES, strict=False):
        places = [at(*point) for point in line.points]
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(
            f'<polyline points="{way}" fill="none" stroke="#0b0c0c" stroke-width="2"'
            f' stroke-dasharray="{dash}"/>'
        )
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#0b0c0c"/>' for x, y in places]
        x, y = places[-1]
        while any(abs(y - other) < 16 for other in ends):  # names never lie on each other
            y -= 4
        ends.append(y)
        parts.append(_text(x + 8, y + 4, line.name))
    return parts


def _text(x: float, y: float, words: str, *, anchor: str = "start", weight: str = "normal") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text {place} fill="#0b0c0c">{escape(words)}</text>'


def _round_up(value: float) -> float:
    """The next of 1, 2, 4, 6, 8 times a power of ten: its quarters are read easily."""
    power = 1.0
    while power * 10 <= value:
        power *= 10
    while power > value:
        power /= 10
    return next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= value)
