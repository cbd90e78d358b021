"""Texts compared: word by word, line by line, and as forms send them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from portal.platform.formats.toml_writer import format_toml, parse_toml

# Compares two texts word by word. Pure functions; the runs of each side join to the text of that side.

_TOKEN = re.compile(r"\s+|\w+(?:[’'\-]\w+)*%?|[^\w\s]")
_CONTAINER = re.compile(r":::[ \t]*[A-Za-z]")
_CLOSE = re.compile(r":::[ \t]*$")
_END = re.compile(r"[.!?]\s*$")
_END_FIRST = re.compile(r"[.!?]")
MAX_TOKEN_PAIRS = 1_000_000  # product of token counts; above it the whole text counts as replaced
MAX_WORD_PAIRS = 40_000  # product of word counts; above it similarity ignores the order of words
MAX_BLOCK_PAIRS = 400  # product of block counts; above it blocks are not paired by similarity
MIN_SIMILARITY = 0.5  # share of common words from which two paragraphs count as one that was changed


@dataclass(frozen=True, slots=True)
class WordRun:
    """Consecutive words of one text, and whether they differ from the other text."""

    text: str
    changed: bool

    @property
    def spaced_parts(self) -> tuple[str, str, str]:
        """Leading space, words and trailing space, so that a page can mark the words alone."""
        words = self.text.strip()
        if not words:
            return self.text, "", ""
        before, _, after = self.text.partition(words)
        return before, words, after


WordRuns = tuple[WordRun, ...]


@dataclass(frozen=True, slots=True)
class ParagraphPair:
    """A paragraph of the old text and its counterpart in the new one; None where there is none."""

    old: str | None
    new: str | None

    @property
    def is_unchanged(self) -> bool:
        """Whether both are equal apart from surrounding space."""
        return _strip_space(self.old) == _strip_space(self.new)


def diff_words(old: str, new: str) -> tuple[WordRuns, WordRuns]:
    """Both texts as runs of words; equal texts have no changed run."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    if len(before) * len(after) > MAX_TOKEN_PAIRS and old != new:
        return _build_runs([(old, new, False)])
    opcodes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    parts = [("".join(before[a:b]), "".join(after[c:d]), tag == "equal") for tag, a, b, c, d in opcodes]
    return _build_runs(_join_close_changes(_align_to_sentences(parts)))


DiffPart = tuple[str, str, bool]  # old words, new words, whether they are the same


def _align_to_sentences(parts: list[DiffPart]) -> list[DiffPart]:
    """Shift additions and removals so that they cover whole sentences where possible.

    Between “One. Two.” and “One. And. Two.” either “. And” or “And.” was added; a reader means the latter.
    """
    aligned = list(parts)
    for place in range(1, len(aligned) - 1):
        previous, (old, new, same), following = aligned[place - 1 : place + 2]
        change_text = new if not old else old if not new else ""
        if same or not change_text or not (previous[2] and following[2]) or _END.search(change_text):
            continue
        sentence_end = _END_FIRST.match(following[0])
        if sentence_end and change_text.startswith(sentence_end[0]):
            shifted_text, size = change_text[len(sentence_end[0]) :] + sentence_end[0], len(sentence_end[0])
            aligned[place - 1] = (previous[0] + sentence_end[0], previous[1] + sentence_end[0], True)
            aligned[place] = ("", shifted_text, False) if not old else (shifted_text, "", False)
            aligned[place + 1] = (following[0][size:], following[1][size:], True)
    return [part for part in aligned if part[0] or part[1]]


def _join_close_changes(parts: list[DiffPart]) -> list[DiffPart]:
    """Join changes that have hardly any text between them, because readers take them as one."""
    joined_parts: list[DiffPart] = []
    for place, part in enumerate(parts):
        old, new, same = part
        is_between = same and 0 < place < len(parts) - 1 and joined_parts and not joined_parts[-1][2]
        if is_between and _is_slight(old, joined_parts[-1], parts[place + 1]):
            same = False
        if joined_parts and not same and not joined_parts[-1][2]:
            joined_parts[-1] = (joined_parts[-1][0] + old, joined_parts[-1][1] + new, False)
        else:
            joined_parts.append((old, new, same))
    return joined_parts


def _is_slight(text: str, before: DiffPart, after: DiffPart) -> bool:
    size = len(text.strip())
    return size <= min(max(len(before[0]), len(before[1])), max(len(after[0]), len(after[1]))) // 2


def _build_runs(parts: Sequence[DiffPart]) -> tuple[WordRuns, WordRuns]:
    old_runs = tuple(WordRun(old, not same) for old, _, same in parts if old)
    new_runs = tuple(WordRun(new, not same) for _, new, same in parts if new)
    return old_runs, new_runs


def split_blocks(text: str) -> list[str]:
    """Split a text into paragraphs and whole containers, each with the blank lines after it."""
    blocks: list[str] = []
    depth, open_block = 0, False
    for row in text.splitlines(keepends=True):
        bare = row.strip()
        if depth == 0 and _CONTAINER.match(bare):
            blocks.append(row)
            depth, open_block = 1, True
            continue
        if depth:
            depth += 1 if _CONTAINER.match(bare) else -1 if _CLOSE.match(bare) else 0
            blocks[-1] += row
            open_block = depth > 0
            continue
        if bare and not open_block:
            blocks.append(row)
        elif blocks:
            blocks[-1] += row
        else:
            blocks.append(row)
        open_block = bool(bare)
    return blocks


