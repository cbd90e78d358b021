"""Reads and writes the title and description of an SVG drawing, leaving every other byte unchanged."""

import re
from html import escape
from xml.parsers import expat

from portal.domain.catalogue.media.svg_rules import DrawingError, read_drawing

_TAG = re.compile(rb"<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BOM = b"\xef\xbb\xbf"


class _SvgOutline:
    """Byte positions of the root element's title and description; refuses a document type."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.root = ""  # the root element's name as written, with its prefix
        self.inside = 0  # the first byte after its start tag
        self.spans: dict[str, list[tuple[int, int]]] = {}  # of the root's children, by name
        self.texts: dict[str, list[str]] = {}
        self._path: list[str] = []
        self._begun = 0
        self._parser = expat.ParserCreate()
        self._parser.StartElementHandler, self._parser.EndElementHandler = (
            self._start_element,
            self._end_element,
        )
        self._parser.CharacterDataHandler = self._add_text
        self._parser.StartDoctypeDeclHandler = _refuse_doctype
        try:
            self._parser.Parse(content, True)
        except DrawingError:
            raise
        except (expat.ExpatError, LookupError, ValueError) as error:  # the last two come from a bad encoding
            raise DrawingError(getattr(error, "lineno", 1), "This is not well-formed SVG.") from error

    def _start_element(self, name: str, _attributes: dict[str, str]) -> None:
        self._path.append(name.rpartition(":")[2])
        at = self._parser.CurrentByteIndex
        if len(self._path) == 1:
            self.root, self.inside = name, self._end_of_tag(at)
        elif len(self._path) == 2:
            self._begun = at

    def _add_text(self, words: str) -> None:
        if len(self._path) > 1:
            self.texts.setdefault(self._path[1], []).append(words)

    def _end_element(self, _name: str) -> None:
        if len(self._path) == 2:
            opened = self._end_of_tag(self._begun)
            empty = self.content[:opened].endswith(b"/>")
            closed = opened if empty else self._end_of_tag(self._parser.CurrentByteIndex)
            own_line = self.content[: self._begun].endswith(b"\n")
            self.spans.setdefault(self._path[1], []).append((self._begun - own_line, closed))
        self._path.pop()

    def _end_of_tag(self, at: int) -> int:
        """The first byte after the tag that begins at ``at``."""
        tag = _TAG.match(self.content, at)
        return tag.end() if tag else at


def _refuse_doctype(*_: object) -> None:
    raise DrawingError(1, "Take out the document type and its entities.")


def strip_byte_order_mark(content: bytes) -> bytes:
    """The drawing without a byte order mark."""
    return content.removeprefix(_BOM)


def read_titles(content: bytes) -> tuple[str, str]:
    """The drawing's title and description; each is empty where it has none.

    Raises:
        DrawingError: It is not well-formed.
    """
    texts = _SvgOutline(content).texts
    title, description = ("".join(texts.get(name, [])) for name in ("title", "desc"))
    return " ".join(title.split()), " ".join(description.split())


def write_titles(content: bytes, title: str, description: str) -> bytes:
    """The drawing with this title and description; an empty argument keeps the drawing's own.

    Every other byte stays.

    Raises:
        DrawingError: It cannot be published: it has an element that is not allowed, or lacks a text.
    """
    outline = _SvgOutline(content)
    if content[: outline.inside].endswith(b"/>"):
        raise DrawingError(1, "There is nothing in the drawing.")
    typed = {"title": _collapse_space(title), "desc": _collapse_space(description)}
    typed = {name: text for name, text in typed.items() if text}
    new = "".join(f"\n{_format_element(outline.root, name, text)}" for name, text in typed.items()).encode()
    replaced_spans = sorted((span for name in typed for span in outline.spans.get(name, [])), reverse=True)
    first_new_line, added_lines = content[: outline.inside].count(b"\n") + 1, new.count(b"\n")
    for first, last in replaced_spans:
        added_lines -= content[first:last].count(b"\n")
        content = content[:first] + content[last:]
    content = content[: outline.inside] + new + content[outline.inside :]
    try:
        read_drawing(content)
    except DrawingError as error:  # convert the line number to that in the author's file
        line = error.line if error.line < first_new_line else max(first_new_line, error.line - added_lines)
        raise DrawingError(line, str(error)) from error
    return content


def _collapse_space(text: str) -> str:
    return " ".join(_NO_XML.sub("", text).split())


def _format_element(root: str, name: str, text: str) -> str:
    prefix = root.rpartition(":")[0]
    tag = f"{prefix}:{name}" if prefix else name
    return f"<{tag}>{escape(text, quote=False)}</{tag}>"
