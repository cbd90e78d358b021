"""Cuts rows of statuses where they stop to be true, and adds indexes of late-arriving rows.

How rows are cut stands here as it was at this release: what the portal does later cannot change it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None
needs_stop = True

OPEN_KNOWN = 2**63 - 1  # known_to of rows that nothing has superseded
FIRST_EVENING = "(from_on - 719163) * 86400000000 + 72000000000"  # 20:00 UTC of the first day
SOME = {
    "ix_span_first": ("from_on", "from_on > 0"),
    "ix_span_last": ("to_on", "to_on < 3652059"),
    "ix_span_opened_late": ("known_from", f"known_from > {FIRST_EVENING}"),
    "ix_span_ended_late": ("known_to", f"known_to > {FIRST_EVENING} AND known_to < {OPEN_KNOWN}"),
}


class Values(NamedTuple):
    """The columns that stay the same over a span, in their order."""

    status: int
    due_on: int
    record_id: int | None
    satisfied_on: int | None
    valid_until: int | None
    late_days: int | None
    exclusion_id: int | None
    post_id: int
    unit_id: int


class Span(NamedTuple):
    """A run of days in which the status of one position does not change."""

    directive_id: int
    position: int
    from_on: int
    to_on: int
    values: Values


Row = tuple[Span, int, int]  # a span with known_from and known_to
NAMES = ("directive_id", "position", "from_on", "to_on", "known_from", "known_to", *Values._fields)
TABLE = sa.table("standing_span", *map(sa.column, ("id", "person_id", *NAMES)))
PEOPLE = 500  # at a time


def upgrade() -> None:
    """Apply."""
    connection = op.get_bind()
    first_ids = load_first_post_ids(connection)
    last = connection.scalar(sa.select(sa.func.max(TABLE.c.person_id))) or 0
    for first in range(0, last + 1, PEOPLE):
        cut_rows(connection, first, first_ids)
    for name, (leading, condition) in SOME.items():
        where = sa.text(condition)
        columns = ["directive_id", leading]
        op.create_index(name, "standing_span", columns, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Undo; the rows are as right cut in one way as in the other."""
    for name in SOME:
        op.drop_index(name, table_name="standing_span")


def load_first_post_ids(connection: sa.Connection) -> dict[int, int]:
    """The first fact that says the same of a post, but for its days, by the id of one that replaced it."""
    compared = ("rank_or_grade", "designated_role", "unit_id", "line_manager_id")
    post = sa.table("post", *map(sa.column, ("id", "replaces_id", *compared)))
    older, newer = post.alias(), post.alias()
    same = (older.c[name].is_not_distinct_from(newer.c[name]) for name in compared)
    query = sa.select(newer.c.id, older.c.id).join(older, sa.and_(older.c.id == newer.c.replaces_id, *same))
    first_ids: dict[int, int] = {}
    for newer_id, older_id in connection.execute(query.order_by(newer.c.id)):
        first_ids[newer_id] = first_ids.get(older_id, older_id)
    return first_ids


def cut_rows(connection: sa.Connection, first: int, first_ids: dict[int, int]) -> None:
    """Cut the rows of some people anew: what was known on each instant stays as it is."""
    some = sa.and_(TABLE.c.person_id >= first, TABLE.c.person_id < first + PEOPLE)
    query = sa.select(TABLE).where(some).order_by(TABLE.c.person_id)
    removed: list[int] = []
    added: list[dict[str, Any]] = []
    for person_id, group in groupby(connection.execute(query).all(), key=lambda row: row.person_id):
        before = {row.id: read_row(row) for row in group}
        after = set(replay_rows([with_first_post(row, first_ids) for row in before.values()]))
        removed += [row_id for row_id, row in before.items() if row not in after]
        for span, *known in after - set(before.values()):
            values = (*span[:4], *known, *span.values)
            added.append({"person_id": person_id, **dict(zip(NAMES, values, strict=True))})
    if removed:
        statement = sa.delete(TABLE).where(TABLE.c.id == sa.bindparam("row"))
        connection.execute(statement, [{"row": row_id} for row_id in removed])
    if added:
        connection.execute(sa.insert(TABLE), added)


def read_row(row: Any) -> Row:
    span = Span(row.directive_id, row.position, row.from_on, row.to_on, Values(*row[8:]))
    return span, row.known_from, row.known_to


def with_first_post(row: Row, first_ids: dict[int, int]) -> Row:
    span, known_from, known_to = row
    post_id = first_ids.get(span.values.post_id, span.values.post_id)
    return span._replace(values=span.values._replace(post_id=post_id)), known_from, known_to


def replay_rows(rows: list[Row]) -> Iterator[Row]:
    """The same rows, cut anew: instant by instant, from what was known on each."""
    known: dict[Span, int] = {}
    for at in sorted({edge for _, *edges in rows for edge in edges if edge < OPEN_KNOWN}):
        current = join_spans([span for span, start, end in rows if start <= at < end])
        after = list(supersede(known, current, at))
        yield from (row for row in after if row[2] != OPEN_KNOWN)
        known = {span: since for span, since, end in after if end == OPEN_KNOWN}
    yield from ((span, since, OPEN_KNOWN) for span, since in known.items())


def join_spans(spans: list[Span]) -> set[Span]:
    """The same, where spans that follow one another with the same values are one."""
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: span[:3]):
        last = joined[-1] if joined else None
        if last and last[:2] == span[:2] and last.to_on + 1 == span.from_on and last.values == span.values:
            joined[-1] = last._replace(to_on=span.to_on)
        else:
            joined.append(span)
    return set(joined)


def supersede(known: Mapping[Span, int], current: Collection[Span], at: int) -> Iterator[Row]:
    """The rows of what was known until ``at`` and of ``current``, which is known from then on.

    Rows that still hold, rows that are cut or end, and rows that begin; each as long as can be.
    """
    yield from ((span, known[span], OPEN_KNOWN) for span in current if span in known)
    old = group_by_position(span for span in known if span not in current)
    new = group_by_position(span for span in current if span not in known)
    for position in sorted({*old, *new}):
        before, after = old.get(position, []), new.get(position, [])
        for span in before:
            same = shared_days(span, after)
            yield from ((with_days(span, *days), known[span], OPEN_KNOWN) for days in same)
            yield from ((with_days(span, *days), known[span], at) for days in other_days(span, same))
        for span in after:
            rest = other_days(span, shared_days(span, before))
            yield from ((with_days(span, *days), at, OPEN_KNOWN) for days in rest)


def group_by_position(spans: Iterable[Span]) -> dict[tuple[int, int], list[Span]]:
    """The spans, in order of their days, by directive and position."""
    groups: dict[tuple[int, int], list[Span]] = {}
    for span in sorted(spans, key=lambda span: span.from_on):
        groups.setdefault((span.directive_id, span.position), []).append(span)
    return groups


def with_days(span: Span, first: int, last: int) -> Span:
    return span._replace(from_on=first, to_on=last)


def shared_days(span: Span, others: Sequence[Span]) -> list[tuple[int, int]]:
    """First and last days of the stretches on which others have the same values, in order."""
    return [
        (max(span.from_on, other.from_on), min(span.to_on, other.to_on))
        for other in others
        if other.from_on <= span.to_on and other.to_on >= span.from_on and other.values == span.values
    ]


def other_days(span: Span, taken: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """First and last days of the stretches of a span that are not among these, which are in order."""
    first = span.from_on
    for start, end in taken:
        if first < start:
            yield first, start - 1
        first = end + 1
    if first <= span.to_on:
        yield first, span.to_on
