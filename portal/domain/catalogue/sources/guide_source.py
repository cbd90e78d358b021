"""Guides: one Markdown file each, with the drawings they show; read, checked and rendered. Pure."""

import html as entities
import re
from dataclasses import dataclass
from datetime import date

from portal.domain.catalogue.markdown.front_matter import front_matter
from portal.domain.catalogue.markdown.render_context import Address, Context, Place, media_address
from portal.domain.catalogue.markdown.renderer import render_page, word_count
from portal.domain.catalogue.media.media_types import read_media
from portal.domain.catalogue.sources.folder_reader import GUIDES, NAME
from portal.domain.catalogue.sources.shared_files import Shared
from portal.domain.catalogue.sources.validation import digest_of, sha256
from portal.platform.formats.faults import Faults

_HEADING = re.compile(r'<h2 class="([^"]*)">(.*?)</h2>', re.S)
_MEDIUM = re.compile(r"media/[A-Za-z0-9._\-]+")


@dataclass(frozen=True)
class GuideText:
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
class Section:
    """One part of a guide, under its heading; the part before the first heading has no anchor."""

    anchor: str
    title: str
    html: str


@dataclass(frozen=True)
class CheckedGuide:
    """A guide that has been read, checked and rendered; publishable where no fault was found."""

    guide: GuideText
    digest: str
    html: str
    words: int
    files: dict[str, bytes]  # its own file and the media it shows, by path


def check_guides(
    files: dict[str, bytes],
    shared: Shared,
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
    media = read_media(GUIDES, files, faults)
    texts = [text for path in files if path.endswith(".md") and (text := _read(path, files, faults))]
    context = Context(
        module=GUIDES,
        lessons=frozenset(),
        media=media,
        addresses={path: address(sha256(files[path]), path) for path in media},
        shared=shared,
        faults=faults,
        guides=others | {text.key for text in texts},
    )
    return [_checked(text, files, context) for text in texts]


def _read(path: str, files: dict[str, bytes], faults: Faults) -> GuideText | None:
    key, shown = path.removesuffix(".md"), f"{GUIDES}/{path}"
    if not NAME.fullmatch(key):
        faults.add(shown, None, "Name the file with small letters, digits and single hyphens.")
        return None
    head = front_matter(files[path], shown, faults)
    if head is None:
        return None
    text = GuideText(
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


def _checked(text: GuideText, files: dict[str, bytes], context: Context) -> CheckedGuide:
    html = _anchored(render_page(text.body, Place(context, text.path, text.body_line, checks=False)))
    named = f"{text.key}.md"
    kept = {named: files[named]} | {path: files[path] for path in _shown(text.body, files)}
    return CheckedGuide(text, digest_of(kept), html, word_count(html), kept)


def _shown(body: str, files: dict[str, bytes]) -> list[str]:
    """Media that the text names, with the narrow drawing and captions that stand beside each."""
    found = set()
    for path in _MEDIUM.findall(body):
        stem, _, ending = path.rpartition(".")
        found |= {path, f"{stem}.narrow.{ending}", f"{stem}.vtt"} & files.keys()
    return sorted(found)


def _anchored(html: str) -> str:
    """Every heading with an id, so that it can be linked to; the same words get a number behind them."""
    given: dict[str, int] = {}

    def heading(found: re.Match[str]) -> str:
        anchor = re.sub(r"[^a-z0-9]+", "-", plain(found[2]).lower()).strip("-") or "part"
        given[anchor] = given.get(anchor, 0) + 1
        number = f"-{given[anchor]}" if given[anchor] > 1 else ""
        return f'<h2 class="{found[1]}" id="part-{anchor}{number}">{found[2]}</h2>'

    return _HEADING.sub(heading, html)


def sections(title: str, html: str) -> list[Section]:
    """The parts of a published guide in order, cut at its second-level headings."""
    parts = re.split(r'<h2 class="[^"]*" id="([^"]*)">(.*?)</h2>', html, flags=re.S)
    found = [Section("", title, parts[0])] if parts[0].strip() else []
    for anchor, heading, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        found.append(Section(anchor, plain(heading), rest))
    return found


def plain(html: str) -> str:
    """The words of safe HTML: no tags, no slots, single spaces."""
    text = re.sub(r"\{\{(?:force|term):[^{}]*\}\}", " ", html)
    return " ".join(entities.unescape(re.sub(r"<[^>]*>", " ", text)).split())
