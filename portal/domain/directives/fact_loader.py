"""Loads the facts from which assignments are derived: versions, the unit tree, and posts of many people."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import BindParameter, ColumnElement, bindparam, select, true
from sqlalchemy.orm import InstrumentedAttribute

from portal.domain.directives.as_of import Recorded, known_facts
from portal.domain.directives.audience import (
    AudienceVersion,
    PostFact,
    Tree,
    UnitFact,
    list_versions_in_force,
)
from portal.domain.directives.models import DirectiveVersion, Requirement
from portal.domain.directives.pending import NOTHING_PENDING, PendingFacts
from portal.domain.people.models import Post, UnitState
from portal.platform.db import db

BATCH = 500  # people read by one statement: below SQLite's limit of bound values

T = TypeVar("T")
Column = InstrumentedAttribute[int] | ColumnElement[int]


def split_into_batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The items in lists of at most ``size``."""
    everything = list(items)
    return (everything[i : i + size] for i in range(0, len(everything), size))


# The ids of people, in statements that are built once.
PEOPLE: BindParameter[Any] = bindparam("people", expanding=True)


def fetch_tuples(query: Any, people: Sequence[int] | None = None) -> Iterable[Any]:
    """The rows as plain tuples: quicker than through the session, which processes each row once more."""
    db.session.flush()
    return db.session.connection().execute(query, {} if people is None else {"people": people})


class KnownRules:
    """The directive versions in force and the unit tree, as known on an instant."""

    def __init__(
        self, versions: Iterable[AudienceVersion], states: Iterable[UnitFact], directives: Iterable[int]
    ) -> None:
        """``directives``: all ids; one without a version was withdrawn before it took effect."""
        self.tree = Tree(states)
        by_directive: dict[int, list[AudienceVersion]] = {directive_id: [] for directive_id in directives}
        for version in versions:
            by_directive.setdefault(version.directive_id, []).append(version)
        self.versions_in_force = {
            directive_id: list_versions_in_force(known_versions)
            for directive_id, known_versions in sorted(by_directive.items())
        }


class RuleHistory:
    """Every directive version and unit state ever recorded, and pending ones.

    Args:
        pending: Facts that are not recorded yet.
        only: The ids of the directives that matter; None: all of them. What is loaded about people by this
            history is about these directives alone.
    """

    def __init__(self, pending: PendingFacts = NOTHING_PENDING, only: Collection[int] | None = None) -> None:
        self.only = None if only is None else frozenset(only)
        self.versions = {version.id: version for version in (*_load_versions(), *pending.versions)}
        if self.only is not None:
            self.versions = {v.id: v for v in self.versions.values() if v.directive_id in self.only}
        depends_on_units = any(version.depends_on_units for version in self.versions.values())
        # Where no audience names a unit the tree decides nothing.
        self.states = [*_load_states(), *pending.states] if depends_on_units else []
        facts: tuple[Recorded, ...] = (*self.versions.values(), *self.states)
        self._stamps = sorted({fact.recorded_at for fact in facts})
        self._known: dict[int, KnownRules] = {}

    def as_known_on(self, t: datetime) -> KnownRules:
        """The rules as known on ``t``; the same object where nothing was recorded."""
        stamps_known = bisect_right(self._stamps, t)
        if stamps_known not in self._known:
            versions = self.versions.values()
            directive_ids = {version.directive_id for version in versions if version.recorded_at <= t}
            self._known[stamps_known] = KnownRules(
                known_facts(versions, t), known_facts(self.states, t), directive_ids
            )
        return self._known[stamps_known]

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


_POSITIONS = select(Requirement.directive_version_id, Requirement.position, Requirement.activity_id).order_by(
    Requirement.directive_version_id, Requirement.position
)
_VERSIONS = select(*DirectiveVersion.__table__.columns)


def _load_versions() -> list[AudienceVersion]:
    positions: dict[int, list[tuple[int, int]]] = {}
    for version_id, position, activity_id in fetch_tuples(_POSITIONS):
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
