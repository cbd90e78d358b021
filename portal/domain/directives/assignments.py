"""Derives assignments from posts, directive versions and the unit tree, whenever one of these changes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest
from typing import Any, NamedTuple

from sqlalchemy import select

from portal.domain.directives.as_of import known_facts
from portal.domain.directives.audience import AudienceVersion, Segment, match_segments
from portal.domain.directives.fact_loader import (
    PEOPLE,
    RuleHistory,
    fetch_tuples,
    load_posts,
    load_rule_history,
    split_into_batches,
)
from portal.domain.directives.models import Assignment
from portal.domain.directives.pending import NOTHING_PENDING, PendingFacts
from portal.domain.people.models import Post, UnitState
from portal.platform.bulk_writing import insert_rows
from portal.platform.db import Touched, db, stamp

TABLE = Assignment.metadata.tables[Assignment.__tablename__]
SAME_JOINING_DAYS = 31  # after a gap up to this long a person keeps their day of joining

AssignmentRow = dict[str, Any]  # values by column, but for id and stamp


class AssignmentTerms(NamedTuple):
    """An assignment without its person and directive: version, days, due date and reason."""

    directive_version_id: int
    from_on: date
    to_on: date
    joined_on: date
    due_on: date
    why: int


COLUMNS = ("void", "replaces_id", "person_id", "directive_id", *AssignmentTerms._fields)


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
    """The longest runs of matched days under one version, each with its day of joining and due date.

    A run that begins at most 31 days after the one before keeps its ``joined_on``.
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
    """The later of the fixed due date and the due date by days after joining."""
    dues = []
    if version.due_fixed_on is not None:
        dues.append(version.due_fixed_on)
    if version.due_days_after_joining is not None:
        dues.append(add_days(joined_on, version.due_days_after_joining))
    return max(dues)


def add_days(day: date, days: int) -> date:
    """The day ``days`` later, or the last day of the calendar."""
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))


def reconcile_assignments(touched: Touched) -> None:
    """Bring the assignments of all people concerned by the touched facts up to date.

    Registrations and records change no assignment, so learners are not read. Afterwards ``touched.people``
    holds everyone whose status periods may change under any directive, learners too, and
    ``touched.reassigned`` everyone else whose may change under the directives that got a version.
    """
    at = stamp()
    touched.people |= find_people_under(touched.units) if touched.units else set()
    touched.people -= touched.projected
    if touched.people:
        write_assignments(find_differences(touched.people, load_rule_history(), at), at)
    if touched.directives:
        others = list_people_with_posts() - touched.people - touched.projected
        rows = list(find_differences(others, RuleHistory(only=touched.directives), at))
        write_assignments(rows, at)
        touched.reassigned = {row["person_id"] for row in rows}
    touched.people |= touched.learners - touched.projected
    touched.reassigned -= touched.learners


def list_people_with_posts() -> set[int]:
    """Everyone with a post ever recorded: to nobody else does any directive apply."""
    return set(db.session.scalars(select(Post.person_id).distinct()))


def find_differences(
    people: Iterable[int], history: RuleHistory, at: datetime, pending: PendingFacts = NOTHING_PENDING
) -> Iterator[AssignmentRow]:
    """The rows to insert so that the people's assignments, as known on ``at``, follow from their posts."""
    for person_id, directive_id, current, expected in compare_assignments(people, history, at, pending):
        for row in pair_assignments(current, expected):
            yield {"person_id": person_id, "directive_id": directive_id, **row}


def compare_assignments(
    people: Iterable[int],
    history: RuleHistory,
    at: datetime,
    pending: PendingFacts = NOTHING_PENDING,
) -> Iterator[tuple[int, int, list[AssignmentFact], list[AssignmentTerms]]]:
    """For each person and directive: the assignments known on ``at``, and those that follow from the posts.

    Args:
        people: Ids, in any order.
        history: Directive versions, of the directives to compare, and unit states.
        at: Only posts, rules and assignments known on this instant count.
        pending: Posts that are not recorded yet.
    """
    tree, directive_ids = history.tree_as_known_on(at), history.list_directives(at)
    for ids in split_into_batches(sorted(people)):
        posts, assigned = load_posts(ids, pending), load_assignments(ids, history)
        for person_id in ids:
            posts_known = known_facts(posts[person_id], at)
            current: dict[int, list[AssignmentFact]] = {}
            for fact in known_facts(assigned[person_id], at):
                current.setdefault(fact.directive_id, []).append(fact)
            for directive_id in directive_ids:
                in_force = history.versions_in_force(directive_id, at)
                expected = derive_assignments(match_segments(posts_known, in_force, tree))
                yield person_id, directive_id, current.get(directive_id, []), expected


def pair_assignments(
    current: list[AssignmentFact], expected: list[AssignmentTerms]
) -> Iterator[AssignmentRow]:
    """Pair both in order of ``from_on``: equal ones need no row, others a correction, a void or a new one."""
    current = sorted(current, key=lambda fact: fact.terms.from_on)
    for old, new in zip_longest(current, expected):
        if old is None:
            yield {"void": False, "replaces_id": None, **new._asdict()}
        elif new is None:
            yield {"void": True, "replaces_id": old.id, **old.terms._asdict()}
        elif old.terms != new:
            yield {"void": False, "replaces_id": old.id, **new._asdict()}


def write_assignments(rows: Iterable[AssignmentRow], at: datetime) -> None:
    """Insert the rows as facts recorded at ``at``."""
    db.session.flush()
    insert_rows(TABLE, ("recorded_at", *COLUMNS), ((at, *(row[name] for name in COLUMNS)) for row in rows))


_ASSIGNMENTS = select(
    Assignment.id,
    Assignment.recorded_at,
    Assignment.void,
    Assignment.replaces_id,
    Assignment.person_id,
    Assignment.directive_id,
    *(getattr(Assignment, name) for name in AssignmentTerms._fields),
).where(Assignment.person_id.in_(PEOPLE))


def load_assignments(people: Sequence[int], history: RuleHistory) -> dict[int, list[AssignmentFact]]:
    """Every assignment ever recorded of these people to the directives of a history, by person."""
    assignments: dict[int, list[AssignmentFact]] = {person: [] for person in people}
    query = _ASSIGNMENTS
    if history.only is not None:
        query = query.where(history.names_directive(Assignment.directive_id))
    for row in fetch_tuples(query, people):
        values: tuple[Any, ...] = (*row[:6], AssignmentTerms(*row[6:]))
        fact = AssignmentFact(*values)
        assignments[fact.person_id].append(fact)
    return assignments


def find_people_under(units: Iterable[int]) -> set[int]:
    """Everyone with a post ever recorded in or below these units, whatever parents the units have had."""
    below: dict[int | None, set[int]] = {}
    for unit_id, parent_id in db.session.execute(select(UnitState.unit_id, UnitState.parent_id).distinct()):
        below.setdefault(parent_id, set()).add(unit_id)
    visited: set[int] = set()
    to_visit = set(units)
    while to_visit:
        visited |= to_visit
        to_visit = set().union(*(below.get(unit, set()) for unit in to_visit)) - visited
    people: set[int] = set()
    for ids in split_into_batches(sorted(visited)):
        people.update(db.session.scalars(select(Post.person_id).distinct().where(Post.unit_id.in_(ids))))
    return people
