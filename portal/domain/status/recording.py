"""Records facts with all that follows: at once, or ahead where that concerns many people."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import MinimumVersion, ModuleVersion
from portal.domain.directives import files
from portal.domain.directives.applies import (
    ALL_KNOWN,
    FIRST_PLACEHOLDER,
    NEW_DIRECTIVE,
    NEW_VERSION,
    MinimumVersionRule,
    PendingFacts,
    RuleHistory,
    list_people_with_posts,
    split_into_batches,
)
from portal.domain.directives.changes import (
    Proposal,
    find_directive_id,
    propose_version,
    propose_version_withdrawal,
    propose_withdrawal,
)
from portal.domain.directives.models import Directive
from portal.domain.directives.services import (
    Confirmation,
    IssueResult,
    add_directive,
    record_proposal,
    refuse_outside_own_units,
)
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import require_starter
from portal.domain.records.models import PassRecord, Record
from portal.domain.records.queries import list_people_with_records
from portal.domain.status.counts import covers_day
from portal.domain.status.models import OPEN_KNOWN, Statement, StatusPeriod
from portal.domain.status.projection_rows import (
    WAIT_SECONDS,
    LostClaimError,
    RowsAhead,
    TellProgress,
    begin_ahead,
    tell_nobody,
)
from portal.domain.status.projector import StagedProjection, load_facts, stage_projection, with_stamp
from portal.domain.status.rules import WHOLE, Period, PersonFacts, Place, Status, compute_periods
from portal.platform import clock
from portal.platform.bulk import enlarged_page_cache, paused_garbage_collection
from portal.platform.db import db, newest_stamp, stamp, touch, transaction
from portal.platform.errors import BusyError
from portal.platform.jobs import services as jobs
from portal.platform.jobs.registry import JobProgress, Task
from portal.platform.permissions import Permission
from portal.platform.wording import date as say_date

MOST_AT_ONCE = 500  # people whose rows are written in the transaction that records the version
FEW = 20  # outdated people with whom the last transaction may begin
MOST_UNDER_LOCK = 200  # whose rows it may compute again, as more come meanwhile
ROUNDS = 10  # of computing again those about whom something was recorded meanwhile
TRIES = 3

T = TypeVar("T")


class OutdatedError(BusyError):
    """What many rows follow from was recorded while they were written ahead."""


def record_version(
    propose: Callable[[], Proposal],
    confirmation: Confirmation,
    *,
    tell: TellProgress = tell_nobody,
    conclude: Callable[[IssueResult], None] = lambda _issued: None,
) -> IssueResult:
    """Record a version; the lock is held for a moment at a time. Edge only, outside a transaction.

    Args:
        propose: Gives the version as it would be recorded now.
        confirmation: Who confirmed it, and when.
        tell: As ``record_with_periods`` tells it.
        conclude: Called in the transaction that records it, with what was recorded.

    Raises:
        BusyError: Others changed units or the directive each time.
        PortalError: As ``record_proposal`` does.
    """

    def add_new_directive() -> dict[int, int]:
        reference = propose().reference
        return {NEW_DIRECTIVE: find_directive_id(reference) or add_directive(reference, stamp())}

    def record(staged: StagedProjection, periods_are_written: bool) -> IssueResult:
        issued = record_proposal(propose, confirmation)
        if periods_are_written and not issued.new:
            raise OutdatedError
        write_version(staged, issued, periods_are_written=periods_are_written)
        return issued

    def stage() -> StagedProjection:
        return stage_version(propose(), tell)

    return record_with_periods(stage, add_new_directive, record, tell=tell, conclude=conclude)


def stage_version(proposal: Proposal, tell: TellProgress = tell_nobody) -> StagedProjection:
    """Compute the projection of issuing a directive version, for everyone with a post."""
    people = () if proposal.is_unchanged else list_people_with_posts()
    return stage_projection(people, PendingFacts(versions=[proposal.pending_version()]), tell)


def write_version(
    staged: StagedProjection, issued: IssueResult, *, periods_are_written: bool = False
) -> None:
    """Write the projection of ``stage_version``, in the transaction that issued the version."""
    if issued.new:
        real = {NEW_DIRECTIVE: issued.directive_id, NEW_VERSION: issued.version_id}
        staged.write_rows(stamp(), real, periods_are_written=periods_are_written)


def record_with_periods(
    stage: Callable[[], StagedProjection],
    prepare: Callable[[], dict[int, int]],
    record: Callable[[StagedProjection, bool], T],
    *,
    tell: TellProgress,
    conclude: Callable[[T], None],
) -> T:
    """Record facts with the status periods that follow: those of many people in slices ahead of the facts.

    Args:
        stage: Computes the projection of the facts.
        prepare: Called before rows are written ahead, in a transaction; adds what the periods refer to, and
            gives the real ids of placeholders.
        record: Called in the last transaction; records the facts and writes the projection, whose periods
            may be written already.
        tell: Is told how many people are done, of how many; may raise to stop it.
        conclude: Called after ``record`` there, with its result.

    Raises:
        BusyError: What the periods follow from was changed by others each time.
    """
    for _ in range(TRIES):
        staged = stage()
        if len(staged.edits) <= MOST_AT_ONCE:
            with transaction():
                recorded = record(staged, False)
                conclude(recorded)
            return recorded
        with suppress(OutdatedError, LostClaimError):
            return record_ahead(staged, prepare, record, tell, conclude)
    raise BusyError


@paused_garbage_collection()
def record_ahead(
    staged: StagedProjection,
    prepare: Callable[[], dict[int, int]],
    record: Callable[[StagedProjection, bool], T],
    tell: TellProgress,
    conclude: Callable[[T], None],
) -> T:
    """Write status periods in slices, then record the facts behind them in one short transaction. Edge only.

    The arguments are those of ``record_with_periods``.

    Raises:
        OutdatedError: What the rows follow from was changed meanwhile. Nothing is left of them.
        LostClaimError: Another process undid the rows.
    """
    rows, ids = begin_ahead(prepare)
    real = with_stamp(ids, rows.at)
    try:
        rows.write_edits(staged.edits, real, partial(staged.find_outdated, rows.at, real), tell)
        _catch_up(staged, rows, real)
        with transaction(stamp_as=rows.at, wait_seconds=WAIT_SECONDS), enlarged_page_cache():
            if stamp() != rows.at or len(staged.find_outdated(rows.at, real)) > MOST_UNDER_LOCK:
                raise OutdatedError
            recorded = record(staged, True)
            rows.free_stamp()
            conclude(recorded)
    except BaseException:
        with suppress(BusyError):  # what cannot be undone now is undone when no heartbeat has come for long
            rows.undo_all()
        raise
    return recorded


def _catch_up(staged: StagedProjection, rows: RowsAhead, real: dict[int, int]) -> None:
    """Write again the rows of people about whom something was recorded meanwhile, until they are few.

    After so many rounds they may still be more: the transaction that follows decides.
    """
    for _ in range(ROUNDS):
        until = newest_stamp() or staged.known_at
        outdated = staged.find_outdated(until + timedelta(microseconds=1), real)
        if len(outdated) <= FEW:
            return
        if outdated == staged.people:
            raise OutdatedError
        rows.undo_people(outdated)
        staged.leave_out(outdated)
        staged.known_at = until
        staged.compute_edits(outdated, tell=lambda _done, _all: rows.renew_claim())
        edits = staged.edits
        again = {key: edits[key] for key in sorted(outdated) if key in edits}
        rows.write_edits(again, real, partial(staged.find_outdated, rows.at, real), tell_nobody)


# Issues and withdraws directive versions as a page previewed them: at once, or by a job for many.

KIND = "directives.issue"  # in the table of jobs: never changed
MOST_PEOPLE = 2_000  # with posts; in a larger force a job does it, so that no browser waits


@dataclass(frozen=True, slots=True)
class VersionChange:
    """What is to be issued or withdrawn: one of ``toml``, ``withdrawn_from`` and ``number`` says which."""

    reference: str
    previewed: str  # the token of the preview that was confirmed
    decided_at: str  # ISO 8601, when it was confirmed
    toml: str = ""  # of the version to issue
    withdrawn_from: str = ""  # ISO 8601, the first day on which the directive is withdrawn
    number: int = 0  # of the version to withdraw before it takes effect

    def make_proposal(self) -> Proposal:
        """The version that it would record now."""
        if self.toml:
            return propose_version(files.read_directive(self.toml.encode()))
        if self.withdrawn_from:
            return propose_withdrawal(self.reference, date.fromisoformat(self.withdrawn_from))
        decided_on = clock.london_day(datetime.fromisoformat(self.decided_at))
        return propose_version_withdrawal(self.reference, self.number, decided_on)

    def confirmed_by(self, person_id: int | None) -> Confirmation:
        """That a person confirmed it."""
        return Confirmation(datetime.fromisoformat(self.decided_at), person_id, self.previewed)

    def describe_outcome(self, issued: IssueResult) -> str:
        """A sentence on what was done."""
        day = say_date(issued.effective_on)
        if self.toml:
            outcome = "is issued and in force from" if issued.new else "already says this, in force from"
            return f"Version {issued.number} of {issued.reference} {outcome} {day}."
        if self.withdrawn_from:
            return f"{issued.reference} is withdrawn from {day}. Its versions stay."
        return f"Version {self.number} of {self.reference} is withdrawn. It will not take effect."


def make_change(change: VersionChange, *, by: int) -> str | UUID:
    """Make a change, or start a job that does. Edge only, outside a transaction.

    Returns:
        What was done; or the reference of the job.
    """
    if len(list_people_with_posts()) > MOST_PEOPLE:
        with transaction():
            return jobs.start_job(KIND, asdict(change), by=by, at=clock.now())
    return change.describe_outcome(record_version(change.make_proposal, change.confirmed_by(by)))


def run_change(job: JobProgress, arguments: dict[str, Any]) -> dict[str, Any]:
    """Make a change that somebody confirmed, if they still may."""
    change, by = VersionChange(**arguments), job.asked_by_id
    refusal = "The person who started this may no longer issue directives."
    viewer = require_starter(by, Permission.DIRECTIVE_ISSUE, refusal)
    refuse_outside_own_units(viewer, change.make_proposal())
    job.report_progress(0, 1, "Working out whom it applies to")
    result: dict[str, Any] = {}

    def conclude(issued: IssueResult) -> None:
        result["said"] = [change.describe_outcome(issued)]
        job.conclude_job(result)

    def tell(done: int, total: int) -> None:
        job.report_progress(done, total, f"Worked out {done:,} of {total:,} people")

    record_version(change.make_proposal, change.confirmed_by(by), tell=tell, conclude=conclude)
    return result


TASK = Task(
    KIND, "Issue of a directive", run_change, page=lambda arguments: f"/directives/{arguments['reference']}"
)


# What it would change that a module must be passed again from a day on, and the recording of it.

HELD = [int(status) for status in Status if status.held]


@dataclass(frozen=True, slots=True)
class MinimumEffect:
    """Who would no longer be complete on the day from which older passes do not count."""

    people: int
    by_directive: tuple[tuple[str, int], ...]  # reference and people, in order


def pending_rule(activity_id: int, number: int, *, announced_on: date, from_on: date) -> MinimumVersionRule:
    """The rule as a pending fact: passes of a version before ``number`` do not count from a day on."""
    return MinimumVersionRule(
        FIRST_PLACEHOLDER, ALL_KNOWN, False, None, activity_id, number, announced_on, from_on
    )


def preview_minimum(rule: MinimumVersionRule) -> MinimumEffect:
    """Who is complete on the rule's day as things are, and would not be with it. Writes nothing.

    People complete by the module on that day are read from their status periods. Whoever has a record that
    meets the rule is worked out in full; as the version is new, these are few.
    """
    complete = db.session.execute(_select_complete(rule)).all()
    doubtful = _people_who_meet(rule).intersection(person_id for _, person_id, _ in complete)
    stay = _stay_complete(rule, sorted(doubtful))
    lost = [row for row in complete if (row.directive_id, row.person_id) not in stay]
    by_directive = Counter(row.reference for row in lost)
    return MinimumEffect(len({row.person_id for row in lost}), tuple(sorted(by_directive.items())))


def _select_complete(rule: MinimumVersionRule) -> Statement:
    """Directive, person and the directive's reference of those who are complete by the module."""
    period = StatusPeriod
    return (
        select(period.directive_id, period.person_id, Directive.reference)
        .join(Record, Record.id == period.record_id)
        .join(Directive, Directive.id == period.directive_id)
        .where(period.position != WHOLE, covers_day(period, rule.from_on), period.known_to == OPEN_KNOWN)
        .where(period.status.in_(HELD), Record.activity_id == rule.activity_id)
    )


