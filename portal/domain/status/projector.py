"""The projector: loads facts, computes status periods, diffs them with the stored rows, and writes the edits.

A single fact is projected in its transaction. An import or a directive that reaches thousands is staged from
pending facts before the lock, and written under it. A rebuild replays every stamp.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, exists, func, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from portal.domain.catalogue.models import MinimumVersion, ModuleVersion
from portal.domain.directives.applies import (
    ALL_KNOWN,
    NOTHING_PENDING,
    PEOPLE,
    AssignmentFact,
    AssignmentRow,
    AssignmentTerms,
    AudienceVersion,
    PendingFacts,
    PostFact,
    RuleHistory,
    fetch_tuples,
    find_differences,
    load_assignments,
    load_posts,
    load_rule_history,
    number_placeholders,
    split_into_batches,
    write_assignments,
)
from portal.domain.directives.models import Assignment, DirectiveVersion, Exclusion
from portal.domain.people.models import Person, Post, UnitState
from portal.domain.records.models import PassRecord, Record, Registration, Revocation
from portal.domain.status.projection_rows import (
    CountChanges,
    TellProgress,
    load_rows,
    refuse_rows_ahead,
    tell_nobody,
    undo_rows,
    write_edits,
)
from portal.domain.status.rules import (
    AssignmentRule,
    ExclusionFact,
    FactHeader,
    KnownPeriod,
    Period,
    PersonFacts,
    RecordFact,
    RevocationFact,
    RowEdits,
    StartFact,
    compute_directive_periods,
    compute_periods,
    diff_periods,
    diff_rows,
    supersede_periods,
)
from portal.platform.bulk import paused_garbage_collection
from portal.platform.clock import to_microseconds
from portal.platform.db import Stamp, Touched, db, newest_stamp, read, stamp, touch

FACTS_OF_PEOPLE = (Post, Assignment, Exclusion, Record, Registration)
NOTHING_STAGED: Mapping[int, Sequence[AssignmentRow]] = {}
BEFORE_ALL = datetime.min.replace(tzinfo=UTC)

FactsByPerson = dict[int, PersonFacts]


def _select_facts(kind: type[FactHeader], table: Any, key: InstrumentedAttribute[int]) -> Select[Any]:
    """The columns that have the names of a fact's fields, then the person and the key, for some people."""
    columns = [getattr(table, field.name) for field in fields(kind) if hasattr(table, field.name)]
    person_id = key.class_.person_id
    return select(*columns, person_id, key).where(person_id.in_(PEOPLE))


_FACTS = (  # each kind, and the attribute of ``PersonFacts`` that holds it by directive or activity
    (ExclusionFact, "exclusions", _select_facts(ExclusionFact, Exclusion, Exclusion.directive_id)),
    (RecordFact, "records", _select_facts(RecordFact, Record, Record.activity_id)),
    (StartFact, "starts", _select_facts(StartFact, Registration, Registration.activity_id)),
    (
        RevocationFact,
        "revocations",
        _select_facts(RevocationFact, Revocation, Record.activity_id).join(
            Record, Record.id == Revocation.record_id
        ),
    ),
)
_FIRST = aliased(Record)  # a correction keeps the reference, and the pass of the row before it
_VERSIONS_PASSED = (
    select(Record.id, ModuleVersion.number)
    .join(_FIRST, _FIRST.reference == Record.reference)
    .join(PassRecord, PassRecord.record_id == _FIRST.id)
    .join(ModuleVersion, ModuleVersion.id == PassRecord.module_version_id)
    .where(Record.person_id.in_(PEOPLE), Record.activity_id.in_(bindparam("activities", expanding=True)))
)


