"""Guides and event types as their authors write them."""

import html as entities
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.domain.catalogue.law import format_law_note, list_source_faults
from portal.domain.catalogue.markdown import (
    Address,
    RenderContext,
    TextLocation,
    media_address,
    render_page,
    word_count,
)
from portal.domain.catalogue.media import read_media
from portal.domain.catalogue.module_check import digest_of, sha256_of
from portal.domain.catalogue.source_files import (
    GUIDES_FOLDER,
    KEY_PATTERN,
    KeyedFiles,
    SharedContent,
    read_front_matter,
)
from portal.platform.formats.toml_tables import Faults, Table
from portal.platform.formats.toml_writer import format_toml

# Reading, checking and rendering of guides: one Markdown file each, with drawings. Pure.

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
    path: str  # shown in faults
    body_line: int
    sources: list[str]  # what its statements rest on; may be empty


@dataclass(frozen=True)
class GuideSection:
    """One section of a guide, with its heading; the part before the first heading has no anchor."""

    anchor: str
    title: str
    html: str


@dataclass(frozen=True)
class CheckedGuide:
    """A guide that has been read, checked and rendered; it can be published if there are no faults."""

    guide: GuideSource
    digest: str
    html: str
    words: int
    files: dict[str, bytes]  # its Markdown file and the media it shows, by path


