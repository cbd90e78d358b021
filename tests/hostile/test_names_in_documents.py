"""Names in every script, and what no font has: the PDF is made, is accessible, and says what it changed."""

import hashlib
import io
import random
import re
import unicodedata
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typst
from fontTools.ttLib import TTFont
from pypdf import PdfReader

from portal.platform.documents.fonts import FAMILIES, FOLDER, _in_no_font, font_folders, list_missing_packages
from portal.platform.documents.typesetting import text_content, typeset_pdf
from tests.factories.people import make_person
from tests.pages.monitoring.world import REPORT, enter, make_world

NAMES = {
    "W1": ("Ŵyn-Ŷates", "Siân Llŷr"),
    "P1": ("Żółkiewski", "Łukasz Świętosław"),
    "V1": ("Nguyễn", "Thị Ngọc Ánh"),
    "V2": (unicodedata.normalize("NFD", "Đặng"), unicodedata.normalize("NFD", "Hữu Phước")),
    "U1": ("خان", "محمد علی ہارون"),
    "A1": ("العربي", "أحمد"),
    "H1": ("כהן", "שלום"),
    "C1": ("王（测试）", "小明"),
    "C2": ("龍國灣", "体験"),
    "K1": ("김", "철수"),
    "G1": ("Ɛkow-Ɔsei", "Ndèye"),
    "S1": ("ਸਿੰਘ", "রহমান"),
    "E1": ("Smiley", "😀 🇬🇧 👩\u200d👧"),
}
LOST = {
    "L1": ("Zo\ue000", "Ann", "Zo�, Ann", "U+E000"),
    "L2": ("\U00013000ra", "Ann", "�ra, Ann", "U+13000 egyptian hieroglyph a001"),
    "L3": ("x\u0915\u0301\u0e34", "Ann", None, "U+0E34 thai character sara i"),
    "L4": ("Turn\u202e", "Ann", "Turn�, Ann", "U+202E right-to-left override"),
    "L5": ("Mark\ufeff", "Ann", "Mark�, Ann", "U+FEFF zero width no-break space"),
}
AT = datetime(2026, 11, 25, 9, tzinfo=UTC)
OF_DEBIAN = {"C1", "C2", "K1", "E1"}  # names whose characters only its fonts have
FEWER = bool(list_missing_packages())
with_fonts_of_debian = pytest.mark.skipif(FEWER, reason="Debian's fonts are not on this machine")


def made(markup: str) -> bytes:
    return typeset_pdf(markup, title="A title", above="Above", foot="Foot", author="Westshire Police", at=AT)


def text_of(content: bytes) -> str:
    pages = PdfReader(io.BytesIO(content)).pages
    return " ".join("\n".join(page.extract_text() for page in pages).split())


