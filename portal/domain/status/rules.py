"""The status of one requirement of one person on any day, by the facts known of it: a pure function."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import IntEnum
from itertools import chain, pairwise
from typing import NamedTuple

from portal.domain.directives.applies import (
    MinimumVersionRule,
    PostFact,
    Recorded,
    RuleHistory,
    Segment,
    known_facts,
    last_counted_day,
    match_segments,
)
from portal.domain.status.models import OPEN_KNOWN
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


# Computes a person's status periods from facts, and diffs them with those that are stored: pure
# functions.
#
# A stored row is split, by days, where it stops being true; what is still true of it keeps its
# ``known_from``. So a late-arriving fact changes few rows, and a report of an earlier instant is that of
# today less those rows.

Place = tuple[int, int]  # directive and position
DayRange = tuple[int, int]  # first and last day, ordinals


@dataclass(slots=True)
class PersonFacts:
    """Every fact about one person; assignments and exclusions by directive, what is learnt by activity."""

    posts: list[PostFact] = field(default_factory=list)
    assignments: dict[int, list[AssignmentRule]] = field(default_factory=dict)
    exclusions: dict[int, list[ExclusionFact]] = field(default_factory=dict)
    records: dict[int, list[RecordFact]] = field(default_factory=dict)
    revocations: dict[int, list[RevocationFact]] = field(default_factory=dict)
    starts: dict[int, list[StartFact]] = field(default_factory=dict)

    def list_stamps(self, directive_id: int, history: RuleHistory) -> set[datetime]:
        """The stamps of all facts from which the status periods under a directive follow."""
        by_activity: Sequence[Mapping[int, Sequence[Recorded]]]
        by_activity = (self.records, self.revocations, self.starts, history.minimums)
        activities = history.list_activities(directive_id)
        learnt = (facts.get(activity, ()) for facts in by_activity for activity in activities)
        of_directive = (self.assignments[directive_id], self.exclusions.get(directive_id, ()))
        facts: Iterable[Recorded] = chain(self.posts, *of_directive, *learnt)
        return {fact.recorded_at for fact in facts}.union(history.list_stamps(directive_id))


class PeriodValues(NamedTuple):
    """What stays the same over a status period, in the order of the table."""

    status: int
    due_on: int
    record_id: int | None
    satisfied_on: int | None
    valid_until: int | None
    late_days: int | None
    exclusion_id: int | None
    post_id: int
    unit_id: int


class Period(NamedTuple):
    """A run of days over which the status of one position of one directive does not change."""

    directive_id: int
    position: int
    from_on: int
    to_on: int
    values: PeriodValues

    @property
    def place(self) -> Place:
        """Its directive and position."""
        return self.directive_id, self.position

    def on_days(self, days: DayRange) -> "Period":
        """The same from a first to a last day."""
        return Period(self.directive_id, self.position, *days, self.values)


def compute_periods(facts: PersonFacts, history: RuleHistory, t: datetime) -> set[Period]:
    """The person's status periods under every directive and position, as known on ``t``."""
    return {
        period
        for directive_id in facts.assignments
        for period in compute_directive_periods(facts, directive_id, history, t)
    }


def compute_directive_periods(
    facts: PersonFacts, directive_id: int, history: RuleHistory, t: datetime
) -> Iterator[Period]:
    """The person's status periods under every position of one directive, as known on ``t``."""
    posts = _with_first_ids(known_facts(facts.posts, t), facts.posts)
    in_force, tree = history.versions_in_force(directive_id, t), history.tree_as_known_on(t)
    by_position = group_facts_by_position(facts, directive_id, history, t)
    return _join_equal_days(directive_id, by_position, match_segments(posts, in_force, tree))


def _with_first_ids(posts: Iterable[PostFact], recorded: Iterable[PostFact]) -> list[PostFact]:
    """The posts, each with the id of the first recorded fact that differs from it at most in its days.

    A post that ends is replaced by a fact with another id; with it every earlier period would change.
    """
    by_id = {post.id: post for post in recorded}
    renamed = []
    for post in posts:
        first = post
        while (replaced := by_id.get(first.replaces_id or 0)) and replaced.equals_but_for_days(post):
            first = replaced
        renamed.append(post if first is post else replace(post, id=first.id))
    return renamed