def load_facts(
    people: Sequence[int],
    history: RuleHistory,
    pending: PendingFacts = NOTHING_PENDING,
    staged: Mapping[int, Sequence[AssignmentRow]] = NOTHING_STAGED,
) -> FactsByPerson:
    """Every fact about these people, recorded at any time or pending, that matters to a history's directives.

    Of people to whom no such directive ever applied, only the posts are read: they have no status. Up to
    seven statements if one has applied to somebody; two if not.

    Args:
        people: Their ids.
        history: The directives that matter, and their rules.
        pending: Facts to be recorded.
        staged: Assignments to be written, by person.
    """
    posts = load_posts(people, pending)
    facts = {person: PersonFacts(posts=posts[person]) for person in people}
    for assignments in load_assignments(people, history).values():
        for assignment in assignments:
            _add_assignment(facts, assignment, history.versions)
    _add_staged_assignments(facts, staged, history)
    if assigned := {person: each for person, each in facts.items() if each.assignments}:
        _add_learning(assigned, history, pending)
    return facts


def _add_learning(facts: FactsByPerson, history: RuleHistory, pending: PendingFacts) -> None:
    """Add exclusions, records, what was begun, and the revocations of records if there are any."""
    people = list(facts)
    for kind, name, statement in _FACTS:
        if kind is RevocationFact and not any(each.records for each in facts.values()):
            continue
        if history.only is not None:
            names_key = history.names_directive if kind is ExclusionFact else history.names_activity
            statement = statement.where(names_key([*statement.selected_columns][-1]))
        for *values, person_id, key in fetch_tuples(statement, people):
            getattr(facts[person_id], name).setdefault(key, []).append(kind(*values))
    _add_versions(facts, sorted(history.minimums))
    for person_id in facts.keys() & pending.records.keys():
        for placeholder, activity_id, achieved_on in pending.records[person_id]:
            record = RecordFact(placeholder, ALL_KNOWN, False, None, achieved_on)
            facts[person_id].records.setdefault(activity_id, []).append(record)


def _add_versions(facts: FactsByPerson, activities: Sequence[int]) -> None:
    """Add the number of the version passed to the records of these activities."""
    if not activities:
        return
    versions = dict(map(tuple, read(_VERSIONS_PASSED, {"people": list(facts), "activities": activities})))
    for person in facts.values():
        for key in person.records.keys() & activities:
            person.records[key] = [
                replace(each, version=versions.get(each.id)) for each in person.records[key]
            ]


def _add_assignment(
    facts: FactsByPerson, fact: AssignmentFact, versions: Mapping[int, AudienceVersion]
) -> None:
    """Add an assignment, with the terms of validity of its version."""
    version, terms = versions[fact.terms.directive_version_id], fact.terms
    head = (fact.id, fact.recorded_at, fact.void, fact.replaces_id)
    validity = (version.validity_months, version.yearly_on, version.minimum_gap_months, version.expiring_days)
    rule = AssignmentRule(*head, terms.from_on, terms.to_on, terms.due_on, version.id, *validity)
    facts[fact.person_id].assignments.setdefault(fact.directive_id, []).append(rule)


@dataclass(slots=True)
class Projection:
    """The edits of people's status periods and the changes of the status counts, ready to be written."""

    edits: dict[int, RowEdits] = field(default_factory=dict)  # by person
    posts: dict[int, PostFact] = field(default_factory=dict)  # of the same people
    counts: CountChanges = field(default_factory=CountChanges)

    def add_people(
        self, facts: FactsByPerson, history: RuleHistory, at: datetime, loaded_at: datetime | None = None
    ) -> None:
        """Add the edits that follow for people from their facts, as known from ``at`` on.

        ``at`` is the stamp of the transaction that writes them. Where it is a placeholder, ``loaded_at`` is
        the instant on which the stored rows are known.
        """
        assigned = {person_id: person for person_id, person in facts.items() if person.assignments}
        stored = load_rows(list(assigned), to_microseconds(loaded_at or at), history.only) if assigned else {}
        for person_id, person in assigned.items():
            expected = compute_periods(person, history, at)
            if edits := diff_periods(stored[person_id], expected, to_microseconds(at)):
                self.edits[person_id] = edits
                self.posts.update((post.id, post) for post in person.posts)
                self.counts.add_edits(edits, self.posts)


