"""Whatever an author writes comes out inert: no script, no handler, no address but the allowed ones."""

import re
from contextlib import suppress
from urllib.parse import urlsplit

import html5lib
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.authoring import media
from portal.domain.authoring.media import MediaUpload, MediaUploadError, write_titles
from portal.domain.catalogue import version_cache
from portal.domain.catalogue.lesson_html import _fill_from, fill_placeholders
from portal.domain.catalogue.markdown import TAGS, render_inline, render_page, sanitise_html
from portal.domain.catalogue.media_rules import ATTRIBUTES, ELEMENTS, DrawingError, read_drawing
from portal.domain.catalogue.source_files import GlossaryTerm, SharedContent
from portal.domain.catalogue.version_cache import SharedKey
from tests.domain.catalogue.folders import SVG
from tests.examples import few_or_many
from tests.page_reading import H
from tests.pages.authoring.hostile import (
    RUN,
    SCRIPT,
    bare,
    checks,
    drawings,
    markup,
    pieces,
    place,
    shuffled_drawings,
    texts,
)

pytestmark = pytest.mark.slow

SCHEMES = {"", "http", "https", "mailto", "tel"}
ADDRESSES = re.compile(r"(/authoring/[a-z0-9-]+)?/media/[0-9a-f]{64}/[A-Za-z0-9._-]+")
# Ours beside the allow-list's: the fragment is parsed inside a page's body.
FRAME = {"html", "head", "body", "title"}


def assert_inert(html: str) -> None:
    root = html5lib.HTMLParser().parse(f"<!DOCTYPE html><title>x</title><body>{html}</body>")
    for element in root.iter():
        if not isinstance(element.tag, str):
            raise AssertionError(f"a comment is left: {html}")
        assert element.tag.startswith(H), f"{element.tag} in {html}"
        assert element.tag.removeprefix(H) in TAGS | FRAME, f"{element.tag} in {html}"
        for name, value in element.attrib.items():
            assert_plain(name, value, html)


def assert_plain(name: str, value: str, html: str) -> None:
    assert not name.lower().startswith("on"), html
    assert name not in {"style", "srcdoc", "formaction", "action", "xlink:href", "background"}, html
    if name in {"src", "srcset"}:
        assert ADDRESSES.fullmatch(value), html
    if name == "href":
        cleaned = re.sub(r"[\x00-\x20]", "", value)
        assert urlsplit(cleaned).scheme.lower() in SCHEMES, html


def rendered(text: str) -> list[str]:
    """The text as a page, as one paragraph, and as they are when their slots are filled, hostilely too."""
    made = [render_page(text, place()), render_inline(text, place())]
    return made + [str(fill_placeholders(html)) for html in made]


@pytest.fixture(scope="module", autouse=True)
def hostile_slots():
    """A force whose settings and terms are hostile, whatever their keys."""
    said = f"\"'>{SCRIPT}<img src=x onerror={RUN}>"
    shared = SharedContent(terms=Anything(GlossaryTerm("x", said)), values=Anything(said))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(version_cache, "shared_key", lambda: SharedKey(1, None))
        patch.setattr(version_cache, "shared_content", lambda _name: shared)
        _fill_from.cache_clear()
        yield
    _fill_from.cache_clear()


class Anything(dict):
    """Has every key."""

    def __init__(self, value):
        super().__init__()
        self.value = value

    def get(self, key, default=None):
        return self.value


def test_nothing_written_by_hand_stays_alive():
    for text in (*texts(), *checks()):
        for html in rendered(text):
            assert_inert(html)


@settings(max_examples=few_or_many(80, 400), deadline=None)
@given(markup)
def test_nothing_shuffled_stays_alive(text):
    for html in rendered(text):
        assert_inert(html)


@settings(max_examples=few_or_many(80, 400), deadline=None)
@given(st.one_of(markup, pieces, st.sampled_from(bare())))
def test_sanitising_is_a_fixed_point_and_leaves_nothing_alive(html):
    once = sanitise_html(html)

    assert sanitise_html(once) == once.removeprefix("\ufeff")  # a parser takes the mark as one of its own
    assert_inert(once)


def test_what_is_rendered_is_a_fixed_point_of_sanitising():
    for text in (*texts(), *checks()):
        html = render_page(text, place())
        assert sanitise_html(html) == html, text


def test_no_hostile_drawing_is_taken():
    taken = []
    for content in drawings():
        for title in ("", "T"):
            with suppress(MediaUploadError):
                media.check_upload(MediaUpload("x.svg", content, title, title, ""), [])
                taken.append(content)
    assert taken == []


def test_what_is_taken_of_shuffled_drawings_holds_the_allow_list_alone():
    taken = 0
    for content in shuffled_drawings(few_or_many(160, 400)):
        try:
            made = media.check_upload(MediaUpload("x.svg", content, "T", "D", ""), []).content
        except MediaUploadError:
            continue
        taken += 1
        assert_allowed(made)
    assert taken > few_or_many(5, 20)


def assert_allowed(content: bytes) -> None:
    html = html5lib.HTMLParser().parse(f"<!DOCTYPE html><body>{content.decode()}")
    for element in html.iter():
        if isinstance(element.tag, str) and not element.tag.startswith(H):
            assert element.tag.rpartition("}")[2] in ELEMENTS, content
            names = {name.rpartition("}")[2] for name in element.attrib}
            assert names <= ATTRIBUTES | {"xmlns", "lang", "space", "xlink"}, content


@settings(max_examples=few_or_many(50, 300), deadline=None)
@given(st.one_of(st.text(max_size=60), pieces), st.one_of(st.text(max_size=60), pieces))
def test_whatever_is_typed_stands_in_the_drawing_as_text(title, description):
    try:
        made = write_titles(SVG.encode(), title, description)
    except DrawingError as error:
        raise AssertionError(f"{title!r}, {description!r}: {error}") from error

    drawing = read_drawing(made)
    assert drawing.title == (folded(title) or "A drawing")
    assert drawing.description == (folded(description) or "A box.")
    assert write_titles(made, title, description) == made
    assert_allowed(made)


def folded(text: str) -> str:
    return " ".join(re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text).split())


@settings(max_examples=few_or_many(30, 100), deadline=None)
@given(st.one_of(st.text(max_size=80), pieces), st.sampled_from(["svg", "png", "jpg", "webp", "pdf"]))
def test_whatever_a_file_is_called_its_name_is_safe(filename, kind):
    name = media.safe_name(filename, kind)

    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*(\.narrow)?\.[a-z]{3,4}", name)
    assert len(name) <= 80