def group_facts_by_position(
    person: PersonFacts, directive_id: int, history: RuleHistory, t: datetime
) -> dict[int, Facts]:
    """By position, the facts known on ``t``: only assignments whose version contains the position.

    Positions with the same assignments and without a record or a start share one object, so that their
    status is computed once.
    """
    rules: dict[int, list[AssignmentRule]] = {}
    activities: dict[int, int] = {}
    for rule in known_facts(person.assignments[directive_id], t):
        for position, activity_id in history.versions[rule.version_id].positions:
            rules.setdefault(position, []).append(rule)
            activities[position] = activity_id
    exclusions = known_facts(person.exclusions.get(directive_id, ()), t)
    by_position: dict[int, Facts] = {}
    shared: dict[tuple[int, ...], Facts] = {}
    for position, activity_id in activities.items():
        records = known_facts(person.records.get(activity_id, ()), t)
        revocations = known_facts(person.revocations.get(activity_id, ()), t)
        starts = known_facts(person.starts.get(activity_id, ()), t)
        minimums = known_facts(history.minimums.get(activity_id, ()), t) if records else ()
        facts = Facts(rules[position], exclusions, records, revocations, starts, minimums)
        if not records and not starts:
            facts = shared.setdefault(tuple(rule.id for rule in facts.assignments), facts)
        by_position[position] = facts
    return by_position


def _join_equal_days(
    directive_id: int, by_position: Mapping[int, Facts], segments: Sequence[Segment]
) -> Iterator[Period]:
    """The periods under one directive: runs of days in which the values of a position are equal."""
    distinct = {id(facts): facts for facts in by_position.values()}
    days = set[int]().union(*map(find_days_of_change, distinct.values()))
    latest: dict[int, Period] = {}  # by position
    for segment in segments:
        for first, last in _split_segment(segment, days):
            day = date.fromordinal(first)
            for position, values in _compute_values(by_position, distinct, day, segment.post):
                period = latest.get(position)
                if period is not None and period.to_on == first - 1 and period.values == values:
                    latest[position] = period.on_days((period.from_on, last))
                    continue
                if period is not None:
                    yield period
                latest[position] = Period(directive_id, position, first, last, values)
    yield from latest.values()


def _split_segment(segment: Segment, days: set[int]) -> Iterator[DayRange]:
    """The segment's days, cut before each of ``days``."""
    within = {day for day in days if segment.first < day <= segment.last}
    cuts = sorted(within | {segment.first, segment.last + 1})
    return ((first, after - 1) for first, after in pairwise(cuts))


def _compute_values(
    by_position: Mapping[int, Facts], distinct: Mapping[int, Facts], day: date, post: PostFact
) -> Iterator[tuple[int, PeriodValues]]:
    """The values of every position that is required on ``day``, and last those of the whole directive."""
    statuses = {key: compute_status(facts, day) for key, facts in distinct.items()}
    values = {key: _requirement_values(status, post) for key, status in statuses.items() if status}
    required: list[RequirementStatus] = []
    for position, facts in by_position.items():
        if status := statuses[id(facts)]:
            required.append(status)
            yield position, values[id(facts)]
    if required:
        yield WHOLE, _whole_values(required, post)


def _requirement_values(status: RequirementStatus, post: PostFact) -> PeriodValues:
    record, exclusion = status.record, status.exclusion
    return PeriodValues(
        int(status.status),
        status.due_on.toordinal(),
        record.id if record else None,
        record.achieved_on.toordinal() if record else None,
        status.valid_until.toordinal() if status.valid_until else None,
        status.late_days,
        exclusion.id if exclusion else None,
        post.id,
        post.unit_id,
    )


def _whole_values(required: Sequence[RequirementStatus], post: PostFact) -> PeriodValues:
    """The values of the whole directive: its latest day and largest lateness once all are complete."""
    status = combine_statuses([each.status for each in required])
    complete = all(each.status.held for each in required)
    ends = [each.valid_until.toordinal() for each in required if each.valid_until]
    achieved = (each.record.achieved_on.toordinal() for each in required if each.record)
    exclusion = required[0].exclusion
    return PeriodValues(
        int(status),
        required[0].due_on.toordinal(),
        None,
        max(achieved) if complete else None,
        min(ends, default=None),
        max((each.late_days or 0 for each in required), default=0) if complete else None,
        exclusion.id if exclusion else None,
        post.id,
        post.unit_id,
    )


class KnownPeriod(NamedTuple):
    """A row of the table: a status period over the transaction time in which it is known."""

    period: Period
    known_from: int
    known_to: int = OPEN_KNOWN

    @property
    def is_open(self) -> bool:
        """Whether nothing has superseded it."""
        return self.known_to == OPEN_KNOWN


