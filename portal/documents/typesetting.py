"""Typesetting a page of text as tagged PDF (PDF/UA-1), with fonts that are part of the installation."""

import re
from datetime import datetime
from functools import cache
from pathlib import Path

import font_source_sans_pro
import typst

from portal.documents.markup import quoted

_FRAME = """
#set document(title: {title}, author: {author}, date: datetime(year: {year}, month: {month}, day: {day}))
#set text(font: "Source Sans Pro", size: 10pt, lang: "en", region: "GB", fill: rgb("#0b0c0c"))
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
  margin: (x: 16mm, top: 16mm, bottom: 18mm),
  footer: context text(size: 8pt, fill: rgb("#505a5f"))[
    #{foot} #h(1fr) Page #counter(page).display("1 of 1", both: true)
  ],
)
#text(size: 9pt, fill: rgb("#505a5f"))[#{above}]
= #{title}
"""


@cache
def _fonts() -> typst.Fonts:
    folder = Path(font_source_sans_pro.__file__).parent / "files"
    return typst.Fonts(include_system_fonts=False, font_paths=[str(folder)])


def pdf(markup: str, *, title: str, above: str, foot: str, author: str, at: datetime) -> bytes:
    """A tagged PDF of this markup under its title.

    The same arguments give the same bytes.

    Args:
        markup: As ``portal.documents.markup`` makes it.
        title: The heading, and the document's title.
        above: A line above the heading.
        foot: What the foot of each page says.
        author: Whose document it is.
        at: When its content was made; becomes the document's date.
    """
    at = at.replace(microsecond=0)
    said = {
        "title": quoted(title),
        "author": quoted(author),
        "above": quoted(above),
        "foot": quoted(foot),
        "year": str(at.year),
        "month": str(at.month),
        "day": str(at.day),
    }
    frame = re.sub(r"\{(\w+)\}", lambda name: said[name[1]], _FRAME)
    made: bytes = typst.compile(
        (frame + markup).encode(), font_paths=_fonts(), pdf_standards=["ua-1"], timestamp=at
    )
    return made
