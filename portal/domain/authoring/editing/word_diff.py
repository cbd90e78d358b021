"""Two texts word by word. Pure: what stands on the left joins to the old text, on the right to the new."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_TOKEN = re.compile(r"\s+|\w+(?:[’'\-]\w+)*%?|[^\w\s]")
_CONTAINER = re.compile(r":::[ \t]*[A-Za-z]")
_CLOSE = re.compile(r":::[ \t]*$")
_END = re.compile(r"[.!?]\s*$")
_END_FIRST = re.compile(r"[.!?]")
MAX_TOKEN_PAIRS = 1_000_000  # of tokens compared; beyond it a text counts as replaced, so that no page waits
MAX_WORD_PAIRS = 40_000  # pairs of words; beyond it two paragraphs are weighed without their order
MAX_BLOCK_PAIRS = 400  # pairs of blocks weighed against each other
MIN_SIMILARITY = 0.5  # from this share of common words on, two paragraphs are one that was changed


@dataclass(frozen=True, slots=True)
class WordRun:
    """Some words of a text, and whether the other text lacks them."""

    text: str
    changed: bool

    @property
    def spaced_parts(self) -> tuple[str, str, str]:
        """The space before the words, the words, and the space after them, for a mark on the words alone."""
        words = self.text.strip()
        if not words:
            return self.text, "", ""
        before, _, after = self.text.partition(words)
        return before, words, after


WordRuns = tuple[WordRun, ...]


@dataclass(frozen=True, slots=True)
class ParagraphPair:
    """A paragraph of the old text beside that of the new; None where one of them has none."""

    old: str | None
    new: str | None

    @property
    def is_unchanged(self) -> bool:
        """Whether a reader sees no difference."""
        return _strip_space(self.old) == _strip_space(self.new)


def diff_words(old: str, new: str) -> tuple[WordRuns, WordRuns]:
    """Both texts as runs of words; joined they give the texts, and equal texts have no changed run."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    if len(before) * len(after) > MAX_TOKEN_PAIRS and old != new:
        return _build_runs([(old, new, False)])
    found = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    parts = [("".join(before[a:b]), "".join(after[c:d]), tag == "equal") for tag, a, b, c, d in found]
    return _build_runs(_join_close_changes(_align_to_sentences(parts)))


DiffPart = tuple[str, str, bool]  # old words, new words, whether they are the same


def _align_to_sentences(parts: list[DiffPart]) -> list[DiffPart]:
    """What was added or taken out as whole sentences, where it can be read so.

    Between “One. Two.” and “One. And. Two.” either “. And” or “And.” was added; a reader means the latter.
    """
    done = list(parts)
    for place in range(1, len(done) - 1):
        (before, after), (old, new, same), following = done[place - 1][:2], done[place], done[place + 1]
        alone = new if not old else old if not new else ""
        if same or not alone or not (done[place - 1][2] and following[2]) or _END.search(alone):
            continue
        head = _END_FIRST.match(following[0])
        if head and alone.startswith(head[0]):
            moved, size = alone[len(head[0]) :] + head[0], len(head[0])
            done[place - 1] = (before + head[0], after + head[0], True)
            done[place] = ("", moved, False) if not old else (moved, "", False)
            done[place + 1] = (following[0][size:], following[1][size:], True)
    return [part for part in done if part[0] or part[1]]


def _join_close_changes(parts: list[DiffPart]) -> list[DiffPart]:
    """Changes with hardly anything between them as one, since a reader takes them in as one."""
    done: list[DiffPart] = []
    for place, part in enumerate(parts):
        old, new, same = part
        between = same and 0 < place < len(parts) - 1 and done and not done[-1][2]
        if between and _is_slight(old, done[-1], parts[place + 1]):
            same = False
        if done and not same and not done[-1][2]:
            done[-1] = (done[-1][0] + old, done[-1][1] + new, False)
        else:
            done.append((old, new, same))
    return done


def _is_slight(text: str, before: DiffPart, after: DiffPart) -> bool:
    size = len(text.strip())
    return size <= min(max(len(before[0]), len(before[1])), max(len(after[0]), len(after[1]))) // 2


def _build_runs(parts: Sequence[DiffPart]) -> tuple[WordRuns, WordRuns]:
    left = tuple(WordRun(old, not same) for old, _, same in parts if old)
    right = tuple(WordRun(new, not same) for _, new, same in parts if new)
    return left, right


def split_blocks(text: str) -> list[str]:
    """The text in paragraphs and whole containers, each with the blank lines after it; joined, the text."""
    found: list[str] = []
    depth, open_block = 0, False
    for row in text.splitlines(keepends=True):
        bare = row.strip()
        if depth == 0 and _CONTAINER.match(bare):
            found.append(row)
            depth, open_block = 1, True
            continue
        if depth:
            depth += 1 if _CONTAINER.match(bare) else -1 if _CLOSE.match(bare) else 0
            found[-1] += row
            open_block = depth > 0
            continue
        if bare and not open_block:
            found.append(row)
        elif found:
            found[-1] += row
        else:
            found.append(row)
        open_block = bool(bare)
    return found


def pair_paragraphs(old: str, new: str) -> list[ParagraphPair]:
    """Every paragraph of both texts, in order, the same ones beside each other."""
    before, after = split_blocks(old), split_blocks(new)
    left, right = [_strip_space(block) for block in before], [_strip_space(block) for block in after]
    pairs: list[ParagraphPair] = []
    many = len(left) * len(right) > MAX_TOKEN_PAIRS
    for tag, a, b, c, d in SequenceMatcher(None, left, right, autojunk=many).get_opcodes():
        if tag == "equal":
            pairs += [ParagraphPair(x, y) for x, y in zip(before[a:b], after[c:d], strict=True)]
        else:
            pairs += _pair_blocks(before[a:b], after[c:d])
    return pairs


def _pair_blocks(old: list[str], new: list[str]) -> list[ParagraphPair]:
    """The most alike beside each other, and what lies before and after them in the same way.

    One that stands where one stood is that one, changed, however little they have in common.
    """
    if len(old) == len(new) == 1 and old[0].startswith(":::") is new[0].startswith(":::"):
        return [ParagraphPair(old[0], new[0])]
    best, place = 0.0, (0, 0)
    if len(old) * len(new) <= MAX_BLOCK_PAIRS:
        for at, block in enumerate(old):
            for other, text in enumerate(new):
                if (share := word_similarity(block, text)) > best:
                    best, place = share, (at, other)
    if best < MIN_SIMILARITY:
        return [ParagraphPair(block, None) for block in old] + [ParagraphPair(None, block) for block in new]
    at, other = place
    middle = ParagraphPair(old[at], new[other])
    return [*_pair_blocks(old[:at], new[:other]), middle, *_pair_blocks(old[at + 1 :], new[other + 1 :])]


def word_similarity(old: str, new: str) -> float:
    """The share of words that two texts have in common, in order, from 0 to 1."""
    before, after = old.split(), new.split()
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    rough = matcher.quick_ratio()
    return rough if rough < MIN_SIMILARITY or len(before) * len(after) > MAX_WORD_PAIRS else matcher.ratio()


def _strip_space(text: str | None) -> str | None:
    """A paragraph as a reader takes it in, the space around it aside."""
    return None if text is None else text.strip()
