"""Assignments follow from posts, versions and the unit tree, in the transaction that changes one of them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import zip_longest
from typing import Any, NamedTuple

from sqlalchemy import insert, select

from portal.domain.directives.as_of import known
from portal.domain.directives.audience import PostFact, Segment, Version, segments
from portal.domain.directives.fact_loader import World, Worlds, batches, fetch, posts_of
from portal.domain.directives.models import Assignment
from portal.domain.people.models import Post, UnitState
from portal.platform.db import Touched, db, stamp

TABLE: Any = Assignment.__table__

PostsOf = Callable[[Sequence[int]], dict[int, list[PostFact]]]

SAME_JOINING_DAYS = 31  # a gap up to this long buys no time: days after joining go on


class Stretch(NamedTuple):
    """What an assignment says beside whom and which directive."""

    directive_version_id: int
    from_on: date
    to_on: date
    joined_on: date
    due_on: date
    why: int


@dataclass(frozen=True, slots=True)
class AssignmentFact:
    """An assignment as recorded."""

    id: int
    recorded_at: datetime
    void: bool
    replaces_id: int | None
    person_id: int
    directive_id: int
    stretch: Stretch


def stretches(found: Sequence[Segment]) -> list[Stretch]:
    """Maximal runs of matched days under one version, with the day each counts from and is due.

    A run within 31 uncovered days of the one before keeps its ``joined_on``.
    """
    runs: list[tuple[int, int, Version, int]] = []
    for segment in found:
        if runs and runs[-1][1] + 1 == segment.first and runs[-1][2].id == segment.version.id:
            runs[-1] = (runs[-1][0], segment.last, *runs[-1][2:])
        else:
            runs.append((segment.first, segment.last, segment.version, segment.why))
    made: list[Stretch] = []
    covered_to = joined = -SAME_JOINING_DAYS
    for first, last, version, why in runs:
        joined = joined if made and first - covered_to - 1 <= SAME_JOINING_DAYS else first
        covered_to = last
        joined_on = date.fromordinal(joined)
        days = (date.fromordinal(first), date.fromordinal(last), joined_on, due_on(version, joined_on))
        made.append(Stretch(version.id, *days, why))
    return made


def due_on(version: Version, joined_on: date) -> date:
    """The later of the fixed day and the days after joining."""
    dues = []
    if version.due_fixed_on is not None:
        dues.append(version.due_fixed_on)
    if version.due_days_after_joining is not None:
        dues.append(later(joined_on, version.due_days_after_joining))
    return max(dues)


def later(day: date, days: int) -> date:
    """The day so many days later, or the last day there is."""
    return date.fromordinal(min(day.toordinal() + days, date.max.toordinal()))


def reconcile(touched: Touched) -> None:
    """Bring the assignments of all whom the touched facts concern up to date.

    Adds to ``touched.people`` those whose rows may change by it, for the subscriber that comes next.
    """
    at = stamp()
    moved = people_under(touched.units) if touched.units else set()
    everyone = set(db.session.scalars(select(Post.person_id).distinct())) if touched.directives else set()
    worlds = Worlds()
    rows = list(differences(touched.people | moved | everyone, worlds, at))
    write(rows, at)
    touched.people |= moved | {row["person_id"] for row in rows}


def differences(people: Iterable[int], worlds: Worlds, at: datetime) -> Iterator[dict[str, Any]]:
    """The rows that bring the people's assignments, as known on ``at``, to what their posts say."""
    for person_id, directive_id, held, wanted in reaches(people, worlds.known(at), at):
        for row in pair(held, wanted):
            yield {"person_id": person_id, "directive_id": directive_id, **row}


def reaches(
    people: Iterable[int],
    world: World,
    at: datetime,
    *,
    only: int | None = None,
    posts_of: PostsOf = posts_of,
) -> Iterator[tuple[int, int, list[AssignmentFact], list[Stretch]]]:
    """Each person with each directive: the assignments known on ``at``, and what the posts say.

    Args:
        people: Ids, in any order.
        world: The versions and the tree that count.
        at: The instant whose posts and assignments count.
        only: The one directive to look at; None: all of the world.
        posts_of: Gives everybody's posts; a preview adds those that are not recorded yet.
    """
    holds_of = {key: holds for key, holds in world.holds.items() if only in (None, key)}
    for ids in batches(sorted(people)):
        posts, assigned = posts_of(ids), assignments_of(ids)
        for person_id in ids:
            live = known(posts[person_id], at)
            kept = known(assigned[person_id], at)
            for directive_id, holds in holds_of.items():
                wanted = stretches(segments(live, holds, world.tree))
                yield person_id, directive_id, [a for a in kept if a.directive_id == directive_id], wanted


def pair(held: list[AssignmentFact], wanted: list[Stretch]) -> Iterator[dict[str, Any]]:
    """Paired in order of ``from_on``: equal, nothing; different, a replacement; left over, void or new."""
    held = sorted(held, key=lambda fact: fact.stretch.from_on)
    for old, new in zip_longest(held, wanted):
        if old is None:
            yield {"void": False, "replaces_id": None, **new._asdict()}
        elif new is None:
            yield {"void": True, "replaces_id": old.id, **old.stretch._asdict()}
        elif old.stretch != new:
            yield {"void": False, "replaces_id": old.id, **new._asdict()}


def write(rows: list[dict[str, Any]], at: datetime) -> None:
    """Record the rows as facts of this transaction."""
    for some in batches(rows, 5000):
        db.session.execute(insert(TABLE), [{"recorded_at": at, **row} for row in some])


def assignments_of(people: Sequence[int]) -> dict[int, list[AssignmentFact]]:
    """Every assignment ever recorded of these people, by person."""
    a = Assignment
    head = (a.id, a.recorded_at, a.void, a.replaces_id, a.person_id, a.directive_id)
    rest = (a.directive_version_id, a.from_on, a.to_on, a.joined_on, a.due_on, a.why)
    found: dict[int, list[AssignmentFact]] = {person: [] for person in people}
    for row in fetch(select(*head, *rest).where(a.person_id.in_(people))):
        values: Any = (*row[:6], Stretch(*row[6:]))
        fact = AssignmentFact(*values)
        found[fact.person_id].append(fact)
    return found


def people_under(units: Iterable[int]) -> set[int]:
    """Everyone with a post ever recorded in or under these units, under any parent they ever had."""
    below: dict[int | None, set[int]] = {}
    for unit_id, parent_id in db.session.execute(select(UnitState.unit_id, UnitState.parent_id).distinct()):
        below.setdefault(parent_id, set()).add(unit_id)
    reached: set[int] = set()
    ahead = set(units)
    while ahead:
        reached |= ahead
        ahead = set().union(*(below.get(unit, set()) for unit in ahead)) - reached
    found: set[int] = set()
    for ids in batches(sorted(reached)):
        found.update(db.session.scalars(select(Post.person_id).distinct().where(Post.unit_id.in_(ids))))
    return found
