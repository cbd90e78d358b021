"""Guides: one Markdown file each, with the drawings they show; read, checked and rendered. Pure."""

import html as entities
import re
from dataclasses import dataclass
from datetime import date

from portal.domain.catalogue.markdown.front_matter import read_front_matter
from portal.domain.catalogue.markdown.render_context import (
    Address,
    RenderContext,
    TextLocation,
    media_address,
)
from portal.domain.catalogue.markdown.renderer import render_page, word_count
from portal.domain.catalogue.media.media_types import read_media
from portal.domain.catalogue.sources.folder_reader import GUIDES_FOLDER, KEY_PATTERN
from portal.domain.catalogue.sources.shared_files import SharedContent
from portal.domain.catalogue.sources.validation import digest_of, sha256_of
from portal.platform.formats.faults import Faults

_HEADING = re.compile(r'<h2 class="([^"]*)">(.*?)</h2>', re.S)
_MEDIUM = re.compile(r"media/[A-Za-z0-9._\-]+")


@dataclass(frozen=True)
class GuideSource:
    """A guide as written."""

    key: str
    title: str
    summary: str
    owner: str
    review_on: date
    acknowledge: bool
    body: str
    path: str  # as the author knows it
    body_line: int


@dataclass(frozen=True)
class GuideSection:
    """One part of a guide, under its heading; the part before the first heading has no anchor."""

    anchor: str
    title: str
    html: str


@dataclass(frozen=True)
class CheckedGuide:
    """A guide that has been read, checked and rendered; publishable where no fault was found."""

    guide: GuideSource
    digest: str
    html: str
    words: int
    files: dict[str, bytes]  # its own file and the media it shows, by path


def check_guides(
    files: dict[str, bytes],
    shared: SharedContent,
    faults: Faults,
    *,
    others: frozenset[str] = frozenset(),
    address: Address = media_address,
) -> list[CheckedGuide]:
    """Every guide of the folder ``_guides``, by key; every fault goes to ``faults``.

    Args:
        files: The folder's files by path: ``name.md`` and ``media/name``.
        shared: What texts may refer to.
        faults: Where faults go.
        others: Keys of further guides that may be linked to.
        address: Where a media file is served, by its hash and its path.
    """
    media = read_media(GUIDES_FOLDER, files, faults)
    texts = [text for path in files if path.endswith(".md") and (text := _read_guide(path, files, faults))]
    context = RenderContext(
        module=GUIDES_FOLDER,
        lessons=frozenset(),
        media=media,
        addresses={path: address(sha256_of(files[path]), path) for path in media},
        shared=shared,
        faults=faults,
        guides=others | {text.key for text in texts},
    )
    return [_render_guide(text, files, context) for text in texts]


def _read_guide(path: str, files: dict[str, bytes], faults: Faults) -> GuideSource | None:
    key, shown = path.removesuffix(".md"), f"{GUIDES_FOLDER}/{path}"
    if not KEY_PATTERN.fullmatch(key):
        faults.add(shown, None, "Name the file with small letters, digits and single hyphens.")
        return None
    head = read_front_matter(files[path], shown, faults)
    if head is None:
        return None
    text = GuideSource(
        key=key,
        title=head.table.text("title"),
        summary=head.table.text("summary"),
        owner=head.table.text("owner"),
        review_on=head.table.day("review_on"),
        acknowledge=head.table.flag("acknowledge"),
        body=head.body,
        path=shown,
        body_line=head.body_line,
    )
    head.table.close()
    return text


def _render_guide(text: GuideSource, files: dict[str, bytes], context: RenderContext) -> CheckedGuide:
    html = _add_anchors(
        render_page(text.body, TextLocation(context, text.path, text.body_line, allows_checks=False))
    )
    named = f"{text.key}.md"
    kept = {named: files[named]} | {path: files[path] for path in _shown_media(text.body, files)}
    return CheckedGuide(text, digest_of(kept), html, word_count(html), kept)


def _shown_media(body: str, files: dict[str, bytes]) -> list[str]:
    """Media that the text names, with the narrow drawing and captions that stand beside each."""
    found = set()
    for path in _MEDIUM.findall(body):
        stem, _, ending = path.rpartition(".")
        found |= {path, f"{stem}.narrow.{ending}", f"{stem}.vtt"} & files.keys()
    return sorted(found)


def _add_anchors(html: str) -> str:
    """Every heading with an id, so that it can be linked to; the same words get a number behind them."""
    given: dict[str, int] = {}

    def add_anchor(found: re.Match[str]) -> str:
        anchor = re.sub(r"[^a-z0-9]+", "-", html_words(found[2]).lower()).strip("-") or "part"
        given[anchor] = given.get(anchor, 0) + 1
        number = f"-{given[anchor]}" if given[anchor] > 1 else ""
        return f'<h2 class="{found[1]}" id="part-{anchor}{number}">{found[2]}</h2>'

    return _HEADING.sub(add_anchor, html)


def guide_sections(title: str, html: str) -> list[GuideSection]:
    """The parts of a published guide in order, cut at its second-level headings."""
    parts = re.split(r'<h2 class="[^"]*" id="([^"]*)">(.*?)</h2>', html, flags=re.S)
    found = [GuideSection("", title, parts[0])] if parts[0].strip() else []
    for anchor, heading, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        found.append(GuideSection(anchor, html_words(heading), rest))
    return found


def html_words(html: str) -> str:
    """The words of safe HTML: no tags, no slots, single spaces."""
    text = re.sub(r"\{\{(?:force|term):[^{}]*\}\}", " ", html)
    return " ".join(entities.unescape(re.sub(r"<[^>]*>", " ", text)).split())
