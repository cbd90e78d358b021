"""Searches people by typed words, and names people whom a viewer may see."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, and_, column, func, literal_column, select, table, text
from sqlalchemy.dialects.postgresql import ARRAY

from portal.domain.people import units as people_units
from portal.domain.people.models import PersonName
from portal.domain.people.queries import UnitRow
from portal.domain.people.units import read_former_units
from portal.domain.people.visibility import Viewer, is_visible
from portal.platform.db import db
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.spelling import fold_letters, near_words

MOST_CHARACTERS, MOST_WORDS = 200, 10
_PART = 3  # letters of the parts of names in each database's index; it cannot find a shorter word
_AFTER_ALL = "\U0010ffff"  # sorts after every letter


def name_conditions(text: str) -> list[ColumnElement[bool]]:
    """WHERE clauses: every word of ``text`` is in the person's names or staff number, or begins their email.

    Letter case, accents and apostrophes do not matter. A word of three letters or more is looked up in an
    index of each database's own; a shorter one alone is looked for in every name.
    """
    typed = typed_words(text)
    conditions = [_email_begins_with(word.lower()) for word in typed if "@" in word]
    words = fold_letters(" ".join(word for word in typed if "@" not in word)).split()
    parts = [word for word in words if len(word) >= _PART]
    if parts:
        is_sqlite = db.engine.dialect.name == "sqlite"
        conditions += [_is_in_parts(parts)] if is_sqlite else map(_has_parts_of, parts)
    shorter = [word for word in words if len(word) < _PART]
    return [*conditions, *(PersonName.folded.contains(word, autoescape=True) for word in shorter)]


def typed_words(text: str) -> list[str]:
    """The words of a search for people: what lies between spaces and commas, as many as are looked for."""
    return text[:MOST_CHARACTERS].replace(",", " ").replace("\0", " ").split()[:MOST_WORDS]


def _email_begins_with(word: str) -> ColumnElement[bool]:
    return and_(PersonName.email >= word, PersonName.email < word + _AFTER_ALL)


def _is_in_parts(words: Sequence[str]) -> ColumnElement[bool]:
    """WHERE clause for SQLite; a word has no space in it, so it never matches across two names."""
    index: ColumnElement[str] = literal_column("person_search")
    found: Select[Any] = select(column("rowid")).select_from(table("person_search"))
    phrases = " AND ".join('"{}"'.format(word.replace('"', '""')) for word in words)
    is_found: ColumnElement[bool] = PersonName.person_id.in_(found.where(index.op("MATCH")(phrases)))
    return is_found


def _has_parts_of(word: str) -> ColumnElement[bool]:
    """WHERE clause for PostgreSQL: all parts of the word are there, and the word itself."""
    parts = sorted({word[start : start + _PART] for start in range(len(word) - _PART + 1)})
    has_parts = func.parts_of_name(PersonName.folded, type_=ARRAY(Text)).contains(parts)
    return and_(has_parts, PersonName.folded.contains(word, autoescape=True))


class VisibleName(NamedTuple):
    """The current name of a person whom the viewer may see."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str


def list_visible_names(viewer: Viewer, person_ids: Collection[int]) -> list[VisibleName]:
    """The current names of those of these people whom the viewer may see, by surname. One statement."""
    rows = db.session.execute(
        select(PersonName.person_id, PersonName.staff_number, PersonName.surname, PersonName.forenames)
        .where(
            PersonName.person_id.in_(person_ids), is_visible(PersonName.person_id, viewer, among=person_ids)
        )
        .order_by(PersonName.surname, PersonName.forenames, PersonName.staff_number)
    )
    return [VisibleName(*row) for row in rows]


# SQLite's index of the parts of names, kept by triggers, while many names are written at once.

FEWEST = 1_000  # names that are written; fewer are indexed one by one within some 40 ms
SHARE = 8  # to index a name anew takes an eighth of what it takes as it is written

_TRIGGERS = text(
    "SELECT name, sql FROM sqlite_master"
    " WHERE type = 'trigger' AND tbl_name = 'person_name' AND name LIKE 'person_search%'"
)
_INDEX_ALL = text("INSERT INTO person_search (person_search) VALUES ('rebuild')")


