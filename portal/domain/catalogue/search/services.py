"""The search of modules, lessons, job aids, guides and the glossary, which forgives misspelt words."""

from collections.abc import Sequence
from dataclasses import dataclass

from portal.domain.catalogue.search.excerpts import ExcerptPart, cut_excerpt
from portal.domain.catalogue.search.meanings import Meaning, find_meaning
from portal.domain.catalogue.search.passages import PLACE
from portal.domain.catalogue.search.published_pages import ReadableVersions, readable_indexes
from portal.domain.catalogue.search.ranking import PageMatch, rank_pages
from portal.domain.catalogue.search.words import read_query, read_tokens

MOST_CHARACTERS, MOST_WORDS = 200, 8


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A page that matches a search, with the sentence that does, at which its address opens."""

    address: str
    title: str
    parent_title: str  # of its module or guide; empty for a module
    excerpt: tuple[ExcerptPart, ...]


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was found, and for which words."""

    text: str = ""  # that was searched for: as typed, with misspelt words corrected
    words: Sequence[Meaning] = ()  # in the order in which they were typed
    hits: Sequence[SearchHit] = ()
    total: int = 0  # of hits, shown or not
    has_all: bool = True  # whether each hit has every word that any text has

    @property
    def corrected(self) -> list[str]:
        """The typed words that were corrected."""
        return [word.typed for word in self.words if word.is_corrected]

    @property
    def unknown(self) -> list[str]:
        """The typed words that no text has, nor a word like them."""
        return [word.typed for word in self.words if not word.weights]


def search_content(
    text: str, versions: ReadableVersions, limit: int = 20, *, exact: bool = False
) -> SearchResult:
    """Find the pages with the most of the typed words, best first: the same on every database.

    Words match in every inflection, and where they are the beginning of a word. Only letters and digits
    are searched for, so no text is an error. Half of the words must be known.

    Args:
        text: As it was typed; only its beginning counts.
        versions: What the reader may see.
        limit: The most hits to return.
        exact: Correct no word, and find nothing that lacks one of them.
    """
    text = text[:MOST_CHARACTERS]
    typed = read_query(text)[:MOST_WORDS]
    if not typed:
        return SearchResult(text)
    indexes, vocabulary = readable_indexes(versions)
    words = [find_meaning(word, vocabulary, corrects=not exact) for word in typed]
    text = _correct_text(text, words)
    known = [word for word in words if word.weights]
    if 2 * len(known) < len(words) or (exact and len(known) < len(words)):
        return SearchResult(text, words)
    matches = rank_pages(indexes, known)
    has_all = len(matches[0].counts) == len(known)
    if exact and not has_all:
        return SearchResult(text, words, has_all=False)
    hits = [_hit_of(match, known) for match in matches[:limit]]
    return SearchResult(text, words, hits, len(matches), has_all)


def _correct_text(text: str, words: Sequence[Meaning]) -> str:
    corrections = {word.typed: word.word for word in words if word.is_corrected}
    for token in reversed(list(read_tokens(text))):
        if token.word in corrections:
            text = text[: token.start] + corrections[token.word] + text[token.end :]
    return text


def _hit_of(match: PageMatch, words: Sequence[Meaning]) -> SearchHit:
    page, number = match.page, match.best_passage
    address = page.address
    if page.opens_at_passages and (number or page.first > 1):
        address += f"?{PLACE}={page.first + max(number - 1, 0)}#{PLACE}"
    if not number or page.passages[number - 1] == page.title:  # then it begins with what it is about
        texts = (n for n in range(number + 1, len(page.passages) + 1) if n - 1 not in page.headings)
        number = next(texts, number)
    excerpt = cut_excerpt(page.passages[number - 1], words) if number else ()
    return SearchHit(address, page.title, page.parent_title, excerpt)
