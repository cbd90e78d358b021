"""The status of one requirement of one person on any day, by the facts known of it: a pure function."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum

from portal.domain.directives.minimum_versions import MinimumVersionRule, last_counted_day
from portal.platform.months import add_months

WHOLE = 0  # the position of the person under the whole directive; its requirements have 1, 2, …


class Status(IntEnum):
    """The status of a requirement, the worst first; exclusions come last."""

    OVERDUE = 1
    EXPIRED = 2
    NOT_STARTED = 3
    IN_PROGRESS = 4
    EXPIRING = 5
    SATISFIED = 6
    DEFERRED = 7
    EXEMPT = 8

    @property
    def label(self) -> str:
        """The words on pages."""
        return _LABELS[self]

    @property
    def key(self) -> str:
        """The word in files and addresses."""
        return self.name.lower()

    @property
    def held(self) -> bool:
        """Whether it counts as complete."""
        return self in (Status.SATISFIED, Status.EXPIRING)

    @property
    def excluded(self) -> bool:
        """Whether it is left out of the percentage."""
        return self in (Status.EXEMPT, Status.DEFERRED)


_LABELS = {
    Status.NOT_STARTED: "Not started",
    Status.IN_PROGRESS: "In progress",
    Status.SATISFIED: "Complete",
    Status.EXPIRING: "Complete (ends soon)",
    Status.OVERDUE: "Overdue",
    Status.EXPIRED: "Expired",
    Status.EXEMPT: "Exempt",
    Status.DEFERRED: "Deferred",
}


@dataclass(frozen=True, slots=True)
class FactHeader:
    """What every fact carries: its row, its stamp, and the row it corrects."""

    id: int
    recorded_at: datetime
    void: bool
    replaces_id: int | None


@dataclass(frozen=True, slots=True)
class AssignmentRule(FactHeader):
    """An assignment with the rules of the version it names."""

    from_on: date
    to_on: date
    due_on: date
    version_id: int = 0
    validity_months: int | None = None
    yearly_on: str | None = None
    minimum_gap_months: int | None = None
    expiring_days: int = 0

    @property
    def ends(self) -> bool:
        """Whether the validity of a record ends at all."""
        return self.validity_months is not None or self.yearly_on is not None

    def valid_until(self, achieved_on: date) -> date:
        """The last day on which a record achieved on a day counts; ``date.max`` where it has no end."""
        if self.validity_months is not None:
            return add_months(achieved_on, self.validity_months)
        if self.yearly_on is not None:
            return find_next_yearly(self.yearly_on, add_months(achieved_on, self.minimum_gap_months or 0))
        return date.max


@dataclass(frozen=True, slots=True)
class ExclusionFact(FactHeader):
    """An exemption, or a deferral with the due date decided with it."""

    from_on: date
    to_on: date
    exempt: bool
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class RecordFact(FactHeader):
    """A record of the requirement's activity."""

    achieved_on: date
    version: int | None = None  # number of the version passed; read where a minimum version is known


@dataclass(frozen=True, slots=True)
class RevocationFact(FactHeader):
    """A record not counted from a day on."""

    record_id: int
    from_on: date