@contextmanager
def index_names_afterwards(written: int) -> Iterator[None]:
    """Index all names once the block has written so many, where that is faster than one by one.

    Inside a transaction, which is to be rolled back if the block fails: until its end no name is indexed as
    it is written. Only SQLite has this index; PostgreSQL's keeps itself.
    """
    if db.engine.dialect.name != "sqlite" or written < FEWEST or SHARE * written < _count_names():
        yield
        return
    connection = db.session.connection()
    triggers = connection.execute(_TRIGGERS).all()
    for name, _sql in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _name, sql in triggers:
        connection.exec_driver_sql(sql)
    connection.execute(_INDEX_ALL)


def _count_names() -> int:
    return db.session.scalar(select(func.count()).select_from(PersonName)) or 0


# What somebody meant who searched for people and found nobody: a surname with a letter or two wrong.

_MOST_TRIED = 8  # searches with another surname, of which the first that finds somebody is suggested


def suggest_search(viewer: Viewer, text: str) -> str:
    """The search with one word replaced by a surname near it; it finds somebody whom the viewer may see.

    Empty if there is none. Two statements; they read each surname once, however many people have it.
    """
    words = typed_words(text)
    surnames = _surnames_by_word(db.session.scalars(_each_surname()))
    alternatives = sorted(
        {
            (faults, differs, surname, " ".join([*words[:at], surname, *words[at + 1 :]]))
            for at, word in enumerate(words)
            for faults, differs, near in near_words(_join_parts(word), surnames)
            for surname in surnames[near]
        }
    )[:_MOST_TRIED]
    if not alternatives:
        return ""
    searches = [search for *_, search in alternatives]
    finds_somebody = db.session.execute(select(*(_find_visible(viewer, search) for search in searches))).one()
    return next((search for search, finds in zip(searches, finds_somebody, strict=True) if finds), "")


def _each_surname() -> Select[Any]:
    """A statement of all surnames, which goes from each to the next in their index."""
    surnames = select(func.min(PersonName.surname).label("surname")).cte("surnames", recursive=True)
    following = (
        select(func.min(PersonName.surname)).where(PersonName.surname > surnames.c.surname).scalar_subquery()
    )
    surnames = surnames.union_all(select(following).where(surnames.c.surname.is_not(None)))
    return select(surnames.c.surname).where(surnames.c.surname.is_not(None))


def _surnames_by_word(surnames: Iterable[str]) -> dict[str, set[str]]:
    """Surnames by their folded letters, and those of several parts by each of them too."""
    by_word = defaultdict(set)
    for surname in surnames:
        parts = fold_letters(surname).replace("-", " ").split()
        for word in {"".join(parts), *parts}:
            by_word[word].add(surname)
    return by_word


def _join_parts(word: str) -> str:
    return fold_letters(word).replace("-", "")


def _find_visible(viewer: Viewer, search: str) -> ColumnElement[bool]:
    conditions = name_conditions(search)
    return select(PersonName.person_id).where(is_visible(PersonName.person_id, viewer), *conditions).exists()


# Finds a unit by typed text: its path, current or former, its label, or a name that no other unit has.


def find_current_or_former_unit(text: str, units: Mapping[int, UnitRow]) -> int:
    """Find a unit as ``find_current_unit`` does, or else by a path that it had before.

    Raises:
        RuleError: Several units have this name.
    """
    try:
        return find_current_unit(text, units)
    except NotFoundError:
        try:
            names = people_units.split(text.strip())
        except RuleError:
            names = ()
        former = read_former_units().find_unit(names, units) if names else None
        if former is None:
            raise
        return former


def find_current_unit(text: str, units: Mapping[int, UnitRow]) -> int:
    """Find the unit with this path or, if only one has it, this name; letter case does not matter."""
    name_or_path = text.strip().casefold()
    matching = [unit_id for unit_id, unit in units.items() if unit.path.casefold() == name_or_path]
    if not matching:
        matching = [
            unit_id
            for unit_id, unit in units.items()
            if name_or_path in (unit.name.casefold(), unit.label.casefold())
        ]
    if not matching:
        raise NotFoundError(f"No unit has the path or name “{text.strip()}” today.")
    if len(matching) > 1:
        raise RuleError(
            f"{len(matching)} units have the name “{text.strip()}”. Enter the whole path, such as "
            f"“{min(units[unit_id].path for unit_id in matching)}”."
        )
    return matching[0]
