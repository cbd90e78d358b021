"""Derives assignments from posts, directive versions and the unit tree, whenever one of these changes."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import count, groupby, pairwise, zip_longest
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from sqlalchemy import URL, BindParameter, ColumnElement, bindparam, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from portal.domain.catalogue.models import MinimumVersion, ModuleVersion
from portal.domain.directives.models import Assignment, DirectiveVersion, Requirement
from portal.domain.people.models import Post, UnitState
from portal.platform.bulk import insert_rows
from portal.platform.db import Touched, db, read, stamp
from portal.platform.engines import PLANNED_ONCE

# Selects, from loaded facts, those known on an instant: the rule of every append-only table.


class Recorded(Protocol):
    """The columns that every fact has."""

    @property
    def id(self) -> int:
        """The id of its row."""

    @property
    def recorded_at(self) -> datetime:
        """The stamp of the transaction that recorded it."""

    @property
    def void(self) -> bool:
        """Whether it takes away the row it replaces and puts none in its place."""

    @property
    def replaces_id(self) -> int | None:
        """The row it corrects."""


F = TypeVar("F", bound=Recorded)


def known_facts(rows: Iterable[F], instant: datetime) -> list[F]:
    """The facts as known on ``instant``: recorded by then, not void, not replaced by then."""
    recorded = [row for row in rows if row.recorded_at <= instant]
    replaced = {row.replaces_id for row in recorded}
    return [row for row in recorded if not row.void and row.id not in replaced]


# Matches posts against audiences: to whom a directive applies, on which days and by which post. Pure.
#
# Days are ordinals here (``date.toordinal()``), so that the day after the last one is a number too.

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


# The rule that a module must be passed again: which of its passes count until when. Pure.


@dataclass(frozen=True, slots=True)
class MinimumVersionRule:
    """A recorded minimum version of a module, as the table ``minimum_version`` has it."""

    id: int
    recorded_at: datetime
    void: bool
    replaces_id: int | None
    activity_id: int
    number: int  # of the least version that counts
    announced_on: date
    from_on: date

    def is_met(self, version: int | None, achieved_on: date) -> bool:
        """Whether a record goes on counting.

        Args:
            version: The number of the version that was passed; None for a record of another source, such as
                prior learning, which counts if it was achieved when the rule was announced or later.
            achieved_on: Its day.
        """
        return achieved_on >= self.announced_on if version is None else version >= self.number


def last_counted_day(
    rules: Iterable[MinimumVersionRule], version: int | None, achieved_on: date, day: date
) -> date:
    """The last day on which a record counts by the rules announced on ``day``; ``date.max``: no end."""
    ends = (
        rule.from_on - timedelta(days=1)
        for rule in rules
        if rule.announced_on <= day and not rule.is_met(version, achieved_on)
    )
    return min(ends, default=date.max)


# Facts that a later transaction will record, given to the projector and to previews as a value.
#
# Ids that the database has still to assign are placeholders, and so is the stamp. Whoever writes the rows
# that were computed from such facts maps the placeholders to real ids.

ALL_KNOWN = datetime.max.replace(tzinfo=UTC)  # an instant on which everything is known, pending facts too
FIRST_PLACEHOLDER = 2**62  # above all real ids: of two records on one day the lower id counts
NEW_DIRECTIVE, NEW_VERSION = FIRST_PLACEHOLDER, FIRST_PLACEHOLDER + 1  # of a version that is to be issued


def number_placeholders() -> Iterator[int]:
    """Placeholders for ids, no two of them equal, whatever table they are for."""
    return count(FIRST_PLACEHOLDER)


class PendingRecord(NamedTuple):
    """A record that is to be written."""

    placeholder: int
    activity_id: int
    achieved_on: date


@dataclass(frozen=True, slots=True)
class PendingFacts:
    """Facts that are not recorded yet."""

    posts: Mapping[int, Sequence[PostFact]] = field(default_factory=dict)  # by person
    records: Mapping[int, Sequence[PendingRecord]] = field(default_factory=dict)  # by person
    states: Sequence[UnitFact] = ()
    versions: Sequence[AudienceVersion] = ()
    minimums: Sequence[MinimumVersionRule] = ()


NOTHING_PENDING = PendingFacts()


# Loads the facts from which assignments are derived: versions, the unit tree, and posts of many people.

BATCH = 500  # people read by one statement: below SQLite's limit of bound values

T = TypeVar("T")
Column = InstrumentedAttribute[int] | ColumnElement[int]


def split_into_batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The items in lists of at most ``size``."""
    everything = list(items)
    return (everything[i : i + size] for i in range(0, len(everything), size))


