"""A compact index of the words of some pages, and the vocabulary of several indexes. Pure."""

from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from sys import intern
from typing import NamedTuple

from portal.domain.catalogue.search.words import read_tokens, stem_of

TITLE, PARENT = 0, 0xFFFF  # numbers of places that are no passages; passages count from 1
_PLACES_A_PAGE = 0x10000


@dataclass(frozen=True, slots=True)
class IndexedPage:
    """A lesson, job aid, section of a guide, module or term, as results name it and lead to it."""

    address: str
    title: str
    parent_title: str  # of its module or guide
    passages: tuple[str, ...]
    first: int = 1  # number of its first passage on the page that the address shows
    opens_at_passages: bool = True  # whether that page can open at one of them
    headings: frozenset[int] = frozenset()  # which of its passages are headings, from 0
    aliases: str = ""  # other words for its title


class WordPlace(NamedTuple):
    """Where a word occurs."""

    page: int  # number of the page in its index, from 0
    passage: int  # number in the page, from 1; TITLE or PARENT for the title of the page or of its module


@dataclass(frozen=True, slots=True)
class TextIndex:
    """Pages with the places of every word; words are sorted, and their places lie one after the other."""

    pages: tuple[IndexedPage, ...]
    words: tuple[str, ...]
    ends: "array[int]"  # where the places of each word end
    places: "array[int]"

    def places_of(self, word: str) -> Iterator[WordPlace]:
        """Each place of this very word, as often as it occurs there."""
        at = bisect_left(self.words, word)
        if at < len(self.words) and self.words[at] == word:
            for place in self.places[self.ends[at - 1] if at else 0 : self.ends[at]]:
                yield WordPlace(*divmod(place, _PLACES_A_PAGE))

    def counts(self) -> Iterator[tuple[str, int]]:
        """How often each word occurs."""
        start = 0
        for word, end in zip(self.words, self.ends, strict=True):
            yield word, end - start
            start = end


def build_index(pages: Iterable[IndexedPage]) -> TextIndex:
    """Index the words of these pages."""
    pages = tuple(pages)
    places: defaultdict[str, array[int]] = defaultdict(lambda: array("I"))
    for number, page in enumerate(pages):
        texts = [
            (TITLE, f"{page.title} {page.aliases}"),
            (PARENT, page.parent_title),
            *enumerate(page.passages, 1),
        ]
        for passage, text in texts:
            for token in read_tokens(text):
                places[intern(token.word)].append(number * _PLACES_A_PAGE + passage)
    words = tuple(sorted(places))
    ends = array("I", accumulate(len(places[word]) for word in words))
    return TextIndex(pages, words, ends, array("I", (place for word in words for place in places[word])))


@dataclass(frozen=True)
class Vocabulary:
    """The words of several indexes, to find those that a typed word means."""

    counts: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, indexes: Sequence[TextIndex]) -> "Vocabulary":
        """The words of these indexes together."""
        counts: Counter[str] = Counter()
        for index in indexes:
            for word, count in index.counts():
                counts[word] += count
        return cls(counts)

    @cached_property
    def words(self) -> list[str]:
        """All words, sorted."""
        return sorted(self.counts)

    @cached_property
    def by_stem(self) -> dict[str, list[str]]:
        """The words of each stem, sorted."""
        words: dict[str, list[str]] = {}
        for word in self.words:
            words.setdefault(stem_of(word), []).append(word)
        return words

    def words_beginning_with(self, start: str) -> list[str]:
        """The words that begin with these letters, sorted."""
        words = self.words
        return words[bisect_left(words, start) : bisect_left(words, start + "\U0010ffff")]
