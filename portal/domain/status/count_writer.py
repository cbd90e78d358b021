"""Writes the status counts: people per day and group, in the transaction that opens and closes periods."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import islice

from sqlalchemy import ARRAY, BigInteger, bindparam, cast, func, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_in_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_in_sqlite

from portal.domain.directives.audience import LAST_DAY, PostFact
from portal.domain.directives.fact_loader import split_into_batches
from portal.domain.directives.models import Exclusion
from portal.domain.status.diff import RowEdits
from portal.domain.status.models import Kind, StatusCount, StatusCountSnapshot, StatusGroup
from portal.domain.status.periods import WHOLE, Period
from portal.domain.status.rules import Status
from portal.platform.db import db

TABLE = StatusCount.metadata.tables[StatusCount.__tablename__]
KEY = [column.name for column in TABLE.primary_key]  # directive, kind, summed, day, unit, ..., group
NAMES = [*KEY, "people"]
NUMBERS = ARRAY(BigInteger)
MOST_SENT = 20_000  # rows given to the driver at a time

Group = tuple[str, str, int]  # designated role, rank or grade, exclusion (0: none)
GroupName = tuple[str, str, str]  # designated role, rank or grade, reason
CountedBy = tuple[int, int, int, int, int, Group]  # unit, position, status, due_on, since_on
CountKey = tuple[int, Kind, int, CountedBy]  # directive, kind, day
Place = tuple[int, ...]  # the values of KEY


class CountChanges:
    """Collects by how much the status counts rise and fall, by the day from which they do."""

    def __init__(self) -> None:
        self._people: defaultdict[CountKey, int] = defaultdict(int)

    def add_edits(self, edits: RowEdits, posts: Mapping[int, PostFact], times: int = 1) -> None:
        """Count the periods that a person's edits open and close; with -1 for ``times``, take them out again.

        Args:
            edits: The edits.
            posts: The person's posts by id.
            times: 1 or -1.
        """
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
            excluded = (*group[:2], values.exclusion_id or 0)
            self._add_days(period, Kind.PLACE, (values.unit_id, 0, status, 0, 0, group), people)
            self._add_days(period, Kind.DAYS, (0, 0, status, due, since, excluded), people)

    def _add_days(self, period: Period, kind: Kind, counted_by: CountedBy, people: int) -> None:
        self._people[period.directive_id, kind, period.from_on, counted_by] += people
        if period.to_on < LAST_DAY:
            self._people[period.directive_id, kind, period.to_on + 1, counted_by] -= people

    def write_counts(self, real: Mapping[int, int]) -> None:
        """Add them to what the table holds, under the lock of the transaction's stamp.

        Args:
            real: The ids that placeholders of directives and units have become.
        """
        changes: dict[CountKey, int] = {}
        for (directive_id, kind, day, counted_by), people in self._people.items():
            if people:
                unit_id, position, status, due_on, since_on, group = counted_by
                counted_by = (real.get(unit_id, unit_id), position, status, due_on, since_on, group)
                changes[real.get(directive_id, directive_id), kind, day, counted_by] = people
        if changes:
            add_rows(_place_changes(changes))


def _place_changes(changes: Mapping[CountKey, int]) -> Iterable[tuple[Place, int]]:
    """The rows to add to: the changes themselves, and the counts of every kept day from then on."""
    group_ids = _load_groups({counted_by[-1] for *_, counted_by in changes})
    kept_days = _load_kept_days({key[0] for key in changes})
    rows: defaultdict[Place, int] = defaultdict(int)
    for (directive_id, kind, day, (*rest, group)), people in changes.items():
        ends = (*rest, group_ids[group])
        rows[(directive_id, kind, 0, day, *ends)] += people
        days = kept_days.get(directive_id, ())
        for later in days[bisect_left(days, day) :]:
            rows[(directive_id, kind, 1, later, *ends)] += people
    return ((place, people) for place, people in rows.items() if people)


def _load_kept_days(directives: set[int]) -> dict[int, list[int]]:
    """The kept days of these directives, in order."""
    kept = StatusCountSnapshot
    days: dict[int, list[int]] = {}
    query = select(kept.directive_id, kept.day).where(kept.directive_id.in_(sorted(directives)))
    for directive_id, day in db.session.execute(query.order_by(kept.directive_id, kept.day)):
        days.setdefault(directive_id, []).append(day)
    return days


def _load_groups(groups: set[Group]) -> dict[Group, int]:
    """The ids of these groups; those that nobody was in yet are made."""
    reasons = {0: ""}
    for ids in split_into_batches(sorted({exclusion for *_, exclusion in groups if exclusion})):
        query = select(Exclusion.id, Exclusion.reason).where(Exclusion.id.in_(ids))
        reasons.update((exclusion_id, reason) for exclusion_id, reason in db.session.execute(query))
    names = {group: (group[0], group[1], reasons[group[2]]) for group in groups}
    group_ids = make_groups(names.values())
    return {group: group_ids[name] for group, name in names.items()}


def make_groups(names: Iterable[GroupName]) -> dict[GroupName, int]:
    """The ids of all groups, among them those of these names: the ones that are missing are made."""
    ids = _load_group_ids()
    if missing := sorted(set(names).difference(ids)):
        columns = ("designated_role", "rank_or_grade", "reason")
        db.session.execute(insert(StatusGroup), [dict(zip(columns, one, strict=True)) for one in missing])
        ids = _load_group_ids()
    return ids


def _load_group_ids() -> dict[GroupName, int]:
    group = StatusGroup
    rows = db.session.execute(select(group.designated_role, group.rank_or_grade, group.reason, group.id))
    return {(role, rank, reason): group_id for role, rank, reason, group_id in rows}


def add_rows(rows: Iterable[tuple[Place, int]]) -> None:
    """Add numbers of people to rows, which are made where there are none."""
    coming = iter(rows)
    send = _send_arrays if db.engine.dialect.name == "postgresql" else _send_rows
    while some := list(islice(coming, MOST_SENT)):
        send([(*place, people) for place, people in some])


def _send_rows(rows: list[Place]) -> None:
    new = insert_in_sqlite(TABLE)
    more = {"people": TABLE.c.people + new.excluded.people}
    statement = new.on_conflict_do_update(index_elements=KEY, set_=more)
    db.session.connection().execute(statement, [dict(zip(NAMES, row, strict=True)) for row in rows])


def _send_arrays(rows: list[Place]) -> None:
    """All of them by one statement, an array for each column: row by row they would take as many turns."""
    arrays = (cast(bindparam(name, type_=NUMBERS), NUMBERS) for name in NAMES)
    given = func.unnest(*arrays).table_valued(*NAMES).render_derived()
    new = insert_in_postgresql(TABLE).from_select(NAMES, select(*(given.c[name] for name in NAMES)))
    more = {"people": TABLE.c.people + new.excluded.people}
    statement = new.on_conflict_do_update(index_elements=KEY, set_=more)
    db.session.connection().execute(statement, dict(zip(NAMES, zip(*rows, strict=True), strict=True)))
