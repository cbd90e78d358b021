"""What may be uploaded: known by what it holds, named safely, and said in words."""

import re

import pytest

from portal.domain.authoring import media
from portal.domain.authoring.files import MEDIA_BYTES
from portal.domain.authoring.media import MediaUpload, MediaUploadError, read_titles, write_titles
from portal.domain.catalogue.media_rules import DrawingError, read_drawing
from tests.domain.catalogue.folders import SVG

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 40
WEBP = b"RIFF\x20\0\0\0WEBPVP8 " + b"\0" * 40
PDF = b"%PDF-1.7\n" + b"\0" * 40
BARE = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>'


def make_upload(
    content: bytes, name: str = "a.svg", target: str = "", title: str = "", alternative: str = ""
):
    return MediaUpload(name, content, title, alternative, target)


@pytest.mark.parametrize(
    ("content", "kind"),
    [(PNG, "png"), (JPEG, "jpg"), (WEBP, "webp"), (PDF, "pdf"), (SVG.encode(), "svg")],
)
@pytest.mark.parametrize("name", ["x.exe", "x.html", "x.svg", "x"])
def test_the_content_says_what_a_file_is_not_its_name(content, kind, name):
    ready = media.check_upload(make_upload(content, name, title="A box", alternative="A box."), [])

    assert ready.name == f"x.{kind}"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"<html><script>1</script></html>", "something else"),
        (b"GIF89a" + b"\0" * 20, "something else"),
        (b"MZ\x90\0", "something else"),
        (PNG + b"\0" * MEDIA_BYTES, "5,121 KB. Make it smaller"),
        (BARE.replace(b"<rect", b" " * 600_000 + b"<rect"), "Simplify the drawing"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + BARE, "document type"),
        (BARE.replace(b"<rect", b"<script>1</script><rect"), "<script>"),
        (BARE.replace(b"<rect", b'<rect onload="1"'), "onload"),
        (BARE.replace(b"</svg>", b""), "not well-formed"),
        (BARE.replace(b' viewBox="0 0 9 9"', b""), "viewBox"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>', "nothing in the drawing"),
        (b'<?xml version="1.0" encoding="x-none"?>' + BARE, "not well-formed"),
        (b'<?xml version="1.0" encoding="iso-8859-1"?>' + BARE, "UTF-8"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(content, said):
    with pytest.raises(MediaUploadError, match=re.escape(said)) as refused:
        media.check_upload(make_upload(content, "x.svg", title="A box", alternative="A box."), [])

    assert refused.value.field == "file"


@pytest.mark.parametrize(
    ("filename", "safe"),
    [
        ("My Drawing (1).PNG", "my-drawing-1.png"),
        ("../../etc/passwd", "passwd.png"),
        ("C:\\Users\\me\\box.png", "box.png"),
        ("<img src=x onerror=1>.png", "img-src-x-onerror-1.png"),
        ("naïve\u202egnp.exe", "naivegnp.png"),
        ("日本.png", "file.png"),
        (".png", "png.png"),
        ("a" * 300 + ".png", "a" * 60 + ".png"),
        ("x.svg.png", "x-svg.png"),
        ("areas.narrow.png", "areas.narrow.png"),
    ],
)
def test_names_are_made_safe(filename, safe):
    assert media.safe_name(filename, "png") == safe


def test_a_name_that_is_taken_is_not_taken_silently():
    with pytest.raises(MediaUploadError, match=r"There is a file “a\.svg” already"):
        media.check_upload(make_upload(SVG.encode()), ["a.svg"])


def test_a_replacement_keeps_its_name_and_its_type():
    assert media.check_upload(make_upload(SVG.encode(), "b.svg", "a.svg"), ["a.svg"]).name == "a.svg"
    assert media.check_upload(make_upload(JPEG, "b", "a.jpeg"), ["a.jpeg"]).name == "a.jpeg"
    with pytest.raises(MediaUploadError, match="must be SVG, and this file is PNG"):
        media.check_upload(make_upload(PNG, "b.png", "a.svg"), ["a.svg"])
    for target in ("a.svg", "../a.svg", "a.narrow.svg"):
        with pytest.raises(MediaUploadError, match="has been removed"):
            media.check_upload(make_upload(SVG.encode(), "b.svg", target), ["b.svg"])


@pytest.mark.parametrize(
    ("title", "alternative", "field"),
    [("", "It shows.", "title"), ("A box", "", "alternative"), ("", "", "title")],
)
@pytest.mark.parametrize("content", [BARE, PNG, PDF])
def test_title_and_alternative_are_needed(content, title, alternative, field):
    with pytest.raises(MediaUploadError) as refused:
        media.check_upload(make_upload(content, title=title, alternative=alternative), [])

    assert refused.value.field == field


HOSTILE = "</title><script>alert(1)</script> & \"'\x00\x1b\u2028 <?xml?> ]]> <!-- &lt; \ud800"


@pytest.mark.parametrize(
    "content",
    [
        BARE,
        SVG.encode(),
        b'<?xml version="1.0" encoding="UTF-8"?>\n<!-- <svg> -->\n'
        b'<s:svg xmlns:s="http://www.w3.org/2000/svg" viewBox="0 0 9 9" class="a>b"><s:title/><s:g>'
        b"<s:title>inner</s:title></s:g><s:desc >old\none</s:desc ></s:svg>",
        b"\xef\xbb\xbf" + BARE,
        BARE.replace(b"<rect", "<text>Größe ›</text><title>Ü</title><rect".encode()),
    ],
)
def test_what_the_author_typed_is_put_into_the_drawing_as_text(content):
    made = media.check_upload(
        make_upload(content, title=HOSTILE, alternative=f"{HOSTILE}\n\nTwo."), []
    ).content

    drawing = read_drawing(made)
    assert drawing.title == "</title><script>alert(1)</script> & \"'\u2028 <?xml?> ]]> <!-- &lt;".replace(
        "\u2028", ""
    ).replace("  ", " ")
    assert drawing.description == f"{drawing.title} Two."
    assert (drawing.title, drawing.description) == read_titles(made)
    assert b"<script>" not in made
    rest = re.sub(rb"\n?<(s:)?(title|desc)[^>]*>[^<]*</(s:)?(title|desc)>", b"", made)
    for part in (b'viewBox="0 0 9 9"', b"<s:g>", b"<rect", "Größe ›".encode(), b'class="a>b"'):
        assert (part in rest) == (part in content)


def test_every_other_byte_of_the_drawing_stays():
    made = write_titles(BARE, "T", "D")

    assert made == BARE.replace(b'9 9">', b'9 9">\n<title>T</title>\n<desc>D</desc>')
    assert write_titles(made, "", "") == made
    assert write_titles(made, "U", "") == made.replace(b"<title>T", b"<title>U")


def test_a_title_would_not_mend_a_hostile_drawing():
    with pytest.raises(MediaUploadError, match="<script>") as refused:
        media.check_upload(make_upload(BARE.replace(b"<rect", b"<script/><rect")), [])
    assert refused.value.field == "file"
    with pytest.raises(DrawingError):
        write_titles(BARE.replace(b"<rect", b"<script/><rect"), "T", "D")


def test_a_drawing_for_phones_takes_the_texts_of_the_wide_one():
    narrow = media.check_upload(make_upload(BARE, "n.svg", "box.narrow.svg"), ["box.svg"], SVG.encode())

    assert narrow.name == "box.narrow.svg"
    assert read_titles(narrow.content) == ("A drawing", "A box.")


def test_a_picture_s_texts_stand_in_its_figure():
    ready = media.check_upload(make_upload(PNG, title="1. Not a list", alternative="Words.\n\n- a list"), [])

    assert ready.figure == "::: figure media/a.png\n1\\. Not a list\n\nWords.\n\n- a list\n:::"
    assert ready.needs_place


def test_an_alternative_cannot_close_its_figure():
    with pytest.raises(MediaUploadError, match="begin with :::") as refused:
        media.check_upload(make_upload(PNG, title="A", alternative="One.\n  :::\n# Two"), [])
    assert refused.value.field == "alternative"


SCRIPT = "<script>alert(1)</script>"


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (["<svg {}>" + SCRIPT + "</svg>"], 1),
        (["<svg {}>", "<g/>", SCRIPT, "</svg>"], 3),
        (["<svg", "{}>", "<title>Old</title>", "<desc>Old</desc>", SCRIPT, "</svg>"], 5),
        (["<svg {}>", "<title>Old</title>", SCRIPT, "</svg>"], 3),
    ],
)
def test_the_line_of_a_fault_is_that_of_the_file_as_it_was_sent(rows, line):
    size = 'xmlns="http://www.w3.org/2000/svg" viewBox="0 0 10 10"'
    content = "\n".join(rows).replace("{}", size).encode()

    for texts in (("New", "New"), ("", "New"), ("", "")):
        with pytest.raises(DrawingError, match="script") as refused:
            write_titles(content, *texts)

        assert refused.value.line == line
