"""The search of modules, lessons, job aids, guides and the glossary, which forgives misspelt words."""

import html as entities
import math
import re
from array import array
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from itertools import accumulate, pairwise
from sys import intern
from typing import NamedTuple

import snowballstemmer
from sqlalchemy import bindparam, select

from portal.domain.catalogue.lesson_html import fill_placeholders, number_parts
from portal.domain.catalogue.models import GuideVersion, Lesson, ModuleVersion
from portal.domain.catalogue.publishing import newest_guide_keys
from portal.domain.catalogue.version_cache import (
    MIB,
    SharedKey,
    VersionCache,
    VersionKey,
    published_version,
    shared_content,
)
from portal.platform.db import read
from portal.platform.spelling import fold_letters, near_words

# Splits the HTML of a page into passages, and marks the one at which a search result opens. Pure.

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


# Words of a text as the search compares them: folded letters, stems, and sections of acts. Pure.

# Too frequent to tell one text from another; searched for only where nothing else was typed.
COMMON_WORDS = frozenset(
    "a about am an and any are as at be been but by can could did do does for from get had has have he her"
    " him his how i if im in into is it its may me must my need of on or our out she should so some than"
    " that the their them then there they this to too us was we were what when where which who whom whose"
    " why will with would you your".split()
)
_TOKEN = re.compile(
    r"(?:\b(?:s|ss|sec|sect|sections?)\.?|§)\s?(?P<number>\d+[a-z]{0,2})\b" r"|\w+(?:['’]\w+)*",
    re.IGNORECASE,
)
_STEMMER = snowballstemmer.stemmer("english")


class Token(NamedTuple):
    """A word in a text, as it is compared, with its place there."""

    word: str
    start: int
    end: int


def read_tokens(text: str) -> Iterator[Token]:
    """The words of a text in order; a section of an act is one word more than it seems.

    >>> [token.word for token in read_tokens("O’Neill’s café, s. 25A or S45")]
    ['oneill', 'cafe', 'section25a', 'section', '25a', 'or', 'section45', 'section', '45']
    """
    for match in _TOKEN.finditer(text):
        start, end = match.span()
        number = match["number"]
        words = (f"section{number}", "section", number) if number else (match[0],)
        for word in words:
            if folded := _fold_word(word):
                yield Token(folded, start, end)


@lru_cache(maxsize=32_768)
def _fold_word(word: str) -> str:
    """The word without its possessive."""
    return fold_letters(re.sub(r"['’]s$", "", word))


def read_query(text: str) -> list[str]:
    """The different words that were typed, without common ones if there are others.

    >>> read_query("How do I refer the victims, the victims under s.2?")
    ['refer', 'victims', 'under', 'section2']
    """
    words: dict[str, None] = {}
    last_start = -1
    for token in read_tokens(text):
        if token.start != last_start:  # of the words of a section the first alone
            words[token.word] = None
        last_start = token.start
    return [word for word in words if word not in COMMON_WORDS] or list(words)


@lru_cache(maxsize=32_768)
def stem_of(word: str) -> str:
    """The stem of a folded English word.

    >>> {stem_of(word) for word in ("refer", "refers", "refering", "referring")}
    {'refer'}
    """
    return str(_STEMMER.stemWord(word))


# A compact index of the words of some pages, and the vocabulary of several indexes. Pure.

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


# Finds the words of the texts that typed words mean, misspelt ones too. Pure.

EXACT, SAME_STEM, BEGINNING = 1.0, 0.8, 0.4  # how much a word counts for a typed one
_MOST_BEGINNINGS = 60


@dataclass(frozen=True, slots=True)
class Meaning:
    """The words of the texts that one typed word stands for, with how much each counts."""

    typed: str
    word: str  # the typed word, or what it was corrected to
    weights: Mapping[str, float]  # empty: no text has a word like it

    @property
    def is_corrected(self) -> bool:
        """Whether another word is searched for."""
        return self.word != self.typed


def find_meaning(typed: str, vocabulary: Vocabulary, *, corrects: bool = True) -> Meaning:
    """The words with the typed word's stem, or beginning with it; if there are none, those of the nearest.

    Args:
        typed: A folded word.
        vocabulary: The words of the texts.
        corrects: Whether a misspelt word is corrected.
    """
    weights = _weights_of(typed, vocabulary)
    if weights or not corrects:
        return Meaning(typed, typed, weights)
    nearest = correct_word(typed, vocabulary)
    return Meaning(typed, nearest or typed, _weights_of(nearest, vocabulary) if nearest else {})


def _weights_of(word: str, vocabulary: Vocabulary) -> dict[str, float]:
    weights: dict[str, float] = {}
    if len(word) > 1 and not word[-1].isdigit():  # section 2 is no beginning of section 24
        beginnings = vocabulary.words_beginning_with(word)[:_MOST_BEGINNINGS]
        weights.update(dict.fromkeys(beginnings, BEGINNING))
    weights.update(dict.fromkeys(vocabulary.by_stem.get(stem_of(word), ()), SAME_STEM))
    if word in vocabulary.counts:
        weights[word] = EXACT
    return weights


def correct_word(typed: str, vocabulary: Vocabulary) -> str:
    """The word with the fewest faults between it and the typed one; empty if there is none near it.

    Of equally near words the one with the same first letter comes first, then the most frequent.
    """
    near = near_words(typed, (word for word in vocabulary.words if word not in COMMON_WORDS))
    ranked = [(faults, differs, -vocabulary.counts[word], word) for faults, differs, word in near]
    return min(ranked)[-1] if ranked else ""


