"""Chooses which questions of a bank another system can hold, and gives their texts as XHTML."""

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, fromstring, tostring

from markdown_it import MarkdownIt

from portal.domain.authoring.editing.item_bank import ItemPlace
from portal.domain.item_kinds import kinds_by_name

KINDS = frozenset({"single", "multiple", "order", "match"})
RETIRED = "It is retired."
CASE = "It is a “{label}”. The other formats have no such question."
BOX = "Its situation has a figure or a box. Copy the words, and add the figure in the other system."
INCOMPLETE = "It is not finished."
FORCE_WORDS = (
    "It names details that each force fills in. They go out as they are written, such as [[force.…]]."
)
LINKS = "Its links to lessons, guides or terms of the portal go out as words."
DUTIES = "Whose duty it is for does not go out: in the other system it is for all alike."
_ENGINE = MarkdownIt("commonmark", {"html": False}).enable("table")
_LINK = re.compile(r"https?://|mailto:")
_DAY = (2020, 1, 1, 0, 0, 0)  # of every file in a package, so that the same bank gives the same bytes


@dataclass(frozen=True, slots=True)
class OutgoingItem:
    """A question that another system can hold."""

    key: str
    kind: str
    table: dict[str, Any]

    @property
    def sources(self) -> list[str]:
        """The numbers of its sources."""
        source = self.table.get("source", [])
        return [str(number) for number in source] if isinstance(source, list) else [str(source)]

    def rows(self, name: str) -> list[dict[str, Any]]:
        """Its choices, steps or pairs."""
        return [row for row in self.table.get(name, []) if isinstance(row, dict)]


@dataclass(frozen=True, slots=True)
class OutgoingBank:
    """What goes out of a bank, what stays, and what is worth knowing of what goes."""

    items: list[OutgoingItem]
    left_out: list[tuple[str, str]]  # key and reason
    notes: list[tuple[str, str]]  # key and sentence


def choose_items(places: Sequence[ItemPlace], *, with_retired: bool = False) -> OutgoingBank:
    """Sort a bank's questions into what goes out and what stays, with the reason for each."""
    bank = OutgoingBank([], [], [])
    for place in places:
        reason = _reason_to_stay(place.table, with_retired=with_retired)
        if reason:
            bank.left_out.append((place.key, reason))
            continue
        bank.items.append(OutgoingItem(place.key, str(place.table["kind"]), place.table))
        if place.table.get("for"):
            bank.notes.append((place.key, DUTIES))
        text = str(place.table)
        bank.notes.extend(
            (place.key, sentence)
            for pattern, sentence in ((r"\[\[force\.", FORCE_WORDS), (r"\]\((?:lesson|guide|term):", LINKS))
            if re.search(pattern, text)
        )
    return bank


def _reason_to_stay(table: Mapping[str, Any], *, with_retired: bool) -> str:
    kind = kinds_by_name().get(str(table.get("kind")))
    if table.get("retired") is True and not with_retired:
        return RETIRED
    if kind is None:
        return INCOMPLETE
    if kind.name not in KINDS:
        return CASE.format(label=kind.label)
    if ":::" in str(table.get("stimulus", "")):
        return BOX
    body = {"order": "step", "match": "pair"}.get(kind.name, "choice")
    rows = table.get(body)
    is_whole = isinstance(rows, list) and len(rows) > 1 and all(isinstance(row, dict) for row in rows)
    return "" if is_whole and table.get("prompt") and table.get("key") else INCOMPLETE


def block_elements(text: str) -> list[Element]:
    """A text of several paragraphs as elements of XHTML."""
    return _elements(str(_ENGINE.render(text)))


def block_html(text: str) -> str:
    """A text of several paragraphs as HTML."""
    return _inside_html(_parse_html(str(_ENGINE.render(text))))


def inline_html(text: str) -> str:
    """A text of one paragraph as HTML, without its ``<p>``."""
    return _inside_html(_parse_html(_render_inline(text)))


def _inside_html(element: Element) -> str:
    return tostring(element, encoding="unicode").removeprefix("<x>").removesuffix("</x>").replace("<x />", "")


def append_inline(parent: Element, text: str) -> None:
    """Add a text of one paragraph to an element."""
    inside = _parse_html(_render_inline(text))
    parent.text = (parent.text or "") + (inside.text or "")
    parent.extend(list(inside))


def _render_inline(text: str) -> str:
    return str(_ENGINE.renderInline(" ".join(text.split("\n"))))


def _elements(html: str) -> list[Element]:
    elements = list(_parse_html(html))
    for element in elements:
        element.tail = None
    return elements


def _parse_html(html: str) -> Element:
    """The elements of HTML that the portal rendered itself from Markdown, in which no HTML can stand."""
    inside = fromstring(f"<x>{html}</x>")  # noqa: S314 - its own rendering, with every text escaped
    for element in list(inside.iter()):
        element.attrib.pop("style", None)
        if element.tag == "a" and not _LINK.match(element.get("href", "")):
            element.tag = "span"
            element.attrib.clear()
    return inside


def format_document(root: Element, is_block: Callable[[Element], bool]) -> bytes:
    """An XML document, indented where white space means nothing.

    Args:
        root: Its outermost element.
        is_block: Whether an element holds only elements, so that it may be indented.
    """
    for element in root.iter():
        if is_block(element):
            _indent_children(element)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode").encode() + b"\n"


def _indent_children(element: Element) -> None:
    if len(element) and not (element.text or "").strip():
        element.text = "\n"
        for child in element:
            child.tail = "\n"


def pack_files(files: Iterable[tuple[str, bytes]]) -> bytes:
    """A package with these files, the same bytes for the same files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            entry = zipfile.ZipInfo(name, _DAY)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return packed.getvalue()