# The ids of people, in statements that are built once.
PEOPLE: BindParameter[Any] = bindparam("people", expanding=True)


def fetch_tuples(query: Any, people: Sequence[int] | None = None, **values: Any) -> Iterable[Any]:
    """The rows as plain tuples: quicker than through the session, which processes each row once more.

    About one person PostgreSQL plans the query once for each connection: what an officer does asks it under
    the lock, and to plan it takes longer than to answer it.
    """
    db.session.flush()
    if people is not None:
        values["people"] = people
    planned_once = PLANNED_ONCE if people is not None and len(people) == 1 else {}
    return db.session.connection().execute(query, values, execution_options=planned_once)


class _Timeline(Generic[F, T]):
    """What follows from facts as known on an instant; made once for each stamp."""

    def __init__(self, facts: Sequence[F], make: Callable[[list[F]], T]) -> None:
        self.facts, self._make = facts, make
        self.stamps = sorted({fact.recorded_at for fact in facts})
        self._made: dict[int, T] = {}

    def as_known_on(self, t: datetime) -> T:
        """What follows from the facts known on ``t``."""
        stamps_known = bisect_right(self.stamps, t)
        if stamps_known not in self._made:
            self._made[stamps_known] = self._make(known_facts(self.facts, t))
        return self._made[stamps_known]


class RuleHistory:
    """Every directive version, unit state and minimum version ever recorded, and pending ones.

    Args:
        pending: Facts that are not recorded yet.
        only: The ids of the directives that matter; None: all of them. What is loaded about people by this
            history is about these directives alone.
    """

    def __init__(self, pending: PendingFacts = NOTHING_PENDING, only: Collection[int] | None = None) -> None:
        self.only = None if only is None else frozenset(only)
        self.versions = {version.id: version for version in (*load_versions(), *pending.versions)}
        if self.only is not None:
            self.versions = {v.id: v for v in self.versions.values() if v.directive_id in self.only}
        depends_on_units = any(version.depends_on_units for version in self.versions.values())
        # Where no audience names a unit the tree decides nothing.
        self.states = [*_load_states(), *pending.states] if depends_on_units else []
        self.minimums = _group_by_activity([*_load_minimums(), *pending.minimums])
        self._tree = _Timeline(self.states, Tree)
        by_directive: dict[int, list[AudienceVersion]] = {}
        for version in self.versions.values():
            by_directive.setdefault(version.directive_id, []).append(version)
        self._directives = {
            directive_id: _Timeline(versions, list_versions_in_force)
            for directive_id, versions in sorted(by_directive.items())
        }

    def tree_as_known_on(self, t: datetime) -> Tree:
        """The unit tree; the same object where no unit was recorded."""
        return self._tree.as_known_on(t)

    def versions_in_force(self, directive_id: int, t: datetime) -> list[VersionInForce]:
        """The directive's versions in force as known on ``t``."""
        return self._directives[directive_id].as_known_on(t)

    def list_directives(self, t: datetime) -> list[int]:
        """Every directive of which a version was recorded by ``t``, in order.

        One whose only version was withdrawn before it took effect has none in force.
        """
        return [key for key, versions in self._directives.items() if versions.stamps[0] <= t]

    def list_stamps(self, directive_id: int) -> Iterable[datetime]:
        """The stamps of all facts that decide to whom the directive applies, but for posts."""
        versions = self._directives[directive_id]
        depends_on_units = any(version.depends_on_units for version in versions.facts)
        return (*versions.stamps, *(self._tree.stamps if depends_on_units else ()))

    def list_activities(self, directive_id: int) -> set[int]:
        """The activities that the directive has ever required."""
        return {
            activity for version in self._directives[directive_id].facts for _, activity in version.positions
        }

    def names_directive(self, directive_id: Column) -> ColumnElement[bool]:
        """The condition that a column names a directive that matters."""
        return true() if self.only is None else directive_id.in_(sorted(self.only))

    def names_activity(self, activity_id: Column) -> ColumnElement[bool]:
        """The condition that a column names an activity that one of those directives has ever required."""
        if self.only is None:
            return true()
        return activity_id.in_(
            {activity for version in self.versions.values() for _, activity in version.positions}
        )


