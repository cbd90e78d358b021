"""Reads and writes the rows of the projection in sets: status periods, and the status counts that follow."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain, islice

from sqlalchemy import ARRAY, BigInteger, bindparam, cast, delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as insert_in_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_in_sqlite

from portal.domain.directives.audience import LAST_DAY, PostFact
from portal.domain.directives.fact_loader import PEOPLE, fetch_tuples, split_into_batches
from portal.domain.directives.models import Exclusion
from portal.domain.status.models import (
    OPEN_KNOWN,
    Kind,
    StatusCount,
    StatusCountSnapshot,
    StatusGroup,
    StatusPeriod,
)
from portal.domain.status.periods import (
    KnownPeriod,
    Period,
    PeriodValues,
    RowEdits,
    diff_periods,
    restore_known_before,
)
from portal.domain.status.rules import WHOLE, Status
from portal.platform.bulk_writing import insert_rows
from portal.platform.clock import to_microseconds
from portal.platform.db import db

PERIODS = StatusPeriod.metadata.tables[StatusPeriod.__tablename__]
PERIOD_COLUMNS = ("person_id", *Period._fields[:4], "known_from", "known_to", *PeriodValues._fields)
COUNTS = StatusCount.metadata.tables[StatusCount.__tablename__]
COUNT_KEY = [column.name for column in COUNTS.primary_key]  # directive, kind, summed, day, unit, ..., group
COUNT_COLUMNS = [*COUNT_KEY, "people"]
MOST_COUNTS = 20_000
NUMBERS = ARRAY(BigInteger)

PeriodRow = tuple[int | None, ...]  # values in the order of PERIOD_COLUMNS
CountRow = tuple[int, ...]  # values in the order of COUNT_COLUMNS
Group = tuple[str, str, int]  # designated role, rank or grade, exclusion (0: none)
GroupName = tuple[str, str, str]  # designated role, rank or grade, reason
CountedBy = tuple[int, int, int, int, int, Group]  # unit, position, status, due_on, since_on
CountKey = tuple[int, Kind, int, CountedBy]  # directive, kind, day


_PERIODS = select(PERIODS.c.id, *(PERIODS.c[name] for name in PERIOD_COLUMNS)).where(
    PERIODS.c.person_id.in_(PEOPLE)
)
_PERIODS_KNOWN = _PERIODS.where(
    PERIODS.c.known_from <= bindparam("at"), PERIODS.c.known_to >= bindparam("at")
)


def load_rows(
    people: Sequence[int], at: int | None = None, only: Collection[int] | None = None
) -> dict[int, dict[int, KnownPeriod]]:
    """The status periods of these people under any or ``only`` some directives, by person and id.

    Those that are open on ``at`` or were closed at it; None: all. Rows known from a later instant are being
    written ahead of it, and those that end at such an instant are still open.
    """
    query, instant = (_PERIODS, {}) if at is None else (_PERIODS_KNOWN, {"at": at})
    if only is not None:
        query = query.where(PERIODS.c.directive_id.in_(sorted(only)))
    rows: dict[int, dict[int, KnownPeriod]] = {person: {} for person in people}
    for (
        row_id, person_id, directive_id, position, from_on, to_on, known_from, known_to, *values,
    ) in fetch_tuples(query, people, **instant):  # fmt: skip
        period = Period(directive_id, position, from_on, to_on, PeriodValues(*values))
        is_closed = at is None or known_to == at
        rows[person_id][row_id] = KnownPeriod(period, known_from, known_to if is_closed else OPEN_KNOWN)
    return rows


def undo_rows(people: Iterable[int], at: datetime) -> None:
    """Make the status periods of these people what they were known to be before ``at``; not the counts."""
    instant = to_microseconds(at)
    for ids in split_into_batches(people):
        stored = load_rows(ids, instant)
        before = {key: set(restore_known_before(rows.values(), instant)) for key, rows in stored.items()}
        write_edits({key: diff_periods(stored[key], before[key], instant) for key in ids}, {})


def write_edits(edits: Mapping[int, RowEdits], real: Mapping[int, int]) -> None:
    """Write the edits of each person's status periods; ``real`` maps placeholders to real ids."""
    closed: dict[int, list[int]] = {}
    for row_id, (_, after) in chain.from_iterable(each.closed.items() for each in edits.values()):
        closed.setdefault(real.get(after.known_to, after.known_to), []).append(row_id)
    for known_to, row_ids in closed.items():
        for ids in split_into_batches(row_ids):
            db.session.execute(update(PERIODS).where(PERIODS.c.id.in_(ids)).values(known_to=known_to))
    for ids in split_into_batches(row_id for each in edits.values() for row_id in each.deleted):
        db.session.execute(delete(PERIODS).where(PERIODS.c.id.in_(ids)))
    rows = (flatten_row(person, row, real) for person, each in edits.items() for row in each.inserted)
    insert_rows(PERIODS, PERIOD_COLUMNS, rows)


def flatten_row(person_id: int, row: KnownPeriod, real: Mapping[int, int]) -> PeriodRow:
    """The values of a row of the table but its id; ``real`` maps placeholders to real ids."""
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


