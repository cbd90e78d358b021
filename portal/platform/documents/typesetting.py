"""Typesetting a page of text as tagged PDF (PDF/UA-1), with fonts that are part of the installation."""

import re
import unicodedata
from collections.abc import Callable
from datetime import datetime
from html.parser import HTMLParser
from itertools import takewhile
from typing import Any

from portal.platform.documents.fonts import FAMILIES, REPLACEMENT, font_folders, is_mark, undrawable_letters
from portal.platform.errors import RuleError
from portal.platform.isolation.messages import MEBIBYTE, Limits, Reader
from portal.platform.isolation.running import read_apart

# From the portal's own safe HTML to the typesetter's markup. Pure; every text is a quoted string in it.

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


# Replaces characters that no font can draw, and lists the replacements in the document. Pure.

MOST = 200  # texts that a document lists; nobody reads more
LONGEST = 160  # characters of such a text

_STRING = re.compile(r'(?<!#link\()"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def with_replacements(frame: str, markup: str) -> str:
    """The source of a document in which every text can be shown.

    Args:
        frame: Its head, to which a sentence is added where something was replaced.
        markup: Its content, to which a list of the texts in which something was replaced is added.
    """
    if not undrawable_letters(frame + markup):
        return frame + markup
    lost = undrawable_letters("\n".join(_text_of(string) for string in _STRING.finditer(frame + markup)))
    pattern = re.compile("|".join(map(re.escape, sorted(lost, key=len, reverse=True))))
    changed: dict[str, str] = {}  # what was replaced, by the text as it is shown

    def replace(string: re.Match[str]) -> str:
        text = _text_of(string)
        characters = {one for letter in pattern.findall(text) for one in letter}
        shown = pattern.sub(REPLACEMENT, text)
        lead = "".join(takewhile(is_mark, shown))
        if lead:  # they would combine with the character before the text, and no font may have both
            characters |= set(lead)
            shown = REPLACEMENT + shown.removeprefix(lead)
        if not characters:
            return string[0]
        changed[_shorten_line(shown)] = ", ".join(map(name_of, sorted(characters)))
        return quote_text(shown)

    frame, markup = _STRING.sub(replace, frame), _STRING.sub(replace, markup)
    return f"{frame}{_opening_sentence(len(changed))}{markup}\n{_list_of_texts(changed)}"


def name_of(character: str) -> str:
    """A character that cannot be shown, by its number in Unicode, and by its name where it has one."""
    name = unicodedata.name(character, "").lower()
    return f"U+{ord(character):04X}{f' {name}' if name else ''}"


def _text_of(string: re.Match[str]) -> str:
    """The text of a string literal of the typesetter's language, as ``quote_text`` made it."""
    return _ESCAPED.sub(lambda one: "\n" if one[1] == "n" else one[1], string[1])


def _shorten_line(text: str) -> str:
    """The text on one line, cut to ``LONGEST`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}…"


def _opening_sentence(number: int) -> str:
    if not number:
        return ""
    texts = "One text of this document has" if number == 1 else f"{number:,} texts of this document have"
    return (
        f"{text_content(f'{texts} characters that it cannot show. The end of the document says which.')}\n\n"
    )


def _list_of_texts(changed: dict[str, str]) -> str:
    if not changed:
        return ""
    rows = [f"[{text_content(f'“{text}”: {named}')}]" for text, named in list(changed.items())[:MOST]]
    if len(changed) > MOST:
        rows.append(f"[{text_content(f'and {len(changed) - MOST:,} more')}]")
    sentence = (
        f"These texts contain characters that this document cannot show. Each is shown as {REPLACEMENT}:"
    )
    heading = "Characters that could not be shown"
    return f"#heading(level: 2, {quote_text(heading)})\n{text_content(sentence)}\n#list({', '.join(rows)})\n"


_FRAME = """
#set document(title: {title}, author: {author}, date: datetime(year: {year}, month: {month}, day: {day}))
#set text(font: {families}, size: 10pt, lang: "en", region: "GB", fill: rgb("#0b0c0c"))
#set par(leading: 0.55em, spacing: 0.8em)
#set list(indent: 0.2em, spacing: 0.5em)
#set enum(indent: 0.2em, spacing: 0.5em)
#set table(stroke: 0.5pt + rgb("#b1b4b6"), inset: 5pt, align: left)
#show table.cell.where(y: 0): set text(weight: "bold")
#show heading: set block(above: 1.1em, below: 0.6em)
#show heading.where(level: 1): set text(size: 18pt)
#show heading.where(level: 2): set text(size: 12.5pt)
#show link: underline
#let inset(body) = block(inset: (left: 8pt, y: 2pt), stroke: (left: 2.5pt + rgb("#b1b4b6")), body)
#set page(
  paper: "a4",
  flipped: {across},
  margin: (x: 16mm, top: 16mm, bottom: 18mm),
  footer: context text(size: 8pt, fill: rgb("#505a5f"))[
    #{foot} #h(1fr) Page #counter(page).display("1 of 1", both: true)
  ],
)
#text(size: 9pt, fill: rgb("#505a5f"))[#{above}]
= #{title}
"""

READER = Reader(
    "portal.platform.documents.compiling:compile_source",
    Limits(memory=1536 * MEBIBYTE, processor=240, wall=300, answer=128 * MEBIBYTE),
    thing="This document",
    advice="Filter the report first, or shorten the text.",
    act=("make", "made"),
)


class TypesettingError(RuleError):
    """No accessible PDF can be made of a text; ``reason`` is the typesetter's."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__("No PDF can be made of this text. Take out what is unusual in its layout.")