_RULES = (DirectiveVersion, UnitState, MinimumVersion)
_NEWEST_RULES = select(*(select(func.max(rule.recorded_at)).scalar_subquery() for rule in _RULES))


def load_rule_history() -> RuleHistory:
    """The history of all directives, for a transaction that records facts; the process keeps the newest.

    Every pass needs it under the lock. A later rule has a later stamp, so what is kept holds for as long as
    the newest stamps stay the same. Rules of this very transaction are not kept: it may be rolled back.
    """
    newest = tuple(read(_NEWEST_RULES, {})[0])
    if stamp() in newest:
        return RuleHistory()
    return _keep_rule_history(db.session.connection().engine.url, newest)


@lru_cache(maxsize=2)
def _keep_rule_history(_database: URL, _newest: tuple[datetime | None, ...]) -> RuleHistory:
    return RuleHistory()


_POSITIONS = select(Requirement.directive_version_id, Requirement.position, Requirement.activity_id).order_by(
    Requirement.directive_version_id, Requirement.position
)
_VERSIONS = select(*DirectiveVersion.__table__.columns)


_MINIMUMS = select(
    MinimumVersion.id,
    MinimumVersion.recorded_at,
    MinimumVersion.void,
    MinimumVersion.replaces_id,
    MinimumVersion.activity_id,
    ModuleVersion.number,
    MinimumVersion.announced_on,
    MinimumVersion.from_on,
).join(ModuleVersion, ModuleVersion.id == MinimumVersion.module_version_id)


def _load_minimums() -> list[MinimumVersionRule]:
    return [MinimumVersionRule(*row) for row in fetch_tuples(_MINIMUMS)]


def _group_by_activity(rules: Iterable[MinimumVersionRule]) -> dict[int, list[MinimumVersionRule]]:
    by_activity: dict[int, list[MinimumVersionRule]] = {}
    for rule in rules:
        by_activity.setdefault(rule.activity_id, []).append(rule)
    return by_activity


def load_versions(*, with_activities: bool = True) -> list[AudienceVersion]:
    """Every directive version ever recorded; without activities, for whom only the audience matters."""
    positions: dict[int, list[tuple[int, int]]] = {}
    for version_id, position, activity_id in fetch_tuples(_POSITIONS) if with_activities else ():
        positions.setdefault(version_id, []).append((position, activity_id))
    return [
        AudienceVersion(
            v.id,
            v.recorded_at,
            v.void,
            v.replaces_id,
            v.directive_id,
            v.number,
            v.effective_on.toordinal(),
            v.withdrawn,
            v.due_fixed_on,
            v.due_days_after_joining,
            v.validity_months,
            v.yearly_on,
            v.minimum_gap_months,
            v.expiring_days,
            v.audience.get("audience", []),
            v.audience.get("except", []),
            tuple(positions.get(v.id, ())),
        )
        for v in fetch_tuples(_VERSIONS)
    ]


def _load_states() -> list[UnitFact]:
    u = UnitState
    columns = (u.id, u.recorded_at, u.void, u.replaces_id, u.unit_id, u.parent_id, u.valid_from, u.valid_to)
    return [UnitFact(*_with_ordinals(row)) for row in fetch_tuples(select(*columns))]


_POSTS = select(
    Post.id,
    Post.recorded_at,
    Post.void,
    Post.replaces_id,
    Post.person_id,
    Post.post_key,
    Post.rank_or_grade,
    Post.designated_role,
    Post.unit_id,
    Post.line_manager_id,
    Post.valid_from,
    Post.valid_to,
).where(Post.person_id.in_(PEOPLE))


