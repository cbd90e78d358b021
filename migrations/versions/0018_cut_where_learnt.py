"""Spans are cut where they stop to be true, and what was learnt late has indexes of its own."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import op

from portal.standing.cutting import Row, edits, follow
from portal.standing.models import OPEN_KNOWN
from portal.standing.spans import Span, Values

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

FIRST_EVENING = "(from_on - 719163) * 86400000000 + 72000000000"  # 20:00 UTC of the first day
SOME = {
    "ix_span_first": ("from_on", "from_on > 0"),
    "ix_span_last": ("to_on", "to_on < 3652059"),
    "ix_span_opened_late": ("known_from", f"known_from > {FIRST_EVENING}"),
    "ix_span_ended_late": ("known_to", f"known_to > {FIRST_EVENING} AND known_to < {OPEN_KNOWN}"),
}
NAMES = ("directive_id", "position", "from_on", "to_on", "known_from", "known_to", *Values._fields)
TABLE = sa.table("standing_span", *map(sa.column, ("id", "person_id", *NAMES)))
PEOPLE = 500  # at a time


def upgrade() -> None:
    """Apply."""
    connection = op.get_bind()
    told = _first_told(connection)
    last = connection.scalar(sa.select(sa.func.max(TABLE.c.person_id))) or 0
    for first in range(0, last + 1, PEOPLE):
        _cut(connection, first, told)
    for name, (leading, condition) in SOME.items():
        where = sa.text(condition)
        columns = ["directive_id", leading]
        op.create_index(name, "standing_span", columns, sqlite_where=where, postgresql_where=where)


def _first_told(connection: sa.Connection) -> dict[int, int]:
    """The first fact that said the same of a post, but for its days, by the id of one that replaced it."""
    said = ("rank_or_grade", "designated_role", "unit_id", "line_manager_id")
    post = sa.table("post", *map(sa.column, ("id", "replaces_id", *said)))
    older, told = post.alias(), post.alias()
    same = (older.c[name].is_not_distinct_from(told.c[name]) for name in said)
    query = sa.select(told.c.id, older.c.id).join(older, sa.and_(older.c.id == told.c.replaces_id, *same))
    found: dict[int, int] = {}
    for later, before in connection.execute(query.order_by(told.c.id)):
        found[later] = found.get(before, before)
    return found


def _cut(connection: sa.Connection, first: int, told: dict[int, int]) -> None:
    """Cut the rows of some people anew: what each instant knew stays as it is."""
    wanted = sa.and_(TABLE.c.person_id >= first, TABLE.c.person_id < first + PEOPLE)
    query = sa.select(TABLE).where(wanted).order_by(TABLE.c.person_id)
    gone: list[int] = []
    new: list[dict[str, Any]] = []
    for person_id, rows in groupby(connection.execute(query).all(), key=lambda row: row.person_id):
        held = {row.id: _row(row) for row in rows}
        changed, old, more = edits(held, _from_the_start([_renamed(row, told) for row in held.values()]))
        gone += [*old, *(row_id for row_id, _, _ in changed)]
        for span, *known in (*more, *(row for _, _, row in changed)):
            values = (*span[:4], *known, *span.values)
            new.append({"person_id": person_id, **dict(zip(NAMES, values, strict=True))})
    if gone:
        connection.execute(
            sa.delete(TABLE).where(TABLE.c.id == sa.bindparam("row")), [{"row": n} for n in gone]
        )
    if new:
        connection.execute(sa.insert(TABLE), new)


def _row(row: Any) -> Row:
    span = Span(row.directive_id, row.position, row.from_on, row.to_on, Values(*row[8:]))
    return span, row.known_from, row.known_to


def _renamed(row: Row, told: dict[int, int]) -> Row:
    span, *known = row
    post_id = told.get(span.values.post_id, span.values.post_id)
    return span._replace(values=span.values._replace(post_id=post_id)), known[0], known[1]


def _joined(spans: list[Span]) -> set[Span]:
    """The same, where those that follow one another and say the same are one."""
    found: list[Span] = []
    for span in sorted(spans, key=lambda span: span[:3]):
        last = found[-1] if found else None
        if last and last[:2] == span[:2] and last.to_on + 1 == span.from_on and last.values == span.values:
            found[-1] = last._replace(to_on=span.to_on)
        else:
            found.append(span)
    return set(found)


def _from_the_start(rows: list[Row]) -> Iterator[Row]:
    """The same, instant by instant, from what was known on each."""
    known: dict[Span, int] = {}
    for at in sorted({edge for _, *edges in rows for edge in edges if edge < OPEN_KNOWN}):
        wanted = _joined([span for span, start, end in rows if start <= at < end])
        after = list(follow(known, wanted, at))
        yield from (row for row in after if row[2] != OPEN_KNOWN)
        known = {span: since for span, since, end in after if end == OPEN_KNOWN}
    yield from ((span, since, OPEN_KNOWN) for span, since in known.items())


def downgrade() -> None:
    """Undo; the rows are as right cut in one way as in the other."""
    for name in SOME:
        op.drop_index(name, table_name="standing_span")
