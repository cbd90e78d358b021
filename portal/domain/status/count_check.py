"""Counts all open status periods anew: compares the status counts, puts them right, and keeps days summed."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, insert, literal, select, union_all

from portal.domain.directives.audience import LAST_DAY
from portal.domain.directives.models import Directive, Exclusion
from portal.domain.people.models import Post
from portal.domain.status.count_writer import KEY, TABLE, GroupName, add_rows, make_groups
from portal.domain.status.filters import late_since
from portal.domain.status.models import OPEN_KNOWN, Kind, StatusCountSnapshot, StatusGroup, StatusPeriod
from portal.domain.status.periods import WHOLE
from portal.platform import clock
from portal.platform.db import db, stamp

MONTHS = 13  # how many ends of months are kept, the last first
DAY, SUMMED = KEY.index("day"), KEY.index("summed")
span, group = StatusPeriod, StatusGroup


def days_to_keep(today: date) -> list[int]:
    """The ends of the last months, in order, as ordinals: the days over which lines are drawn."""
    days, day = [], today
    for _ in range(MONTHS):
        day = day.replace(day=1) - timedelta(days=1)
        days.append(day.toordinal())
    return days[::-1]


def find_missing_days(today: date) -> list[tuple[int, int]]:
    """The directives and days that are to be kept and are not."""
    held = {(directive_id, day) for directive_id, day in db.session.execute(select(*_KEPT))}
    issued = db.session.scalars(select(Directive.id).order_by(Directive.id)).all()
    return [(key, day) for key in issued for day in days_to_keep(today) if (key, day) not in held]


_KEPT = (StatusCountSnapshot.directive_id, StatusCountSnapshot.day)


def keep_days(today: date) -> int:
    """Sum up, under the lock of a stamp, every day that is to be kept and is not; how many there were."""
    stamp()
    found = find_missing_days(today)
    for directive_id, day in found:
        sum_up_day(directive_id, day)
    return len(found)


def sum_up_day(directive_id: int, day: int) -> None:
    """Keep a day of a directive, under the lock of a stamp: one statement sums the changes up to it."""
    db.session.execute(insert(StatusCountSnapshot).values(directive_id=directive_id, day=day))
    db.session.execute(insert(TABLE).from_select([*KEY, "people"], _sum_of_changes(day, directive_id)))


def check_counts(write: bool) -> list[str]:
    """Count every open span anew and compare; with ``write``, put right what differs, and keep days.

    Returns:
        A sentence for each directive whose numbers differed; none is expected.
    """
    if write:
        stamp()
        _make_groups()
    wrong: dict[int, int] = {}
    for rows in _find_differences(write):
        for row in rows:
            wrong[row[0]] = wrong.get(row[0], 0) + 1
    if write:
        db.session.execute(delete(TABLE).where(TABLE.c.people == 0))
        keep_days(clock.today())
    return [f"Directive {key}: {n} of its kept numbers differed." for key, n in sorted(wrong.items())]


def _find_differences(write: bool) -> Iterator[list[Any]]:
    """What is to be added to the rows, of the changes first, since kept days are summed from them."""
    changes = union_all(*_counted_periods(), _stored_negated(TABLE.c.summed == 0))
    kept_days = select(StatusCountSnapshot.day).distinct().order_by(StatusCountSnapshot.day)
    days = db.session.scalars(kept_days).all()
    yield _find_difference(changes, write)
    for day in days:
        yield _find_difference(
            union_all(_sum_of_changes(day), _stored_negated(and_(TABLE.c.summed == 1, TABLE.c.day == day))),
            write,
        )


def _find_difference(both: Any, write: bool) -> list[Any]:
    read = both.subquery()
    key, people = [read.c[name] for name in KEY], func.sum(read.c.people)
    rows = db.session.execute(select(*key, people).group_by(*key).having(people != 0)).all()
    if write:
        add_rows((tuple(row[:-1]), int(row[-1])) for row in rows)
    return list(rows)


def _stored_negated(condition: Any) -> Any:
    """What the table holds, to be taken from what it should hold."""
    return select(*(TABLE.c[name] for name in KEY), (-TABLE.c.people).label("people")).where(condition)


def _sum_of_changes(day: int, directive_id: int | None = None) -> Any:
    """The numbers on a kept day, from the changes up to it."""
    key = [literal(1).label("summed") if name == "summed" else TABLE.c[name] for name in KEY]
    key[DAY] = literal(day).label("day")
    by = [TABLE.c[name] for name in KEY if name not in ("summed", "day")]
    people = func.sum(TABLE.c.people)
    found = select(*key, people.label("people")).where(TABLE.c.summed == 0, TABLE.c.day <= day)
    if directive_id is not None:
        found = found.where(TABLE.c.directive_id == directive_id)
    else:
        found = found.join(
            StatusCountSnapshot,
            and_(StatusCountSnapshot.directive_id == TABLE.c.directive_id, StatusCountSnapshot.day == day),
        )
    return found.group_by(*by).having(people != 0)


def _counted_periods() -> Iterator[Any]:
    """Every change, from all open spans: where each begins, and where it ends."""
    for kind in Kind:
        for day, people, narrowed in ((span.from_on, 1, []), (span.to_on + 1, -1, [span.to_on < LAST_DAY])):
            at = {**_key_columns(kind), "kind": literal(int(kind)), "summed": literal(0), "day": day}
            columns = [at[name].label(name) for name in KEY]
            found = _join_groups(select(*columns, literal(people).label("people")), kind == Kind.DAYS)
            yield found.where(*narrowed, *([] if kind == Kind.POSITION else [span.position == WHOLE]))


def _key_columns(kind: Kind) -> dict[str, Any]:
    none = literal(0)
    by_days = kind == Kind.DAYS
    return {
        "directive_id": span.directive_id,
        "unit_id": span.unit_id if kind == Kind.PLACE else none,
        "position": span.position if kind == Kind.POSITION else none,
        "status": span.status,
        "due_on": span.due_on if by_days else none,
        "since_on": late_since(span) if by_days else none,
        "group_id": func.coalesce(group.id, 0),  # 0: nobody was counted in such a group
    }


_REASON = func.coalesce(Exclusion.reason, "")


def _join_groups(statement: Any, by_reason: bool) -> Any:
    """Open spans with the groups that their people are counted in."""
    same = (group.designated_role == Post.designated_role, group.rank_or_grade == Post.rank_or_grade)
    return (
        statement.select_from(span)
        .join(Post, Post.id == span.post_id)
        .outerjoin(Exclusion, Exclusion.id == span.exclusion_id)
        .outerjoin(group, and_(*same, group.reason == (_REASON if by_reason else "")))
        .where(span.known_to == OPEN_KNOWN)
    )


def _make_groups() -> None:
    """Make the groups of open periods that are not there yet."""
    opened = (
        select(Post.designated_role, Post.rank_or_grade, _REASON.label("reason"))
        .select_from(span)
        .join(Post, Post.id == span.post_id)
        .outerjoin(Exclusion, Exclusion.id == span.exclusion_id)
        .where(span.known_to == OPEN_KNOWN)
        .distinct()
    )
    rows = db.session.execute(opened).all()
    names: set[GroupName] = {(role, rank, why) for role, rank, reason in rows for why in ("", reason)}
    make_groups(names)
