"""Pictures of growth: well formed, inside their frame, and with every number in words."""

from xml.etree import ElementTree

import pytest

from benchmarks.nation.drawn import HEIGHT, WIDTH, Line, drawing

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("most", [0.3, 7.0, 299.0, 41_000.0])
def test_a_drawing_says_its_numbers_and_stays_inside(most):
    lines = [
        Line("all & everybody", [(15_000, most / 9), (250_000, most)]),
        Line("one force", [(15_000, most / 9), (250_000, most)]),
    ]

    root = ElementTree.fromstring(drawing("A page", "ms", lines, 300.0))

    said = root.findtext(f"{SVG}desc") or ""
    assert f"{most:,.3g} ms at 250,000" in said
    assert "all & everybody" in said
    places = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in root.iter(f"{SVG}circle")]
    assert len(places) == 4
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in places)
    assert places[0][1] > places[1][1]  # more lies higher
    ends = [text for text in root.iter(f"{SVG}text") if text.text in ("all & everybody", "one force")]
    heights = [float(text.attrib["y"]) for text in ends]
    assert abs(heights[0] - heights[1]) >= 16  # names do not lie on each other
