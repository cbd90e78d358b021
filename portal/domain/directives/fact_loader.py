"""Reading the facts behind assignments, many people at once: versions, the unit tree, posts."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select

from portal.domain.directives.as_of import known
from portal.domain.directives.audience import Hold, PostFact, Tree, UnitFact, Version, timeline
from portal.domain.directives.models import DirectiveVersion, Requirement
from portal.domain.people.models import Post, UnitState
from portal.platform.db import db

BATCH = 500  # people read by one statement: below SQLite's limit of bound values

T = TypeVar("T")


def batches(items: Iterable[T], size: int = BATCH) -> Iterator[list[T]]:
    """The items in lists of at most ``size``."""
    kept = list(items)
    return (kept[i : i + size] for i in range(0, len(kept), size))


def fetch(query: Any) -> Iterable[Any]:
    """The rows as plain tuples, to be made into facts: the session would go through each once more."""
    db.session.flush()
    return db.session.connection().execute(query)


class World:
    """The versions and the unit tree as known on an instant."""

    def __init__(
        self, versions: Sequence[Version], states: Sequence[UnitFact], directives: Iterable[int] = ()
    ) -> None:
        """Also of ``directives`` that have no version: each was withdrawn before it took effect."""
        self.versions = {version.id: version for version in versions}
        self.tree = Tree(states)
        self.holds: dict[int, list[Hold]] = {}
        for directive_id in sorted({version.directive_id for version in versions}.union(directives)):
            self.holds[directive_id] = timeline(v for v in versions if v.directive_id == directive_id)


class Worlds:
    """Every version and unit state ever recorded; gives the world as known on any instant.

    Args:
        versions: Further ones, not recorded yet.
        states: Further ones, not recorded yet.
    """

    def __init__(self, versions: Iterable[Version] = (), states: Iterable[UnitFact] = ()) -> None:
        self.versions = [*_versions(), *versions]
        by_unit = any(version.by_unit for version in self.versions)
        self.states = [*_states(), *states] if by_unit else []  # else nothing depends on the tree
        self.stamps = {version.recorded_at for version in self.versions}
        self.stamps |= {state.recorded_at for state in self.states}
        self._worlds: dict[int, World] = {}

    def known(self, t: datetime) -> World:
        """The world as known on ``t``; the same object where nothing was recorded between."""
        turn = sum(stamp <= t for stamp in self.stamps)
        if turn not in self._worlds:
            ever = {version.directive_id for version in self.versions if version.recorded_at <= t}
            self._worlds[turn] = World(known(self.versions, t), known(self.states, t), ever)
        return self._worlds[turn]


def _versions() -> list[Version]:
    positions: dict[int, list[tuple[int, int]]] = {}
    columns = (Requirement.directive_version_id, Requirement.position, Requirement.activity_id)
    for version_id, position, activity_id in fetch(select(*columns).order_by(*columns[:2])):
        positions.setdefault(version_id, []).append((position, activity_id))
    return [
        Version(
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
        for v in fetch(select(*DirectiveVersion.__table__.columns))
    ]


def _states() -> list[UnitFact]:
    u = UnitState
    columns = (u.id, u.recorded_at, u.void, u.replaces_id, u.unit_id, u.parent_id, u.valid_from, u.valid_to)
    return [UnitFact(*_with_ordinals(row)) for row in fetch(select(*columns))]


def posts_of(people: Sequence[int]) -> dict[int, list[PostFact]]:
    """Every post ever recorded of these people, by person."""
    p = Post
    columns = (
        p.id,
        p.recorded_at,
        p.void,
        p.replaces_id,
        p.person_id,
        p.post_key,
        p.rank_or_grade,
        p.designated_role,
        p.unit_id,
        p.line_manager_id,
        p.valid_from,
        p.valid_to,
    )
    found: dict[int, list[PostFact]] = {person: [] for person in people}
    for row in fetch(select(*columns).where(p.person_id.in_(people))):
        post = PostFact(*_with_ordinals(row))
        found[post.person_id].append(post)
    return found


def _with_ordinals(row: Any) -> Any:
    """The row with its last two columns, the first and last day, as ordinals."""
    return (*row[:-2], row[-2].toordinal(), row[-1].toordinal())
