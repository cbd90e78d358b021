"""Assignments follow from posts, versions and the unit tree, in the transaction that changes one of them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest
from typing import Any, NamedTuple

from sqlalchemy import insert, select

from portal.domain.directives.as_of import known
from portal.domain.directives.audience import AudienceVersion, Segment, match_segments
from portal.domain.directives.fact_loader import RuleHistory, fetch, load_posts, split_into_batches
from portal.domain.directives.models import Assignment
from portal.domain.directives.pending import NOTHING_PENDING, PendingFacts
from portal.domain.people.models import Post, UnitState
from portal.platform.db import Touched, db, stamp

TABLE = Assignment.metadata.tables[Assignment.__tablename__]
MOST_SENT = 5_000  # rows given to the driver at a time
SAME_JOINING_DAYS = 31  # a gap up to this long buys no time: days after joining go on

AssignmentRow = dict[str, Any]  # values by column, but for id and stamp


class AssignmentTerms(NamedTuple):
    """What an assignment says beside its person and directive."""

    directive_version_id: int
    from_on: date
    to_on: date
    joined_on: date
    due_on: date
    why: int


@dataclass(frozen=True, slots=True)
class AssignmentFact:
    """An assignment as recorded."""

    id: int
    recorded_at: datetime
    void: bool
    replaces_id: int | None
    person_id: int
    directive_id: int
    terms: AssignmentTerms


def derive_assignments(segments: Sequence[Segment]) -> list[AssignmentTerms]:
    """Maximal runs of matched days under one version, with the day each counts from and is due.

    A run within 31 uncovered days of the one before keeps its ``joined_on``.
    """
    runs: list[tuple[int, int, AudienceVersion, int]] = []
    for segment in segments:
        if runs and runs[-1][1] + 1 == segment.first and runs[-1][2].id == segment.version.id:
            runs[-1] = (runs[-1][0], segment.last, *runs[-1][2:])
        else:
            runs.append((segment.first, segment.last, segment.version, segment.why))
    derived: list[AssignmentTerms] = []
    covered_to = joined = -SAME_JOINING_DAYS
    for first, last, version, why in runs:
        joined = joined if derived and first - covered_to - 1 <= SAME_JOINING_DAYS else first
        covered_to = last
        joined_on = date.fromordinal(joined)
        days = (date.fromordinal(first), date.fromordinal(last))
        derived.append(AssignmentTerms(version.id, *days, joined_on, find_due_day(version, joined_on), why))
    return derived


def find_due_day(version: AudienceVersion, joined_on: date) -> date:
    """The later of the fixed day and the days after joining."""
    dues = []
    if version.due_fixed_on is not None:
        dues.append(version.due_fixed_on)
    if version.due_days_after_joining is not None:
        dues.append(add_days(joined_on, version.due_days_after_joining))
    return max(dues)


def add_days(day: date, days: int) -> date:
    """The day so many days later, or the last day there is."""
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))


def reconcile_assignments(touched: Touched) -> None:
    """Bring the assignments of all people whom the touched facts concern up to date.

    Leaves in ``touched.people`` those whose status periods may change by it, for what is called next.
    """
    at = stamp()
    touched.people |= find_people_under(touched.units) if touched.units else set()
    everyone = set(db.session.scalars(select(Post.person_id).distinct())) if touched.directives else set()
    people = (touched.people | everyone) - touched.projected
    rows = list(find_differences(people, RuleHistory(), at)) if people else []
    write_assignments(rows, at)
    touched.people = (touched.people - touched.projected) | {row["person_id"] for row in rows}


def find_differences(
    people: Iterable[int], history: RuleHistory, at: datetime, pending: PendingFacts = NOTHING_PENDING
) -> Iterator[AssignmentRow]:
    """The rows that bring the people's assignments, as known on ``at``, to what their posts say."""
    for person_id, directive_id, current, expected in compare_assignments(people, history, at, pending):
        for row in pair_assignments(current, expected):
            yield {"person_id": person_id, "directive_id": directive_id, **row}


def compare_assignments(
    people: Iterable[int],
    history: RuleHistory,
    at: datetime,
    pending: PendingFacts = NOTHING_PENDING,
    *,
    only: int | None = None,
) -> Iterator[tuple[int, int, list[AssignmentFact], list[AssignmentTerms]]]:
    """Each person with each directive: the assignments known on ``at``, and what the posts say.

    Args:
        people: Ids, in any order.
        history: The versions and the tree.
        at: The instant whose posts, rules and assignments count.
        pending: Posts that are not recorded yet.
        only: The one directive to look at; None: all of them.
    """
    rules = history.as_known_on(at)
    holds_of = {key: holds for key, holds in rules.holds.items() if only in (None, key)}
    for ids in split_into_batches(sorted(people)):
        posts, assigned = load_posts(ids, pending), load_assignments(ids)
        for person_id in ids:
            live = known(posts[person_id], at)
            current = known(assigned[person_id], at)
            for directive_id, holds in holds_of.items():
                expected = derive_assignments(match_segments(live, holds, rules.tree))
                yield (
                    person_id,
                    directive_id,
                    [a for a in current if a.directive_id == directive_id],
                    expected,
                )


def pair_assignments(
    current: list[AssignmentFact], expected: list[AssignmentTerms]
) -> Iterator[AssignmentRow]:
    """Paired in order of ``from_on``: equal, nothing; different, a replacement; left over, void or new."""
    current = sorted(current, key=lambda fact: fact.terms.from_on)
    for old, new in zip_longest(current, expected):
        if old is None:
            yield {"void": False, "replaces_id": None, **new._asdict()}
        elif new is None:
            yield {"void": True, "replaces_id": old.id, **old.terms._asdict()}
        elif old.terms != new:
            yield {"void": False, "replaces_id": old.id, **new._asdict()}


def write_assignments(rows: Iterable[AssignmentRow], at: datetime) -> None:
    """Record the rows as facts of this transaction."""
    for some in split_into_batches(rows, MOST_SENT):
        db.session.execute(insert(TABLE), [{"recorded_at": at, **row} for row in some])


def load_assignments(people: Sequence[int]) -> dict[int, list[AssignmentFact]]:
    """Every assignment ever recorded of these people, by person."""
    a = Assignment
    head = (a.id, a.recorded_at, a.void, a.replaces_id, a.person_id, a.directive_id)
    terms = (a.directive_version_id, a.from_on, a.to_on, a.joined_on, a.due_on, a.why)
    assignments: dict[int, list[AssignmentFact]] = {person: [] for person in people}
    for row in fetch(select(*head, *terms).where(a.person_id.in_(people))):
        values: tuple[Any, ...] = (*row[:6], AssignmentTerms(*row[6:]))
        fact = AssignmentFact(*values)
        assignments[fact.person_id].append(fact)
    return assignments


def find_people_under(units: Iterable[int]) -> set[int]:
    """Everyone with a post ever recorded in or under these units, under any parent they ever had."""
    below: dict[int | None, set[int]] = {}
    for unit_id, parent_id in db.session.execute(select(UnitState.unit_id, UnitState.parent_id).distinct()):
        below.setdefault(parent_id, set()).add(unit_id)
    reached: set[int] = set()
    ahead = set(units)
    while ahead:
        reached |= ahead
        ahead = set().union(*(below.get(unit, set()) for unit in ahead)) - reached
    people: set[int] = set()
    for ids in split_into_batches(sorted(reached)):
        people.update(db.session.scalars(select(Post.person_id).distinct().where(Post.unit_id.in_(ids))))
    return people
