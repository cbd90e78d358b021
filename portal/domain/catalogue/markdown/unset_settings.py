"""Leaves out sentences that need a force setting without a value. Pure: HTML in, HTML out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import groupby, pairwise, takewhile

FORCE_SLOT = re.compile(r"\{\{force:([^{}]*)\}\}")
_TAG = re.compile(r'(<(?:[^>"]|"[^"]*")*>)')
_NAME = re.compile(r"</?([a-z0-9]+)")
_SENTENCE_END = re.compile(r"(?<!\be\.g)(?<!\bi\.e)[.?!][)’”\"]*\s+(?![a-z\s])|\x00")
_LABELLED_SLOT = re.compile(r"([^:.]*\w[^:.]*):\s*\{\{force:[^{}]*\}\}\.?\s*")
_EMPTY_INLINE = re.compile(r"<(strong|em|a|code|span)\b[^>]*>\s*</\1>")
_VOID = frozenset({"br", "hr", "img", "input", "source", "track"})
_INLINE = frozenset({"", "a", "br", "code", "em", "img", "span", "strong"})
_REMOVABLE = frozenset({"p", "li", "td"})  # may go with their only sentence
_LISTS = frozenset({"ul", "ol", "table", "div"})
_PARENTS = frozenset({*_LISTS, "tbody", "blockquote", "details"})  # go with all of their content
_TITLES = frozenset({"summary", "thead"})  # no content of their own
_HEADINGS = ("h2", "h3", "h4", "h5", "h6")


@dataclass
class _Node:
    """An element with its start tag as written, or a text; the root has neither."""

    start: str = ""
    text: str = ""
    children: "list[_Node]" = field(default_factory=list)
    is_left_out: bool = False

    @property
    def tag(self) -> str:
        name = _NAME.match(self.start)
        return name[1] if name else ""

    @property
    def html(self) -> str:
        if not self.start or self.tag in _VOID:
            return self.start + self.text + _html_of(self.children)
        return f"{self.start}{_html_of(self.children)}</{self.tag}>"


def leave_out_unset(html: str, labels: Mapping[str, str]) -> str:
    """Leave out each sentence with a slot of an unset setting, and what is empty without it.

    A paragraph, list item or row goes with its last sentence; so do a list with its lead-in, and a heading
    with nothing below it. A cell keeps its label. What must not be empty, like a choice, names the setting.

    Args:
        html: Sanitised HTML with slots.
        labels: Labels of the unset settings by key.
    """
    if not _has_unset(html, labels):
        return html
    root = _parse_html(html)
    _shorten_block(root, labels)
    return root.html


def name_unset(html: str, labels: Mapping[str, str]) -> str:
    """Put the label of each unset setting in its slot."""
    return FORCE_SLOT.sub(lambda slot: f"[{labels[slot[1]]}]" if slot[1] in labels else slot[0], html)


def _has_unset(html: str, labels: Mapping[str, str]) -> bool:
    return any(slot[1] in labels for slot in FORCE_SLOT.finditer(html))


def _has_words(html: str) -> bool:
    return bool(re.search(r"\w", _TAG.sub("", html)))


def _html_of(nodes: list[_Node]) -> str:
    return "".join(node.html for node in nodes)


def _parse_html(html: str) -> _Node:
    branch = [_Node()]
    for piece in filter(None, _TAG.split(html)):
        if not _TAG.fullmatch(piece):
            branch[-1].children.append(_Node(text=piece))
        elif piece.startswith("</"):
            branch = branch[:-1] or branch
        else:
            branch[-1].children.append(_Node(piece))
            if branch[-1].children[-1].tag not in _VOID:
                branch.append(branch[-1].children[-1])
    return branch[0]


def _shorten_block(node: _Node, labels: Mapping[str, str]) -> None:
    """Shorten the texts in a block, then remove the blocks in it that have become empty."""
    for is_inline, run in groupby(node.children, key=lambda child: child.tag in _INLINE):
        if is_inline:
            _shorten_text(node, list(run), labels)
        else:
            for child in run:
                _shorten_block(child, labels)
    if not any(child.is_left_out for child in node.children):
        return
    _leave_out_lead_ins(node)
    _leave_out_headings(node)
    if node.tag == "tr":
        node.is_left_out = any(child.is_left_out for child in node.children)
    node.children = [child for child in node.children if not child.is_left_out]
    content = [child for child in node.children if child.tag not in _TITLES]
    if node.tag in _REMOVABLE | _PARENTS and not _has_words(_html_of(content)):
        node.is_left_out = True


def _shorten_text(node: _Node, inline: list[_Node], labels: Mapping[str, str]) -> None:
    """Shorten a text of a block: inline elements that follow each other."""
    html = _html_of(inline)
    if not _has_unset(html, labels):
        return
    label = _LABELLED_SLOT.fullmatch(html) if node.tag == "td" else None
    shorter = label[1] if label else _cut_sentences(html, lambda sentence: _has_unset(sentence, labels))
    is_empty = not _has_words(shorter)
    if is_empty and node.tag not in _REMOVABLE:
        is_empty, shorter = False, name_unset(html, labels)
    inline[0].start, inline[0].text, inline[0].children = "", shorter, []
    for child in inline if is_empty else inline[1:]:
        child.is_left_out = True


def _cut_sentences(html: str, is_cut: Callable[[str], bool]) -> str:
    """The text without some of its sentences; a line break ends a sentence, too."""
    pieces = _TAG.split(html)
    words = [
        "\x00" if piece.startswith("<br") else "" if piece.startswith("<") else piece for piece in pieces
    ]
    text = "".join(words)
    ends = [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    cut = {
        at
        for first, last in zip([0, *ends], ends, strict=False)
        if is_cut(text[first:last])
        for at in range(first, last)
    }
    at, shorter = 0, ""
    for piece, word in zip(pieces, words, strict=True):
        kept = "".join(letter for number, letter in enumerate(word, at) if number not in cut)
        shorter += kept.replace("\x00", piece) if word else piece
        at += len(word)
    while _EMPTY_INLINE.search(shorter):
        shorter = _EMPTY_INLINE.sub("", shorter)
    return re.sub(r"(\s|<br[^>]*>)+$", "", shorter)


def _leave_out_lead_ins(node: _Node) -> None:
    """Cut “There are three:” before a list that is left out."""
    blocks = [child for child in node.children if child.start]
    for before, after in pairwise(blocks):
        if after.is_left_out and after.tag in _LISTS and before.tag == "p":
            shorter = _cut_sentences(_html_of(before.children), lambda sentence: sentence.endswith(":"))
            before.children = [_Node(text=shorter)]
            before.is_left_out = not _has_words(shorter)


def _leave_out_headings(node: _Node) -> None:
    """Leave out headings of which everything below is left out."""
    blocks = [child for child in node.children if child.start]
    for at in reversed(range(len(blocks))):
        if blocks[at].tag in _HEADINGS:
            upper = _HEADINGS[: _HEADINGS.index(blocks[at].tag) + 1]
            section = list(takewhile(lambda block: block.tag not in upper, blocks[at + 1 :]))  # noqa: B023
            blocks[at].is_left_out = bool(section) and all(block.is_left_out for block in section)