# Cuts the sentence that a search result shows, and marks the words in it. Pure.

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


# The published pages that a reader may find, each version indexed once for the shared files that fill it.

MOST_INDEXES = 24 * MIB  # about 250 versions
_VOCABULARIES = 4  # those who read an older version of a module have a vocabulary of their own

_LESSONS = select(Lesson.id, Lesson.html).where(Lesson.module_version_id == bindparam("id"))
_JOB_AID = select(ModuleVersion.job_aid_html).where(ModuleVersion.id == bindparam("id"))
_GUIDE = select(GuideVersion.title, GuideVersion.html).where(GuideVersion.id == bindparam("id"))


class ReadableVersions(NamedTuple):
    """What a person reads now: a version of each module, and the shared files that fill every page."""

    modules: tuple[VersionKey, ...]  # under way, else the newest
    newest_modules: tuple[VersionKey, ...]  # whose job aids everybody reads
    shared: SharedKey


class IndexKey(NamedTuple):
    """Cache key of an index: what is indexed, of which version, filled from which shared files."""

    kind: str  # "module", "job aid", "guide", or "glossary", which has no version
    key: str  # of a guide
    version: VersionKey | None
    shared: SharedKey


def readable_indexes(versions: ReadableVersions) -> tuple[list[TextIndex], Vocabulary]:
    """The indexes of everything that these readers may find, and their vocabulary. One statement.

    A version that no one has searched since the process started takes two statements more.
    """
    keys = [
        *(IndexKey("module", "", version, versions.shared) for version in versions.modules),
        *(IndexKey("job aid", "", version, versions.shared) for version in versions.newest_modules),
        *(IndexKey("guide", key, version, versions.shared) for key, version in newest_guide_keys()),
        IndexKey("glossary", "", None, versions.shared),
    ]
    return [_index_of(key) for key in keys], _vocabulary_of(tuple(keys))


@lru_cache(maxsize=_VOCABULARIES)
def _vocabulary_of(keys: tuple[IndexKey, ...]) -> Vocabulary:
    return Vocabulary.of([_index_of(key) for key in keys])


def _load_index(key: IndexKey) -> TextIndex:
    return build_index(_PAGES[key.kind](key))


_index_of = VersionCache(_load_index, MOST_INDEXES)


def _module_pages(key: IndexKey) -> Iterator[IndexedPage]:
    """The module itself, with its aim and outcomes, and its lessons as this reader sees them."""
    version_key = _version_of(key)
    version = published_version(version_key)
    address = f"/learning/modules/{version.activity.key}"
    summary = (version.aim, *(outcome["text"] for outcome in version.outcomes))
    yield IndexedPage(address, version.title, "", summary, opens_at_passages=False)
    texts = {lesson_id: html for lesson_id, html in read(_LESSONS, {"id": version.id})}
    for lesson in version.lessons:
        html = str(fill_placeholders(number_parts(texts[lesson.id]), key.shared))
        lesson_address = f"{address}/lessons/{lesson.key}"
        yield _page_of(lesson_address, lesson.title, version.title, split_passages(html))


def _job_aid_pages(key: IndexKey) -> Iterator[IndexedPage]:
    version = published_version(_version_of(key))
    html = read(_JOB_AID, {"id": version.id})[0][0]
    if html and version.job_aid_title:
        address = f"/learning/modules/{version.activity.key}/job-aid"
        passages = split_passages(str(fill_placeholders(html, key.shared)))
        yield _page_of(address, version.job_aid_title, version.title, passages)


def _guide_pages(key: IndexKey) -> Iterator[IndexedPage]:
    """Each section of a guide; what precedes the first heading has the guide's title."""
    title, html = read(_GUIDE, {"id": _version_of(key).id})[0]
    passages = split_passages(str(fill_placeholders(html, key.shared)))
    starts = [number for number, passage in enumerate(passages) if passage.tag == "h2"]
    for start, end in zip([0, *starts], [*starts, len(passages)], strict=True):
        section = passages[start:end]
        if section:
            heading = section[0].text if section[0].tag == "h2" else title
            yield _page_of(f"/guides/{key.key}", heading, title, section, start + 1)


def _glossary_pages(key: IndexKey) -> Iterator[IndexedPage]:
    for term in shared_content(key.shared).terms.values():
        address = f"/glossary#{term.anchor}"
        yield IndexedPage(
            address,
            term.key,
            "Glossary",
            (term.text,),
            opens_at_passages=False,
            aliases=_initials_of(term.key),
        )


def _initials_of(term: str) -> str:
    """What officers say for a term of three words or more.

    >>> _initials_of("covert human intelligence source"), _initials_of("modern slavery")
    ('chis', '')
    """
    words = term.split()
    return "".join(word[0] for word in words).lower() if len(words) > 2 else ""


_PAGES = {
    "module": _module_pages,
    "job aid": _job_aid_pages,
    "guide": _guide_pages,
    "glossary": _glossary_pages,
}


def _version_of(key: IndexKey) -> VersionKey:
    if key.version is None:
        raise ValueError(f"A {key.kind} has no version.")
    return key.version


def _page_of(
    address: str, title: str, parent_title: str, passages: Sequence[PagePassage], first: int = 1
) -> IndexedPage:
    return IndexedPage(
        address,
        title,
        parent_title,
        tuple(passage.text for passage in passages),
        first,
        headings=frozenset(n for n, passage in enumerate(passages) if passage.tag.startswith("h")),
    )


# Ranks pages by the words searched for. Pure.

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
