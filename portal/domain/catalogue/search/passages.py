"""Splits the HTML of a page into passages, and marks the one at which a search result opens. Pure."""

import html as entities
import re
from dataclasses import dataclass

PLACE = "place"  # id of the marked passage, and the argument of an address with its number

_TAG = re.compile(r'<(/?)([a-z][a-z0-9]*)((?:[^>"]|"[^"]*")*)>')  # as nh3 writes them
_BLOCKS = frozenset({"p", "li", "tr", "h2", "h3", "h4", "h5", "h6", "figcaption", "dt", "dd"})
_CELLS = frozenset({"td", "th"})
_INLINE = frozenset({"a", "abbr", "b", "code", "em", "i", "span", "strong", "sub", "sup"})
_VOID = frozenset({"br", "hr", "img", "input", "source", "track"})
_SKIPPED = re.compile(  # exercises, "Part 1 of 4", and links to a figure, whose name precedes them
    r'\bclass="(?:[^"]*\s)?portal-(?:check|part)[\s"]|\bhref="/media/'
)


@dataclass(slots=True)
class PagePassage:
    """A paragraph, list item, table row or heading, with its words as a reader sees them."""

    tag: str
    text: str
    offset: int  # of its first words in the HTML
    details: tuple[int, ...]  # offsets of the start tags of what folds it away


class _PassageReader:
    """Collects passages that have words, except those of checks and of summaries that unfold a text."""

    def __init__(self, html: str) -> None:
        self.passages: list[PagePassage] = []
        self._tag = ""  # of the block whose words are awaited; "" for text outside of any
        self._is_open = False  # whether more words belong to the last passage
        self._details: list[int] = []
        self._skipped_depth = 0  # open elements within a skipped one, itself included
        at = 0
        for tag in _TAG.finditer(html):
            self._read_text(html[at : tag.start()], at)
            self._read_tag(tag)
            at = tag.end()
        self._read_text(html[at:], at)

    def _read_tag(self, tag: re.Match[str]) -> None:
        is_end, name = bool(tag[1]), tag[2]
        if self._skipped_depth or name == "summary" or _SKIPPED.search(tag[3]):
            self._skipped_depth += 0 if name in _VOID else -1 if is_end else 1
        elif name == "details":
            self._details = self._details[:-1] if is_end else [*self._details, tag.start()]
        if name in _BLOCKS:
            self._tag, self._is_open = "" if is_end else name, False
        elif self._is_open and name not in _INLINE:
            self.passages[-1].text += " · " if name in _CELLS and not is_end else " "

    def _read_text(self, text: str, offset: int) -> None:
        if self._skipped_depth or not (self._is_open or text.strip()):
            return
        if not self._is_open:
            self.passages.append(PagePassage(self._tag, "", offset, tuple(self._details)))
            self._is_open = True
        self.passages[-1].text += text


def split_passages(html: str) -> list[PagePassage]:
    """The passages of safe HTML in order; their numbers count from 1.

    Checks are left out, since a result would show a wrong choice as if it were taught; so are summaries
    that unfold a text.

    >>> html = "<p>Call <strong>NCCU</strong>, <em>now</em>.</p><summary>Read</summary><ul><li>Wait</li></ul>"
    >>> [passage.text for passage in split_passages(html)]
    ['Call NCCU, now.', 'Wait']
    """
    passages = _PassageReader(html).passages
    for passage in passages:
        passage.text = " ".join(entities.unescape(passage.text).split())
    return passages


def mark_place(html: str, number: int) -> str:
    """The HTML with the id ``place`` in the passage of this number, and unfolded what folds it away.

    HTML that has no passage of this number stays as it is.

    >>> mark_place("<details><p>Wait</p></details>", 1)
    '<details open><p><span class="portal-place" id="place"></span>Wait</p></details>'
    """
    passages = split_passages(html)
    if not 1 <= number <= len(passages):
        return html
    passage = passages[number - 1]
    folds = [at for at in passage.details if ' open=""' not in html[at : html.index(">", at)]]
    insertions = [(at + len("<details"), " open") for at in folds]
    insertions.append((passage.offset, f'<span class="portal-place" id="{PLACE}"></span>'))
    for at, words in reversed(insertions):
        html = html[:at] + words + html[at:]
    return html
