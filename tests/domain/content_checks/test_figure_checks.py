"""The brief's rules for figures: enough, one for phones beside each, and words that can be read."""

import re

import pytest

from portal.domain.content_checks.drawings import PaintingError, contrast_ratio, read_colour, read_texts
from tests.pages.authoring.shipped import Texts, list_breaches, replace_text, shipped_texts

KEY = "recognise"
WIDE = f"{KEY}/media/three-areas.svg"
NARROW = f"{KEY}/media/three-areas.narrow.svg"
LESSON = f"{KEY}/lessons/what-oic-is.md"
LETTERS = r'(?<=<text )([^>]*?)fill="#[0-9a-f]{6}"'


@pytest.fixture
def files() -> Texts:
    return shipped_texts()


def test_four_figures_that_are_drawn(files):
    for path in [path for path in files if path.startswith(f"{KEY}/lessons/")]:
        files[path] = re.sub(r"^::: figure .*?^:::\n", "", files[path], flags=re.M | re.S)

    breach = f"{KEY}/module.toml: The lessons show 0 drawn figures. Draw 4 or more that explain."
    assert breach in list_breaches(files, KEY)


def test_the_same_figure_shown_twice_is_one(files):
    for path in [path for path in files if path.startswith(f"{KEY}/lessons/") and path.endswith(".md")]:
        files[path] = re.sub(r"media/[a-z\-]+\.svg", "media/three-areas.svg", files[path])

    assert any("The lessons show 1 drawn figures." in breach for breach in list_breaches(files, KEY))


def test_a_picture_with_places_is_checked_as_a_figure(files):
    drawing, lesson = f"{KEY}/media/car-wash-yard.narrow.svg", f"{KEY}/lessons/the-car-wash.toml"
    del files[drawing]
    files[lesson] = re.sub(r"^narrow = .*\n", "", files[lesson], flags=re.M)

    (breach,) = list_breaches(files, KEY)

    assert breach.startswith(f"{lesson}, line 9: There is no media/car-wash-yard.narrow.svg.")


def test_a_drawing_for_phones_beside_each(files):
    del files[NARROW]

    line = files[LESSON][: files[LESSON].index("::: figure media/three-areas.svg")].count("\n") + 1
    assert list_breaches(files, KEY) == [
        f"{LESSON}, line {line}: There is no media/three-areas.narrow.svg. Draw the figure once more,"
        " 320 wide, for phones."
    ]


@pytest.mark.parametrize("path", [WIDE, NARROW])
def test_words_have_contrast_against_the_shape_beneath_them(files, path):
    place = replace_text(files, path, LETTERS, r'\1fill="#3b4d70"')  # of words on dark blue

    (breach,) = list_breaches(files, KEY)
    assert breach.startswith(f"{place}“")
    assert re.search(
        r"has a contrast of 1\.\d\d to 1 against #14264a\. Choose colours that give 4\.5 or", breach
    )


def test_words_on_a_phone_are_eleven_pixels_or_more(files):
    place = replace_text(files, NARROW, r'font-size="\d+"', 'font-size="12"')

    (breach,) = list_breaches(files, KEY)
    assert breach.startswith(f"{place}“")
    assert breach.endswith("is 10.8 pixels high on a phone. Make it 11 or more.")


def test_eleven_pixels_are_enough(files):
    replace_text(files, NARROW, r'font-size="\d+"', f'font-size="{11 * 320 / 288 + 0.001:.3f}"')

    assert list_breaches(files, KEY) == []


@pytest.mark.parametrize(("letters", "is_breach"), [("#767676", False), ("#777777", True)])
def test_four_and_a_half_to_one_is_enough(files, letters, is_breach):
    replace_text(
        files, NARROW, r"(</desc>)", rf'\1<text x="300" y="9" fill="{letters}" font-size="16">a</text>'
    )

    assert (
        any("has a contrast of 4.47 to 1 against #ffffff" in breach for breach in list_breaches(files, KEY))
        is is_breach
    )


@pytest.mark.parametrize(
    ("new", "sentence"),
    [
        (
            'fill="url(#shade)"',
            "“url(#shade)” is not a colour whose contrast can be measured. Write it as #rrggbb.",
        ),
        (
            'fill="#0b0c0c" transform="scale(2)"',
            "Draw <text> without “transform”, so that its contrast can be",
        ),
        (
            'fill="#0b0c0c" opacity="0.4"',
            "Draw <text> without “opacity”, so that its contrast can be measured.",
        ),
    ],
)
def test_what_cannot_be_counted_is_refused(files, new, sentence):
    place = replace_text(files, WIDE, LETTERS, rf"\1{new}")

    (breach,) = list_breaches(files, KEY)
    assert breach.startswith(f"{place}{sentence}")


