"""From the portal's own safe HTML to the typesetter's markup. Pure; every text is a quoted string in it."""

import re
from collections.abc import Callable
from html.parser import HTMLParser

SKIPPED = frozenset({"summary", "figcaption", "audio", "video", "picture", "img", "source", "track"})
_BLOCKS = frozenset({"p", "li", "td", "th", "div", "blockquote", "details", "figure"})


def quote_text(text: str) -> str:
    r"""The text as a string of the typesetter's language, in which nothing can be a command.

    >>> print(quote_text('say "#let"'))
    "say \"#let\""
    """
    printable = "".join(character for character in text if character >= " " or character == "\n")
    return '"' + printable.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def text_content(text: str) -> str:
    """The text as content."""
    return f"#{quote_text(text)}"


class _HtmlReader(HTMLParser):
    """Collects the markup of each element inside that of its parent."""

    def __init__(self, address: Callable[[str], str]) -> None:
        super().__init__(convert_charrefs=True)
        self._address = address
        self._open: list[tuple[str, dict[str, str], list[str]]] = [("", {}, [])]
        self._skipping = 0

    @property
    def markup(self) -> str:
        return "".join(self._open[0][2])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names_readers = tag == "summary" and "portal-for" in self._open[-1][1].get("class", "")
        if tag in SKIPPED and not names_readers:
            self._skipping += tag not in {"img", "source", "track"}
        elif tag in {"br", "hr"}:
            self._add_markup("#linebreak()" if tag == "br" else "#line(length: 100%, stroke: 0.5pt)\n")
        else:
            self._open.append((tag, {name: value or "" for name, value in attrs}, []))

    def handle_endtag(self, tag: str) -> None:
        if tag in SKIPPED and tag != self._open[-1][0]:
            self._skipping -= tag not in {"img", "source", "track"}
        elif len(self._open) > 1 and tag == self._open[-1][0]:
            _, attributes, parts = self._open.pop()
            self._add_markup(self._element_markup(tag, attributes, "".join(parts)))

    def handle_data(self, data: str) -> None:
        words = re.sub(r"\s+", " ", data)
        inside = self._open[-1][0]
        if words.strip() or (words and inside not in {"", "ul", "ol", "table", "thead", "tbody", "tr"}):
            self._add_markup(text_content(words))

    def _add_markup(self, markup: str) -> None:
        if not self._skipping:
            self._open[-1][2].append(markup)

    def _element_markup(self, tag: str, attributes: dict[str, str], inner: str) -> str:
        if re.fullmatch("h[2-6]", tag):
            return f"#heading(level: {tag[1]})[{inner}]\n"
        if tag == "a":
            return f"#link({quote_text(self._address(attributes.get('href', '')))})[{inner}]"
        if tag in {"strong", "em", "summary"}:
            ends = "\n\n" if tag == "summary" else ""
            return f"#{'emph' if tag == 'em' else 'strong'}[{inner}]{ends}"
        if tag in {"ul", "ol"}:
            return f"#{'list' if tag == 'ul' else 'enum'}({inner})\n"
        if tag == "li":
            return f"[{inner}], "
        if tag == "blockquote" or "govuk-inset-text" in attributes.get("class", ""):
            return f"#inset[{inner}]\n"
        if tag in {"tr", "td", "th", "thead", "tbody", "table"}:
            return _table_part(tag, inner)
        return f"{inner}\n\n" if tag in _BLOCKS else inner


def _table_part(tag: str, inner: str) -> str:
    """Cells carry their place; the table counts the columns of its head when it closes."""
    if tag in {"td", "th"}:
        return f"[{inner}], "
    if tag == "thead":
        return f"table.header({inner}), \x00{inner.count('], ')}\x00"
    if tag != "table":
        return inner
    counted = re.search("\x00(\\d+)\x00", inner)
    columns = max(int(counted[1]) if counted else 1, 1)
    return f"#table(columns: {columns}, {re.sub(chr(0) + '[0-9]+' + chr(0), '', inner)})\n"


def markup_of(html: str, address: Callable[[str], str] = str) -> str:
    """The markup of a lesson's, job aid's or guide's safe HTML.

    Args:
        html: As it was rendered, sanitised and filled.
        address: Makes a link's address one that leads somewhere outside the portal's pages.

    Pictures are left out and their text alternative is kept; so is for whom a part is.
    """
    reader = _HtmlReader(address)
    reader.feed(html)
    reader.close()
    return reader.markup