def project_status(touched: Touched) -> None:
    """Bring the status periods of the touched people up to date, as known from the stamp on."""
    at, projection = stamp(), Projection()
    for people, only in ((touched.people, None), (touched.reassigned, touched.directives)):
        if not people:
            continue
        history = load_rule_history() if only is None else RuleHistory(only=only)
        for ids in split_into_batches(sorted(people)):
            projection.add_people(load_facts(ids, history), history, at)
    write_edits(projection.edits, {})
    projection.counts.write_counts({})


@dataclass(slots=True, kw_only=True)
class StagedProjection(Projection):
    """The projection of pending facts: computed without a lock, written with the facts or ahead of them.

    Where the facts are versions alone, it is computed for their directives, and for the people whose
    assignments they change.
    """

    known_at: datetime  # everything recorded up to this stamp is in it
    people: frozenset[int]
    pending: PendingFacts
    assignments: dict[int, list[AssignmentRow]] = field(default_factory=dict)  # to write, by person

    @property
    def directive_ids(self) -> frozenset[int] | None:
        """The directives that matter; None: all of them."""
        return frozenset(version.directive_id for version in self.pending.versions) or None

    def compute_edits(self, people: Iterable[int], tell: TellProgress = tell_nobody) -> None:
        """Compute the projection of these people, from the facts that are recorded and those pending."""
        history, ids_to_do, done = RuleHistory(self.pending, self.directive_ids), sorted(people), 0
        loaded_at = self.known_at + timedelta(microseconds=1)
        for ids in split_into_batches(ids_to_do):
            done += len(ids)
            for row in find_differences(ids, history, ALL_KNOWN, self.pending):
                self.assignments.setdefault(row["person_id"], []).append(row)
            if self.directive_ids is not None:
                ids = [each for each in ids if each in self.assignments]
            facts = load_facts(ids, history, self.pending, self.assignments)
            self.add_people(facts, history, ALL_KNOWN, loaded_at)
            tell(done, len(ids_to_do))

    def leave_out(self, people: Iterable[int]) -> None:
        """Take the projection of these people out again."""
        for person_id in people:
            self.assignments.pop(person_id, None)
            if edits := self.edits.pop(person_id, None):
                self.counts.add_edits(edits, self.posts, times=-1)

    def write_rows(self, at: datetime, real: Mapping[int, int], *, periods_are_written: bool = False) -> None:
        """Write the projection under the lock, once the facts are recorded, but for periods written ahead.

        People about whom another transaction recorded a fact since staging are left out: they are projected
        before the commit. Everybody is, where another transaction recorded a unit or a directive version.
        ``at`` is the transaction's stamp, and ``real`` maps placeholders to real ids.
        """
        outdated = self.find_outdated(at, real)
        self.leave_out(outdated)
        if periods_are_written:
            undo_rows(outdated, at)
        else:
            write_edits(self.edits, with_stamp(real, at))
        rows = (row for person_id in sorted(self.assignments) for row in self.assignments[person_id])
        write_assignments((_with_real_ids(row, real) for row in rows), at)
        self.counts.write_counts(real)
        touch(projected=(real.get(person_id, person_id) for person_id in self.people - outdated))

    def find_outdated(
        self, at: datetime, real: Mapping[int, int], among: Collection[int] | None = None
    ) -> frozenset[int]:
        """The people whose projection is outdated by what other transactions recorded before ``at``.

        Of all of them, or ``among`` some, few enough for one statement.
        """
        people = self.people if among is None else frozenset(among)
        if not db.session.scalar(_ANYTHING_BETWEEN, {"since": self.known_at, "at": at}):
            return frozenset()
        for fact in (UnitState, MinimumVersion, DirectiveVersion):
            newest = select(func.max(fact.recorded_at)).where(fact.recorded_at < at)
            if fact is DirectiveVersion and self.directive_ids is not None:
                directive_ids = [real.get(each, each) for each in self.directive_ids]
                newest = newest.where(DirectiveVersion.directive_id.in_(directive_ids))
            if (db.session.scalar(newest) or BEFORE_ALL) > self.known_at:
                return people
        return people.intersection(_find_people_between(self.known_at, at, among))


