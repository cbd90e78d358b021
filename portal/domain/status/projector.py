"""Keeps the derived spans true: in the transaction that records a fact, and again from all stamps."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from portal.domain.directives.derived import derived
from portal.domain.directives.fact_loader import Worlds, batches
from portal.domain.people.models import Person
from portal.domain.status.count_writer import Changes, arrays, columns
from portal.domain.status.diff import Change, Edits, Row, edits, follow, known_before
from portal.domain.status.facts import facts_of
from portal.domain.status.models import OPEN_KNOWN, StatusPeriod, micros
from portal.domain.status.periods import PersonFacts, Span, Values, spans
from portal.platform.db import Touched, db, stamp

TABLE: Any = StatusPeriod.__table__
COLUMNS = ("person_id", *Span._fields[:4], "known_from", "known_to", *Values._fields)  # as the table has them

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


def _bring(people: Sequence[int], wanted: Mapping[int, set[Span]], at: int) -> list[tuple[Span, int]]:
    """Make the rows what is known from now on: what is open more is given back with 1, what is less with -1.

    What this transaction itself opened and no longer holds never was, and goes; what it cut and holds after
    all is whole again, so that settling twice leaves what settling once would.
    """
    held: dict[int, dict[int, Row]] = {person_id: {} for person_id in people}
    for row_id, person_id, row in rows_of(people, at):
        held[person_id][row_id] = row
    done: list[tuple[Span, int]] = []
    found: list[tuple[int, Edits]] = []
    for person_id, rows in held.items():
        before = {span for span, _, known_to in rows.values() if known_to == OPEN_KNOWN}
        if before == wanted[person_id] and len(before) == len(rows):
            continue
        after = list(follow(known_before(rows.values(), at), wanted[person_id], at))
        found.append((person_id, edits(rows, after)))
        opened = {span for span, _, known_to in after if known_to == OPEN_KNOWN}
        done += [(span, -1) for span in before - opened] + [(span, 1) for span in opened - before]
    change_rows(change for _, edit in found for change in edit.changed)
    for ids in batches(row_id for _, edit in found for row_id in edit.gone):
        db.session.execute(delete(TABLE).where(TABLE.c.id.in_(ids)))
    insert_rows((person_id, row) for person_id, edit in found for row in edit.new)
    return done


def rows_of(people: Sequence[int], at: int) -> Iterable[tuple[int, int, Row]]:
    """The open rows of these people and those that ended at ``at``, with their ids and persons."""
    return _read(TABLE.c.person_id.in_(people), TABLE.c.known_to.in_((OPEN_KNOWN, at)))


def _read(*conditions: Any) -> Iterable[tuple[int, int, Row]]:
    query = select(TABLE.c.id, *(TABLE.c[name] for name in COLUMNS)).where(*conditions)
    for row_id, person_id, directive_id, position, first, last, *rest in db.session.execute(query):
        span = Span(directive_id, position, first, last, Values(*rest[2:]))
        yield row_id, person_id, (span, rest[0], rest[1])


def change_rows(changes: Iterable[Change]) -> None:
    """Change rows in their days and the end of what is known; most of them change that alone."""
    ended: dict[int, list[int]] = {}
    cut: list[tuple[int, int, int, int]] = []
    for row_id, span, (became, _, known_to) in changes:
        if became == span:
            ended.setdefault(known_to, []).append(row_id)
        else:
            cut.append((row_id, became.from_on, became.to_on, known_to))
    for known_to, row_ids in ended.items():
        for ids in batches(row_ids):
            db.session.execute(update(TABLE).where(TABLE.c.id.in_(ids)).values(known_to=known_to))
    for some in batches(cut, MOST_SENT):
        _cut_rows(some)


_CUT = ("from_on", "to_on", "known_to")


def _cut_rows(rows: list[tuple[int, int, int, int]]) -> None:
    connection = db.session.connection()
    if connection.dialect.name == "postgresql":  # all by one statement: row by row they take as many turns
        given = arrays("row_id", *_CUT)
        changed = update(TABLE).where(TABLE.c.id == given.c.row_id).values({k: given.c[k] for k in _CUT})
        connection.execute(changed, columns(("row_id", *_CUT), rows))
    else:
        changed = update(TABLE).where(TABLE.c.id == bindparam("row_id"))
        changed = changed.values({name: bindparam(name) for name in _CUT})
        connection.execute(changed, [dict(zip(("row_id", *_CUT), row, strict=True)) for row in rows])


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
        for _, person_id, row in _read(TABLE.c.person_id.in_(ids)):
            held[person_id].add(row)
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
    known: dict[Span, int] = {}
    done: set[Row] = set()
    for t in sorted(facts.stamps() | moves):
        rows = list(follow(known, spans(facts, versions, worlds.known(t), t), micros(t)))
        known = {span: since for span, since, until in rows if until == OPEN_KNOWN}
        done.update(row for row in rows if row[2] != OPEN_KNOWN)
    return done | {(span, since, OPEN_KNOWN) for span, since in known.items()}


def _difference(wanted: set[Row], held: set[Row]) -> str:
    return f"{len(wanted - held)} spans missing, {len(held - wanted)} too many"


def _replace(person: int, wanted: set[Row]) -> None:
    db.session.execute(delete(TABLE).where(TABLE.c.person_id == person))
    insert_rows((person, row) for row in sorted(wanted, key=lambda row: (row[1], row[0][:4])))
