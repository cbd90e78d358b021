"""Full-text search of lessons and sections of guides, with each database's own index."""

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
MATCH_START, MATCH_END = "\x02", "\x03"  # around matching words in an excerpt

_PLACE = (SearchEntry.address, SearchEntry.title, SearchEntry.above)


@dataclass(frozen=True, slots=True)
class ExcerptPart:
    """Part of an excerpt; ``matches`` says whether it is a word of the search."""

    words: str
    matches: bool


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A lesson or section of a guide that matches a search."""

    address: str
    title: str
    parent_title: str  # of its module or guide
    excerpt: tuple[ExcerptPart, ...]


def search_content(text: str, limit: int = 20) -> list[SearchHit]:
    """Find content with words beginning with each word of ``text``, best matches first. One statement.

    Only letters and digits are searched for, so no text is an error.
    """
    words = re.findall(r"\w+", text.lower())[:MAX_WORDS]
    if not words:
        return []
    build = _sqlite_query if db.engine.dialect.name == "sqlite" else _postgresql_query
    rows = db.session.execute(build(words).limit(limit))
    return [
        SearchHit(address, title, above, _split_excerpt(excerpt)) for address, title, above, excerpt in rows
    ]


def _sqlite_query(words: list[str]) -> Select[Any]:
    index = table("search_words", column("rowid"))
    table_column: ColumnElement[str] = literal_column("search_words")
    expression = " ".join(f'"{word}"*' for word in words)
    return (
        select(*_PLACE, func.snippet(table_column, 1, MATCH_START, MATCH_END, " … ", 28))
        .select_from(index)
        .join(SearchEntry, SearchEntry.id == index.c.rowid)
        .where(table_column.op("MATCH")(expression))
        .order_by(func.bm25(table_column, 4.0, 1.0), SearchEntry.id)
    )


def _postgresql_query(words: list[str]) -> Select[Any]:
    english: ColumnElement[str] = literal_column("'english'")
    expression = func.to_tsquery(english, " & ".join(f"{word}:*" for word in words))
    title, body = (func.to_tsvector(english, part) for part in (SearchEntry.title, SearchEntry.words))
    # Exactly the expression of the index: otherwise the index is not used.
    indexed = func.setweight(title, literal_column("'A'")).op("||")(
        func.setweight(body, literal_column("'B'"))
    )
    marks = f"StartSel={MATCH_START}, StopSel={MATCH_END}, MaxWords=28, MinWords=14, MaxFragments=1"
    return (
        select(*_PLACE, func.ts_headline(english, SearchEntry.words, expression, marks))
        .where(indexed.op("@@")(expression))
        .order_by(func.ts_rank(indexed, expression).desc(), SearchEntry.id)
    )


def _split_excerpt(excerpt: str) -> tuple[ExcerptPart, ...]:
    parts = re.split(f"{MATCH_START}(.*?){MATCH_END}", excerpt, flags=re.S)
    return tuple(ExcerptPart(part, bool(number % 2)) for number, part in enumerate(parts) if part)


_INLINE = frozenset({"a", "abbr", "b", "code", "em", "i", "span", "strong", "sub", "sup"})
_VOID = frozenset({"br", "hr", "img", "input", "source"})
_SLOT = re.compile(r"\{\{(?:force|term):[^{}]*\}\}")


class _WordCollector(HTMLParser):
    """Collects the words of safe HTML, except those of checks and of summaries that unfold a text."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._skipped_depth = 0  # open elements within a skipped one, itself included

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        is_skipped = (
            self._skipped_depth
            or tag == "summary"
            or "portal-check" in attributes.get("class", "").split()
            or attributes.get("href", "").startswith("/media/")  # link to a figure; its name precedes it
        )
        if is_skipped and tag not in _VOID:
            self._skipped_depth += 1
        self._add_break(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._skipped_depth and tag not in _VOID:
            self._skipped_depth -= 1
        self._add_break(tag)

    def handle_data(self, data: str) -> None:
        if not self._skipped_depth:
            self.words.append(_SLOT.sub(" … ", data))

    def _add_break(self, tag: str) -> None:
        if tag not in _INLINE:
            self.words.append(" ")


def searchable_words(html: str) -> str:
    """Return the words of safe HTML as an excerpt may show them.

    Checks are left out, since an excerpt would show a wrong choice as if it were taught; so are summaries
    that unfold a text. Slots become an ellipsis.

    >>> searchable_words("<p>Call <strong>NCCU</strong>, <em>now</em>.</p><summary>Read</summary><p>Wait</p>")
    'Call NCCU, now. Wait'
    """
    collector = _WordCollector()
    collector.feed(html)
    collector.close()
    return " ".join("".join(collector.words).split())


def rebuild_search_index() -> None:
    """Write all search entries anew from the newest versions; there are few."""
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
        for section in guide_sections(version.title, version.html):
            address = f"/guides/{version.activity.key}"
            yield {
                "activity_id": version.activity_id,
                "address": f"{address}#{section.anchor}" if section.anchor else address,
                "title": section.title,
                "above": version.title,
                "words": searchable_words(section.html),
            }
