"""Matches posts against audiences: to whom a directive applies, on which days and by which post. Pure.

Days are ordinals here (``date.toordinal()``), so that the day after the last one is a number too.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby, pairwise
from typing import Any

LAST_DAY = date.max.toordinal()

Table = Mapping[str, Sequence[Any]]


@dataclass(frozen=True, slots=True)
class PostFact:
    """A recorded post: what an audience can select by, and its first and last day."""

    id: int
    recorded_at: datetime
    void: bool
    replaces_id: int | None
    person_id: int
    post_key: str
    rank_or_grade: str
    designated_role: str
    unit_id: int
    line_manager_id: int | None
    first: int
    last: int

    def equals_but_for_days(self, other: "PostFact") -> bool:
        """Whether the two differ in nothing but their days."""
        return (self.rank_or_grade, self.designated_role, self.unit_id, self.line_manager_id) == (
            other.rank_or_grade,
            other.designated_role,
            other.unit_id,
            other.line_manager_id,
        )


@dataclass(frozen=True, slots=True)
class UnitFact:
    """A recorded unit state: the parent of a unit from a day to a day."""

    id: int
    recorded_at: datetime
    void: bool
    replaces_id: int | None
    unit_id: int
    parent_id: int | None
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class AudienceVersion:
    """A recorded directive version, with the activity of each position."""

    id: int
    recorded_at: datetime
    void: bool
    replaces_id: int | None
    directive_id: int
    number: int
    effective: int
    withdrawn: bool
    due_fixed_on: date | None
    due_days_after_joining: int | None
    validity_months: int | None
    yearly_on: str | None
    minimum_gap_months: int | None
    expiring_days: int
    audience: Sequence[Table]
    exceptions: Sequence[Table]
    positions: tuple[tuple[int, int], ...] = ()

    @property
    def depends_on_units(self) -> bool:
        """Whether the audience depends on the unit tree."""
        return any("unit_under" in table for table in (*self.audience, *self.exceptions))

    def find_matching_table(self, post: PostFact, above: frozenset[int]) -> int:
        """The number of the first ``[[audience]]`` table that the post meets; 0: none.

        A post that meets an ``[[except]]`` table meets no audience table.
        """
        if any(_post_meets(table, post, above) for table in self.exceptions):
            return 0
        numbers = (n for n, table in enumerate(self.audience, 1) if _post_meets(table, post, above))
        return next(numbers, 0)


def _post_meets(table: Table, post: PostFact, above: frozenset[int]) -> bool:
    return meets_selectors(table, post.designated_role, post.rank_or_grade, above)


def meets_selectors(table: Table, role: str, rank: str, above: Collection[int]) -> bool:
    """Whether a post of this role and rank meets the table; ``above`` is its unit and all units above."""
    roles, ranks, units = (table.get(k) for k in ("designated_role", "rank_or_grade", "unit_under"))
    return (
        (roles is None or role in roles)
        and (ranks is None or rank in ranks)
        and (units is None or any(unit in above for unit in units))
    )


class Tree:
    """The ancestors of each unit on each day, from known unit states."""

    def __init__(self, states: Iterable[UnitFact]) -> None:
        self._states: dict[int, list[UnitFact]] = {}
        for state in states:
            self._states.setdefault(state.unit_id, []).append(state)
        self._above: dict[int, tuple[tuple[int, int, frozenset[int]], ...]] = {}
        self._open: set[int] = set()

    def stretches_above(self, unit_id: int) -> tuple[tuple[int, int, frozenset[int]], ...]:
        """Stretches of days, each with the unit itself and all units above it."""
        if unit_id not in self._above:
            if unit_id in self._open:  # a circle, which the tree's own rules refuse
                return ()
            self._open.add(unit_id)
            self._above[unit_id] = tuple(self._climb_from(unit_id))
            self._open.discard(unit_id)
        return self._above[unit_id]

    def _climb_from(self, unit_id: int) -> Iterator[tuple[int, int, frozenset[int]]]:
        for state in self._states.get(unit_id, ()):
            if state.parent_id is None:
                yield state.first, state.last, frozenset({unit_id})
                continue
            for first, last, units in self.stretches_above(state.parent_id):
                first, last = max(first, state.first), min(last, state.last)
                if first <= last:
                    yield first, last, units | {unit_id}

    def units_on(self, unit_id: int, day: int) -> frozenset[int]:
        """The unit itself and all units above it on ``day``."""
        for first, last, units in self.stretches_above(unit_id):
            if first <= day <= last:
                return units
        return frozenset({unit_id})


@dataclass(frozen=True, slots=True)
class VersionInForce:
    """A directive version and the days on which it is in force."""

    first: int
    last: int
    version: AudienceVersion


def list_versions_in_force(versions: Iterable[AudienceVersion]) -> list[VersionInForce]:
    """The known versions of a directive with the days on which each is in force; withdrawn ones are left out.

    The version with the latest ``effective_on`` by a day is in force; of a tie, the highest number.
    """
    ordered = sorted(versions, key=lambda v: (v.effective, v.number))
    latest = [list(same_day)[-1] for _, same_day in groupby(ordered, key=lambda v: v.effective)]
    ends = [*(version.effective - 1 for version in latest[1:]), LAST_DAY]
    return [
        VersionInForce(v.effective, last, v) for v, last in zip(latest, ends, strict=False) if not v.withdrawn
    ]


@dataclass(frozen=True, slots=True)
class Segment:
    """Days on which a version applies to a person: the post shown in reports, and the table it meets."""

    first: int
    last: int
    version: AudienceVersion
    post: PostFact
    why: int


def match_segments(
    posts: Sequence[PostFact], versions_in_force: Iterable[VersionInForce], tree: Tree
) -> list[Segment]:
    """The days on which one of a person's posts matches, split where a post, unit or version changes."""
    segments = []
    for in_force in versions_in_force:
        for first, last in _split_days(in_force, posts, tree):
            matching = [
                (post, why)
                for post in posts
                if post.first <= first <= post.last
                and (why := in_force.version.find_matching_table(post, tree.units_on(post.unit_id, first)))
            ]
            if matching:
                shown = min((post for post, _ in matching), key=lambda p: (-p.first, p.post_key))
                segments.append(
                    Segment(first, last, in_force.version, shown, min(why for _, why in matching))
                )
    return segments


def _split_days(in_force: VersionInForce, posts: Iterable[PostFact], tree: Tree) -> Iterator[tuple[int, int]]:
    days = {in_force.first, in_force.last + 1}
    for post in posts:
        days.update((post.first, post.last + 1))
        if in_force.version.depends_on_units:
            for first, last, _ in tree.stretches_above(post.unit_id):
                days.update((first, last + 1))
    within = sorted(day for day in days if in_force.first <= day <= in_force.last + 1)
    return ((first, after - 1) for first, after in pairwise(within))
