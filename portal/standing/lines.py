"""Keeps the derived spans true: in the transaction that records a fact, and again from all stamps."""

from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import delete, insert, select, update

from portal.db import Touched, db, stamp
from portal.directives.derived import derived
from portal.directives.rules import Worlds, batches
from portal.people.models import Person
from portal.standing.loading import facts_of
from portal.standing.models import OPEN_KNOWN, StandingSpan, micros
from portal.standing.spans import PersonFacts, Span, Values, spans
from portal.standing.summing import Changes

TABLE: Any = StandingSpan.__table__
COLUMNS = ("person_id", *Span._fields[:4], "known_from", "known_to", *Values._fields)  # as the table has them

Row = tuple[Span, int, int]  # a span with known_from and known_to
Flat = tuple[Any, ...]  # a row in the order of COLUMNS: whole numbers, or nothing
MOST_SENT = 5_000  # rows given to the driver at a time


def lines(touched: Touched) -> None:
    """Bring the spans of the touched people up to date, as known from this transaction's stamp on."""
    if not touched.people:
        return
    at, worlds, changes = stamp(), Worlds(), Changes()
    versions = {version.id: version for version in worlds.versions}
    world = worlds.known(at)
    for ids in batches(sorted(touched.people)):
        facts = facts_of(ids, versions)
        wanted = {person: spans(facts[person], versions, world, at) for person in ids}
        posts = {post.id: post for some in facts.values() for post in some.posts}
        for span, people in _bring(ids, wanted, micros(at)):
            changes.add(span, posts[span.values.post_id], people)
    changes.write()


def _bring(people: Sequence[int], wanted: dict[int, set[Span]], at: int) -> list[tuple[Span, int]]:
    """Close what no longer holds, open what is new: what was opened with 1 is given back, closed with -1.

    What this transaction itself opened and no longer holds never was, and goes; what it closed and
    holds after all is opened again, so that settling twice leaves what settling once would.
    """
    closed: list[int] = []
    gone: list[int] = []
    again: list[int] = []
    done: list[tuple[Span, int]] = []
    for row_id, person_id, span, known_from, known_to in rows_of(people, at):
        if span in wanted[person_id]:
            wanted[person_id].discard(span)
            if known_to == at:
                again.append(row_id)
                done.append((span, 1))
        elif known_to != at:
            (gone if known_from == at else closed).append(row_id)
            done.append((span, -1))
    set_known_to(closed, at)
    set_known_to(again, OPEN_KNOWN)
    for ids in batches(gone):
        db.session.execute(delete(TABLE).where(TABLE.c.id.in_(ids)))
    insert_rows(
        (p, (span, at, OPEN_KNOWN)) for p, found in wanted.items() for span in sorted(found, key=order)
    )
    return done + [(span, 1) for found in wanted.values() for span in found]


def order(span: Span) -> tuple[int, int, int]:
    """By directive, position and first day: how rows are written."""
    return span[0], span[1], span[2]


def rows_of(people: Sequence[int], at: int) -> Iterable[tuple[int, int, Span, int, int]]:
    """The open rows of these people and those closed at ``at``."""
    return _read(TABLE.c.person_id.in_(people), TABLE.c.known_to.in_((OPEN_KNOWN, at)))


def spans_of_rows(row_ids: list[int]) -> Iterable[Span]:
    """The spans of rows, whether they are open or not."""
    for ids in batches(row_ids):
        yield from (span for _, _, span, _, _ in _read(TABLE.c.id.in_(ids)))


def _read(*conditions: Any) -> Iterable[tuple[int, int, Span, int, int]]:
    query = select(TABLE.c.id, *(TABLE.c[name] for name in COLUMNS)).where(*conditions)
    for row_id, person_id, directive_id, position, first, last, *rest in db.session.execute(query):
        span = Span(directive_id, position, first, last, Values(*rest[2:]))
        yield row_id, person_id, span, rest[0], rest[1]


def set_known_to(row_ids: list[int], known_to: int) -> None:
    """Close rows at an instant, or open them again."""
    for ids in batches(row_ids):
        db.session.execute(update(TABLE).where(TABLE.c.id.in_(ids)).values(known_to=known_to))


def insert_rows(rows: Iterable[tuple[int, Row]]) -> None:
    """Write rows of people."""
    insert_flat(flat(person_id, *row) for person_id, row in rows)


def flat(person_id: int, span: Span, known_from: int, known_to: int) -> Flat:
    """A row as the table has it, without its id."""
    return (person_id, *span[:4], known_from, known_to, *span.values)


def span_of(row: Flat) -> Span:
    """The span of such a row."""
    return Span(row[1], row[2], row[3], row[4], Values(*row[7:]))


def insert_flat(rows: Iterable[Flat]) -> None:
    """Write rows, given to the driver as they are: all are whole numbers, and there may be very many.

    They are taken as they are written: of a million rows not two lists need be held.
    """
    connection = db.session.connection()
    statement = insert(TABLE).inline().compile(dialect=connection.dialect, column_keys=list(COLUMNS))
    coming = iter(rows)
    while some := list(islice(coming, MOST_SENT)):
        named: Any = some
        if not statement.positional:
            named = [dict(zip(COLUMNS, row, strict=True)) for row in some]
        connection.exec_driver_sql(str(statement), named)


@derived
def rebuild(write: bool = True) -> list[str]:
    """Replay every stamp and compare with the table; with ``write``, put right what differs.

    Returns:
        A sentence for each person whose spans differed; none is expected.
    """
    worlds = Worlds()
    versions = {version.id: version for version in worlds.versions}
    differing: list[str] = []
    for ids in batches(db.session.scalars(select(Person.id).order_by(Person.id))):
        facts = facts_of(ids, versions)
        held: dict[int, set[Row]] = {person: set() for person in ids}
        for _, person_id, span, *known in _read(TABLE.c.person_id.in_(ids)):
            held[person_id].add((span, known[0], known[1]))
        for person in ids:
            wanted = replay(facts[person], worlds)
            if wanted != held[person]:
                differing.append(f"Person {person}: {_difference(wanted, held[person])}.")
                if write:
                    _replace(person, wanted)
    return differing


def replay(facts: PersonFacts, worlds: Worlds) -> set[Row]:
    """Every row the person's facts make, stamp by stamp."""
    versions = {version.id: version for version in worlds.versions}
    moves = {state.recorded_at for state in worlds.states}
    open_rows: dict[Span, int] = {}
    done: set[Row] = set()
    for t in sorted(facts.stamps() | moves):
        now, at = spans(facts, versions, worlds.known(t), t), micros(t)
        done.update((span, start, at) for span, start in open_rows.items() if span not in now)
        open_rows = {span: open_rows.get(span, at) for span in now}
    return done | {(span, start, OPEN_KNOWN) for span, start in open_rows.items()}


def _difference(wanted: set[Row], held: set[Row]) -> str:
    return f"{len(wanted - held)} spans missing, {len(held - wanted)} too many"


def _replace(person: int, wanted: set[Row]) -> None:
    db.session.execute(delete(TABLE).where(TABLE.c.person_id == person))
    insert_rows((person, row) for row in sorted(wanted, key=lambda row: (row[1], order(row[0]))))