def _people_who_meet(rule: MinimumVersionRule) -> set[int]:
    """Everybody with a record that may meet the rule; a few more than do."""
    first = aliased(Record)
    passed = exists().where(PassRecord.record_id == first.id, first.reference == Record.reference)
    newer = exists().where(
        PassRecord.record_id == first.id,
        first.reference == Record.reference,
        ModuleVersion.id == PassRecord.module_version_id,
        ModuleVersion.number >= rule.number,
    )
    late = ~passed & (Record.achieved_on >= rule.announced_on)
    statement = select(Record.person_id).where(
        Record.activity_id == rule.activity_id, is_known_fact(Record), late | newer
    )
    return set(db.session.scalars(statement.distinct()))


def _stay_complete(rule: MinimumVersionRule, people: Sequence[int]) -> set[tuple[int, int]]:
    """The directives and people, of these, that are complete on the rule's day although it holds."""
    history = RuleHistory(PendingFacts(minimums=[rule]))
    places = {
        (version.directive_id, position)
        for version in history.versions.values()
        for position, activity_id in version.positions
        if activity_id == rule.activity_id
    }
    day = rule.from_on.toordinal()
    return {
        (period.directive_id, person_id)
        for ids in split_into_batches(people)
        for person_id, facts in load_facts(ids, history).items()
        for period in compute_periods(facts, history, ALL_KNOWN)
        if period.place in places and period.from_on <= day <= period.to_on and period.values.status in HELD
    }


