"""Keeps the sums of the open spans true, in the transaction that opens and closes spans."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import ARRAY, BigInteger, bindparam, cast, func, insert, select
from sqlalchemy.dialects.postgresql import insert as insert_in_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_in_sqlite

from portal.domain.directives.audience import LAST_DAY, PostFact
from portal.domain.directives.fact_loader import batches
from portal.domain.directives.models import Exclusion
from portal.domain.status.models import Kind, StatusCount, StatusCountSnapshot, StatusGroup
from portal.domain.status.periods import WHOLE, Span
from portal.domain.status.rules import Status
from portal.platform.db import db

TABLE: Any = StatusCount.__table__
KEY = [column.name for column in TABLE.primary_key]  # directive, kind, summed, day, unit, ..., group
NUMBERS = ARRAY(BigInteger)
MOST_SENT = 20_000  # rows given to the driver at a time

Who = tuple[str, str, int]  # designated role, rank or grade, exclusion (0: none)
Stood = tuple[int, int, int, int, int, int, int, int, Who]  # directive, kind, day, unit, ..., who
Place = tuple[int, ...]  # the values of KEY
Named = tuple[str, str, str]  # designated role, rank or grade, reason


class Changes:
    """By how many the people who stand so become more or fewer, on the day from which they do."""

    def __init__(self) -> None:
        self._counts: defaultdict[Stood, int] = defaultdict(int)

    def add(self, span: Span, post: PostFact, people: int) -> None:
        """Count a span of ``people`` more, where it was opened; or fewer, where it was closed."""
        directive, position, first, last, values = span
        status, who = values.status, (post.designated_role, post.rank_or_grade, 0)
        self._count(directive, Kind.POSITION, first, last, (0, position, status, 0, 0, who), people)
        if position == WHOLE:
            due, since, until = values.due_on, values.due_on, values.valid_until
            if status == Status.EXPIRED and until is not None and until > due:
                since = until
            excluded = (*who[:2], values.exclusion_id or 0)
            self._count(directive, Kind.PLACE, first, last, (values.unit_id, 0, status, 0, 0, who), people)
            self._count(directive, Kind.DAYS, first, last, (0, 0, status, due, since, excluded), people)

    def _count(self, directive: int, kind: int, first: int, last: int, rest: Any, people: int) -> None:
        self._counts[(directive, kind, first, *rest)] += people
        if last < LAST_DAY:
            self._counts[(directive, kind, last + 1, *rest)] -= people

    def write(
        self,
        directive: Callable[[int], int] = lambda same: same,
        unit: Callable[[int], int] = lambda same: same,
    ) -> None:
        """Add them to what the table holds, under the lock of the transaction's stamp.

        Args:
            directive: What an id of a directive has become, where it is still to come.
            unit: The same of a unit.
        """
        rest = {
            (directive(key[0]), *key[1:3], unit(key[3]), *key[4:]): people
            for key, people in self._counts.items()
            if people
        }
        if rest:
            add_rows(_placed(rest))


def _placed(counts: Mapping[Any, int]) -> Iterable[tuple[Place, int]]:
    """The rows to add to: the changes themselves, and the sums of every kept day from then on."""
    group = _groups({key[-1] for key in counts})
    kept = _kept({key[0] for key in counts})
    found: defaultdict[Place, int] = defaultdict(int)
    for (directive, kind, day, *rest, who), people in counts.items():
        ends = (*rest, group[who])
        found[(directive, kind, 0, day, *ends)] += people
        days = kept.get(directive, ())
        for later in days[bisect_left(days, day) :]:
            found[(directive, kind, 1, later, *ends)] += people
    return ((place, people) for place, people in found.items() if people)


def _kept(directives: set[int]) -> dict[int, list[int]]:
    """The kept days of these directives, in order."""
    kept = StatusCountSnapshot
    found: dict[int, list[int]] = {}
    query = select(kept.directive_id, kept.day).where(kept.directive_id.in_(sorted(directives)))
    for directive_id, day in db.session.execute(query.order_by(kept.directive_id, kept.day)):
        found.setdefault(directive_id, []).append(day)
    return found


def _groups(wanted: set[Who]) -> dict[Who, int]:
    """The ids of these groups; those that nobody was of are made."""
    reasons = {0: ""}
    for ids in batches(sorted({exclusion for *_, exclusion in wanted if exclusion})):
        query = select(Exclusion.id, Exclusion.reason).where(Exclusion.id.in_(ids))
        reasons.update((exclusion_id, reason) for exclusion_id, reason in db.session.execute(query))
    names = {who: (who[0], who[1], reasons[who[2]]) for who in wanted}
    held = _held()
    missing = sorted(set(names.values()) - set(held))
    if missing:
        columns = ("designated_role", "rank_or_grade", "reason")
        db.session.execute(insert(StatusGroup), [dict(zip(columns, one, strict=True)) for one in missing])
        held = _held()
    return {who: held[name] for who, name in names.items()}


def _held() -> dict[Named, int]:
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
    names = [*KEY, "people"]
    statement = new.on_conflict_do_update(index_elements=KEY, set_=more)
    db.session.connection().execute(statement, [dict(zip(names, row, strict=True)) for row in rows])


def _send_arrays(rows: list[Place]) -> None:
    """All of them by one statement: row by row they would take as many turns."""
    names = [*KEY, "people"]
    given = arrays(*names)
    new = insert_in_postgresql(TABLE).from_select(names, select(*(given.c[name] for name in names)))
    more = {"people": TABLE.c.people + new.excluded.people}
    statement = new.on_conflict_do_update(index_elements=KEY, set_=more)
    db.session.connection().execute(statement, columns(names, rows))


def arrays(*names: str) -> Any:
    """Rows of whole numbers, given to PostgreSQL as an array for each of these columns."""
    given = (cast(bindparam(name, type_=NUMBERS), NUMBERS) for name in names)
    return func.unnest(*given).table_valued(*names).render_derived()


def columns(names: Sequence[str], rows: Iterable[Sequence[int]]) -> dict[str, list[int]]:
    """The parameters of these arrays."""
    return dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
