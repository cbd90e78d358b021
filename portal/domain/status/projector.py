"""The projector: loads facts, computes status periods, diffs them with the stored rows, and writes the edits.

One way for all that is recorded. A single fact is projected in its transaction; an import or a directive that
reaches thousands is staged before the lock, from pending facts, and written under it; a rebuild replays every
stamp.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import func, select

from portal.domain.directives.assignments import (
    AssignmentFact,
    AssignmentRow,
    AssignmentTerms,
    find_differences,
    write_assignments,
)
from portal.domain.directives.audience import PostFact
from portal.domain.directives.fact_loader import RuleHistory, split_into_batches
from portal.domain.directives.models import Assignment, DirectiveVersion, Exclusion
from portal.domain.directives.pending import (
    ALL_KNOWN,
    NEW_DIRECTIVE,
    NEW_VERSION,
    PendingFacts,
    number_placeholders,
)
from portal.domain.directives.proposals import Proposal
from portal.domain.directives.services import IssueResult
from portal.domain.people.models import Person, Post, UnitState
from portal.domain.records.models import Record, Registration, Revocation
from portal.domain.status.count_writer import CountChanges
from portal.domain.status.diff import KnownPeriod, RowEdits, diff_periods, diff_rows, supersede_periods
from portal.domain.status.facts import FactsByPerson, add_assignment, load_facts
from portal.domain.status.models import micros
from portal.domain.status.period_store import load_rows, write_edits
from portal.domain.status.periods import Period, PersonFacts, compute_periods
from portal.platform.db import Touched, db, newest_stamp, stamp, touch

BEFORE_ALL = datetime.min.replace(tzinfo=UTC)

TellProgress = Callable[[int, int], None]  # how many people are done, of how many; may raise to stop it


@dataclass(slots=True)
class Projection:
    """What brings people's status periods and the status counts up to date, ready to be written."""

    edits: dict[int, RowEdits] = field(default_factory=dict)  # by person
    posts: dict[int, PostFact] = field(default_factory=dict)  # of the same people
    counts: CountChanges = field(default_factory=CountChanges)

    def add_people(self, facts: FactsByPerson, history: RuleHistory, at: datetime) -> None:
        """Add what changes for people by what their facts say, as known from ``at`` on."""
        stored = load_rows(list(facts), micros(at))
        for person_id, person in facts.items():
            expected = compute_periods(person, history, at)
            if edits := diff_periods(stored[person_id], expected, micros(at)):
                self.edits[person_id] = edits
                self.posts.update((post.id, post) for post in person.posts)
                self.counts.add_edits(edits, self.posts)

    def leave_out(self, people: Iterable[int]) -> None:
        """Take people out again."""
        for person_id in people:
            if edits := self.edits.pop(person_id, None):
                self.counts.add_edits(edits, self.posts, times=-1)

    def write_rows(self, real: Mapping[int, int]) -> None:
        """Write it, under the lock of the stamp; ``real`` holds what placeholders have become."""
        write_edits(self.edits, real)
        self.counts.write_counts(real)


def project_status(touched: Touched) -> None:
    """Bring the status periods of the touched people up to date, as known from the stamp on."""
    if not touched.people:
        return
    at, history, projection = stamp(), RuleHistory(), Projection()
    for ids in split_into_batches(sorted(touched.people)):
        projection.add_people(load_facts(ids, history.versions), history, at)
    projection.write_rows({})


@dataclass(slots=True)
class StagedProjection:
    """What will follow from pending facts: computed without a lock, written with the facts."""

    known_at: datetime  # the newest stamp when it was begun
    people: frozenset[int]
    assignments: dict[int, list[AssignmentRow]] = field(default_factory=dict)  # to write, by person
    projection: Projection = field(default_factory=Projection)

    def write_rows(self, at: datetime, real: Mapping[int, int]) -> None:
        """Write it under the lock, once the facts are recorded.

        People about whom another transaction recorded something meanwhile are left to be projected before
        the commit; all of them are, where it recorded a unit or a directive version.

        Args:
            at: The transaction's stamp.
            real: The ids that placeholders have become.
        """
        people = self.people - _find_outdated(self.people, self.known_at, at)
        self.projection.leave_out(self.people - people)
        rows = (row for person_id in sorted(people) for row in self.assignments.get(person_id, ()))
        write_assignments((_with_real_ids(row, real) for row in rows), at)
        self.projection.write_rows({**real, micros(ALL_KNOWN): micros(at)})
        touch(projected=(real.get(person_id, person_id) for person_id in people))


def _with_real_ids(row: AssignmentRow, real: Mapping[int, int]) -> AssignmentRow:
    ids = {name: row[name] for name in ("person_id", "directive_id", "directive_version_id")}
    return {**row, **{name: real.get(number, number) for name, number in ids.items()}}