def record_minimum(
    rule: MinimumVersionRule,
    publish: Callable[[], tuple[int, T]],
    *,
    by: int,
    tell: TellProgress = tell_nobody,
    conclude: Callable[[T], None] = lambda _result: None,
) -> T:
    """Publish a version, and let passes of earlier ones count only until a day. Edge only, in no transaction.

    Args:
        rule: As previewed.
        publish: Called in the transaction that records the rule: publishes the version; gives its id, and
            what ``conclude`` and the caller get.
        by: Who decides.
        tell: As ``record_with_periods`` tells it.
        conclude: Called in the same transaction, last.

    Raises:
        BusyError: Others changed units, directives or minimum versions each time.
    """

    def stage() -> StagedProjection:
        return stage_projection(
            list_people_with_records(rule.activity_id), PendingFacts(minimums=[rule]), tell
        )

    def record(staged: StagedProjection, periods_are_written: bool) -> T:
        recorded_at = stamp()
        version_id, result = publish()
        _add_rule(rule, recorded_at, version_id, by)
        touch(learners=set(list_people_with_records(rule.activity_id)) - staged.people)
        staged.write_rows(recorded_at, {}, periods_are_written=periods_are_written)
        return result

    return record_with_periods(stage, dict, record, tell=tell, conclude=conclude)


