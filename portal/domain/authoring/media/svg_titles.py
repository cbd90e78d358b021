"""Giving a drawing its title and description: what an author typed, put into the SVG and nothing else."""

import re
from html import escape
from xml.parsers import expat

from portal.domain.catalogue.media.svg_rules import DrawingError, read_drawing

_TAG = re.compile(rb"<(?:[^<>\"']|\"[^\"]*\"|'[^']*')*>")
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BOM = b"\xef\xbb\xbf"


class _SvgOutline:
    """Where the outermost element's own title and description stand, in bytes; refuses a document type."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.root = ""  # the outermost element's name as written, with its prefix
        self.inside = 0  # the first byte after its start tag
        self.spans: dict[str, list[tuple[int, int]]] = {}  # of its children, by name
        self.said: dict[str, list[str]] = {}
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
        except (expat.ExpatError, LookupError, ValueError) as error:  # the last two: its encoding
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
            self.said.setdefault(self._path[1], []).append(words)

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
    """The drawing without the byte order mark that some programs put before it."""
    return content.removeprefix(_BOM)


def read_titles(content: bytes) -> tuple[str, str]:
    """The title and the description that the drawing holds; empty where it holds none.

    Raises:
        DrawingError: It is not well-formed.
    """
    said = _SvgOutline(content).said
    title, description = ("".join(said.get(name, [])) for name in ("title", "desc"))
    return " ".join(title.split()), " ".join(description.split())


def write_titles(content: bytes, title: str, description: str) -> bytes:
    """The drawing with this title and description; an empty one leaves what it holds.

    Every other byte stays.

    Raises:
        DrawingError: It cannot be published: something is not on the allow-list, or a text is missing.
    """
    outline = _SvgOutline(content)
    if content[: outline.inside].endswith(b"/>"):
        raise DrawingError(1, "There is nothing in the drawing.")
    typed = {"title": _collapse_space(title), "desc": _collapse_space(description)}
    typed = {name: text for name, text in typed.items() if text}
    new = "".join(f"\n{_format_element(outline.root, name, text)}" for name, text in typed.items()).encode()
    taken = sorted((span for name in typed for span in outline.spans.get(name, [])), reverse=True)
    head, added = content[: outline.inside].count(b"\n") + 1, new.count(b"\n")
    for first, last in taken:
        added -= content[first:last].count(b"\n")
        content = content[:first] + content[last:]
    content = content[: outline.inside] + new + content[outline.inside :]
    try:
        read_drawing(content)
    except DrawingError as error:  # its line is to be that of the file the author has
        line = error.line if error.line < head else max(head, error.line - added)
        raise DrawingError(line, str(error)) from error
    return content


def _collapse_space(text: str) -> str:
    return " ".join(_NO_XML.sub("", text).split())


def _format_element(root: str, name: str, text: str) -> str:
    prefix = root.rpartition(":")[0]
    written = f"{prefix}:{name}" if prefix else name
    return f"<{written}>{escape(text, quote=False)}</{written}>"
