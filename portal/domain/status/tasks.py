"""Jobs: the check of all assignments, started by hand, and the monthly snapshots of status counts."""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy import CompoundSelect, and_, delete, func, insert, literal, select, union_all

from portal.domain.directives import services
from portal.domain.directives.applies import LAST_DAY, RuleHistory
from portal.domain.directives.models import Directive, Exclusion
from portal.domain.people.models import Post
from portal.domain.status import projection_rows, recording
from portal.domain.status.counts import Condition, last_day_in_time
from portal.domain.status.models import (
    OPEN_KNOWN,
    Column,
    Kind,
    Statement,
    StatusCountSnapshot,
    StatusGroup,
    StatusPeriod,
)
from portal.domain.status.projection_rows import (
    COUNT_COLUMNS,
    COUNT_KEY,
    COUNTS,
    CountRow,
    add_counts,
    add_groups,
    refuse_rows_ahead,
)
from portal.domain.status.rules import WHOLE
from portal.platform import clock
from portal.platform.db import db, newest_stamp, stamp, transaction
from portal.platform.jobs.registry import Arguments, ItemFailures, JobProgress, Task
from portal.platform.wording import number, plural

# Counts all open status periods anew: checks the status counts, corrects them, and adds snapshots.

MONTHS = 13  # month ends with a snapshot, up to the last one

_REASON = func.coalesce(Exclusion.reason, "")
_COUNTED_BY: dict[Kind, dict[str, Column]] = {
    Kind.PLACE: {"unit_id": StatusPeriod.unit_id},
    Kind.POSITION: {"position": StatusPeriod.position},
    Kind.DAYS: {"due_on": StatusPeriod.due_on, "since_on": last_day_in_time(StatusPeriod)},
}


def list_snapshot_days(today: date) -> list[int]:
    """The last month ends, in order, as ordinals: the days over which lines are drawn."""
    days, day = [], today
    for _ in range(MONTHS):
        day = day.replace(day=1) - timedelta(days=1)
        days.append(day.toordinal())
    return days[::-1]


def find_missing_snapshots(today: date) -> list[tuple[int, int]]:
    """The directives and days without a snapshot that they should have."""
    rows = db.session.execute(select(StatusCountSnapshot.directive_id, StatusCountSnapshot.day))
    present = {(directive_id, day) for directive_id, day in rows}
    directives = db.session.scalars(select(Directive.id).order_by(Directive.id)).all()
    return [
        (key, day) for key in directives for day in list_snapshot_days(today) if (key, day) not in present
    ]


def add_missing_snapshots(today: date) -> int:
    """Add the missing snapshots, under the lock of a stamp; returns how many there were."""
    stamp()
    missing = find_missing_snapshots(today)
    for directive_id, day in missing:
        add_snapshot(directive_id, day)
    return len(missing)


def add_snapshot(directive_id: int, day: int) -> None:
    """Sum the changes of a directive up to a day, in one statement, under the lock of a stamp."""
    db.session.execute(insert(StatusCountSnapshot).values(directive_id=directive_id, day=day))
    sums = _sum_changes(day).where(COUNTS.c.directive_id == directive_id)
    db.session.execute(insert(COUNTS).from_select(COUNT_COLUMNS, sums))


def check_counts(write: bool) -> list[str]:
    """Count every open period anew and compare; with ``write``, correct the counts and add snapshots.

    Returns:
        A sentence for each directive whose numbers differed; none is expected.
    """
    if write:
        stamp()
    refuse_rows_ahead()
    if write:
        _add_missing_groups()
    wrong = Counter(directive_id for rows in _find_differences(write) for directive_id, *_ in rows)
    if write:
        db.session.execute(delete(COUNTS).where(COUNTS.c.people == 0))
        add_missing_snapshots(clock.today())
    return [f"Directive {key}: {n} of its kept numbers differed." for key, n in sorted(wrong.items())]


def _find_differences(write: bool) -> Iterator[list[CountRow]]:
    """The rows to add to the counts: to the changes first, because snapshots are summed from them."""
    yield _add_difference(union_all(*_count_periods(), _negate_counts(COUNTS.c.summed == 0)), write)
    snapshot = StatusCountSnapshot
    for day in db.session.scalars(select(snapshot.day).distinct().order_by(snapshot.day)).all():
        has_snapshot = and_(snapshot.directive_id == COUNTS.c.directive_id, snapshot.day == day)
        sums = _sum_changes(day).join(snapshot, has_snapshot)
        stored = _negate_counts(and_(COUNTS.c.summed == 1, COUNTS.c.day == day))
        yield _add_difference(union_all(sums, stored), write)


def _add_difference(expected_less_stored: CompoundSelect[*CountRow], write: bool) -> list[CountRow]:
    *key, people = expected_less_stored.subquery().c
    total = func.sum(people)
    statement = select(*key, total).group_by(*key).having(total != 0)
    rows = [(*values, int(number)) for *values, number in db.session.execute(statement)]
    if write:
        add_counts(rows)
    return rows


def _negate_counts(condition: Condition) -> Statement:
    """The stored counts with the opposite sign."""
    key = (COUNTS.c[name] for name in COUNT_KEY)
    return select(*key, (-COUNTS.c.people).label("people")).where(condition)


