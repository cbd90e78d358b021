"""A question of another system's file, and what becomes of it in the portal.

Runs in a separate process: the portal calls ``portal.domain.authoring.item_exchange.reading``.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from markdown_it import MarkdownIt

from portal.domain.authoring.messages import author_message
from portal.domain.catalogue.source_files import read_scored_item
from portal.platform.formats.toml_tables import KEY, LONGEST_KEY, Faults, Source
from portal.platform.formats.toml_writer import format_toml

# Turns the texts of other systems into Markdown as the portal keeps it, and says what is lost.
#
# No HTML comes through: elements become paragraphs, lists, tables and emphasis, or only their words. What
# would change the question, such as a picture or a formula, is a reason why it cannot come.
#
# Runs in a separate process: the portal calls ``portal.domain.authoring.item_exchange.reading``.

_ENGINE = MarkdownIt("commonmark", {"html": False})
_READER = MarkdownIt("commonmark", {"html": True}).enable("table")
_INVISIBLE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff\ud800-\udfff]")
_SLOT = re.compile(r"\[\[force\.[a-z0-9_]+\]\]")  # a detail of the force, as the portal's own files have it
_SPECIAL = re.compile(r"[\\`*_\[\]<>&~|!]")
_LINK = re.compile(r"(?:https?://|mailto:)[^\s<>()\\]+")
LONGEST_MARKUP = 100_000  # characters of one text
TOO_LONG = f"One of its texts has more than {LONGEST_MARKUP:,} characters."
_FORMULA = re.compile(r"\$\$.+?\$\$|\\\(.+?\\\)|\\\[.+?\\\]")

PICTURES = frozenset({"img", "picture", "svg", "canvas", "image"})
REFUSED = {
    "math": "It has a formula, which the portal cannot show.",
    "audio": "It has sound in it. Add that to the module's files, and write the question here.",
    "video": "It has a video in it. Add that to the module's files, and write the question here.",
} | dict.fromkeys(
    ("iframe", "object", "embed", "applet", "form", "input", "select", "textarea", "button"),
    "It has something in it that runs or is filled in, which the portal does not take.",
)
PICTURE = "It shows a picture. Add that to the module's files, and write the question here."
FORMULA = REFUSED["math"]
SCRIPT = "A script in it was left out."
LINK = "A link in it was left out; its words stay."
LOOK = "Its colours, sizes or other looks were left out."
SMALL = "Text above or below the line, such as 2 in m2, is now on the line."
DEEP = "A list within a list became one list."
_DROPPED = frozenset({"script", "style", "head", "template", "noscript", "title"})
_BLOCKS = frozenset(
    "p div h1 h2 h3 h4 h5 h6 pre dl dt dd figure figcaption section article address center hr".split()
)
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*"}
_LOOKS = frozenset({"u", "s", "del", "ins", "small", "big", "font", "mark", "tt"})


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list or table in Markdown."""

    kind: str  # "text", "list", "quote" or "table"
    text: str


@dataclass(slots=True)
class Markup:
    """A text in Markdown, with what it lost and why it may not come at all."""

    blocks: list[Block] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)

    def join_blocks(self) -> str:
        """All of its text."""
        return " ".join(block.text for block in self.blocks)

    def split_prompt(self) -> tuple[str, str]:
        """The text before the question, and the question itself: its last paragraph."""
        places = [number for number, block in enumerate(self.blocks) if block.kind == "text"]
        if not places:
            return "", join_inline(self)
        if places[-1] != len(self.blocks) - 1:
            self.losses.append("Text that came after the question now comes before it.")
        others = [block.text for number, block in enumerate(self.blocks) if number != places[-1]]
        return "\n\n".join(others), self.blocks[places[-1]].text


def join_inline(markup: Markup) -> str:
    """A text in one paragraph, as choices, feedback and explanations are."""
    parts = [re.sub(r"(?:^|\n)(?:- |\d+\. |> )", " ", block.text).strip() for block in markup.blocks]
    return " ".join(" ".join(parts).split())


