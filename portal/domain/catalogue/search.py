"""Finding lessons and parts of guides by their words, with each database's own full-text index."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any

from sqlalchemy import ColumnElement, Select, column, delete, func, insert, literal_column, select, table

from portal.domain.catalogue import queries
from portal.domain.catalogue.guide_publishing import current_guides
from portal.domain.catalogue.models import SearchEntry
from portal.domain.catalogue.sources.guide_source import guide_sections
from portal.platform.db import db

MAX_WORDS = 8
MATCH_START, MATCH_END = "\x02", "\x03"  # around the words found, in an excerpt

_PLACE = (SearchEntry.address, SearchEntry.title, SearchEntry.above)


@dataclass(frozen=True, slots=True)
class ExcerptPart:
    """Part of an excerpt; ``found`` where it is a word that was looked for."""

    words: str
    matches: bool


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One place that holds the words."""

    address: str
    title: str
    parent_title: str  # the module or guide it stands in
    excerpt: tuple[ExcerptPart, ...]


def search_content(sought: str, most: int = 20) -> list[SearchHit]:
    """Places that hold words beginning with every word of ``sought``, the best first; one statement.

    Nothing but letters and digits is looked for, so no text is an error.
    """
    words = re.findall(r"\w+", sought.lower())[:MAX_WORDS]
    if not words:
        return []
    build = _sqlite_query if db.engine.dialect.name == "sqlite" else _postgresql_query
    rows = db.session.execute(build(words).limit(most))
    return [
        SearchHit(address, title, above, _split_excerpt(excerpt)) for address, title, above, excerpt in rows
    ]


def _sqlite_query(words: list[str]) -> Select[Any]:
    index = table("search_words", column("rowid"))
    whole: ColumnElement[str] = literal_column("search_words")
    sought = " ".join(f'"{word}"*' for word in words)
    return (
        select(*_PLACE, func.snippet(whole, 1, MATCH_START, MATCH_END, " … ", 28))
        .select_from(index)
        .join(SearchEntry, SearchEntry.id == index.c.rowid)
        .where(whole.op("MATCH")(sought))
        .order_by(func.bm25(whole, 4.0, 1.0), SearchEntry.id)
    )


def _postgresql_query(words: list[str]) -> Select[Any]:
    english: ColumnElement[str] = literal_column("'english'")
    sought = func.to_tsquery(english, " & ".join(f"{word}:*" for word in words))
    title, body = (func.to_tsvector(english, part) for part in (SearchEntry.title, SearchEntry.words))
    # As in the index, to the letter: otherwise it is not used.
    indexed = func.setweight(title, literal_column("'A'")).op("||")(
        func.setweight(body, literal_column("'B'"))
    )
    marks = f"StartSel={MATCH_START}, StopSel={MATCH_END}, MaxWords=28, MinWords=14, MaxFragments=1"
    return (
        select(*_PLACE, func.ts_headline(english, SearchEntry.words, sought, marks))
        .where(indexed.op("@@")(sought))
        .order_by(func.ts_rank(indexed, sought).desc(), SearchEntry.id)
    )


def _split_excerpt(excerpt: str) -> tuple[ExcerptPart, ...]:
    parts = re.split(f"{MATCH_START}(.*?){MATCH_END}", excerpt, flags=re.S)
    return tuple(ExcerptPart(part, bool(number % 2)) for number, part in enumerate(parts) if part)


_INLINE = frozenset({"a", "abbr", "b", "code", "em", "i", "span", "strong", "sub", "sup"})
_VOID = frozenset({"br", "hr", "img", "input", "source"})
_SLOT = re.compile(r"\{\{(?:force|term):[^{}]*\}\}")


class _WordCollector(HTMLParser):
    """The words of safe HTML outside checks and what only unfolds something."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._passed = 0  # elements open within one that is passed over, itself counted

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = {name: value or "" for name, value in attrs}
        passed = (
            self._passed
            or tag == "summary"
            or "portal-check" in held.get("class", "").split()
            or held.get("href", "").startswith("/media/")  # opens a figure; its name stands beside it
        )
        if passed and tag not in _VOID:
            self._passed += 1
        self._add_break(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._passed and tag not in _VOID:
            self._passed -= 1
        self._add_break(tag)

    def handle_data(self, data: str) -> None:
        if not self._passed:
            self.words.append(_SLOT.sub(" … ", data))

    def _add_break(self, tag: str) -> None:
        if tag not in _INLINE:
            self.words.append(" ")


def searchable_words(html: str) -> str:
    """The words of safe HTML as an excerpt may show them.

    Checks are left out, since an excerpt would show a wrong choice as if it were taught; so are the words
    that unfold a text. What the force fills in is a gap.

    >>> searchable_words("<p>Call <strong>NCCU</strong>, <em>now</em>.</p><summary>Read</summary><p>Wait</p>")
    'Call NCCU, now. Wait'
    """
    reader = _WordCollector()
    reader.feed(html)
    reader.close()
    return " ".join("".join(reader.words).split())


def rebuild_search_index() -> None:
    """Make the searchable words those of the newest versions. Small, so that it is written anew each time."""
    db.session.execute(delete(SearchEntry))
    entries = [*_lesson_entries(), *_guide_entries()]
    if entries:
        db.session.execute(insert(SearchEntry), entries)


def _lesson_entries() -> Iterator[dict[str, Any]]:
    for version in queries.published_modules():
        for lesson in version.lessons:
            yield {
                "activity_id": version.activity_id,
                "address": f"/learning/modules/{version.activity.key}/lessons/{lesson.key}",
                "title": lesson.title,
                "above": version.title,
                "words": searchable_words(lesson.html),
            }


def _guide_entries() -> Iterator[dict[str, Any]]:
    for version in current_guides():
        for part in guide_sections(version.title, version.html):
            address = f"/guides/{version.activity.key}"
            yield {
                "activity_id": version.activity_id,
                "address": f"{address}#{part.anchor}" if part.anchor else address,
                "title": part.title,
                "above": version.title,
                "words": searchable_words(part.html),
            }
