"""Reads and writes the rows of status periods, in sets: there may be hundreds of thousands."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain, islice

from sqlalchemy import delete, insert, select, update

from portal.domain.directives.fact_loader import split_into_batches
from portal.domain.status.diff import KnownPeriod, RowEdits
from portal.domain.status.models import OPEN_KNOWN, StatusPeriod
from portal.domain.status.periods import Period, PeriodValues
from portal.platform.db import db

TABLE = StatusPeriod.metadata.tables[StatusPeriod.__tablename__]
COLUMNS = ("person_id", *Period._fields[:4], "known_from", "known_to", *PeriodValues._fields)
MOST_SENT = 5_000  # rows given to the driver at a time

FlatRow = tuple[int | None, ...]  # values in the order of COLUMNS


def load_rows(people: Sequence[int], at: int | None = None) -> dict[int, dict[int, KnownPeriod]]:
    """The rows of these people by person and id: those that are open or were closed at ``at``; None: all."""
    query = select(TABLE.c.id, *(TABLE.c[name] for name in COLUMNS)).where(TABLE.c.person_id.in_(people))
    if at is not None:
        query = query.where(TABLE.c.known_to.in_((OPEN_KNOWN, at)))
    rows: dict[int, dict[int, KnownPeriod]] = {person: {} for person in people}
    for row_id, person_id, directive_id, position, first, last, *rest in db.session.execute(query):
        period = Period(directive_id, position, first, last, PeriodValues(*rest[2:]))
        rows[person_id][row_id] = KnownPeriod(period, rest[0], rest[1])
    return rows


def write_edits(edits: Mapping[int, RowEdits], real: Mapping[int, int]) -> None:
    """Make stored rows what the edits of each person say; ``real`` holds what placeholders have become."""
    closed: dict[int, list[int]] = {}
    for row_id, (_, after) in chain.from_iterable(some.closed.items() for some in edits.values()):
        closed.setdefault(real.get(after.known_to, after.known_to), []).append(row_id)
    for known_to, row_ids in closed.items():
        for ids in split_into_batches(row_ids):
            db.session.execute(update(TABLE).where(TABLE.c.id.in_(ids)).values(known_to=known_to))
    for ids in split_into_batches(row_id for some in edits.values() for row_id in some.deleted):
        db.session.execute(delete(TABLE).where(TABLE.c.id.in_(ids)))
    insert_rows(flatten_row(person, row, real) for person, some in edits.items() for row in some.inserted)


def flatten_row(person_id: int, row: KnownPeriod, real: Mapping[int, int]) -> FlatRow:
    """A row as the table has it, without its id; ``real`` holds what placeholders have become."""
    (directive_id, position, from_on, to_on, values), known_from, known_to = row
    status, due_on, record_id, satisfied_on, valid_until, late_days, exclusion_id, post_id, unit_id = values
    return (
        real.get(person_id, person_id),
        real.get(directive_id, directive_id),
        position,
        from_on,
        to_on,
        real.get(known_from, known_from),
        real.get(known_to, known_to),
        status,
        due_on,
        None if record_id is None else real.get(record_id, record_id),
        satisfied_on,
        valid_until,
        late_days,
        exclusion_id,
        real.get(post_id, post_id),
        real.get(unit_id, unit_id),
    )


def insert_rows(rows: Iterator[FlatRow]) -> None:
    """Write rows, given to the driver as they come: of a million rows not two lists need be kept."""
    connection = db.session.connection()
    names = ", ".join(COLUMNS)
    while some := list(islice(rows, MOST_SENT)):
        if connection.dialect.name == "postgresql":  # row by row they would take as many turns
            with connection.connection.cursor().copy(f"COPY {TABLE.name} ({names}) FROM STDIN") as copy:
                for row in some:
                    copy.write_row(row)
        else:
            statement = insert(TABLE).inline().compile(dialect=connection.dialect, column_keys=list(COLUMNS))
            connection.exec_driver_sql(str(statement), some)