def pair_paragraphs(old: str, new: str) -> list[ParagraphPair]:
    """Pair the paragraphs of both texts in order, equal ones together."""
    before, after = split_blocks(old), split_blocks(new)
    old_blocks = [_strip_space(block) for block in before]
    new_blocks = [_strip_space(block) for block in after]
    pairs: list[ParagraphPair] = []
    is_long = len(old_blocks) * len(new_blocks) > MAX_TOKEN_PAIRS
    for tag, a, b, c, d in SequenceMatcher(None, old_blocks, new_blocks, autojunk=is_long).get_opcodes():
        if tag == "equal":
            pairs += [ParagraphPair(x, y) for x, y in zip(before[a:b], after[c:d], strict=True)]
        else:
            pairs += _pair_blocks(before[a:b], after[c:d])
    return pairs


def _pair_blocks(old: list[str], new: list[str]) -> list[ParagraphPair]:
    """Pair the two most similar blocks, then the blocks before and after them in the same way.

    A single block replaced by a single block counts as changed, however little they have in common.
    """
    if len(old) == len(new) == 1 and old[0].startswith(":::") is new[0].startswith(":::"):
        return [ParagraphPair(old[0], new[0])]
    best_similarity, best_pair = 0.0, (0, 0)
    if len(old) * len(new) <= MAX_BLOCK_PAIRS:
        for old_index, old_block in enumerate(old):
            for new_index, new_block in enumerate(new):
                if (similarity := word_similarity(old_block, new_block)) > best_similarity:
                    best_similarity, best_pair = similarity, (old_index, new_index)
    if best_similarity < MIN_SIMILARITY:
        return [ParagraphPair(old_block, None) for old_block in old] + [
            ParagraphPair(None, new_block) for new_block in new
        ]
    old_index, new_index = best_pair
    middle = ParagraphPair(old[old_index], new[new_index])
    return [
        *_pair_blocks(old[:old_index], new[:new_index]),
        middle,
        *_pair_blocks(old[old_index + 1 :], new[new_index + 1 :]),
    ]


def word_similarity(old: str, new: str) -> float:
    """The share of words that two texts have in common, in order, from 0 to 1.

    For long or clearly different texts an upper bound is returned, which ignores the order.
    """
    before, after = old.split(), new.split()
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    upper_bound = matcher.quick_ratio()
    if upper_bound < MIN_SIMILARITY or len(before) * len(after) > MAX_WORD_PAIRS:
        return upper_bound
    return matcher.ratio()


def _strip_space(text: str | None) -> str | None:
    """A paragraph without the space around it."""
    return None if text is None else text.strip()


# Compares two lists of lines.

# Product of the lengths; above it, all lines between the first and the last difference are one change.
MAX_LINE_PAIRS = 4_000_000


class LineChange(NamedTuple):
    """A range of old lines and the range of new lines that replaces it."""

    start: int
    end: int
    new_start: int
    new_end: int


def diff_lines(old: Sequence[str], new: Sequence[str]) -> Iterator[LineChange]:
    """Yield every differing range, in order.

    >>> list(diff_lines(["a", "b", "c"], ["a", "x", "y", "c"]))
    [LineChange(start=1, end=2, new_start=1, new_end=3)]
    """
    shorter_length = min(len(old), len(new))
    prefix_length = next((n for n in range(shorter_length) if old[n] != new[n]), shorter_length)
    shorter_length -= prefix_length
    suffix_length = next((n for n in range(shorter_length) if old[-1 - n] != new[-1 - n]), shorter_length)
    old_middle, new_middle = (
        old[prefix_length : len(old) - suffix_length],
        new[prefix_length : len(new) - suffix_length],
    )
    if not old_middle and not new_middle:
        return
    if len(old_middle) * len(new_middle) > MAX_LINE_PAIRS:
        yield LineChange(
            prefix_length, prefix_length + len(old_middle), prefix_length, prefix_length + len(new_middle)
        )
        return
    for tag, i, j, k, m in SequenceMatcher(None, old_middle, new_middle, autojunk=False).get_opcodes():
        if tag != "equal":
            yield LineChange(prefix_length + i, prefix_length + j, prefix_length + k, prefix_length + m)


# Normalises text sent by forms, and compares values regardless of how they are written.


def normalise_line_ends(text: str) -> str:
    r"""Replace CR LF and CR by LF; browsers send CR LF.

    >>> normalise_line_ends("one\r\ntwo\r")
    'one\ntwo\n'
    """
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_same_value(old: Any, new: Any) -> bool:
    r"""Whether two values mean the same, so that the text already written can be kept.

    Texts are equal regardless of line ends and surrounding space, which forms lose. Numbers are equal however
    they are written, but never equal to ``true``. A missing key equals an empty one.

    >>> is_same_value("one\ntwo", "one\r\ntwo  \r\n")
    True
    >>> is_same_value(1, True)
    False
    """
    if isinstance(old, str) and isinstance(new, str):
        return normalise_line_ends(old).strip() == normalise_line_ends(new).strip()
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(is_same_value, old, new))
    if isinstance(old, dict) and isinstance(new, dict):
        return all(is_same_value(old.get(key), new.get(key)) for key in old | new)
    if is_empty_value(old) and is_empty_value(new):
        return True
    return isinstance(old, bool) is isinstance(new, bool) and bool(old == new)


def is_empty_value(value: Any) -> bool:
    """Whether a value is equivalent to a missing key: None, False, an empty text or an empty list."""
    return value is None or value is False or value in ("", [])


def rewrite_toml(text: str, new: dict[str, Any]) -> str:
    """The text where it says the same as ``new`` already, else ``new`` in the one form of the portal.

    Keys without a value, and with an empty text or list, are left out.
    """
    return text if is_same_value(parse_toml(text), new) else format_toml(_without_empty(new))


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_empty(member) for key, member in value.items() if member not in (None, "", [])}
    if isinstance(value, list):
        return [_without_empty(member) for member in value]
    return normalise_line_ends(value) if isinstance(value, str) else value
