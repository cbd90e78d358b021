"""Drawings that would stop a browser, or the portal that looks at them."""

import time

import pytest

from portal.domain.catalogue import services
from portal.domain.catalogue.media import media_kind, read_drawings
from portal.domain.catalogue.media_rules import MAX_DEPTH, MAX_DRAWN, DrawingError
from portal.domain.content_checks.drawings import PaintingError
from portal.domain.content_checks.isolated_painter import paint_drawings
from portal.platform.db import stamp, transaction
from portal.platform.errors import BadInputError
from tests.domain.catalogue.folders import write
from tests.pages.authoring.desk import make_person_with, open_draft_page, publish_sample, signed_in_client
from tests.pages.authoring.test_media import error_sentences, upload_file

HEAD = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><title>A</title><desc>B.</desc>'


def drawing(inner):
    return f"{HEAD}{inner}</svg>".encode()


def nested(depth):
    """Ten uses of ten uses of … one circle."""
    uses = [f'<use href="#g{n}"/>' * 10 for n in range(depth)]
    levels = "".join(f'<g id="g{n}">{inner}</g>' for n, inner in enumerate(uses, 1))
    return drawing(f'<defs><circle id="g0" r="1"/>{levels}</defs><use href="#g{depth}"/>')


def patterned(depth):
    """Shapes filled with patterns of shapes filled with patterns …"""
    fills = [f'<rect fill="url(#p{n})"/>' * 10 for n in range(depth)]
    levels = "".join(f'<pattern id="p{n}">{inner}</pattern>' for n, inner in enumerate(fills, 1))
    return drawing(f'<pattern id="p0"><rect/></pattern>{levels}<rect fill="url(#p{depth})"/>')


MANY = f"This drawing draws more than {MAX_DRAWN:,} shapes. Simplify it."
SELF = "A part of this drawing is drawn inside itself. Take out the reference to it."
BAD = {
    "ten to the power of eight": (nested(8), MANY),
    "ten to the power of fifty": (nested(50), MANY),
    "patterns in patterns": (patterned(8), MANY),
    "very many shapes": (drawing("<rect/>" * MAX_DRAWN), MANY),
    "a use of itself": (drawing('<use id="a" href="#a"/>'), SELF),
    "a use of what holds it": (drawing('<g id="a"><g><use href="#a"/></g></g>'), SELF),
    "two that use each other": (
        drawing('<g id="a"><use href="#b"/></g><g id="b"><use href="#a"/></g>'),
        SELF,
    ),
    "a second of the same name": (
        drawing('<circle id="a" r="1"/><g id="a"><use href="#a"/></g>'),
        SELF,
    ),
    "very deep": (
        drawing("<g>" * (MAX_DEPTH + 1) + "</g>" * (MAX_DEPTH + 1)),
        f"This drawing nests elements more than {MAX_DEPTH} deep. Simplify it.",
    ),
    "deeper than a program can follow": (
        drawing("<g>" * 50_000 + "</g>" * 50_000),
        "deep. Simplify it.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_drawn_too_often_is_refused(name):
    content, sentence = BAD[name]

    (found,) = read_drawings([content])

    assert isinstance(found, DrawingError)
    assert sentence in str(found)


def test_what_is_used_a_few_times_is_drawn():
    (found,) = read_drawings([nested(3)])

    assert found.title == "A"


def test_ten_to_the_power_of_eight_copies_are_refused_at_the_desk_and_by_the_command(client, app, tmp_path):
    publish_sample(tmp_path / "published")
    make_person_with("D3001", "author")
    desk = signed_in_client(app, "D3001")
    open_draft_page(desk)

    page = upload_file(desk, nested(8), "many.svg")

    assert MANY in error_sentences(page)[0]
    folder = write(tmp_path / "folder", {"sample/media/many.svg": nested(8)})
    refused = pytest.raises(BadInputError, match=r"sample/media/many\.svg, line 1: This drawing draws more")
    with refused, transaction():
        services.publish_folder(folder, at=stamp())


def test_one_that_cannot_be_read_does_not_keep_the_others_from_being_read():
    huge = drawing("<g>" * 3 + '<path d="' + "M0 0" * 9 + '"/>' * 400_000)

    bad, good = read_drawings([huge, drawing("<rect/>")])

    assert isinstance(bad, DrawingError)
    assert good.title == "A"


def test_comments_before_a_drawing_take_no_time():
    """Told apart by a pattern that could cut them in every way, thirty took minutes."""
    begun = time.process_time()

    assert media_kind(b"<!---->" * 5_000 + b"x") is None
    assert media_kind(b"<?xml version='1.0'?>\n<!-- a --> <!---->" + drawing("")) == "svg"
    assert time.process_time() - begun < 5


def test_a_drawing_that_cannot_be_painted_is_refused_and_the_others_are_painted():
    bad, good = paint_drawings([b"<svg", drawing('<text x="1" y="1">Word</text>')])

    assert isinstance(bad, PaintingError)
    assert good[0].words == "Word"