_ANYTHING_BETWEEN = select(
    exists().where(Stamp.recorded_at > bindparam("since"), Stamp.recorded_at < bindparam("at"))
)


def with_stamp(real: Mapping[int, int], at: datetime) -> dict[int, int]:
    """The real ids of placeholders, and the stamp for its own."""
    return {**real, to_microseconds(ALL_KNOWN): to_microseconds(at)}


def _with_real_ids(row: AssignmentRow, real: Mapping[int, int]) -> AssignmentRow:
    ids = ("person_id", "directive_id", "directive_version_id")
    return {**row, **{name: real.get(row[name], row[name]) for name in ids}}


def _add_staged_assignments(
    facts: FactsByPerson, assignments: Mapping[int, Sequence[AssignmentRow]], history: RuleHistory
) -> None:
    """Add the assignments that are still to be written."""
    numbers = number_placeholders()
    for row in (row for person_id in facts for row in assignments.get(person_id, ())):
        terms = AssignmentTerms(**{name: row[name] for name in AssignmentTerms._fields})
        head = (next(numbers), ALL_KNOWN, row["void"], row["replaces_id"])
        fact = AssignmentFact(*head, row["person_id"], row["directive_id"], terms)
        _add_assignment(facts, fact, history.versions)


def stage_projection(
    people: Iterable[int], pending: PendingFacts, tell: TellProgress = tell_nobody
) -> StagedProjection:
    """Compute the projection of pending facts about people; takes no lock and writes nothing."""
    staged = StagedProjection(
        known_at=newest_stamp() or BEFORE_ALL, people=frozenset(people), pending=pending
    )
    with paused_garbage_collection():
        staged.compute_edits(staged.people, tell)
    return staged


def _find_people_between(
    since: datetime, at: datetime, among: Collection[int] | None = None
) -> Iterator[int]:
    """Everyone, or of some people those, about whom a fact was recorded between two instants."""
    revoked = select(Record.person_id).join(Revocation, Revocation.record_id == Record.id)
    for fact, owner, query in (
        *((fact, fact.person_id, select(fact.person_id)) for fact in FACTS_OF_PEOPLE),
        (Revocation, Record.person_id, revoked),
    ):
        query = query.where(fact.recorded_at > since, fact.recorded_at < at).distinct()
        yield from db.session.scalars(query if among is None else query.where(owner.in_(sorted(among))))


def rebuild_status(write: bool = True) -> list[str]:
    """Replay every stamp and compare with the table; with ``write``, correct the rows that differ.

    The status counts are left to ``check_counts``.

    Returns:
        A sentence for each person whose rows differed; none is expected.
    """
    refuse_rows_ahead()
    history = RuleHistory()
    differing: list[str] = []
    for ids in split_into_batches(db.session.scalars(select(Person.id).order_by(Person.id))):
        facts, stored = load_facts(ids, history), load_rows(ids)
        edits = {person: diff_rows(stored[person], replay_facts(facts[person], history)) for person in ids}
        differing += [f"Person {person}: {_describe_edits(each)}." for person, each in edits.items() if each]
        if write:
            write_edits(edits, {})
    return differing


def replay_facts(facts: PersonFacts, history: RuleHistory) -> set[KnownPeriod]:
    """Every row that follows from the person's facts: of each directive, stamp by stamp."""
    replayed: set[KnownPeriod] = set()
    for directive_id in facts.assignments:
        known: dict[Period, int] = {}
        for t in sorted(facts.list_stamps(directive_id, history)):
            expected = set(compute_directive_periods(facts, directive_id, history, t))
            rows = list(supersede_periods(known, expected, to_microseconds(t)))
            known = {row.period: row.known_from for row in rows if row.is_open}
            replayed.update(row for row in rows if not row.is_open)
        replayed.update(KnownPeriod(period, since) for period, since in known.items())
    return replayed


def _describe_edits(edits: RowEdits) -> str:
    missing, surplus = (len(edits.closed) + len(rows) for rows in (edits.inserted, edits.deleted))
    return f"{missing} spans missing, {surplus} too many"
