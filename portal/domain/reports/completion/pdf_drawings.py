"""Drawings of a report for a PDF: the bar of statuses, bars of units, and the line over the months.

Each drawing repeats figures that stand beside it as text, so it is marked as an artifact, which a reader who
listens does not hear.
"""

from collections.abc import Sequence

from portal.domain.reports.charts import LineChart
from portal.domain.reports.statistics import GroupLine, UnitLine
from portal.domain.status.rules import Status
from portal.platform import wording as say
from portal.platform.documents.markup import quote_text, text_content

# Colours and textures of the page's bar; the textures tell the statuses apart without colour.
_GROUND = 'rect(width: 4pt, height: 4pt, fill: rgb("{ground}"), stroke: none)'
_STRIPES = f"tiling(size: (4pt, 4pt))[#{_GROUND}#{{line}}]"
_SLANT = 'place(top + left, line(start: (0pt, 4pt), end: (4pt, 0pt), stroke: 1.2pt + rgb("{ink}")))'
_FLAT = 'place(top + left, line(start: (0pt, 2pt), end: (4pt, 2pt), stroke: 1.2pt + rgb("{ink}")))'
_UPRIGHT = 'place(top + left, line(start: (2pt, 0pt), end: (2pt, 4pt), stroke: 1.2pt + rgb("{ink}")))'
GREEN = "#0f7a52"
_KEY = "width: 9pt, height: 9pt, baseline: 1pt, stroke: 0.5pt"


def _tiling(ground: str, ink: str, line: str) -> str:
    return _STRIPES.replace("{ground}", ground).replace("{line}", line.replace("{ink}", ink))


FILLS = {
    Status.SATISFIED: f'rgb("{GREEN}")',
    Status.EXPIRING: _tiling("#cfe4dc", GREEN, _SLANT),
    Status.IN_PROGRESS: _tiling("#ffffff", "#1a65a6", _FLAT),
    Status.OVERDUE: _tiling("#ca3535", "#7a1f1f", _SLANT),
    Status.EXPIRED: _tiling("#ffffff", "#b7592a", _UPRIGHT),
}
_OPEN = 'rgb("#ffffff")'


def status_bar(parts: Sequence[tuple[Status, int]], total: int, height: str = "9mm") -> list[str]:
    """The bar of statuses across the page, and its counts in words; nothing if nobody is counted."""
    shown = [(status, count) for status, count in parts if count]
    if not total or not shown:
        return []
    cells = ", ".join(
        f'rect(width: 100%, height: {height}, stroke: 0.8pt + rgb("#484949"), fill: {_fill(status)})'
        for status, _ in shown
    )
    columns = ", ".join(f"{count}fr" for _, count in shown)
    words = "#h(5mm)".join(
        f"#box[#pdf.artifact(box({_KEY}, fill: {_fill(status)})) "
        f"{text_content(f'{say.number(count)} {status.label}')}]"
        for status, count in shown
    )
    return [f"#pdf.artifact(grid(columns: ({columns},), {cells}))", "", words, ""]


def _fill(status: Status) -> str:
    return FILLS.get(status, _OPEN)


def unit_table(
    lines: Sequence[UnitLine | GroupLine], measure: str = "Complete", head: str = "Unit"
) -> list[str]:
    """A table of units, ranks or roles with their bars, percentages and fractions.

    Args:
        lines: The rows.
        measure: What the bars show.
        head: What the rows are.
    """
    rows = [
        f"[{text_content(line.name)}], [{_unit_bar(line)}], "
        f"table.cell(align: right)[{text_content(_share(line))}],"
        for line in lines
    ]
    heads = ", ".join(f"[{text_content(text)}]" for text in (head, measure, "People"))
    return [f"#table(columns: (2fr, 2fr, auto), table.header({heads}),", *rows, ")"]


def _unit_bar(line: UnitLine | GroupLine) -> str:
    width = 100 * line.done / line.total if line.total else 0
    done = f'rect(width: {width:.2f}%, height: 7pt, stroke: none, fill: rgb("{GREEN}"))'
    return f'#pdf.artifact(block(width: 100%, height: 7pt, stroke: 0.5pt + rgb("#484949"), {done}))'


def _share(line: UnitLine | GroupLine) -> str:
    return f"{say.percent_cut(line.done, line.total)} – {say.fraction(line.done, line.total)}"


def trend_line(chart: LineChart, height: int = 34) -> list[str]:
    """The line over the months with its ends in words; a sentence if there are too few months.

    Args:
        chart: The line.
        height: In millimetres.
    """
    if not chart.drawn:
        return [text_content("A line appears here after the end of two months.")]
    marks = [mark for percent, y in chart.grid for mark in _grid_line(percent, y, height)]
    for left, right in chart.parts:
        start, end = _place(left.x, left.y, height), _place(right.x, right.y, height)
        marks.append(f'#place(line(start: {start}, end: {end}, stroke: 1.6pt + rgb("{GREEN}")))')
    first, last = chart.ends
    marks.append(f"#place(bottom + left, dx: {chart.left}%, {_small(first)})")
    marks.append(f"#place(bottom + right, {_small(last)})")
    drawing = f"block(width: 100%, height: {height}mm)[{''.join(marks)}]"
    words = chart.words.removesuffix(" The table has every number.")
    return [f"#pdf.artifact({drawing})", "", text_content(words), ""]


def _grid_line(percent: int, y: float, height: int) -> list[str]:
    ends = f"start: {_place(0, y, height)}, end: {_place(100, y, height)}"
    line = f'#place(line({ends}, stroke: 0.4pt + rgb("#b1b4b6")))'
    label = f"#place(dy: {y * height / 100 - 3.5:.2f}mm, {_small(f'{percent}%')})"
    return [line, label] if percent else [line]


def _small(words: str) -> str:
    return f"text(size: 8pt, {quote_text(words)})"


def _place(x: float, y: float, height: int) -> str:
    return f"({x:.2f}%, {y * height / 100:.2f}mm)"