def drawing(inner: str) -> bytes:
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 100">{inner}</svg>'.encode()


@pytest.mark.parametrize(
    ("inner", "ground"),
    [
        ("", "#ffffff"),
        ('<rect width="320" height="100" fill="#123456"/>', "#123456"),
        ('<rect x="200" width="20" height="100" fill="#123456"/>', "#ffffff"),
        ('<rect width="320" height="100" fill="none" stroke="#123456"/>', "#ffffff"),
        ('<circle cx="60" cy="50" r="60" fill="#123456"/>', "#123456"),
        ('<ellipse cx="60" cy="90" rx="60" ry="3" fill="#123456"/>', "#ffffff"),
        ('<polygon points="0,0 320,0 320,100 0,100" fill="#123"/>', "#112233"),
        ('<path d="M0 0h320v100H0z" fill="#123456"/>', "#123456"),
        ('<path d="M0,0 L320,0 L320,100 L0,100 Z M10,10 H310 V90 H10 Z" fill="#123456"/>', "#123456"),
        ('<path d="M0,0 L320,0 L320,100 L0,100 Z M10,10 V90 H310 V10 Z" fill="#123456"/>', "#ffffff"),
        ('<path fill-rule="evenodd" d="M0,0h320v100H0z m10,10h300v80h-300z" fill="#123456"/>', "#ffffff"),
        ('<path d="M0 0 C100 0 220 0 320 0 L320 100 Q160 100 0 100 Z" fill="#123456"/>', "#123456"),
        ('<g fill="#123456"><rect width="320" height="100"/></g>', "#123456"),
        ('<defs><rect width="320" height="100" fill="#123456"/></defs>', "#ffffff"),
        (
            '<rect width="320" height="100" fill="black"/><rect width="320" height="100" fill="white"/>',
            "#ffffff",
        ),
        ('<rect width="320" height="100"/>', "#000000"),
    ],
)
def test_what_was_painted_last_is_what_stands_behind(inner, ground):
    (text,) = read_texts(drawing(f'{inner}<text x="40" y="56" font-size="16" fill="#808080">Word</text>'))

    assert text.background == ground
    assert text.contrast == pytest.approx(contrast_ratio((128, 128, 128), read_colour(ground)))


def test_what_is_painted_later_does_not_count():
    (text,) = read_texts(drawing('<text x="40" y="56">Word</text><rect width="9" height="9" fill="black"/>'))

    assert (text.background, round(text.contrast, 1)) == ("#ffffff", 21.0)


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ('<text x="150" y="56" font-size="16">Words at work</text>', "#222222"),
        ('<text x="150" y="56" font-size="16" text-anchor="end">Words at work</text>', "#ffffff"),
        ('<g text-anchor="middle"><text x="150" y="56" font-size="16">Words at work</text></g>', "#222222"),
        ('<text x="10" y="56" font-size="16">One <tspan x="180">two</tspan></text>', "#222222"),
        ('<text x="180" y="10" font-size="16">One <tspan x="10" dy="2em">two</tspan></text>', "#222222"),
    ],
)
def test_the_worst_place_of_the_words_counts(text, ground):
    half = '<rect x="155" width="165" height="100" fill="#222222"/>'

    assert min(read_texts(drawing(half + text)), key=lambda each: each.contrast).background == ground


def test_a_part_of_a_text_has_its_own_colour_and_size():
    one, two = read_texts(
        drawing('<text y="50" font-size="32">One <tspan font-size="8" fill="#fff">two</tspan></text>')
    )

    assert (one.words, one.size, round(one.contrast)) == ("One", 0.1, 21)
    assert (two.words, two.size, round(two.contrast)) == ("two", 0.025, 1)


@pytest.mark.parametrize(
    "inner",
    [
        '<use href="#a"/>',
        '<g transform="translate(1 1)"/>',
        '<rect fill="currentColor"/>',
        '<g class="a"/>',
        "<svg/>",
    ],
)
def test_what_moves_or_fades_is_not_guessed_at(inner):
    with pytest.raises(PaintingError):
        read_texts(drawing(inner))


def test_contrast_is_that_of_wcag():
    assert contrast_ratio((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert contrast_ratio((118, 118, 118), (255, 255, 255)) == pytest.approx(4.54, abs=0.005)
    assert contrast_ratio((119, 119, 119), (255, 255, 255)) == pytest.approx(4.48, abs=0.005)
    assert contrast_ratio((255, 0, 0), (255, 0, 0)) == 1
