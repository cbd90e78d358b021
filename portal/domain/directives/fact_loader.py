"""Loads the facts from which assignments are derived: versions, the unit tree, and posts of many people."""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

from sqlalchemy import URL, BindParameter, ColumnElement, bindparam, func, select, true
from sqlalchemy.orm import InstrumentedAttribute

from portal.domain.catalogue.models import MinimumVersion, ModuleVersion
from portal.domain.directives.as_of import Recorded, known_facts
from portal.domain.directives.audience import (
    AudienceVersion,
    PostFact,
    Tree,
    UnitFact,
    VersionInForce,
    list_versions_in_force,
)
from portal.domain.directives.minimum_versions import MinimumVersionRule
from portal.domain.directives.models import DirectiveVersion, Requirement
from portal.domain.directives.pending import NOTHING_PENDING, PendingFacts
from portal.domain.people.models import Post, UnitState
from portal.platform.db import db, read, stamp
from portal.platform.engines import PLANNED_ONCE

BATCH = 500  # people read by one statement: below SQLite's limit of bound values

F = TypeVar("F", bound=Recorded)
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
