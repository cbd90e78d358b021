"""The status of one requirement of one person on any day, as known on any instant: a pure function."""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import IntEnum

from portal.domain.directives.as_of import known_facts


class Status(IntEnum):
    """The status of a requirement, by badness: the lowest is the worst. Exclusions come last."""

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
        """The words of pages."""
        return _LABELS[self]

    @property
    def key(self) -> str:
        """The word of files and addresses."""
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
class RecordedFact:
    """What every fact carries: its row, its stamp, and the row it corrects."""

    id: int
    recorded_at: datetime
    void: bool
    replaces_id: int | None


@dataclass(frozen=True, slots=True)
class AssignmentRule(RecordedFact):
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
        """Whether what is earned ends at all."""
        return self.validity_months is not None or self.yearly_on is not None

    def valid_until(self, achieved_on: date) -> date:
        """The last day on which what was achieved on a day counts; ``date.max`` where it has no end."""
        if self.validity_months is not None:
            return add_months(achieved_on, self.validity_months)
        if self.yearly_on is not None:
            return find_next_yearly(self.yearly_on, add_months(achieved_on, self.minimum_gap_months or 0))
        return date.max


@dataclass(frozen=True, slots=True)
class Excluded(RecordedFact):
    """An exemption, or a deferral with the due date decided with it."""

    from_on: date
    to_on: date
    exempt: bool
    due_on: date | None = None


@dataclass(frozen=True, slots=True)
class Earned(RecordedFact):
    """A record of the requirement's activity."""

    achieved_on: date


@dataclass(frozen=True, slots=True)
class Revoked(RecordedFact):
    """A record not counted from a day on."""

    record_id: int
    from_on: date


@dataclass(frozen=True, slots=True)
class Started(RecordedFact):
    """A registration on the requirement's activity."""

    started_on: date


@dataclass(frozen=True, slots=True)
class Facts:
    """Every fact about one person, directive and position.

    ``assignments`` holds only stretches whose version contains the position. A row replaced by one of a
    version without the position must be left out beforehand: nothing here says that it is replaced.
    """

    assignments: Sequence[AssignmentRule] = ()
    exclusions: Sequence[Excluded] = ()
    records: Sequence[Earned] = ()
    revocations: Sequence[Revoked] = ()
    starts: Sequence[Started] = ()

    def known_on(self, t: datetime) -> "Facts":
        """Those that held as known on ``t``."""
        return Facts(
            known_facts(self.assignments, t),
            known_facts(self.exclusions, t),
            known_facts(self.records, t),
            known_facts(self.revocations, t),
            known_facts(self.starts, t),
        )


@dataclass(frozen=True, slots=True)
class RequirementStatus:
    """The status of a requirement at the close of a day, and the facts behind it."""

    status: Status
    due_on: date
    record: Earned | None  # the counted one; it stays beside an exclusion and when it has lapsed
    valid_until: date | None  # None: no end
    late_days: int | None
    exclusion: Excluded | None


def compute_status(facts: Facts, d: date, t: datetime) -> RequirementStatus | None:
    """RequirementStatus at the close of London day ``d`` as known on ``t``; None: not required."""
    return compute_known_status(facts.known_on(t), d)


def compute_known_status(facts: Facts, d: date) -> RequirementStatus | None:
    """RequirementStatus at the close of London day ``d`` by facts that are all known; None: not required."""
    rule = next((a for a in facts.assignments if a.from_on <= d <= a.to_on), None)
    if rule is None:
        return None
    exclusions = [e for e in facts.exclusions if e.from_on <= d]
    live = [e for e in exclusions if d <= e.to_on]
    due = max([rule.due_on, *(e.due_on for e in exclusions if e.due_on)])
    revoked = {r.record_id for r in facts.revocations if r.from_on <= d}
    held = [r for r in facts.records if r.achieved_on <= d and r.id not in revoked]
    sign = -1 if rule.ends else 1
    best = min(held, key=lambda r: (sign * r.achieved_on.toordinal(), r.id), default=None)
    end = rule.valid_until(best.achieved_on) if best else None
    exclusion = min(live, key=lambda e: (not e.exempt, e.id), default=None)
    if exclusion is not None:
        status = Status.EXEMPT if exclusion.exempt else Status.DEFERRED
    elif end is not None and d <= end:
        status = Status.EXPIRING if _ends_soon(end, d, rule.expiring_days) else Status.SATISFIED
    else:
        status = _find_unmet_status(facts.starts, best, d, due)
    met = min((r.achieved_on for r in held if rule.valid_until(r.achieved_on) >= due), default=None)
    late = None if met is None else max(0, (met - due).days)
    return RequirementStatus(status, due, best, None if end == date.max else end, late, exclusion)


def _ends_soon(end: date, d: date, days: int) -> bool:
    return end != date.max and (end - d).days <= days


def _find_unmet_status(starts: Iterable[Started], best: Earned | None, d: date, due: date) -> Status:
    if d > due:
        return Status.EXPIRED if best else Status.OVERDUE
    begun = max((s.started_on for s in starts if s.started_on <= d), default=None)
    if begun is not None and (best is None or begun > best.achieved_on):
        return Status.IN_PROGRESS
    return Status.NOT_STARTED


def find_days_of_change(facts: Facts) -> set[date]:
    """Every day on which the status by these known facts may differ from the day before."""
    days: set[date | None] = set()
    for exclusion in facts.exclusions:
        days |= {exclusion.from_on, _day_after(exclusion.to_on)}
        if exclusion.due_on is not None:
            days.add(_day_after(exclusion.due_on))
    for rule in facts.assignments:
        days |= {rule.from_on, _day_after(rule.to_on), _day_after(rule.due_on)}
        for end in (rule.valid_until(r.achieved_on) for r in facts.records if rule.ends):
            days |= {_day_after(end), _day_before(end, rule.expiring_days)}
    days.update(r.achieved_on for r in facts.records)
    days.update(r.from_on for r in facts.revocations)
    days.update(s.started_on for s in facts.starts)
    return {day for day in days if day is not None}


def _day_after(day: date) -> date | None:
    """The next day; None after the last of all, where nothing changes any more."""
    return None if day == date.max else day + timedelta(days=1)


def _day_before(day: date, days: int) -> date:
    return date.fromordinal(max(1, day.toordinal() - days))


def combine_statuses(statuses: Sequence[Status]) -> Status:
    """A person's status under a directive, by those of its requirements: the worst of them.

    ``not_started`` with another requirement begun or held is ``in_progress``; a lapsed record is not held.
    """
    worst = min(statuses)
    if worst is Status.NOT_STARTED and any(s is Status.IN_PROGRESS or s.held for s in statuses):
        return Status.IN_PROGRESS
    return worst


def add_months(day: date, months: int) -> date:
    """The same day number so many months later, else that month's last day.

    >>> add_months(date(2024, 2, 29), 12)
    datetime.date(2025, 2, 28)
    """
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


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
