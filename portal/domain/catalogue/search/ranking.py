"""Ranks pages by the words searched for. Pure."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from portal.domain.catalogue.search.meanings import Meaning
from portal.domain.catalogue.search.text_index import PARENT, TITLE, IndexedPage, TextIndex

_WORTH = {TITLE: 5.0, PARENT: 1.0}  # how many occurrences in a text one in a title is worth
_IN_HEADING = 2.0
_ENOUGH = 2.0  # occurrences after which more add little
_TOGETHER = 0.5  # worth of words in one passage or in the title, against words of the page
_HEADING_SAYS = 0.5  # how well a heading answers, against a sentence


@dataclass(slots=True)
class PageMatch:
    """A page with what matches in it: for each meaning its worth, and for each passage its meanings."""

    page: IndexedPage
    counts: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    passages: defaultdict[int, dict[int, float]] = field(default_factory=lambda: defaultdict(dict))
    score: float = 0.0
    best_passage: int = 0  # 0: the words are in titles alone

    def add(self, meaning: int, passage: int, weight: float) -> None:
        """Count one occurrence of a word of the meaning."""
        self.counts[meaning] += weight * self._worth_at(passage)
        if passage != PARENT:
            meanings = self.passages[passage]
            meanings[meaning] = max(weight, meanings.get(meaning, 0.0))

    def _worth_at(self, passage: int) -> float:
        if passage in _WORTH:
            return _WORTH[passage]
        return _IN_HEADING if passage - 1 in self.page.headings else 1.0


def rank_pages(indexes: Iterable[TextIndex], meanings: Sequence[Meaning]) -> list[PageMatch]:
    """The pages with the most of the meanings, best first, of a guide its best section alone."""
    total = 0
    matches: list[PageMatch] = []
    for index in indexes:
        total += len(index.pages)
        matches += _match_pages(index, meanings)
    most = max((len(match.counts) for match in matches), default=0)
    values = _values_of(matches, len(meanings), total)
    best = [match for match in matches if len(match.counts) == most]
    for match in best:
        _score(match, values)
    best.sort(key=lambda match: (-match.score, match.page.address, match.page.first))
    firsts: dict[str, PageMatch] = {}
    for match in best:
        firsts.setdefault(match.page.address, match)
    return list(firsts.values())


def _match_pages(index: TextIndex, meanings: Sequence[Meaning]) -> Iterable[PageMatch]:
    matches: dict[int, PageMatch] = {}
    for number, meaning in enumerate(meanings):
        for word, weight in meaning.weights.items():
            for page, passage in index.places_of(word):
                if page not in matches:
                    matches[page] = PageMatch(index.pages[page])
                matches[page].add(number, passage, weight)
    return matches.values()


def _values_of(matches: Iterable[PageMatch], meanings: int, total: int) -> list[float]:
    """How much each meaning tells pages apart: the rarer, the more."""
    pages = [0] * meanings
    for match in matches:
        for meaning in match.counts:
            pages[meaning] += 1
    return [math.log(1 + total / (count + 0.5)) for count in pages]


def _score(match: PageMatch, values: Sequence[float]) -> None:
    """Value how often each meaning occurs, ever less for more, and the one place with the most of them."""
    apart = sum(
        values[meaning] * count / (count + _ENOUGH) for meaning, count in sorted(match.counts.items())
    )
    worths = {number: _worth(meanings, values) for number, meanings in match.passages.items()}
    match.score = apart + _TOGETHER * max(worths.values(), default=0.0)
    worths.pop(TITLE, None)
    for number in match.page.headings & {number - 1 for number in worths}:
        worths[number + 1] *= _HEADING_SAYS
    match.best_passage = min(worths, key=lambda number: (-worths[number], number), default=0)


def _worth(meanings: Mapping[int, float], values: Sequence[float]) -> float:
    return sum(values[meaning] * weight for meaning, weight in sorted(meanings.items()))