def _sum_changes(day: int) -> Statement:
    """The counts of a snapshot of the day: the sums of the changes up to it."""
    fixed = {"summed": literal(1).label("summed"), "day": literal(day).label("day")}
    key = (fixed.get(name, COUNTS.c[name]) for name in COUNT_KEY)
    people = func.sum(COUNTS.c.people)
    return (
        select(*key, people.label("people"))
        .where(COUNTS.c.summed == 0, COUNTS.c.day <= day)
        .group_by(*(COUNTS.c[name] for name in COUNT_KEY if name not in fixed))
        .having(people != 0)
    )


def _count_periods() -> Iterator[Statement]:
    """Every change, from all open periods: where each begins, and where it ends."""
    period = StatusPeriod
    for kind, counted_by in _COUNTED_BY.items():
        positions = [] if kind == Kind.POSITION else [period.position == WHOLE]
        for day, people, conditions in (
            (period.from_on, 1, positions),
            (period.to_on + 1, -1, [*positions, period.to_on < LAST_DAY]),
        ):
            columns: dict[str, Column] = {
                **dict.fromkeys(COUNT_KEY, literal(0)),
                "directive_id": period.directive_id,
                "kind": literal(int(kind)),
                "day": day,
                "status": period.status,
                "group_id": func.coalesce(StatusGroup.id, 0),  # 0: the group is missing
                **counted_by,
            }
            key = (columns[name].label(name) for name in COUNT_KEY)
            statement = _join_posts(select(*key, literal(people).label("people")))
            yield statement.outerjoin(StatusGroup, _is_group(kind)).where(*conditions)


def _is_group(kind: Kind) -> Condition:
    """That a group is the one that the person is counted in."""
    group, reason = StatusGroup, _REASON if kind == Kind.DAYS else literal("")
    same_post = (group.designated_role == Post.designated_role, group.rank_or_grade == Post.rank_or_grade)
    return and_(*same_post, group.reason == reason)


def _join_posts(statement: Statement) -> Statement:
    """Open periods with their posts and exclusions."""
    return (
        statement.select_from(StatusPeriod)
        .join(Post, Post.id == StatusPeriod.post_id)
        .outerjoin(Exclusion, Exclusion.id == StatusPeriod.exclusion_id)
        .where(StatusPeriod.known_to == OPEN_KNOWN)
    )


def _add_missing_groups() -> None:
    """Add the groups of open periods that are missing."""
    statement = select(Post.designated_role, Post.rank_or_grade, _REASON.label("reason"))
    rows = db.session.execute(_join_posts(statement).distinct()).all()
    add_groups({(role, rank, name) for role, rank, reason in rows for name in ("", reason)})


BATCH = 200  # people between two reports of progress
MOST_SENTENCES = 20


def check_assignments(job: JobProgress, arguments: Arguments) -> dict[str, list[str]]:
    """Compare everybody's assignments with those that follow from the facts."""
    at = newest_stamp() or clock.now()  # what is committed, nothing that is under way
    people = services.list_all_people()
    history, differences = RuleHistory(), list[str]()
    failures = ItemFailures("part")
    for first in range(0, len(people), BATCH):
        job.report_progress(first, len(people), f"{plural(len(differences), 'difference')} so far")
        with failures.of(people[first]):
            differences += services.list_differences(people[first : first + BATCH], history, at)
    job.report_progress(len(people), len(people))
    checked = f"{plural(len(people), 'person', 'people')} checked"
    sentences = [f"{checked}: {plural(len(differences), 'difference')}.", *differences[:MOST_SENTENCES]]
    if (more := len(differences) - MOST_SENTENCES) > 0:
        sentences.append(f"{number(more)} more: see the command “directives reconcile --dry-run”.")
    return failures.end_job(sentences)


def add_snapshots(job: JobProgress, arguments: Arguments) -> dict[str, list[str]]:
    """Sum up every month end without a snapshot: once a month, and after a directive is issued."""
    job.report_progress(0, 1, "Summing up")
    with transaction():
        days = add_missing_snapshots(clock.today())
    return {"said": [f"{plural(days, 'day')} summed up."]}


def undo_lost_rows(_job: JobProgress, _arguments: Arguments) -> dict[str, list[str]]:
    """Undo what a process wrote ahead of a change and did not finish."""
    projection_rows.undo_lost_rows()
    return {"said": ["A change that was cut off is undone. Nobody has seen any of it."]}


TASKS = (
    Task(
        "undo-ahead",
        "Undoing of a change that was cut off",
        undo_lost_rows,
        due=projection_rows.has_lost_rows,
        rest=projection_rows.SILENT,
    ),
    recording.TASK,
    Task(
        "kept-days",
        "Numbers of past months",
        add_snapshots,
        due=lambda: bool(find_missing_snapshots(clock.today())),
    ),
    Task(
        "reconcile",
        "Check of all assignments",
        check_assignments,
        by_hand="Works out from posts, units and directives to whom each directive applies, and compares "
        "that with what is recorded. No difference is expected. It changes nothing.",
    ),
)