def join_markups(markups: Iterable[Markup]) -> Markup:
    """Texts one after the other as one."""
    joined = Markup()
    for markup in markups:
        joined.blocks += markup.blocks
        joined.refusals += markup.refusals
        joined.losses += markup.losses
    return joined


def read_plain(text: str) -> Markup:
    """A text without markup; an empty line begins a paragraph."""
    if len(text) > LONGEST_MARKUP:
        return Markup(refusals=[TOO_LONG])
    parts = re.split(r"\n[ \t]*\n", _drop_invisible(text))
    blocks = [Block("text", escape_block(words)) for part in parts if (words := " ".join(part.split()))]
    return Markup(blocks, [FORMULA] if _FORMULA.search(text) else [])


def read_markdown(text: str) -> Markup:
    """Read a text in Markdown, which may contain HTML."""
    if len(text) > LONGEST_MARKUP:
        return Markup(refusals=[TOO_LONG])
    return read_html(str(_READER.render(_drop_invisible(text))))


def read_loose_html(text: str) -> Markup:
    """A text in HTML in which an empty line may begin a paragraph, as Moodle's own format has it."""
    return read_html(re.sub(r"\n[ \t]*\n", "<p>", _drop_invisible(text)))


def read_html(text: str) -> Markup:
    """A text in HTML."""
    if len(text) > LONGEST_MARKUP:
        return Markup(refusals=[TOO_LONG])
    parser = _MarkdownReader()
    parser.feed(_drop_invisible(text))
    parser.close()
    parser.end_block()
    if _FORMULA.search(text):
        parser.markup.refusals.append(FORMULA)
    return parser.markup


def escape_block(text: str) -> str:
    r"""A paragraph's words with the marks of Markdown escaped where they would change it.

    >>> escape_block("5 * 3 = 15"), escape_block("*not* bold"), escape_block("1. one")
    ('5 * 3 = 15', '\\*not\\* bold', '1\\. one')
    """
    return text if _reads_as(text) else _escape_start(_escape_marks(text))


def _escape_marks(text: str) -> str:
    slots = [*_SLOT.findall(text), ""]
    return "".join(
        _SPECIAL.sub(lambda mark: f"\\{mark[0]}", piece) + slot
        for piece, slot in zip(_SLOT.split(text), slots, strict=True)
    )


def _escape_start(text: str) -> str:
    """The text with what would begin a heading, a list or a box escaped."""
    return re.sub(r"^(\d+)([.)])(?=\s|$)", r"\1\\\2", re.sub(r"^([#+=:\-])", r"\\\1", text))


def _reads_as(text: str) -> bool:
    """Whether Markdown shows the text as it is: one paragraph without any mark."""
    tokens = _ENGINE.parse(text)
    if len(tokens) != 3 or tokens[0].type != "paragraph_open" or text.startswith(":::"):
        return False
    children = tokens[1].children or []
    return all(child.type == "text" for child in children) and "".join(c.content for c in children) == text


def _drop_invisible(text: str) -> str:
    return _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


