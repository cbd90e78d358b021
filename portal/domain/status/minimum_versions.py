"""What it would change that a module must be passed again from a day on, and the recording of it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import MinimumVersion, ModuleVersion
from portal.domain.directives.fact_loader import RuleHistory, split_into_batches
from portal.domain.directives.minimum_versions import MinimumVersionRule
from portal.domain.directives.models import Directive
from portal.domain.directives.pending import ALL_KNOWN, FIRST_PLACEHOLDER, PendingFacts
from portal.domain.people.as_of import is_known_fact
from portal.domain.records.models import PassRecord, Record
from portal.domain.records.queries import list_people_with_records
from portal.domain.status.ahead import TellProgress, tell_nobody
from portal.domain.status.filters import covers_day
from portal.domain.status.issuing import record_with_periods
from portal.domain.status.models import OPEN_KNOWN, Statement, StatusPeriod
from portal.domain.status.periods import compute_periods
from portal.domain.status.projector import StagedProjection, load_facts, stage_projection
from portal.domain.status.rules import WHOLE, Status
from portal.platform.db import db, stamp, touch

HELD = [int(status) for status in Status if status.held]
T = TypeVar("T")


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