def typeset_pdf(
    markup: str,
    *,
    title: str,
    above: str,
    foot: str,
    author: str,
    at: datetime,
    across: bool = False,
    strict: bool = True,
) -> bytes:
    """A tagged PDF of this markup under its title.

    The same arguments give the same bytes. What no font has is shown as a replacement; the document says so.

    Args:
        markup: As ``portal.platform.documents.typesetting`` makes it.
        title: The heading, and the document's title.
        above: A line above the heading.
        foot: What the foot of each page says.
        author: Whose document it is.
        at: When its content was made; becomes the document's date.
        across: On A4 across rather than upright.
        strict: Whether a text that breaks a rule of PDF/UA, such as by its headings, is refused; else its
            file is made all the same, without the claim to keep the rules.

    Raises:
        TypesettingError: The text breaks such a rule, or cannot be typeset at all.
    """
    at = at.replace(microsecond=0)
    texts = {"title": title, "above": above, "foot": foot, "author": author}
    source = with_replacements(_document_frame(texts, at, across=across), markup)
    try:
        return _make_pdf(source, at, claimed=True)
    except TypesettingError:
        if strict:
            raise
    return _make_pdf(source, at, claimed=False)


def _document_frame(texts: dict[str, str], at: datetime, *, across: bool) -> str:
    values = {name: quote_text(text) for name, text in texts.items()}
    values |= {"year": str(at.year), "month": str(at.month), "day": str(at.day)}
    values |= {
        "across": "true" if across else "false",
        "families": f"({', '.join(map(quote_text, FAMILIES))})",
    }
    return re.sub(r"\{(\w+)\}", lambda name: values[name[1]], _FRAME)


def _make_pdf(source: str, at: datetime, *, claimed: bool) -> bytes:
    """Make the PDF in a separate process; ``claimed`` says that it declares to conform to PDF/UA.

    Raises:
        TypesettingError: The typesetter refuses the source.
        ReadingStoppedError: It took too much memory or time.
    """
    arguments = {"fonts": font_folders(source), "at": at.isoformat(), "claimed": claimed}
    pdf = read_apart(READER, arguments, [source.encode()], _pdf_of_answer)
    if isinstance(pdf, str):
        raise TypesettingError(pdf)
    return pdf


def _pdf_of_answer(value: Any, pieces: list[bytes]) -> bytes | str:
    """The file, or the reason why there is none."""
    if "refused" in value:
        return str(value["refused"])
    (pdf,) = pieces
    if not pdf.startswith(b"%PDF-"):
        raise ValueError
    return pdf