class _MarkdownReader(HTMLParser):
    """Collects blocks of Markdown; keeps no element that it does not know."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.markup = Markup()
        self._pieces: list[tuple[str, str]] = []  # "text" or "mark", and what it says
        self._open: list[str] = []  # marks of emphasis
        self._links: list[str] = []
        self._dropped = 0
        self._lists: list[tuple[str, list[str]]] = []
        self._rows: list[list[str]] | None = None
        self._quoted = 0
        self._begins: dict[str, Callable[[], None]] = {
            "li": self._end_item,
            "blockquote": self._begin_quote,
            "table": self._begin_table,
            "tr": self._begin_row,
            "td": self._begin_cell,
            "th": self._begin_cell,
        }
        self._ends: dict[str, Callable[[], None]] = {
            "ul": self._end_list,
            "ol": self._end_list,
            "li": self._end_item,
            "blockquote": self._end_quote,
            "td": self._end_cell,
            "th": self._end_cell,
            "table": self._end_table,
            "a": self._end_link,
        }

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a block or a mark; note what cannot come."""
        if tag in _DROPPED:
            self._dropped += 1
            if tag == "script":
                self._note_loss(SCRIPT)
        elif tag in PICTURES or tag in REFUSED:
            self.markup.refusals.append(REFUSED.get(tag, PICTURE))
        elif not self._begin_structure(tag):
            self._begin_inline(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        """End a block or a mark."""
        if tag in _DROPPED:
            self._dropped = max(0, self._dropped - 1)
        elif tag in _BLOCKS:
            self.end_block()
        elif tag in _MARKS:
            self._end_mark(_MARKS[tag])
        elif tag in self._ends:
            self._ends[tag]()

    def handle_data(self, data: str) -> None:
        """Take words."""
        if not self._dropped and data:
            self._pieces.append(("text", data))

    def end_block(self) -> None:
        """End the paragraph, if there is one, and add it."""
        if self._rows is not None or self._lists:
            self._pieces.append(("text", " "))
            return
        text = self._take_text()
        if text:
            quoted = self._quoted > 0
            self.markup.blocks.append(Block("quote" if quoted else "text", f"> {text}" if quoted else text))

    def _begin_structure(self, tag: str) -> bool:
        """Begin a block, list or table; False for what stands within a line."""
        if tag in _BLOCKS:
            self.end_block()
        elif tag in {"ul", "ol"}:
            self._begin_list(tag)
        elif tag in self._begins:
            self._begins[tag]()
        else:
            return False
        return True

    def _begin_list(self, tag: str) -> None:
        if self._lists:
            self._note_loss(DEEP)
            self._end_item()
        else:
            self.end_block()
        self._lists.append((tag, [] if not self._lists else self._lists[0][1]))

    def _begin_quote(self) -> None:
        self.end_block()
        self._quoted += 1

    def _end_quote(self) -> None:
        self.end_block()
        self._quoted = max(0, self._quoted - 1)

    def _begin_table(self) -> None:
        self.end_block()
        self._rows = []

    def _begin_row(self) -> None:
        if self._rows is not None:
            self._rows.append([])

    def _begin_cell(self) -> None:
        if self._rows is not None:
            self._take_text()

    def _end_link(self) -> None:
        if self._links:
            target = self._links.pop()
            self._pieces.append(("mark", f"]({target})" if target else ""))

    def _begin_inline(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag in _MARKS:
            self._open.append(_MARKS[tag])
            self._pieces.append(("mark", _MARKS[tag]))
        elif tag == "a":
            target = (attributes.get("href") or "").strip()
            good = _LINK.fullmatch(target) is not None
            if target and not good:
                self._note_loss(LINK)
            self._links.append(target if good else "")
            self._pieces.append(("mark", "[" if good else ""))
        elif tag == "br":
            self._pieces.append(("text", " "))
        elif tag in {"sub", "sup"}:
            self._note_loss(SMALL)
        elif tag in _LOOKS or attributes.get("style"):
            self._note_loss(LOOK)

    def _end_mark(self, mark: str) -> None:
        if mark in self._open:
            self._open.remove(mark)
            self._pieces.append(("mark", mark))

    def _take_text(self) -> str:
        """The words collected so far as one paragraph of Markdown; unclosed marks are closed."""
        pieces = self._pieces + [("mark", mark) for mark in reversed(self._open)]
        pieces += [("mark", f"]({target})") for target in reversed(self._links) if target]
        self._pieces, self._open, self._links = [], [], []
        if not any(kind == "mark" and mark for kind, mark in pieces):
            return escape_block(" ".join("".join(words for _, words in pieces).split()))
        text = "".join(
            _escape_marks(re.sub(r"\s+", " ", words)) if kind == "text" else words for kind, words in pieces
        )
        return _escape_start(_tidy_marks(" ".join(text.split())))

    def _end_item(self) -> None:
        text = self._take_text()
        if text and self._lists:
            self._lists[0][1].append(text)

    def _end_list(self) -> None:
        self._end_item()
        if not self._lists:
            return
        tag, items = self._lists.pop()
        if self._lists or not items:
            return
        signs = (f"{number}. " if tag == "ol" else "- " for number in range(1, len(items) + 1))
        text = "\n".join(f"{sign}{item}" for sign, item in zip(signs, items, strict=True))
        self.markup.blocks.append(Block("list", text))

    def _end_cell(self) -> None:
        if self._rows:
            self._rows[-1].append(re.sub(r"(?<!\\)\|", r"\\|", self._take_text()))

    def _end_table(self) -> None:
        rows = [row for row in self._rows or [] if row]
        self._rows = None
        if not rows:
            return
        width = max(map(len, rows))
        lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
        lines.insert(1, f"|{' --- |' * width}")
        self.markup.blocks.append(Block("table", "\n".join(lines)))

    def _note_loss(self, loss: str) -> None:
        self.markup.losses.append(loss)


def _tidy_marks(text: str) -> str:
    """Emphasis without spaces inside its marks, and without empty marks."""
    text = re.sub(r"(?<!\\)\*\*\s*\*\*", "", text)
    text = re.sub(r"(?<![*\\])(\*{1,2}) ([^*]+?)(\*{1,2})(?!\*)", r" \1\2\3", text)
    text = re.sub(r"(?<![*\\])(\*{1,2})([^*]+?) (\*{1,2})(?!\*)", r"\1\2\3 ", text)
    return " ".join(text.split())


MOST_QUESTIONS = 200  # of one file
LONGEST_TEXT = 20_000  # characters of one question
LONGEST_NAME = 120
PLACEHOLDER = "x"  # stands in for what an author may add later, while the rest is checked
DEFAULT_SOURCE = "practice"

NO_EXPLANATION = "It has no explanation. Write one before you send the draft for review."
NO_FEEDBACK = "Not every choice has feedback. Write it before you send the draft for review."
WHOLE_MARK = "The file gives marks for parts of the answer. Here only the whole right answer gets the mark."
TYPED = "It is answered with typed words. Here answers are chosen."
ESSAY = "It asks for a text of the learner's own, which people have to mark. The portal marks by itself."
NUMBER = "It asks for a number to be typed. The portal has no such question."
NOTHING_ASKED = "It is a text that asks nothing. Put it into a lesson."
MINUS = "The file takes marks off for wrong answers. Here a wrong answer gets none."
SHUFFLED = "The file keeps its answers in their order. Here each attempt shuffles them."
PARTLY = "It gives part of the mark for a second answer. Here a question has one right answer, or all count."
EITHER = "Several answers are right, and one of them is enough. Here a question has one right answer, or all."


@dataclass(slots=True)
class RawChoice:
    """An answer to choose, with its share of the mark in per cent."""

    text: Markup
    share: float
    feedback: Markup = field(default_factory=Markup)
    key: str = ""


@dataclass(slots=True)
class RawQuestion:
    """A question as its file has it; ``kind`` is empty where the portal has none like it."""

    name: str = ""
    key: str = ""
    kind: str = ""
    text: Markup = field(default_factory=Markup)
    explanation: Markup = field(default_factory=Markup)
    choices: list[RawChoice] = field(default_factory=list)
    steps: list[tuple[str, Markup]] = field(default_factory=list)  # key and text, in the right order
    pairs: list[tuple[str, Markup, Markup]] = field(default_factory=list)  # key, left and right
    extra: list[Markup] = field(default_factory=list)  # right sides that belong to no pair
    outcome: str = ""
    source: list[str] = field(default_factory=list)
    retired: bool = False
    reasons: list[str] = field(default_factory=list)  # why it cannot come
    warnings: list[str] = field(default_factory=list)

    def refuse(self, reason: str) -> None:
        """Note a reason why it cannot come."""
        self.reasons.append(reason)

    def warn(self, *warnings: str) -> None:
        """Note what becomes of it, or is left to do."""
        self.warnings += warnings


@dataclass(frozen=True, slots=True)
class ForeignQuestion:
    """A question of a file: the item that it becomes, or the reasons why it cannot come."""

    number: int  # in its file, from 1
    name: str
    kind: str  # of the portal; empty: it cannot come
    table: dict[str, Any]  # as the bank holds it, without outcome; empty: it cannot come
    outcome: str  # that the file names; empty: none
    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    repeats: str = ""  # the key of the bank's question with the same words; empty: none


def build_question(raw: RawQuestion, number: int) -> ForeignQuestion:
    """Turn a question as read into an item, or say why it cannot come."""
    table: dict[str, Any] = {}
    if not raw.reasons:
        table = _build_table(raw, number)
    for markup in _markups_of(raw):
        raw.reasons += markup.refusals
        raw.warnings += markup.losses
    if not raw.reasons:
        raw.reasons += find_faults(table)
    reasons = tuple(dict.fromkeys(raw.reasons))
    name = " ".join((raw.name or raw.text.join_blocks()).split())[:LONGEST_NAME] or f"Question {number}"
    return ForeignQuestion(
        number=number,
        name=name,
        kind="" if reasons else str(table["kind"]),
        table={} if reasons else table,
        outcome=raw.outcome,
        reasons=reasons,
        warnings=() if reasons else tuple(dict.fromkeys(raw.warnings)),
    )


def propose_key(*texts: str) -> str:
    """A key for the bank: the first text that is one, else one made from the words.

    >>> propose_key("", "Wer hilft, und wann? (2)"), propose_key("define-exit")
    ('wer-hilft-und-wann-2', 'define-exit')
    """
    for text in texts:
        if KEY.fullmatch(text) and len(text) <= LONGEST_KEY:
            return text
    words = re.findall(r"[a-z0-9]+", next(filter(None, texts), "").lower())
    key = ""
    for word in words:
        if len(key) + len(word) > 40:
            break
        key = f"{key}-{word}" if key else word
    return key or "question"


def _build_table(raw: RawQuestion, number: int) -> dict[str, Any]:
    stimulus, prompt = raw.text.split_prompt()
    if not prompt:
        raw.refuse("It has no text that asks something.")
    if len(raw.text.join_blocks()) > LONGEST_TEXT:
        raw.refuse(f"Its text has more than {LONGEST_TEXT:,} characters.")
    explanation = join_inline(raw.explanation)
    if not explanation:
        raw.warn(NO_EXPLANATION)
    body = _BODIES[raw.kind](raw)
    common = {
        "key": propose_key(raw.key, raw.name, join_inline(raw.text) or f"question-{number}"),
        "kind": raw.kind,
        "source": raw.source[0] if len(raw.source) == 1 else raw.source or DEFAULT_SOURCE,
        "stimulus": stimulus,
        "prompt": prompt,
        "explanation": explanation,
        "retired": raw.retired or None,
    }
    return {name: value for name, value in common.items() if value} | body


def _choice_body(raw: RawQuestion) -> dict[str, Any]:
    _check_marks(raw)
    if any(not join_inline(choice.feedback) for choice in raw.choices):
        raw.warn(NO_FEEDBACK)
    rows = []
    for key, choice in zip(_free_keys([choice.key for choice in raw.choices]), raw.choices, strict=True):
        row: dict[str, Any] = {"key": key, "text": join_inline(choice.text)}
        if feedback := join_inline(choice.feedback):
            row["feedback"] = feedback
        if choice.share > 0:
            row["correct"] = True
        rows.append(row)
    if len({row["text"] for row in rows}) < len(rows):
        raw.refuse("Two of its answers have the same text.")
    return {"choice": rows}


def _check_marks(raw: RawQuestion) -> None:
    """Decide between one right answer and several; marks that the portal cannot give are named."""
    right = [choice.share for choice in raw.choices if choice.share > 0]
    if any(choice.share < 0 for choice in raw.choices):
        raw.warn(MINUS)
    if not right:
        raw.refuse("None of its answers is right.")
    elif raw.kind == "single":
        if len(right) > 1 or right != [100]:
            raw.refuse(EITHER if right.count(100) > 1 else PARTLY)
    elif len(right) == 1:
        raw.kind = "single"
        raw.warn("It lets people choose several answers, and one is right. Here they choose one.")
    elif max(right) == 100 > min(right):
        raw.refuse(PARTLY)
    elif min(right) < 100:
        raw.warn(WHOLE_MARK)


def _order_body(raw: RawQuestion) -> dict[str, Any]:
    keys = _free_keys([key for key, _ in raw.steps])
    return {
        "step": [{"key": k, "text": join_inline(text)} for k, (_, text) in zip(keys, raw.steps, strict=True)]
    }


def _match_body(raw: RawQuestion) -> dict[str, Any]:
    keys = _free_keys([key for key, _, _ in raw.pairs], digits=True)
    pairs = [
        {"key": key, "left": join_inline(left), "right": join_inline(right)}
        for key, (_, left, right) in zip(keys, raw.pairs, strict=True)
    ]
    rights = {pair["right"] for pair in pairs}
    extra = [text for markup in raw.extra if (text := join_inline(markup)) not in rights]
    return ({"extra_right": list(dict.fromkeys(extra))} if extra else {}) | {"pair": pairs}


_BODIES = {"single": _choice_body, "multiple": _choice_body, "order": _order_body, "match": _match_body}


def _free_keys(proposed: Sequence[str], *, digits: bool = False) -> list[str]:
    """The proposed keys, if each is one and none is used twice; else letters or numbers."""
    if len(set(proposed)) == len(proposed) and all(
        KEY.fullmatch(key) and len(key) <= LONGEST_KEY for key in proposed
    ):
        return list(proposed)
    letters = "abcdefghijklmnopqrstuvwxyz"
    if digits or len(proposed) > len(letters):
        return [str(number) for number in range(1, len(proposed) + 1)]
    return list(letters[: len(proposed)])


def find_faults(table: dict[str, Any]) -> Iterable[str]:
    """What the reader of banks would refuse in the item, apart from what an author can add later."""
    complete = {"outcome": PLACEHOLDER, "explanation": PLACEHOLDER} | table
    faults = Faults()
    try:
        if "choice" in table:
            complete["choice"] = [{"feedback": PLACEHOLDER} | row for row in table["choice"]]
        text = format_toml({"item": [complete]})
    except (TypeError, ValueError, RecursionError):
        return ["It cannot be written to a bank."]
    root = Source(text, "", faults).root()
    if root is not None:
        for row in root.tables("item", "[[item]]"):
            read_scored_item(row, "")
    return [author_message(fault.reason, {}) for fault in faults.listed()]


def _markups_of(raw: RawQuestion) -> list[Markup]:
    texts = [raw.text, raw.explanation, *raw.extra]
    texts += [markup for choice in raw.choices for markup in (choice.text, choice.feedback)]
    texts += [markup for _, markup in raw.steps]
    texts += [markup for _, left, right in raw.pairs for markup in (left, right)]
    return texts


def merge_texts(markups: Iterable[Markup]) -> Markup:
    """Several texts one after the other, without those that are repeated."""
    merged: list[Markup] = []
    for markup in markups:
        if markup.blocks and markup.blocks not in [other.blocks for other in merged]:
            merged.append(markup)
    return join_markups(merged)
