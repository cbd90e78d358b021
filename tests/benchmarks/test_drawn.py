"""Pictures of growth: well formed, inside their frame, and with every number in words."""

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from benchmarks.drawn import HEIGHT, RIGHT, WIDTH, Chart, Line, drawing, small_multiples

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("most", [0.3, 7.0, 299.0, 41_000.0])
def test_a_drawing_says_its_numbers_and_stays_inside(most):
    lines = [
        Line("all & everybody", [(15_000, most / 9), (250_000, most)]),
        Line("one force", [(15_000, most / 9), (250_000, most)]),
    ]

    root = ElementTree.fromstring(drawing(Chart("A page", "ms", "people", lines, 300.0)))

    said = root.findtext(f"{SVG}desc") or ""
    assert f"{most:,.3g} ms at 250,000" in said
    assert "all & everybody" in said
    places = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in root.iter(f"{SVG}circle")]
    assert len(places) == 4
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in places)
    assert places[0][1] > places[1][1]  # more lies higher
    ends = [text for text in root.iter(f"{SVG}text") if text.text in ("all & everybody", "one force")]
    heights = [float(text.attrib["y"]) for text in ends]
    assert abs(heights[0] - heights[1]) >= 14  # names do not lie on each other


def test_small_charts_stand_beside_each_other_with_names_apart():
    flat = [Line(f"page {number}", [(1, 4.0), (4, 4.1), (64, 4.2)], number == 3) for number in range(9)]
    steep = [Line("file", [(10, 1.0), (100, 10.0)])]
    charts = [
        Chart("Pages", "ms", "people", flat, powers=(1, 1_000)),
        Chart("Files", "ms", "people", steep, powers=(1, 1_000)),
        Chart("More", "ms", "units", steep, powers=(1, 1_000)),
    ]

    root = ElementTree.fromstring(small_multiples("How costs grow", charts))

    assert root.attrib["viewBox"] == f"0 0 {2 * WIDTH} {40 + 2 * HEIGHT}"
    words = root.findtext(f"{SVG}desc") or ""
    assert "page 8: 4 ms at 1, 4.1 ms at 4, 4.2 ms at 64" in words
    assert "file: 1 ms at 10, 10 ms at 100" in words
    first = root.find(f"{SVG}g")
    names = {text.text: text for text in first.iter(f"{SVG}text") if (text.text or "").startswith("page ")}
    heights = sorted(float(text.attrib["y"]) for text in names.values())
    assert len(heights) == 9
    assert all(below - above >= 14 for above, below in pairwise(heights))
    assert 0 < heights[0] < heights[-1] < HEIGHT
    assert {text.text for text in names.values() if text.attrib["font-weight"] == "bold"} == {"page 3"}
    assert all(float(c.attrib["cx"]) <= WIDTH - RIGHT for c in root.iter(f"{SVG}circle"))


def test_a_line_as_steep_as_its_size_lies_along_the_diagonal():
    chart = Chart("Files", "ms", "people", [Line("file", [(10, 1.0), (100, 10.0)])], powers=(1, 100))

    root = ElementTree.fromstring(drawing(chart))

    (start, end) = root.find(f"{SVG}polyline").attrib["points"].split()
    diagonal = next(
        each for each in root.iter(f"{SVG}line") if len({each.attrib["y1"], each.attrib["y2"]}) == 2
    )
    assert f"{diagonal.attrib['x1']},{diagonal.attrib['y1']}" == start
    assert f"{diagonal.attrib['x2']},{diagonal.attrib['y2']}" == end
