"""Computes a person's status periods from facts: pure, and the same for now and for any past instant."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import chain, pairwise
from typing import NamedTuple

from portal.domain.directives.as_of import Recorded, known_facts
from portal.domain.directives.audience import AudienceVersion, PostFact, Segment, match_segments
from portal.domain.directives.fact_loader import RuleHistory
from portal.domain.status.rules import (
    AssignmentRule,
    Earned,
    Excluded,
    Facts,
    RecordedFact,
    RequirementStatus,
    Revoked,
    Started,
    combine_statuses,
    compute_known_status,
    find_days_of_change,
)

WHOLE = 0  # the position of the person under the whole directive


@dataclass(slots=True)
class PersonFacts:
    """Every fact about one person; assignments and exclusions by directive, the rest by activity."""

    posts: list[PostFact] = field(default_factory=list)
    assignments: dict[int, list[AssignmentRule]] = field(default_factory=dict)
    exclusions: dict[int, list[Excluded]] = field(default_factory=dict)
    records: dict[int, list[Earned]] = field(default_factory=dict)
    revocations: list[Revoked] = field(default_factory=list)
    starts: dict[int, list[Started]] = field(default_factory=dict)

    def list_stamps(self) -> set[datetime]:
        """The stamps of all its facts."""
        by_key: list[Mapping[int, Sequence[RecordedFact]]]
        by_key = [self.assignments, self.exclusions, self.records, self.starts]
        facts: Iterable[Recorded] = chain(self.posts, *(some for each in by_key for some in each.values()))
        return {fact.recorded_at for fact in chain(facts, self.revocations)}


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

    def on_days(self, days: tuple[int, int]) -> "Period":
        """The same from a first to a last day."""
        return Period(self.directive_id, self.position, *days, self.values)


def compute_periods(facts: PersonFacts, history: RuleHistory, t: datetime) -> set[Period]:
    """The person's status periods under every directive and position, as known on ``t``."""
    rules = history.as_known_on(t)
    posts = _under_first_ids(known_facts(facts.posts, t), facts.posts)
    periods: set[Period] = set()
    for directive_id in facts.assignments:
        by_position = position_facts(facts, directive_id, history.versions, t)
        segments = match_segments(posts, rules.versions_in_force.get(directive_id, ()), rules.tree)
        for position, runs in _compute_runs(by_position, segments).items():
            periods.update(Period(directive_id, position, *run) for run in runs)
    return periods


def _under_first_ids(posts: Iterable[PostFact], recorded: Iterable[PostFact]) -> list[PostFact]:
    """The posts under the ids of the first facts that said the same of them, whatever the days.

    So nothing becomes known of the days before somebody moves: that their post ends makes it no other.
    """
    by_id = {post.id: post for post in recorded}
    named = []
    for post in posts:
        first = post
        while (before := by_id.get(first.replaces_id or 0)) and before.equals_but_for_days(post):
            first = before
        named.append(post if first is post else replace(post, id=first.id))
    return named


def position_facts(
    person: PersonFacts, directive_id: int, versions: Mapping[int, AudienceVersion], t: datetime
) -> dict[int, Facts]:
    """By position, the facts known on ``t``: only assignments whose version contains the position.

    Positions that no record and no start tells apart have the same object.
    """
    rules: dict[int, list[AssignmentRule]] = {}
    activities: dict[int, int] = {}
    for rule in known_facts(person.assignments[directive_id], t):
        for position, activity_id in versions[rule.version_id].positions:
            rules.setdefault(position, []).append(rule)
            activities[position] = activity_id
    exclusions = known_facts(person.exclusions.get(directive_id, ()), t)
    revocations = known_facts(person.revocations, t)
    by_position: dict[int, Facts] = {}
    untouched: dict[tuple[int, ...], Facts] = {}
    for position, activity_id in activities.items():
        records = known_facts(person.records.get(activity_id, ()), t)
        starts = known_facts(person.starts.get(activity_id, ()), t)
        facts = Facts(rules[position], exclusions, records, revocations, starts)
        if not records and not starts:  # nothing tells such positions apart: they share one object
            facts = untouched.setdefault(tuple(rule.id for rule in facts.assignments), facts)
        by_position[position] = facts
    return by_position


def _compute_runs(
    by_position: Mapping[int, Facts], segments: Sequence[Segment]
) -> dict[int, list[tuple[int, int, PeriodValues]]]:
    different = {id(facts): facts for facts in by_position.values()}.values()
    days = {day.toordinal() for facts in different for day in find_days_of_change(facts)}
    runs: dict[int, list[tuple[int, int, PeriodValues]]] = {}
    for segment in segments:
        for first, last in _split_segment(segment, days):
            for position, values in _compute_values(by_position, date.fromordinal(first), segment.post):
                done = runs.setdefault(position, [])
                if done and done[-1][1] + 1 == first and done[-1][2] == values:
                    done[-1] = (done[-1][0], last, values)
                else:
                    done.append((first, last, values))
    return runs


def _split_segment(segment: Segment, days: set[int]) -> Iterator[tuple[int, int]]:
    within = {day for day in days if segment.first < day <= segment.last}
    cuts = sorted(within | {segment.first, segment.last + 1})
    return ((first, after - 1) for first, after in pairwise(cuts))


def _compute_values(
    by_position: Mapping[int, Facts], day: date, post: PostFact
) -> Iterator[tuple[int, PeriodValues]]:
    """The values of every position that is required on ``day``, and last those of the whole directive."""
    computed: dict[int, tuple[RequirementStatus, PeriodValues] | None] = {}
    required: list[RequirementStatus] = []
    for position, facts in by_position.items():
        same = id(facts)
        if same not in computed:
            status = compute_known_status(facts, day)
            computed[same] = None if status is None else (status, _requirement_values(status, post))
        if (both := computed[same]) is not None:
            required.append(both[0])
            yield position, both[1]
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
    """The person under the whole directive: the latest day and largest lateness once all are complete."""
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
