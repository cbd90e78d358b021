"""The parts of an answer, and each of them as the typesetter's markup and as Markdown. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portal.domain.assurance.narrative.fields import escape_markdown
from portal.platform.documents.markup import markup_of, text_content

TOP = 4  # the level of a narrative's first headings: those above are the answer's own
_HEADING_TAG = re.compile(r"(</?h)([2-6])\b")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")
_HEADING_MARKS = re.compile(r"(\s{0,3})(#{1,6})(\s.*|$)")


@dataclass(frozen=True, slots=True)
class HeadingBlock:
    """A heading; the document's title is of level 1."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class ParagraphBlock:
    """One paragraph."""

    text: str


@dataclass(frozen=True, slots=True)
class PointsBlock:
    """A list of sentences."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class GridBlock:
    """A table; ``widths`` are the shares of its columns."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ProseBlock:
    """A narrative with its fields filled, in both forms."""

    html: str
    markdown: str


Block = HeadingBlock | ParagraphBlock | PointsBlock | GridBlock | ProseBlock


def blocks_as_markup(blocks: Iterable[Block]) -> str:
    """Blocks as the typesetter's markup."""
    return "\n".join(map(_markup_of_block, blocks))


def _markup_of_block(block: Block) -> str:
    match block:
        case HeadingBlock(level, text):
            return f"{'=' * level} {text_content(text)}\n"
        case ParagraphBlock(text):
            return f"{text_content(text)}\n"
        case PointsBlock(texts):
            return "#list(" + " ".join(f"[{text_content(text)}]," for text in texts) + ")\n"
        case GridBlock(heads, rows, widths):
            columns = ", ".join(f"{width}fr" for width in widths)
            head = "".join(f"[{text_content(text)}], " for text in heads)
            lines = ["".join(f"[{text_content(text)}], " for text in row) for row in rows]
            return "\n".join([f"#table(columns: ({columns}), table.header({head}),", *lines, ")\n"])
        case ProseBlock(html, _):
            return markup_of(_HEADING_TAG.sub(lambda tag: f"{tag[1]}{min(int(tag[2]) + TOP - 2, 6)}", html))


def blocks_as_markdown(blocks: Iterable[Block]) -> str:
    """Blocks as Markdown, which is fit to be read as plain text too."""
    return "\n".join(map(_markdown_of_block, blocks))


def _markdown_of_block(block: Block) -> str:
    match block:
        case HeadingBlock(level, text):
            return f"{'#' * level} {escape_markdown(text)}\n"
        case ParagraphBlock(text):
            return f"{escape_markdown(text)}\n"
        case PointsBlock(texts):
            return "".join(f"- {escape_markdown(text)}\n" for text in texts)
        case GridBlock(heads, rows, _):
            lines = [
                map(escape_markdown, heads),
                ("---",) * len(heads),
                *(map(escape_markdown, row) for row in rows),
            ]
            return "".join(map(_table_line, lines))
        case ProseBlock(_, markdown):
            return f"{lower_headings(markdown).strip()}\n"


def _table_line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |\n"


def lower_headings(markdown: str) -> str:
    r"""Markdown whose highest heading is of level ``TOP``; headings in a fence are none.

    >>> lower_headings("# One\n\n## Two")
    '#### One\n\n##### Two'
    """
    lines = markdown.split("\n")
    headings = list(_find_headings(lines))
    if not headings:
        return markdown
    shift = TOP - min(len(match[2]) for _, match in headings)
    for number, match in headings:
        lines[number] = f"{match[1]}{'#' * max(1, min(len(match[2]) + shift, 6))}{match[3]}"
    return "\n".join(lines)


def _find_headings(lines: Sequence[str]) -> Iterable[tuple[int, re.Match[str]]]:
    fence = ""
    for number, line in enumerate(lines):
        if mark := _FENCE.match(line):
            fence = "" if fence and mark[1].startswith(fence) else fence or mark[1]
        elif not fence and (match := _HEADING_MARKS.fullmatch(line)):
            yield number, match