def load_posts(people: Sequence[int], pending: PendingFacts = NOTHING_PENDING) -> dict[int, list[PostFact]]:
    """Every recorded and pending post of these people, by person."""
    posts: dict[int, list[PostFact]] = {person: [] for person in people}
    for row in fetch_tuples(_POSTS, people):
        post = PostFact(*_with_ordinals(row))
        posts[post.person_id].append(post)
    for person, person_posts in posts.items():
        person_posts.extend(pending.posts.get(person, ()))
    return posts


def _with_ordinals(row: Any) -> Any:
    """The row with its last two columns, the first and last day, as ordinals."""
    return (*row[:-2], row[-2].toordinal(), row[-1].toordinal())


TABLE = Assignment.metadata.tables[Assignment.__tablename__]
SAME_JOINING_DAYS = 31  # after a gap up to this long a person keeps their day of joining

AssignmentRow = dict[str, Any]  # values by column, but for id and stamp


class AssignmentTerms(NamedTuple):
    """An assignment without its person and directive: version, days, due date and reason."""

    directive_version_id: int
    from_on: date
    to_on: date
    joined_on: date
    due_on: date
    why: int


COLUMNS = ("void", "replaces_id", "person_id", "directive_id", *AssignmentTerms._fields)


@dataclass(frozen=True, slots=True)
class AssignmentFact:
    """An assignment as recorded."""

    id: int
    recorded_at: datetime
    void: bool
    replaces_id: int | None
    person_id: int
    directive_id: int
    terms: AssignmentTerms


def derive_assignments(segments: Sequence[Segment]) -> list[AssignmentTerms]:
    """The longest runs of matched days under one version, each with its day of joining and due date.

    A run that begins at most 31 days after the one before keeps its ``joined_on``.
    """
    runs: list[tuple[int, int, AudienceVersion, int]] = []
    for segment in segments:
        if runs and runs[-1][1] + 1 == segment.first and runs[-1][2].id == segment.version.id:
            runs[-1] = (runs[-1][0], segment.last, *runs[-1][2:])
        else:
            runs.append((segment.first, segment.last, segment.version, segment.why))
    derived: list[AssignmentTerms] = []
    covered_to = joined = -SAME_JOINING_DAYS
    for first, last, version, why in runs:
        joined = joined if derived and first - covered_to - 1 <= SAME_JOINING_DAYS else first
        covered_to = last
        joined_on = date.fromordinal(joined)
        days = (date.fromordinal(first), date.fromordinal(last))
        derived.append(AssignmentTerms(version.id, *days, joined_on, find_due_day(version, joined_on), why))
    return derived


def find_due_day(version: AudienceVersion, joined_on: date) -> date:
    """The later of the fixed due date and the due date by days after joining."""
    dues = []
    if version.due_fixed_on is not None:
        dues.append(version.due_fixed_on)
    if version.due_days_after_joining is not None:
        dues.append(add_days(joined_on, version.due_days_after_joining))
    return max(dues)


def add_days(day: date, days: int) -> date:
    """The day ``days`` later, or the last day of the calendar."""
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))


def reconcile_assignments(touched: Touched) -> None:
    """Bring the assignments of all people concerned by the touched facts up to date.

    Registrations and records change no assignment, so learners are not read. Afterwards ``touched.people``
    holds everyone whose status periods may change under any directive, learners too, and
    ``touched.reassigned`` everyone else whose may change under the directives that got a version.
    """
    at = stamp()
    touched.people |= find_people_under(touched.units) if touched.units else set()
    touched.people -= touched.projected
    if touched.people:
        write_assignments(find_differences(touched.people, load_rule_history(), at), at)
    if touched.directives:
        others = list_people_with_posts() - touched.people - touched.projected
        rows = list(find_differences(others, RuleHistory(only=touched.directives), at))
        write_assignments(rows, at)
        touched.reassigned = {row["person_id"] for row in rows}
    touched.people |= touched.learners - touched.projected
    touched.reassigned -= touched.learners


def list_people_with_posts() -> set[int]:
    """Everyone with a post ever recorded: to nobody else does any directive apply."""
    return set(db.session.scalars(select(Post.person_id).distinct()))


