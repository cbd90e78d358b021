"""Opens the file that an author sends: recognises its format by its bytes, and finds its documents.

Bounds come first: the number, size and depth of documents. No document type, entity or address is ever
followed, and nothing is unpacked to disk.

Runs in a separate process: the portal calls ``portal.domain.authoring.item_exchange.reading``.
"""

import io
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError, fromstring, tostring

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException
from markdown_it import MarkdownIt

from portal.domain.authoring.item_files import ItemPlace
from portal.domain.item_kinds import kinds_by_name
from portal.platform.errors import BadInputError
from portal.platform.formats.zip_archives import ArchiveError, EncryptedArchiveError, ZipArchive, read_archive

MEBIBYTE = 1024 * 1024
MOST_BYTES = 10 * MEBIBYTE  # of the file that is sent
MOST_UNPACKED = 64 * MEBIBYTE  # of all parts of a package
MOST_DOCUMENT = 16 * MEBIBYTE  # of one document in it
MOST_ELEMENTS = 200_000
MOST_DEPTH = 60
MANIFEST = "imsmanifest.xml"

FORMATS = {"moodle": "Moodle XML", "qti": "QTI"}
UNKNOWN = "This is no Moodle XML or QTI file. Export the questions again in one of these formats."
OLD_QTI = "This package has QTI 1.2, which is not read. Export it as QTI 2.1 or 3.0."


class Document(NamedTuple):
    """One document of questions; ``root`` is None where the package does not hold what it lists."""

    name: str
    root: Element | None
    fault: str = ""  # why it has no root


def recognise_format(content: bytes) -> str:
    """The format of a file by its content: "moodle" or "qti"."""
    if len(content) > MOST_BYTES:
        size = f"{-(-len(content) // MEBIBYTE):,} MB"
        raise BadInputError(
            [f"The file has {size}. It may have up to {MOST_BYTES // MEBIBYTE} MB: split it."]
        )
    if content.startswith(b"PK"):
        return "qti"
    if _begins_as_xml(content):
        return _format_of_root(local_name(parse_document(content).tag))
    raise BadInputError([UNKNOWN])


def _begins_as_xml(content: bytes) -> bool:
    """Whether it is XML, of which HTML is none."""
    head = content[:2000].replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")
    return head.startswith((b"<?xml", b"<!DOCTYPE", b"<!--")) or (
        re.match(rb"<(?:[\w.\-]+:)?(?:quiz|questestinterop|[\w\-]*assessment[\w\-]*)[\s/>]", head, re.I)
        is not None
    )


def _format_of_root(name: str) -> str:
    if name == "quiz":
        return "moodle"
    if name in {"assessmentItem", "qti-assessment-item"}:
        return "qti"
    raise BadInputError([OLD_QTI if name == "questestinterop" else UNKNOWN])


def parse_document(content: bytes) -> Element:
    """The outermost element of a document in XML."""
    try:
        root: Element = ElementTree.fromstring(content, forbid_dtd=True)
    except ParseError as error:
        line, _ = error.position
        raise BadInputError([f"Line {line}: this is not well-formed XML. Export the file again."]) from error
    except DefusedXmlException as error:
        raise BadInputError(["The XML has a document type with entities, which is refused."]) from error
    except (ValueError, LookupError) as error:
        raise BadInputError(["The XML is in an encoding that is not read. Save it as UTF-8."]) from error
    _refuse_oversized(root)
    return root


def local_name(tag: str) -> str:
    """The name of an element or attribute without its namespace."""
    return tag.rpartition("}")[2]


def open_package(content: bytes) -> Iterator[Document]:
    """The items of a QTI package, in the order of its manifest; or of one document alone."""
    if not content.startswith(b"PK"):
        yield Document("", parse_document(content))
        return
    archive = _open_archive(content)
    entries = {entry.name: entry for entry in archive.entries}
    if MANIFEST not in entries:
        raise BadInputError([f"The package has no {MANIFEST} at its top, so it is no QTI package."])
    manifest = parse_document(_unpack(archive, MANIFEST))
    hrefs = list(dict.fromkeys(_list_items(manifest)))
    if not hrefs:
        raise BadInputError(["The package lists no questions of QTI 2.1 or 3.0."])
    for href in hrefs:
        if href not in entries:
            yield Document(href, None, "The package lists it, but does not hold it.")
            continue
        try:
            yield Document(href, parse_document(_unpack(archive, href)))
        except BadInputError as error:
            yield Document(href, None, " ".join(error.reasons))


def _open_archive(content: bytes) -> ZipArchive:
    try:
        archive = read_archive(content)
    except EncryptedArchiveError as error:
        raise BadInputError(["The package is locked with a password. Export it without one."]) from error
    except ArchiveError as error:
        raise BadInputError([f"The package is refused: {error} Export it again."]) from error
    if sum(entry.unpacked for entry in archive.entries) > MOST_UNPACKED:
        raise BadInputError(
            [f"Unpacked, the package has more than {MOST_UNPACKED // MEBIBYTE} MB: split it."]
        )
    return archive


def _unpack(archive: ZipArchive, name: str) -> bytes:
    entry = next(entry for entry in archive.entries if entry.name == name)
    if entry.unpacked > MOST_DOCUMENT:
        raise BadInputError([f"“{name}” is larger than {MOST_DOCUMENT // MEBIBYTE} MB."])
    try:
        return b"".join(archive.unpack_pieces(entry))
    except ArchiveError as error:
        raise BadInputError([f"“{name}” is damaged: {error}"]) from error


def _list_items(manifest: Element) -> Iterator[str]:
    """The paths of the items that a manifest lists; a path that leads elsewhere is in no package."""
    for resource in manifest.iter():
        kind = resource.get("type", "")
        if local_name(resource.tag) != "resource" or not kind.startswith("imsqti_"):
            continue
        if kind.startswith("imsqti_xmlv1") or "item_xmlv1" in kind:
            raise BadInputError([OLD_QTI])
        if "_item_" in kind:
            yield posixpath.normpath(unquote(resource.get("href", "")))


def _refuse_oversized(root: Element) -> None:
    """Refuse a document with too many elements or levels; walks without recursion."""
    count, level = 0, [root]
    for _ in range(MOST_DEPTH):
        count += len(level)
        if count > MOST_ELEMENTS:
            raise BadInputError([f"The XML has more than {MOST_ELEMENTS:,} elements: split the file."])
        level = [child for element in level for child in element]
        if not level:
            return
    raise BadInputError([f"The XML nests elements more than {MOST_DEPTH} deep."])


# Chooses which questions of a bank another system can hold, and gives their texts as XHTML.

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