@dataclass(frozen=True, slots=True)
class StartFact(FactHeader):
    """A registration on the requirement's activity."""

    started_on: date


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about one person, directive and position that are known on an instant.

    ``assignments`` holds only those whose version contains the position.
    """

    assignments: Sequence[AssignmentRule] = ()
    exclusions: Sequence[ExclusionFact] = ()
    records: Sequence[RecordFact] = ()
    revocations: Sequence[RevocationFact] = ()
    starts: Sequence[StartFact] = ()
    minimums: Sequence[MinimumVersionRule] = ()  # of the requirement's activity

    def valid_until(self, record: RecordFact, rule: AssignmentRule, day: date) -> date:
        """The last day on which a record counts, as is announced on ``day``; ``date.max``: no end."""
        end = last_counted_day(self.minimums, record.version, record.achieved_on, day)
        return min(rule.valid_until(record.achieved_on), end)


@dataclass(frozen=True, slots=True)
class RequirementStatus:
    """The status of a requirement at the close of a day, and the facts behind it."""

    status: Status
    due_on: date
    record: RecordFact | None  # the counted one; it stays beside an exclusion and when it has lapsed
    valid_until: date | None  # None: no end
    late_days: int | None
    exclusion: ExclusionFact | None


def compute_status(facts: Facts, day: date) -> RequirementStatus | None:
    """The status at the close of a London day; None: not required."""
    rule = next((a for a in facts.assignments if a.from_on <= day <= a.to_on), None)
    if rule is None:
        return None
    exclusions = [e for e in facts.exclusions if e.from_on <= day]
    due_on = max([rule.due_on, *(e.due_on for e in exclusions if e.due_on)])
    live = (e for e in exclusions if day <= e.to_on)
    exclusion = min(live, key=lambda e: (not e.exempt, e.id), default=None)
    revoked = {r.record_id for r in facts.revocations if r.from_on <= day}
    records = [r for r in facts.records if r.achieved_on <= day and r.id not in revoked]
    ends = {r.id: facts.valid_until(r, rule, day) for r in records}
    # The record that counts longest; of several the latest where validity ends, else the earliest.
    sign = -1 if rule.ends else 1
    counted = min(
        records,
        key=lambda r: (-ends[r.id].toordinal(), sign * r.achieved_on.toordinal(), r.id),
        default=None,
    )
    valid_until = ends[counted.id] if counted else None
    if exclusion is not None:
        status = Status.EXEMPT if exclusion.exempt else Status.DEFERRED
    elif valid_until is not None and day <= valid_until:
        ends_soon = valid_until != date.max and (valid_until - day).days <= rule.expiring_days
        status = Status.EXPIRING if ends_soon else Status.SATISFIED
    else:
        status = _find_unmet_status(facts.starts, counted, day, due_on)
    in_time = (r.achieved_on for r in records if ends[r.id] >= due_on)
    met_on = min(in_time, default=None)
    late_days = None if met_on is None else max(0, (met_on - due_on).days)
    end = None if valid_until == date.max else valid_until
    return RequirementStatus(status, due_on, counted, end, late_days, exclusion)


def _find_unmet_status(
    starts: Iterable[StartFact], lapsed: RecordFact | None, day: date, due: date
) -> Status:
    if day > due:
        return Status.EXPIRED if lapsed else Status.OVERDUE
    started_on = max((s.started_on for s in starts if s.started_on <= day), default=None)
    if started_on is not None and (lapsed is None or started_on > lapsed.achieved_on):
        return Status.IN_PROGRESS
    return Status.NOT_STARTED


def find_days_of_change(facts: Facts) -> set[int]:
    """Every day, as an ordinal, on which the status by these known facts may differ from the day before."""
    first_days = {
        *(record.achieved_on for record in facts.records),
        *(revocation.from_on for revocation in facts.revocations),
        *(start.started_on for start in facts.starts),
        *(exclusion.from_on for exclusion in facts.exclusions),
        *(rule.from_on for rule in facts.assignments),
        *(day for minimum in facts.minimums for day in (minimum.announced_on, minimum.from_on)),
    }
    last_days = {
        *(day for exclusion in facts.exclusions for day in (exclusion.to_on, exclusion.due_on) if day),
        *(day for rule in facts.assignments for day in (rule.to_on, rule.due_on)),
    }
    days_of_notice: set[int] = set()
    for rule in facts.assignments:
        ends = [rule.valid_until(record.achieved_on) for record in facts.records if rule.ends]
        ends += [minimum.from_on - timedelta(days=1) for minimum in facts.minimums]
        last_days.update(ends)
        days_of_notice.update(end.toordinal() - rule.expiring_days for end in ends)
    days = {day.toordinal() for day in first_days} | {day.toordinal() + 1 for day in last_days}
    return days | days_of_notice


def combine_statuses(statuses: Sequence[Status]) -> Status:
    """A person's status under a directive, by those of its requirements: the worst of them.

    Except that ``not_started`` becomes ``in_progress`` where another requirement is begun or complete.
    """
    worst = min(statuses)
    if worst is Status.NOT_STARTED and any(s is Status.IN_PROGRESS or s.held for s in statuses):
        return Status.IN_PROGRESS
    return worst


def find_next_yearly(month_day: str, earliest: date) -> date:
    """The first ``MM-DD`` on or after ``earliest``.

    >>> find_next_yearly("04-30", date(2026, 9, 1))
    datetime.date(2027, 4, 30)
    """
    month, number = (int(part) for part in month_day.split("-"))
    this_year = date(earliest.year, month, number)
    if this_year >= earliest:
        return this_year
    return date.max if earliest.year == date.max.year else date(earliest.year + 1, month, number)