def stage_projection(
    people: Iterable[int], pending: PendingFacts, tell: TellProgress = lambda _done, _all: None
) -> StagedProjection:
    """Compute what will follow for people from pending facts; takes no lock and writes nothing."""
    staged = StagedProjection(newest_stamp() or BEFORE_ALL, frozenset(people))
    history = RuleHistory(pending)
    done = 0
    for ids in split_into_batches(sorted(staged.people)):
        facts = load_facts(ids, history.versions, pending)
        for row in find_differences(ids, history, ALL_KNOWN, pending):
            staged.assignments.setdefault(row["person_id"], []).append(row)
        _add_pending_assignments(facts, staged.assignments, history)
        staged.projection.add_people(facts, history, ALL_KNOWN)
        done += len(ids)
        tell(done, len(staged.people))
    return staged


def _add_pending_assignments(
    facts: FactsByPerson, assignments: Mapping[int, list[AssignmentRow]], history: RuleHistory
) -> None:
    numbers = number_placeholders()
    for row in (row for person_id in facts for row in assignments.get(person_id, ())):
        terms = AssignmentTerms(**{name: row[name] for name in AssignmentTerms._fields})
        head = (next(numbers), ALL_KNOWN, row["void"], row["replaces_id"])
        fact = AssignmentFact(*head, row["person_id"], row["directive_id"], terms)
        add_assignment(facts, fact, history.versions)


def stage_version(proposal: Proposal) -> StagedProjection:
    """Compute what will follow from issuing a directive version, for all who have a post."""
    people = () if proposal.is_unchanged else db.session.scalars(select(Post.person_id).distinct())
    return stage_projection(people, PendingFacts(versions=[proposal.pending_version()]))


def write_version(staged: StagedProjection, issued: IssueResult) -> None:
    """Write what ``stage_version`` computed, in the transaction that issued the version."""
    if issued.new:
        staged.write_rows(stamp(), {NEW_DIRECTIVE: issued.directive_id, NEW_VERSION: issued.version_id})


def _find_outdated(people: frozenset[int], since: datetime, at: datetime) -> frozenset[int]:
    """The people whose staged projection no longer holds, by what was recorded in between."""
    for fact in (UnitState, DirectiveVersion):
        newest = select(func.max(fact.recorded_at)).where(fact.recorded_at < at)
        if (db.session.scalar(newest) or BEFORE_ALL) > since:
            return people
    return people.intersection(_find_people_between(since, at))


def _find_people_between(since: datetime, at: datetime) -> Iterator[int]:
    """Everyone about whom a fact was recorded after an instant and before another."""
    for fact in (Post, Assignment, Exclusion, Record, Registration):
        between = (fact.recorded_at > since, fact.recorded_at < at)
        yield from db.session.scalars(select(fact.person_id).where(*between).distinct())
    revoked = select(Record.person_id).join(Revocation, Revocation.record_id == Record.id)
    between = (Revocation.recorded_at > since, Revocation.recorded_at < at)
    yield from db.session.scalars(revoked.where(*between).distinct())


def rebuild_status(write: bool = True) -> list[str]:
    """Replay every stamp and compare with the table; with ``write``, put right what differs.

    The status counts are left to ``check_counts``.

    Returns:
        A sentence for each person whose rows differed; none is expected.
    """
    history = RuleHistory()
    differing: list[str] = []
    for ids in split_into_batches(db.session.scalars(select(Person.id).order_by(Person.id))):
        facts, stored = load_facts(ids, history.versions), load_rows(ids)
        edits = {person: diff_rows(stored[person], replay_facts(facts[person], history)) for person in ids}
        differing += [f"Person {person}: {_describe_edits(some)}." for person, some in edits.items() if some]
        if write:
            write_edits(edits, {})
    return differing


def replay_facts(facts: PersonFacts, history: RuleHistory) -> set[KnownPeriod]:
    """Every row that the person's facts make, stamp by stamp."""
    moves = {state.recorded_at for state in history.states}
    known: dict[Period, int] = {}
    closed: set[KnownPeriod] = set()
    for t in sorted(facts.list_stamps() | moves):
        rows = list(supersede_periods(known, compute_periods(facts, history, t), micros(t)))
        known = {row.period: row.known_from for row in rows if row.is_open}
        closed.update(row for row in rows if not row.is_open)
    return closed | {KnownPeriod(period, since) for period, since in known.items()}


def _describe_edits(edits: RowEdits) -> str:
    missing, surplus = (len(edits.closed) + len(rows) for rows in (edits.inserted, edits.deleted))
    return f"{missing} spans missing, {surplus} too many"
