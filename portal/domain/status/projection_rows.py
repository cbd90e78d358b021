"""Reads and writes the rows of the projection in sets: status periods, and the status counts that follow."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import chain, islice
from time import monotonic, sleep
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    bindparam,
    cast,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as insert_in_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_in_sqlite

from portal.domain.directives.applies import LAST_DAY, PEOPLE, PostFact, fetch_tuples, split_into_batches
from portal.domain.directives.models import Exclusion
from portal.domain.status.models import (
    OPEN_KNOWN,
    Kind,
    StatusCount,
    StatusCountSnapshot,
    StatusGroup,
    StatusPeriod,
)
from portal.domain.status.rules import (
    WHOLE,
    KnownPeriod,
    Period,
    PeriodValues,
    RowEdits,
    Status,
    diff_periods,
    restore_known_before,
)
from portal.platform import clock
from portal.platform.bulk import enlarged_page_cache, insert_rows
from portal.platform.clock import from_microseconds, to_microseconds
from portal.platform.db import STAMP_LEAD, StampAhead, db, read_stamps, stamp, take_writers_lock, transaction
from portal.platform.engines import let_others_write
from portal.platform.errors import BusyError

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


# Writes a large projection before its facts, in slices, so that nobody waits long for the lock.
#
# The transaction that will record the facts is given its stamp before the rows are written. No report is
# known on that stamp or later until it commits, so until then nobody sees them. What is cut off is
# undone.

SLICE = 1_000  # rows written under one lock: about 25 ms of a processor
PEOPLE_UNDER_ONE_LOCK = 200  # whose rows are undone under one lock
TURN = 4  # times as long as a slice holds the lock, others may have it before the next, if they wait for it
WAIT_SECONDS = 30.0  # for the lock, such as while an import is written
SILENT = timedelta(seconds=60)  # without a heartbeat, after which rows written ahead are undone
WAITS = 180  # times half a second, for another change to be written, or to be undone after a kill

T = TypeVar("T")
TellProgress = Callable[[int, int], None]  # how many people are done, of how many; may raise to stop it


def tell_nobody(_done: int, _of: int) -> None:
    """Do nothing with the progress."""


class LostClaimError(BusyError):
    """The rows written ahead were undone meanwhile, because no heartbeat came."""


class RowsAhead:
    """The rows of one change, written ahead of its stamp ``at``."""

    def __init__(self, at: datetime, claim: UUID) -> None:
        self.at, self.claim = at, claim

    def write_edits(
        self,
        edits: Mapping[int, RowEdits],
        real: Mapping[int, int],
        find_outdated: Callable[[Collection[int]], Collection[int]],
        tell: TellProgress,
    ) -> None:
        """Write edits by person, in slices: each holds the lock for a moment. Outside a transaction.

        Args:
            edits: Computed before the lock was taken.
            real: The real ids of placeholders.
            find_outdated: Gives those of some people about whom others have recorded something since. It is
                asked under each lock; edits of these people would close periods that are closed already.
            tell: Is told after each slice.
        """
        done = 0
        for part in _split_edits(edits):
            with self._open_slice():
                outdated = find_outdated(part.keys())
                write_edits({person: each for person, each in part.items() if person not in outdated}, real)
            done += len(part)
            tell(done, len(edits))

    def undo_people(self, people: Iterable[int]) -> None:
        """Undo the rows of these people, in slices. Outside a transaction."""
        for ids in split_into_batches(people, PEOPLE_UNDER_ONE_LOCK):
            with self._open_slice():
                undo_rows(ids, self.at)

    def undo_all(self) -> None:
        """Undo all rows, and free the stamp. Outside a transaction."""
        at, period = to_microseconds(self.at), StatusPeriod
        changed = or_(period.known_from == at, period.known_to == at)
        self.undo_people(db.session.scalars(select(period.person_id).where(changed).distinct()).all())
        with transaction():
            self.free_stamp()

    @contextmanager
    def _open_slice(self) -> Iterator[None]:
        """One short transaction under the lock, which says that the writer is alive; then others have a turn.

        So those who save answers meanwhile can have the lock for four fifths of the time, and where nobody
        does the next slice follows at once.

        Raises:
            LostClaimError: Another process is undoing the rows.
        """
        with transaction(wait_seconds=WAIT_SECONDS), enlarged_page_cache():
            take_writers_lock()
            locked_at = monotonic()
            mine = StampAhead.claim == self.claim
            self._require_claim(update(StampAhead).where(mine).values(heartbeat_at=clock.now()))
            yield
        let_others_write(db.engine, TURN * (monotonic() - locked_at))

    def renew_claim(self) -> None:
        """Say that the writer is alive, between slices. Outside a transaction."""
        with self._open_slice():
            pass

    def free_stamp(self) -> None:
        """End writing ahead, in the transaction that takes the stamp or after undoing.

        Raises:
            LostClaimError: Another process is undoing the rows.
        """
        self._require_claim(delete(StampAhead).where(StampAhead.claim == self.claim))

    def _require_claim(self, statement: Any) -> None:
        """Execute a statement about the row of this claim, which must be there."""
        result: Any = db.session.execute(statement)
        if not result.rowcount:
            raise LostClaimError


def begin_ahead(prepare: Callable[[], T]) -> tuple[RowsAhead, T]:
    """Take a stamp for a later transaction, whose rows are written ahead from now on. Outside a transaction.

    Args:
        prepare: Called in the same transaction; adds what the periods refer to, such as the directive.

    Raises:
        BusyError: Another change is being written ahead all the time.
    """
    for _ in range(WAITS):
        undo_lost_rows()
        with transaction():
            take_writers_lock()
            if read_stamps()[1] is None:
                rows = RowsAhead(max(stamp(), clock.now()) + STAMP_LEAD, uuid4())
                db.session.execute(
                    insert(StampAhead).values(
                        microseconds=to_microseconds(rows.at), claim=rows.claim, heartbeat_at=clock.now()
                    )
                )
                return rows, prepare()
        sleep(0.5)
    raise BusyError


def refuse_rows_ahead() -> None:
    """Refuse to compare all rows with the facts while some are written ahead of theirs.

    Raises:
        BusyError: Some are.
    """
    if read_stamps()[1] is not None:
        raise BusyError


def has_lost_rows() -> bool:
    """Whether rows were written ahead by a process that is gone."""
    return db.session.scalar(select(StampAhead.claim).where(_is_silent())) is not None


def _is_silent() -> ColumnElement[bool]:
    return StampAhead.heartbeat_at < clock.now() - SILENT


def undo_lost_rows() -> None:
    """Undo rows that were written ahead by a process that is gone. Outside a transaction; may be cut off."""
    lost = db.session.execute(
        select(StampAhead.microseconds, StampAhead.claim).where(_is_silent())
    ).one_or_none()
    if lost is None:
        return
    claim = uuid4()
    with transaction():
        result: Any = db.session.execute(
            update(StampAhead)
            .where(StampAhead.claim == lost.claim, _is_silent())
            .values(claim=claim, heartbeat_at=clock.now())
        )
    if result.rowcount:
        RowsAhead(from_microseconds(lost.microseconds), claim).undo_all()


def _split_edits(edits: Mapping[int, RowEdits]) -> Iterator[dict[int, RowEdits]]:
    """The edits in parts of about ``SLICE`` rows; those of one person stay together."""
    part: dict[int, RowEdits] = {}
    size = 0
    for person, each in edits.items():
        part[person] = each
        size += len(each.closed) + len(each.deleted) + len(each.inserted)
        if size >= SLICE:
            yield part
            part, size = {}, 0
    if part:
        yield part
