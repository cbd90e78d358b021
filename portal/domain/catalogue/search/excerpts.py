"""Cuts the sentence that a search result shows, and marks the words in it. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from portal.domain.catalogue.search.meanings import Meaning
from portal.domain.catalogue.search.words import read_tokens

_SENTENCE_END = re.compile(r"(?<=[.?!])[)’”\"]*\s+(?=[\w“‘(\"])")
_LONGEST, _BEFORE = 240, 60  # characters of a sentence, and of it before the first match if it is cut


@dataclass(frozen=True, slots=True)
class ExcerptPart:
    """Part of an excerpt; ``matches`` says whether it is a word of the search."""

    words: str
    matches: bool


def cut_excerpt(text: str, meanings: Iterable[Meaning]) -> tuple[ExcerptPart, ...]:
    """The sentence of a passage with the most of the meanings, the words that match apart."""
    weights: dict[str, float] = {}
    for meaning in meanings:
        weights |= meaning.weights
    cuts = [0, *(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]
    tokens = [token for token in read_tokens(text) if token.word in weights]

    def worth(span: tuple[int, int]) -> tuple[int, float]:
        words = {token.word for token in tokens if span[0] <= token.start < span[1]}
        return len(words), sum(weights[word] for word in words)

    start, end = max(pairwise(cuts), key=worth)
    marks = sorted({(token.start, token.end) for token in tokens if start <= token.start < end})
    return _mark_words(text, _shorten(text, start, end, marks[0][0] if marks else start), marks)


def _shorten(text: str, start: int, end: int, first_mark: int) -> tuple[int, int]:
    """Cut a long sentence, at spaces if it has some, around its first match."""
    if end - start > _LONGEST and first_mark - start > _BEFORE:
        start = text.rfind(" ", start, first_mark - _BEFORE // 2) + 1 or first_mark
    if end - start > _LONGEST:
        space = text.rfind(" ", start + 1, start + _LONGEST)
        end = space if space > first_mark else start + _LONGEST
    return start, end


def _mark_words(
    text: str, span: tuple[int, int], marks: Sequence[tuple[int, int]]
) -> tuple[ExcerptPart, ...]:
    start, end = span
    parts, at = [], start
    for first, last in marks:
        if at <= first and last <= end:
            parts += [ExcerptPart(text[at:first], False), ExcerptPart(text[first:last], True)]
            at = last
    parts.append(ExcerptPart(text[at:end].rstrip(), False))
    return tuple(part for part in parts if part.words)