@dataclass(slots=True)
class RowEdits:
    """How the stored rows of a person become others: ``known_to`` changes, or a row gives way to new ones."""

    closed: dict[int, tuple[KnownPeriod, KnownPeriod]] = field(default_factory=dict)  # id: before, after
    deleted: dict[int, KnownPeriod] = field(default_factory=dict)  # by id
    inserted: list[KnownPeriod] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.closed or self.deleted or self.inserted)

    def open_periods(self) -> Iterator[tuple[Period, int]]:
        """The periods that are open from now on, with 1, and those that no longer are, with -1."""
        old_rows = (*(before for before, _ in self.closed.values()), *self.deleted.values())
        new_rows = (*(after for _, after in self.closed.values()), *self.inserted)
        for rows, sign in ((old_rows, -1), (new_rows, 1)):
            yield from ((row.period, sign) for row in rows if row.is_open)


def diff_periods(stored: Mapping[int, KnownPeriod], expected: set[Period], at: int) -> RowEdits:
    """The edits after which exactly the expected periods are known from ``at`` on; earlier knowledge stays.

    Rows inserted earlier in this transaction, whose stamp is ``at``, that no longer apply are deleted, and
    rows that it split are joined again where they still apply: projecting twice leaves the same rows as once.
    ``stored`` holds the rows that are open or were closed at ``at``, by id.
    """
    rows = stored.values()
    if len(rows) == len(expected) and expected == {row.period for row in rows if row.is_open}:
        return RowEdits()
    return diff_rows(stored, supersede_periods(restore_known_before(rows, at), expected, at))


def supersede_periods(
    known: Mapping[Period, int], expected: Collection[Period], at: int
) -> Iterator[KnownPeriod]:
    """The rows of what was known until ``at`` and of what is known from then on; as few as can be.

    They are those that stay open, that are split or closed, and that begin. ``known`` gives each period known
    until then its ``known_from``.
    """
    yield from (KnownPeriod(period, known[period]) for period in expected if period in known)
    old = _group_by_place(period for period in known if period not in expected)
    new = _group_by_place(period for period in expected if period not in known)
    for place in sorted({*old, *new}):
        for period in old[place]:
            unchanged, since = _shared_days(period, new[place]), known[period]
            ended = _other_days(period, unchanged)
            yield from (KnownPeriod(period.on_days(days), since) for days in unchanged)
            yield from (KnownPeriod(period.on_days(days), since, at) for days in ended)
        for period in new[place]:
            begun = _other_days(period, _shared_days(period, old[place]))
            yield from (KnownPeriod(period.on_days(days), at) for days in begun)


def _group_by_place(periods: Iterable[Period]) -> defaultdict[Place, list[Period]]:
    """The periods by directive and position, in the order of their days."""
    by_place = defaultdict[Place, list[Period]](list)
    for period in sorted(periods, key=lambda each: each.from_on):
        by_place[period.place].append(period)
    return by_place


def _shared_days(period: Period, others: Sequence[Period]) -> list[DayRange]:
    """The days of a period on which others have the same values, in order."""
    return [
        (max(period.from_on, other.from_on), min(period.to_on, other.to_on))
        for other in others
        if other.from_on <= period.to_on and other.to_on >= period.from_on and other.values == period.values
    ]


def _other_days(period: Period, taken: Sequence[DayRange]) -> Iterator[DayRange]:
    """The days of a period that are not among these, which are in order."""
    first = period.from_on
    for start, end in taken:
        if first < start:
            yield first, start - 1
        first = end + 1
    if first <= period.to_on:
        yield first, period.to_on


def restore_known_before(rows: Iterable[KnownPeriod], at: int) -> dict[Period, int]:
    """The periods known until ``at``, with their ``known_from``, joined again where ``at`` split them."""
    groups: dict[tuple[Place, PeriodValues, int], dict[int, Period]] = {}  # equal periods by their last day
    for period, known_from, _ in rows:
        if known_from < at:
            groups.setdefault((period.place, period.values, known_from), {})[period.to_on] = period
    known: dict[Period, int] = {}
    for (_, _, known_from), periods in groups.items():
        for period in sorted(periods.values()):
            neighbour = periods.pop(period.from_on - 1, None)
            if neighbour is not None:
                periods[period.to_on] = period.on_days((neighbour.from_on, period.to_on))
        known.update((period, known_from) for period in periods.values())
    return known


def diff_rows(stored: Mapping[int, KnownPeriod], expected: Iterable[KnownPeriod]) -> RowEdits:
    """How the stored rows become the expected ones."""
    missing = {(row.period, row.known_from): row for row in expected}
    edits = RowEdits()
    for row_id, row in stored.items():
        after = missing.pop((row.period, row.known_from), None)
        if after is None:
            edits.deleted[row_id] = row
        elif after != row:
            edits.closed[row_id] = (row, after)
    edits.inserted.extend(missing.values())
    return edits