class CountChanges:
    """Collects the changes of the status counts, each by the day from which it applies."""

    def __init__(self) -> None:
        self._people: defaultdict[CountKey, int] = defaultdict(int)

    def add_edits(self, edits: RowEdits, posts: Mapping[int, PostFact], times: int = 1) -> None:
        """Count the periods that a person's edits open and close; with ``times`` -1, take them out again."""
        for period, people in edits.open_periods():
            self._add_period(period, posts[period.values.post_id], people * times)

    def _add_period(self, period: Period, post: PostFact, people: int) -> None:
        _, position, _, _, values = period
        status, group = values.status, (post.designated_role, post.rank_or_grade, 0)
        self._add_days(period, Kind.POSITION, (0, position, status, 0, 0, group), people)
        if position == WHOLE:
            due, since, until = values.due_on, values.due_on, values.valid_until
            if status == Status.EXPIRED and until is not None and until > due:
                since = until
            excluded = (post.designated_role, post.rank_or_grade, values.exclusion_id or 0)
            self._add_days(period, Kind.PLACE, (values.unit_id, 0, status, 0, 0, group), people)
            self._add_days(period, Kind.DAYS, (0, 0, status, due, since, excluded), people)

    def _add_days(self, period: Period, kind: Kind, counted_by: CountedBy, people: int) -> None:
        self._people[period.directive_id, kind, period.from_on, counted_by] += people
        if period.to_on < LAST_DAY:
            self._people[period.directive_id, kind, period.to_on + 1, counted_by] -= people

    def write_counts(self, real: Mapping[int, int]) -> None:
        """Add the changes to the table, under the stamp's lock; ``real`` maps placeholders to real ids."""
        changes: dict[CountKey, int] = {}
        for (directive_id, kind, day, counted_by), people in self._people.items():
            if people:
                unit_id, position, status, due_on, since_on, group = counted_by
                counted_by = (real.get(unit_id, unit_id), position, status, due_on, since_on, group)
                changes[real.get(directive_id, directive_id), kind, day, counted_by] = people
        if changes:
            add_counts(_spread_changes(changes))


def _spread_changes(changes: Mapping[CountKey, int]) -> Iterator[CountRow]:
    """The rows to add: the changes themselves, and the same on the snapshot of every later day."""
    group_ids = _load_groups({group for *_, (*_, group) in changes})
    snapshot_days = _load_snapshot_days({directive_id for directive_id, *_ in changes})
    rows: defaultdict[CountRow, int] = defaultdict(int)
    for (directive_id, kind, day, (*counted_by, group)), people in changes.items():
        key = (*counted_by, group_ids[group])
        rows[(directive_id, kind, 0, day, *key)] += people
        days = snapshot_days.get(directive_id, ())
        for snapshot_day in days[bisect_left(days, day) :]:
            rows[(directive_id, kind, 1, snapshot_day, *key)] += people
    return ((*row_key, people) for row_key, people in rows.items() if people)


def _load_snapshot_days(directives: set[int]) -> dict[int, list[int]]:
    """The days of the snapshots of these directives, in order."""
    snapshot = StatusCountSnapshot
    days: dict[int, list[int]] = {}
    query = select(snapshot.directive_id, snapshot.day).where(snapshot.directive_id.in_(sorted(directives)))
    for directive_id, day in db.session.execute(query.order_by(snapshot.directive_id, snapshot.day)):
        days.setdefault(directive_id, []).append(day)
    return days


def _load_groups(groups: set[Group]) -> dict[Group, int]:
    """The ids of these groups; missing ones are added."""
    reasons = {0: ""}
    for ids in split_into_batches(sorted({exclusion for *_, exclusion in groups if exclusion})):
        query = select(Exclusion.id, Exclusion.reason).where(Exclusion.id.in_(ids))
        reasons.update((exclusion_id, reason) for exclusion_id, reason in db.session.execute(query))
    names = {(role, rank, number): (role, rank, reasons[number]) for role, rank, number in groups}
    group_ids = add_groups(names.values())
    return {group: group_ids[name] for group, name in names.items()}


def add_groups(names: Iterable[GroupName]) -> dict[GroupName, int]:
    """Add the groups of these names that are missing; returns the ids of all groups."""
    ids = _load_group_ids()
    if missing := sorted(set(names).difference(ids)):
        columns = ("designated_role", "rank_or_grade", "reason")
        db.session.execute(insert(StatusGroup), [dict(zip(columns, name, strict=True)) for name in missing])
        ids = _load_group_ids()
    return ids


def _load_group_ids() -> dict[GroupName, int]:
    group = StatusGroup
    rows = db.session.execute(select(group.designated_role, group.rank_or_grade, group.reason, group.id))
    return {(role, rank, reason): group_id for role, rank, reason, group_id in rows}


def add_counts(rows: Iterable[CountRow]) -> None:
    """Add numbers of people to the status counts; rows that are missing are inserted."""
    remaining = iter(rows)
    add_batch = _add_by_arrays if db.engine.dialect.name == "postgresql" else _add_by_rows
    while batch := list(islice(remaining, MOST_COUNTS)):
        add_batch(batch)


def _add_by_rows(rows: list[CountRow]) -> None:
    upsert = insert_in_sqlite(COUNTS)
    added = {"people": COUNTS.c.people + upsert.excluded.people}
    statement = upsert.on_conflict_do_update(index_elements=COUNT_KEY, set_=added)
    values = [dict(zip(COUNT_COLUMNS, row, strict=True)) for row in rows]
    db.session.connection().execute(statement, values)


def _add_by_arrays(rows: list[CountRow]) -> None:
    """One statement with an array for each column: one round trip instead of one a row."""
    arrays = (cast(bindparam(name, type_=NUMBERS), NUMBERS) for name in COUNT_COLUMNS)
    values = func.unnest(*arrays).table_valued(*COUNT_COLUMNS).render_derived()
    selected = select(*(values.c[name] for name in COUNT_COLUMNS))
    upsert = insert_in_postgresql(COUNTS).from_select(COUNT_COLUMNS, selected)
    added = {"people": COUNTS.c.people + upsert.excluded.people}
    statement = upsert.on_conflict_do_update(index_elements=COUNT_KEY, set_=added)
    columns = dict(zip(COUNT_COLUMNS, zip(*rows, strict=True), strict=True))
    db.session.connection().execute(statement, columns)