def _add_rule(rule: MinimumVersionRule, recorded_at: datetime, version_id: int, by: int) -> None:
    db.session.add(
        MinimumVersion(
            recorded_at=recorded_at,
            activity_id=rule.activity_id,
            module_version_id=version_id,
            announced_on=rule.announced_on,
            from_on=rule.from_on,
            decided_by_id=by,
        )
    )
    db.session.flush()


# What-if: a person's status if one more fact were known, by the same rules over facts in memory.

# Facts of a person and places are given on: no other room reads the file they are from.
__all__ = ["PersonFacts", "Place"]

StatusWithDueDay = tuple[Status, date]  # with the due date
AddFact = Callable[[PersonFacts, datetime], None]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A person's status periods as they are known, and as they would be; both have the same places."""

    known_on: datetime
    before: set[Period]
    after: set[Period]
    activities: dict[Place, int]


def project_what_ifs(people: Sequence[int], add: AddFact, *, now: datetime) -> dict[int, WhatIf]:
    """Work out what one more fact about each person would change; nothing is written.

    Args:
        people: Ids of those whose fact it is.
        add: Puts it among one person's facts, as recorded on the given instant.
        now: This instant; what was recorded later than that by the clock is known too.
    """
    t = max(now, newest_stamp() or now)
    history = RuleHistory()
    return {
        person_id: _project_one(facts, history, add, t)
        for person_id, facts in load_facts(people, history).items()
    }


def _project_one(facts: PersonFacts, history: RuleHistory, add: AddFact, t: datetime) -> WhatIf:
    before = compute_periods(facts, history, t)
    add(facts, t)
    after = compute_periods(facts, history, t)
    activities = {
        (directive_id, position): activity_id
        for directive_id, rules in facts.assignments.items()
        for rule in rules
        for position, activity_id in history.versions[rule.version_id].positions
    }
    return WhatIf(t, before, after, activities)


def statuses_on_day(periods: Iterable[Period], day: date) -> dict[Place, StatusWithDueDay]:
    """The status and due date of each directive and position on ``day``."""
    return {
        period.place: (Status(period.values.status), date.fromordinal(period.values.due_on))
        for period in periods
        if period.from_on <= day.toordinal() <= period.to_on
    }
