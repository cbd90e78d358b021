"""What it would change that a module must be passed again from a day on, and the recording of it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import NamedTuple, TypeVar

from sqlalchemy import bindparam, exists, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import MinimumVersion, ModuleVersion
from portal.domain.directives.fact_loader import RuleHistory, split_into_batches
from portal.domain.directives.minimum_versions import MinimumVersionRule
from portal.domain.directives.models import Directive
from portal.domain.directives.pending import ALL_KNOWN, FIRST_PLACEHOLDER, PendingFacts
from portal.domain.people.as_of import is_known_fact
from portal.domain.records.models import PassRecord, Record
from portal.domain.status.ahead import LostClaimError
from portal.domain.status.issuing import MOST_AT_ONCE, TRIES, OutdatedError, write_ahead
from portal.domain.status.models import OPEN_KNOWN, StatusPeriod
from portal.domain.status.periods import compute_periods
from portal.domain.status.projector import StagedProjection, TellProgress, load_facts, stage_projection
from portal.domain.status.rules import WHOLE, Status
from portal.platform.db import db, read, stamp, touch, transaction
from portal.platform.errors import BusyError

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


_COMPLETE = (
    select(StatusPeriod.directive_id, StatusPeriod.person_id)
    .join(Record, Record.id == StatusPeriod.record_id)
    .where(
        StatusPeriod.position != WHOLE,
        StatusPeriod.from_on <= bindparam("day"),
        StatusPeriod.to_on >= bindparam("day"),
        StatusPeriod.known_to == OPEN_KNOWN,
        StatusPeriod.status.in_(HELD),
        Record.activity_id == bindparam("activity_id"),
    )
    .order_by(StatusPeriod.directive_id, StatusPeriod.person_id)
)


def preview_minimum(rule: MinimumVersionRule) -> MinimumEffect:
    """Who is complete on the rule's day as things are, and would not be with it. Writes nothing.

    People complete by the module on that day are read from their status periods. Whoever has a record that
    meets the rule is worked out in full; as the version is new, these are few.
    """
    values = {"day": rule.from_on.toordinal(), "activity_id": rule.activity_id}
    complete = [(directive_id, person_id) for directive_id, person_id in read(_COMPLETE, values)]
    doubtful = _people_who_meet(rule)
    stay = _stay_complete(rule, sorted(doubtful.intersection(person for _, person in complete)))
    lost = [pair for pair in complete if pair not in stay]
    references = {
        directive_id: reference
        for directive_id, reference in db.session.execute(select(Directive.id, Directive.reference))
    }
    counts: dict[str, int] = {}
    for directive_id, _ in lost:
        counts[references[directive_id]] = counts.get(references[directive_id], 0) + 1
    return MinimumEffect(len({person for _, person in lost}), tuple(sorted(counts.items())))


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


def people_with_records(activity_id: int) -> list[int]:
    """Everybody with a record of an activity, in order: all whose status a minimum version may change."""
    statement = select(Record.person_id).where(Record.activity_id == activity_id).distinct()
    return list(db.session.scalars(statement.order_by(Record.person_id)))


def record_minimum(
    rule: MinimumVersionRule,
    publish: Callable[[], tuple[int, T]],
    *,
    by: int,
    tell: TellProgress = lambda _done, _all: None,
    conclude: Callable[[T], None] = lambda _result: None,
) -> T:
    """Publish a version, and let passes of earlier ones count only until a day. Edge only, in no transaction.

    The status periods of many people are written ahead, so that the lock is held for a moment at a time.

    Args:
        rule: As previewed.
        publish: Called in the transaction that records the rule: publishes the version; gives its id, and
            what ``conclude`` and the caller get.
        by: Who decides.
        tell: Is told how far it is; may raise to stop it.
        conclude: Called in the same transaction, last.

    Raises:
        BusyError: Others changed units, directives or minimum versions each time.
    """
    for _ in range(TRIES):
        people = people_with_records(rule.activity_id)
        if len(people) <= MOST_AT_ONCE:
            with transaction():
                result = _record_rule(rule, publish, by)
                conclude(result)
            return result
        staged = stage_projection(people, PendingFacts(minimums=[rule]), tell)
        with suppress(OutdatedError, LostClaimError):
            return write_ahead(staged, dict, partial(_record_rule, rule, publish, by, staged), conclude, tell)
    raise BusyError


def _record_rule(
    rule: MinimumVersionRule,
    publish: Callable[[], tuple[int, T]],
    by: int,
    staged: StagedProjection | None = None,
) -> T:
    """Publish, record the rule, and note or write what follows for everybody with a record of the module."""
    recorded_at = stamp()
    version_id, result = publish()
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
    people = set(people_with_records(rule.activity_id))
    touch(learners=people - staged.people if staged else people)
    if staged is not None:
        staged.write_rows(recorded_at, {}, periods_are_written=True)
    return result


class KnownMinimum(NamedTuple):
    """The least version of a module that counts, and from which day."""

    number: int
    from_on: date


def minimum_of(activity_id: int, on: date) -> KnownMinimum | None:
    """The minimum version announced last by ``on``; None if none is. One statement."""
    row = db.session.execute(
        select(ModuleVersion.number, MinimumVersion.from_on)
        .join(MinimumVersion, MinimumVersion.module_version_id == ModuleVersion.id)
        .where(
            MinimumVersion.activity_id == activity_id,
            MinimumVersion.announced_on <= on,
            is_known_fact(MinimumVersion),
        )
        .order_by(MinimumVersion.id.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else KnownMinimum(*row)