def letters(text: str) -> str:
    """The characters that are read, whichever way they run and however their marks are written."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(sorted(one for one in composed if not one.isspace() and one != "\u200d"))


@pytest.fixture
def report(client):
    """The report of a unit in which people have these names, as its auditor downloads it."""

    def download(names):
        world = make_world()
        for number, (surname, forenames) in names.items():
            make_person(
                world.units["north"], staff_number=f"X-{number}", surname=surname, forenames=forenames
            )
        response = enter(client, world, "D6001").get(f"{REPORT}/completions.pdf?as_at=2026-05-31")
        assert response.status_code == 200
        assert b"pdfuaid" in response.data
        assert re.search(rb"/StructTreeRoot", response.data)
        return response.data

    return download


@with_fonts_of_debian
@pytest.mark.slow
def test_the_report_names_people_in_every_script(report):
    content = text_of(report(NAMES))

    assert "cannot show" not in content
    assert "�" not in content
    for number, (surname, forenames) in NAMES.items():
        assert f"X-{number})" in content
        if number not in {
            "U1",
            "A1",
            "H1",
            "S1",
            "V2",
            "E1",
        }:  # these are read from the right, or by clusters
            assert f"{surname}, {forenames} (X-{number})" in content


@pytest.mark.slow
@pytest.mark.parametrize(
    "number", [number for number in NAMES if number != "S1" and not (FEWER and number in OF_DEBIAN)]
)
def test_each_name_can_be_read_out_of_the_file(number):
    name = " ".join(NAMES[number])

    content = text_of(made(text_content(name)))

    if number in {"V2", "E1"}:  # a reader that knows nothing of ActualText reads what is drawn together twice
        assert set(letters(name)) <= set(letters(content))
    else:
        assert letters(f"Above A title {name} Foot Page 1 of 1") == letters(content)


@with_fonts_of_debian
@pytest.mark.slow
def test_the_report_says_whose_names_it_could_not_show(report):
    names = {number: (surname, forenames) for number, (surname, forenames, *_) in LOST.items()}
    content = text_of(report(names | {"C1": NAMES["C1"]}))

    assert "5 texts of this document have characters that it cannot show." in content
    assert "Characters that could not be shown" in content
    assert "These texts contain characters that this document cannot show. Each is shown as �:" in content
    for number, (_, _, shown, named) in LOST.items():
        assert re.search(rf"“[^“]*\(X-{number}\)”: [^“]*{re.escape(named)}", content)
        assert shown is None or f"“{shown} (X-{number})”" in content
    assert "“王" not in content


@pytest.mark.slow
def test_a_document_lists_at_most_two_hundred_of_such_texts():
    markup = "\n\n".join(text_content(f"{number}\ue000") for number in range(450))

    content = text_of(made(markup))

    assert "450 texts of this document have" in content
    assert "“199�”" in content
    assert "“200�”" not in content
    assert "and 250 more" in content


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "",
        "\x00\x07\x1b\x7f\x85\x9f",
        "\ud800 alone \udfff",
        "\u200b\u200c\u200d\u2060\ufeff",
        "e" + "\u0301\u0323\u20dd" * 20,
        'say "\U00013000\\" \\',
        '\\\u0951 "\u0951 \n\u0951',
        "\u0951begins with a mark",
        "\uffff\ufffe\U0010ffff\ufdd0",
        " \u180f",
    ],
)
def test_no_text_keeps_a_document_from_being_made(text):
    content = made(f"{text_content(text)} *{text_content(text)}* #heading(level: 2)[{text_content(text)}x]")

    assert b"pdfuaid" in content


@pytest.mark.slow
def test_no_letters_at_random_keep_a_document_from_being_made():
    chance = random.Random(9)
    known = [chr(n) for n in range(0x20, 0x30000) if unicodedata.category(chr(n)) not in {"Cs", "Cn"}]
    marks = [one for one in known if unicodedata.category(one)[0] == "M" or unicodedata.category(one) == "Cf"]
    texts = [
        "".join(chance.choice(marks if chance.random() < 0.4 else known) for _ in range(6))
        for _ in range(400)
    ]

    assert b"pdfuaid" in made("\n\n".join(f"*{text_content(text)}* {text_content(text)}" for text in texts))


def test_every_family_of_the_fonts_is_asked_for_a_character():
    found = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=font_folders("王")
    )

    only_of_debian = {"Noto Sans CJK SC", "Symbola"} if FEWER else set()
    assert set(FAMILIES) - only_of_debian <= set(found.families())
    with_portal = typst.Fonts(
        include_system_fonts=False, include_embedded_fonts=False, font_paths=font_folders("Ŵyn")
    )
    assert set(with_portal.families()) == set(FAMILIES) - {"Noto Sans CJK SC", "Symbola"}


def test_the_fonts_are_those_that_were_made():
    listed = dict(reversed(line.split()) for line in (FOLDER / "SHA256SUMS").read_text().splitlines())
    held = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in FOLDER.glob("*.[ot]tf")}

    assert held == listed
    for name in held:  # names that their licence keeps for unchanged fonts
        with TTFont(FOLDER / name) as font:
            assert not re.search(
                "source|plex", " ".join(str(font["name"].getDebugName(n)) for n in (1, 4, 6)), re.I
            )
            assert str(font["name"].getDebugName(0)) in (FOLDER / "OFL.txt").read_text()


@pytest.mark.slow
def test_without_the_fonts_of_debian_a_name_is_replaced_and_the_document_says_so(monkeypatch):
    """Other scripts are shown as ever: their fonts are part of the portal."""
    monkeypatch.setattr("portal.platform.documents.fonts.SYSTEM_FONTS", {"fonts-noto-cjk": Path("/nowhere")})
    _in_no_font.cache_clear()
    try:
        content = text_of(made(text_content("王小明 (D1) and ਸਿੰਘ, رحمان, Շահ (D2)")))
    finally:
        _in_no_font.cache_clear()

    assert "One text of this document has characters that it cannot show." in content
    assert "U+738B cjk unified ideograph-738b" in content
    assert "“��� (D1) and" in content
    assert "Շահ" in content
    assert "U+0A38" not in content
