"""From one person's facts to spans of days: pure, and the same for now and for any past knowledge."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple

from portal.domain.directives.as_of import known
from portal.domain.directives.audience import PostFact, Segment, Version, segments
from portal.domain.directives.fact_loader import World
from portal.domain.status.rules import (
    Earned,
    Excluded,
    Facts,
    Revoked,
    Rule,
    Standing,
    Started,
    changing_days,
    standing_on,
    whole,
)

WHOLE = 0  # the position of the person under the whole directive


@dataclass(slots=True)
class PersonFacts:
    """All ever recorded on one person; assignments and exclusions by directive, the rest by activity."""

    posts: list[PostFact] = field(default_factory=list)
    assignments: dict[int, list[tuple[Rule, int]]] = field(default_factory=dict)  # with the version's id
    exclusions: dict[int, list[Excluded]] = field(default_factory=dict)
    records: dict[int, list[Earned]] = field(default_factory=dict)
    revocations: list[Revoked] = field(default_factory=list)
    starts: dict[int, list[Started]] = field(default_factory=dict)

    def stamps(self) -> set[datetime]:
        """The stamps of all its facts."""
        by_key: list[Mapping[int, Sequence[Excluded | Earned | Started]]]
        by_key = [self.exclusions, self.records, self.starts]
        found = {fact.recorded_at for facts in by_key for some in facts.values() for fact in some}
        found.update(rule.recorded_at for rules in self.assignments.values() for rule, _ in rules)
        found.update(fact.recorded_at for fact in self.posts)
        found.update(fact.recorded_at for fact in self.revocations)
        return found


class Values(NamedTuple):
    """What stays the same over a span, in the order of the table."""

    status: int
    due_on: int
    record_id: int | None
    satisfied_on: int | None
    valid_until: int | None
    late_days: int | None
    exclusion_id: int | None
    post_id: int
    unit_id: int


class Span(NamedTuple):
    """A run of days in which one position of one directive stands the same."""

    directive_id: int
    position: int
    from_on: int
    to_on: int
    values: Values


def spans(person: PersonFacts, versions: Mapping[int, Version], world: World, t: datetime) -> set[Span]:
    """The person's spans under every directive and position, as known on ``t``."""
    posts = _as_first_told(known(person.posts, t), person.posts)
    found: set[Span] = set()
    for directive_id in person.assignments:
        facts = position_facts(person, directive_id, versions, t)
        reach = segments(posts, world.holds.get(directive_id, ()), world.tree)
        for position, runs in _runs(facts, reach).items():
            found.update(Span(directive_id, position, *run) for run in runs)
    return found


def _as_first_told(posts: Iterable[PostFact], recorded: Iterable[PostFact]) -> list[PostFact]:
    """The posts under the ids of the first facts that said the same of them, whatever the days.

    So nothing becomes known of the days before somebody moves: that their post ends makes it no other.
    """
    by_id = {post.id: post for post in recorded}
    found = []
    for post in posts:
        first = post
        while (before := by_id.get(first.replaces_id or 0)) and before.says_the_same(post):
            first = before
        found.append(post if first is post else replace(post, id=first.id))
    return found


def position_facts(
    person: PersonFacts, directive_id: int, versions: Mapping[int, Version], t: datetime
) -> dict[int, Facts]:
    """By position, the facts known on ``t``: only stretches whose version contains the position.

    Positions that no record and no start tells apart have the same object.
    """
    stretches = person.assignments[directive_id]
    live = {rule.id for rule in known([rule for rule, _ in stretches], t)}
    rules: dict[int, list[Rule]] = {}
    activities: dict[int, int] = {}
    for rule, version_id in stretches:
        if rule.id in live:
            for position, activity_id in versions[version_id].positions:
                rules.setdefault(position, []).append(rule)
                activities[position] = activity_id
    exclusions = known(person.exclusions.get(directive_id, ()), t)
    revocations = known(person.revocations, t)
    found: dict[int, Facts] = {}
    untouched: dict[tuple[int, ...], Facts] = {}
    for position, activity_id in activities.items():
        records = known(person.records.get(activity_id, ()), t)
        starts = known(person.starts.get(activity_id, ()), t)
        facts = Facts(rules[position], exclusions, records, revocations, starts)
        if not records and not starts:  # nothing tells such positions apart: they share one object
            facts = untouched.setdefault(tuple(rule.id for rule in facts.assignments), facts)
        found[position] = facts
    return found


def _runs(facts: Mapping[int, Facts], reach: Sequence[Segment]) -> dict[int, list[tuple[int, int, Values]]]:
    different = {id(some): some for some in facts.values()}.values()
    days = {day.toordinal() for some in different for day in changing_days(some)}
    runs: dict[int, list[tuple[int, int, Values]]] = {}
    for segment in reach:
        for first, last in _cut(segment, days):
            for position, values in _on(facts, date.fromordinal(first), segment.post):
                done = runs.setdefault(position, [])
                if done and done[-1][1] + 1 == first and done[-1][2] == values:
                    done[-1] = (done[-1][0], last, values)
                else:
                    done.append((first, last, values))
    return runs


def _cut(segment: Segment, days: set[int]) -> Iterator[tuple[int, int]]:
    within = {day for day in days if segment.first < day <= segment.last}
    cuts = sorted(within | {segment.first, segment.last + 1})
    return ((first, after - 1) for first, after in pairwise(cuts))


def _on(facts: Mapping[int, Facts], day: date, post: PostFact) -> Iterator[tuple[int, Values]]:
    stood: dict[int, Standing | None] = {}
    made: dict[int, Values] = {}
    present: list[Standing] = []
    for position, some in facts.items():
        same = id(some)
        if same not in stood:
            found = stood[same] = standing_on(some, day)
            if found is not None:
                made[same] = _values(found, post)
        if (found := stood[same]) is not None:
            present.append(found)
            yield position, made[same]
    if present:
        yield WHOLE, _whole_values(present, post)


def _values(found: Standing, post: PostFact) -> Values:
    record, exclusion = found.record, found.exclusion
    return Values(
        int(found.status),
        found.due_on.toordinal(),
        record.id if record else None,
        record.achieved_on.toordinal() if record else None,
        found.valid_until.toordinal() if found.valid_until else None,
        found.late_days,
        exclusion.id if exclusion else None,
        post.id,
        post.unit_id,
    )


def _whole_values(found: Sequence[Standing], post: PostFact) -> Values:
    """The person under the whole directive: the latest day and largest lateness once all are held."""
    status = whole([each.status for each in found])
    held = all(each.status.held for each in found)
    ends = [each.valid_until.toordinal() for each in found if each.valid_until]
    exclusion = found[0].exclusion
    return Values(
        int(status),
        found[0].due_on.toordinal(),
        None,
        max(each.record.achieved_on.toordinal() for each in found if each.record) if held else None,
        min(ends, default=None),
        max((each.late_days or 0 for each in found), default=0) if held else None,
        exclusion.id if exclusion else None,
        post.id,
        post.unit_id,
    )