def find_differences(
    people: Iterable[int], history: RuleHistory, at: datetime, pending: PendingFacts = NOTHING_PENDING
) -> Iterator[AssignmentRow]:
    """The rows to insert so that the people's assignments, as known on ``at``, follow from their posts."""
    for person_id, directive_id, current, expected in compare_assignments(people, history, at, pending):
        for row in pair_assignments(current, expected):
            yield {"person_id": person_id, "directive_id": directive_id, **row}


def compare_assignments(
    people: Iterable[int],
    history: RuleHistory,
    at: datetime,
    pending: PendingFacts = NOTHING_PENDING,
) -> Iterator[tuple[int, int, list[AssignmentFact], list[AssignmentTerms]]]:
    """For each person and directive: the assignments known on ``at``, and those that follow from the posts.

    Args:
        people: Ids, in any order.
        history: Directive versions, of the directives to compare, and unit states.
        at: Only posts, rules and assignments known on this instant count.
        pending: Posts that are not recorded yet.
    """
    tree, directive_ids = history.tree_as_known_on(at), history.list_directives(at)
    for ids in split_into_batches(sorted(people)):
        posts, assigned = load_posts(ids, pending), load_assignments(ids, history)
        for person_id in ids:
            posts_known = known_facts(posts[person_id], at)
            current: dict[int, list[AssignmentFact]] = {}
            for fact in known_facts(assigned[person_id], at):
                current.setdefault(fact.directive_id, []).append(fact)
            for directive_id in directive_ids:
                in_force = history.versions_in_force(directive_id, at)
                expected = derive_assignments(match_segments(posts_known, in_force, tree))
                yield person_id, directive_id, current.get(directive_id, []), expected


def pair_assignments(
    current: list[AssignmentFact], expected: list[AssignmentTerms]
) -> Iterator[AssignmentRow]:
    """Pair both in order of ``from_on``: equal ones need no row, others a correction, a void or a new one."""
    current = sorted(current, key=lambda fact: fact.terms.from_on)
    for old, new in zip_longest(current, expected):
        if old is None:
            yield {"void": False, "replaces_id": None, **new._asdict()}
        elif new is None:
            yield {"void": True, "replaces_id": old.id, **old.terms._asdict()}
        elif old.terms != new:
            yield {"void": False, "replaces_id": old.id, **new._asdict()}


def write_assignments(rows: Iterable[AssignmentRow], at: datetime) -> None:
    """Insert the rows as facts recorded at ``at``."""
    db.session.flush()
    insert_rows(TABLE, ("recorded_at", *COLUMNS), ((at, *(row[name] for name in COLUMNS)) for row in rows))


_ASSIGNMENTS = select(
    Assignment.id,
    Assignment.recorded_at,
    Assignment.void,
    Assignment.replaces_id,
    Assignment.person_id,
    Assignment.directive_id,
    *(getattr(Assignment, name) for name in AssignmentTerms._fields),
).where(Assignment.person_id.in_(PEOPLE))


def load_assignments(people: Sequence[int], history: RuleHistory) -> dict[int, list[AssignmentFact]]:
    """Every assignment ever recorded of these people to the directives of a history, by person."""
    assignments: dict[int, list[AssignmentFact]] = {person: [] for person in people}
    query = _ASSIGNMENTS
    if history.only is not None:
        query = query.where(history.names_directive(Assignment.directive_id))
    for row in fetch_tuples(query, people):
        values: tuple[Any, ...] = (*row[:6], AssignmentTerms(*row[6:]))
        fact = AssignmentFact(*values)
        assignments[fact.person_id].append(fact)
    return assignments


def find_people_under(units: Iterable[int]) -> set[int]:
    """Everyone with a post ever recorded in or below these units, whatever parents the units have had."""
    below: dict[int | None, set[int]] = {}
    for unit_id, parent_id in db.session.execute(select(UnitState.unit_id, UnitState.parent_id).distinct()):
        below.setdefault(parent_id, set()).add(unit_id)
    visited: set[int] = set()
    to_visit = set(units)
    while to_visit:
        visited |= to_visit
        to_visit = set().union(*(below.get(unit, set()) for unit in to_visit)) - visited
    people: set[int] = set()
    for ids in split_into_batches(sorted(visited)):
        people.update(db.session.scalars(select(Post.person_id).distinct().where(Post.unit_id.in_(ids))))
    return people
