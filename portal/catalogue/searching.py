"""Finding lessons and parts of guides by their words, with each database's own full-text index."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, column, delete, func, insert, literal_column, select, table

from portal.catalogue import queries
from portal.catalogue.guide_publishing import current_guides
from portal.catalogue.guides import plain, sections
from portal.catalogue.models import SearchEntry
from portal.db import db

MOST_WORDS = 8
OPENS, CLOSES = "\x02", "\x03"  # around the words found, in an excerpt

_PLACE = (SearchEntry.address, SearchEntry.title, SearchEntry.above)


@dataclass(frozen=True, slots=True)
class Piece:
    """Part of an excerpt; ``found`` where it is a word that was looked for."""

    words: str
    found: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """One place that holds the words."""

    address: str
    title: str
    above: str  # the module or guide it stands in
    excerpt: tuple[Piece, ...]


def search(sought: str, most: int = 20) -> list[Hit]:
    """Places that hold words beginning with every word of ``sought``, the best first; one statement.

    Nothing but letters and digits is looked for, so no text is an error.
    """
    words = re.findall(r"\w+", sought.lower())[:MOST_WORDS]
    if not words:
        return []
    build = _on_sqlite if db.engine.dialect.name == "sqlite" else _on_postgresql
    rows = db.session.execute(build(words).limit(most))
    return [Hit(address, title, above, _pieces(excerpt)) for address, title, above, excerpt in rows]


def _on_sqlite(words: list[str]) -> Select[Any]:
    index = table("search_words", column("rowid"))
    whole: ColumnElement[str] = literal_column("search_words")
    sought = " ".join(f'"{word}"*' for word in words)
    return (
        select(*_PLACE, func.snippet(whole, 1, OPENS, CLOSES, " … ", 28))
        .select_from(index)
        .join(SearchEntry, SearchEntry.id == index.c.rowid)
        .where(whole.op("MATCH")(sought))
        .order_by(func.bm25(whole, 4.0, 1.0), SearchEntry.id)
    )


def _on_postgresql(words: list[str]) -> Select[Any]:
    english: ColumnElement[str] = literal_column("'english'")
    sought = func.to_tsquery(english, " & ".join(f"{word}:*" for word in words))
    title, body = (func.to_tsvector(english, part) for part in (SearchEntry.title, SearchEntry.words))
    # As in the index, to the letter: otherwise it is not used.
    indexed = func.setweight(title, literal_column("'A'")).op("||")(
        func.setweight(body, literal_column("'B'"))
    )
    marks = f"StartSel={OPENS}, StopSel={CLOSES}, MaxWords=28, MinWords=14, MaxFragments=1"
    return (
        select(*_PLACE, func.ts_headline(english, SearchEntry.words, sought, marks))
        .where(indexed.op("@@")(sought))
        .order_by(func.ts_rank(indexed, sought).desc(), SearchEntry.id)
    )


def _pieces(excerpt: str) -> tuple[Piece, ...]:
    parts = re.split(f"{OPENS}(.*?){CLOSES}", excerpt, flags=re.S)
    return tuple(Piece(part, bool(number % 2)) for number, part in enumerate(parts) if part)


def reindex() -> None:
    """Make the searchable words those of the newest versions. Small, so that it is written anew each time."""
    db.session.execute(delete(SearchEntry))
    entries = [*_lessons(), *_guides()]
    if entries:
        db.session.execute(insert(SearchEntry), entries)


def _lessons() -> Iterator[dict[str, Any]]:
    for version in queries.published_modules():
        for lesson in version.lessons:
            yield {
                "activity_id": version.activity_id,
                "address": f"/learning/modules/{version.activity.key}/lessons/{lesson.key}",
                "title": lesson.title,
                "above": version.title,
                "words": plain(lesson.html),
            }


def _guides() -> Iterator[dict[str, Any]]:
    for version in current_guides():
        for part in sections(version.title, version.html):
            address = f"/guides/{version.activity.key}"
            yield {
                "activity_id": version.activity_id,
                "address": f"{address}#{part.anchor}" if part.anchor else address,
                "title": part.title,
                "above": version.title,
                "words": plain(part.html),
            }
