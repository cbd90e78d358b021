import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.pages.layout import brand
from tests.page_reading import Page
from tests.pages.layout.conftest import build

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(COLOURS)
def test_a_colour_is_taken_exactly_when_white_can_be_read_on_it(colour: str) -> None:
    if brand.contrast_with_white(colour) >= 4.5:
        assert brand.check_colour(colour.upper()) == colour
        return
    with pytest.raises(brand.BrandColourError, match="too light") as caught:
        brand.check_colour(colour)
    told = re.search(r"contrast of ([\d.]+)", str(caught.value))
    assert told
    assert float(told[1]) < 4.5


@pytest.mark.parametrize(("colour", "contrast"), [("#000000", 21.0), ("#767676", 4.54), ("#777777", 4.48)])
def test_contrast_is_measured_as_the_guidelines_measure_it(colour: str, contrast: float) -> None:
    assert brand.contrast_with_white(colour) == pytest.approx(contrast, abs=0.005)


@pytest.mark.parametrize("colour", ["navy", "#fff", "14284b", "#14284b;}", "#14284b\n#", ""])
def test_what_is_no_colour_is_refused(colour: str) -> None:
    with pytest.raises(brand.BrandColourError, match="six digits"):
        brand.check_colour(colour)


def test_a_force_may_have_its_own_colour_on_every_page() -> None:
    app = build(brand_colour="#3B0A45")
    page = Page(app.test_client().get("/help"), "/help")
    sheets = [link.get("href") or "" for link in page.all("link", rel="stylesheet")]
    assert sheets[-1] == "/brand.css?3b0a45"
    style = app.test_client().get(sheets[-1])
    assert style.mimetype == "text/css"
    assert style.get_data(as_text=True) == ":root{--portal-brand:#3b0a45}\n"
    assert page.all("meta", name="theme-color")[0].get("content") == "#3b0a45"


def test_a_colour_that_cannot_be_read_stops_the_start() -> None:
    with pytest.raises(brand.BrandColourError):
        build(brand_colour="#ffdd00")