def check_guides(
    files: dict[str, bytes],
    shared: SharedContent,
    faults: Faults,
    *,
    others: frozenset[str] = frozenset(),
    address: Address = media_address,
) -> list[CheckedGuide]:
    """Read, check and render every guide of the folder ``_guides``, in order of key.

    Args:
        files: The folder's files by path: ``name.md`` and ``media/name``.
        shared: The shared files, to which texts may refer.
        faults: The list to which faults are added.
        others: Keys of other guides to which texts may link.
        address: Returns a media file's address from its hash and path.
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
    key, shown_path = path.removesuffix(".md"), f"{GUIDES_FOLDER}/{path}"
    if not KEY_PATTERN.fullmatch(key):
        faults.add(shown_path, None, "Name the file with small letters, digits and single hyphens.")
        return None
    head = read_front_matter(files[path], shown_path, faults)
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
        path=shown_path,
        body_line=head.body_line,
        sources=head.table.texts("sources", required=False),
    )
    head.table.close()
    return text


def _render_guide(text: GuideSource, files: dict[str, bytes], context: RenderContext) -> CheckedGuide:
    html = _add_anchors(
        render_page(text.body, TextLocation(context, text.path, text.body_line, allows_checks=False))
    )
    words = word_count(html)
    html += format_law_note(text.sources, context.shared)
    for reason in list_source_faults(text.body, text.sources, context.shared):
        context.faults.add(text.path, 2, reason)
    path = f"{text.key}.md"
    own_files = {path: files[path]} | {path: files[path] for path in _shown_media(text.body, files)}
    return CheckedGuide(text, digest_of(own_files), html, words, own_files)


def _shown_media(body: str, files: dict[str, bytes]) -> list[str]:
    """Return paths of the media that the text shows, with narrow drawings and captions."""
    paths = set()
    for path in _MEDIUM.findall(body):
        stem, _, ending = path.rpartition(".")
        paths |= {path, f"{stem}.narrow.{ending}", f"{stem}.vtt"} & files.keys()
    return sorted(paths)


def _add_anchors(html: str) -> str:
    """Add an id to every heading, so that it can be linked to; repeated words get a number."""
    counts: dict[str, int] = {}

    def add_anchor(heading: re.Match[str]) -> str:
        anchor = re.sub(r"[^a-z0-9]+", "-", html_words(heading[2]).lower()).strip("-") or "part"
        counts[anchor] = counts.get(anchor, 0) + 1
        number = f"-{counts[anchor]}" if counts[anchor] > 1 else ""
        return f'<h2 class="{heading[1]}" id="part-{anchor}{number}">{heading[2]}</h2>'

    return _HEADING.sub(add_anchor, html)


def guide_sections(title: str, html: str) -> list[GuideSection]:
    """Split a published guide at its second-level headings; sections in order."""
    parts = re.split(r'<h2 class="[^"]*" id="([^"]*)">(.*?)</h2>', html, flags=re.S)
    sections = [GuideSection("", title, parts[0])] if parts[0].strip() else []
    for anchor, heading, rest in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        sections.append(GuideSection(anchor, html_words(heading), rest))
    return sections


def html_words(html: str) -> str:
    """Return the words of safe HTML without tags and slots, separated by single spaces."""
    text = re.sub(r"\{\{(?:force|term):[^{}]*\}\}", " ", html)
    return " ".join(entities.unescape(re.sub(r"<[^>]*>", " ", text)).split())


# Reading and checking of event types: one TOML file each, named by its key. Pure.

SYNDICATE = (4, 7)  # least and most people in one, where the file does not say
LONGEST = {"title": 120, "aim": 600, "audience": 300, "owner": 120}  # characters
MOST_MINUTES = 7 * 24 * 60
MOST_PLACES = 500
MOST_FACILITATORS = 50
_PREPARATION = re.compile(r"(module|guide):([A-Za-z0-9][A-Za-z0-9_-]*)")


@dataclass(frozen=True, slots=True)
class EventTypeSource:
    """An event type as written."""

    key: str
    title: str
    aim: str
    audience: str  # in words
    owner: str
    review_on: date
    minutes: int
    syndicate_least: int
    syndicate_most: int
    places_least: int
    places_most: int
    facilitators: int
    approval: bool
    preparation: list[str]  # "module:key" or "guide:key"
    content: bytes  # the file


def _read_event_type(key: str, content: bytes, root: Table) -> EventTypeSource:
    texts = {name: root.line_of_text(name, longest) for name, longest in LONGEST.items()}
    least, most = _read_range(root, "syndicate", SYNDICATE)
    places_least, places_most = _read_range(root, "places", None)
    if places_most < least:
        root.fault("places", f"An event needs places for one syndicate at least: {least} or more.")
    source = EventTypeSource(
        key=key,
        **texts,
        review_on=root.day("review_on"),
        minutes=root.number("minutes", least=1, most=MOST_MINUTES),
        syndicate_least=least,
        syndicate_most=most,
        places_least=places_least,
        places_most=places_most,
        facilitators=root.number("facilitators", least=1, most=MOST_FACILITATORS),
        approval=root.flag("approval"),
        preparation=_read_preparation(root),
        content=content,
    )
    root.close()
    return source


def _read_range(root: Table, key: str, default: tuple[int, int] | None) -> tuple[int, int]:
    """The least and the most of the table ``[key]``; the default where there is none and there may be."""
    if default is not None and not root.has(key):
        return default
    table = root.table(key)
    if table is None:
        return 1, MOST_PLACES
    least, most = (table.number(name, least=1, most=MOST_PLACES) for name in ("least", "most"))
    if least > most:
        table.fault("most", f"“most” is {most}, and “least” is {least}. Swap them, or change one.")
    table.close()
    return least, most


def _read_preparation(root: Table) -> list[str]:
    names = root.texts("preparation", required=False)
    for name in names:
        if not _PREPARATION.fullmatch(name):
            reason = f"“{name}” is neither a module nor a guide. Write “module:key” or “guide:key”."
            root.fault("preparation", reason)
    return names


EVENT_TYPE_FILES = KeyedFiles(
    noun="an event type",
    example="oic-hydra.toml",
    reserved_keys=("new", "proposals"),  # below /events/types/
    read_table=_read_event_type,
)


# Writes an event type as a TOML file that ``EVENT_TYPE_FILES`` reads back.

_KEYS = (
    "title",
    "aim",
    "audience",
    "owner",
    "review_on",
    "minutes",
    "facilitators",
    "approval",
    "preparation",
)


def write_event_type(values: Mapping[str, Any]) -> bytes:
    """The bytes of the file, from the values of an ``EventTypeSource`` by their names."""
    table = {key: values[key] for key in _KEYS}
    for name in ("syndicate", "places"):
        table[name] = {end: values[f"{name}_{end}"] for end in ("least", "most")}
    return format_toml(table).encode()
