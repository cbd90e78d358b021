"""Typesetting a page of text as tagged PDF (PDF/UA-1), with fonts that are part of the installation."""

import re
from datetime import datetime
from typing import Any

from portal.platform.documents.fonts import FAMILIES, font_folders
from portal.platform.documents.markup import quote_text
from portal.platform.documents.replacements import with_replacements
from portal.platform.errors import RuleError
from portal.platform.isolation.readers import MEBIBYTE, Limits, Reader
from portal.platform.isolation.running import read_apart

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
        markup: As ``portal.platform.documents.markup`` makes it.
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
