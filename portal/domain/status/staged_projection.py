"""Assignments and spans of posts and records that are not recorded yet, worked out before a lock is taken.

What an import brings is worked out in peace; under the lock it is only written. People and directives of
whom something was recorded in between are left to the subscribers, who work them out again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import func, select

from portal.domain.directives.assignments import AssignmentFact, Stretch, pair, reaches, write
from portal.domain.directives.audience import PostFact, Version
from portal.domain.directives.derived import works_out
from portal.domain.directives.fact_loader import World, Worlds, batches
from portal.domain.directives.models import Assignment, DirectiveVersion, Exclusion
from portal.domain.directives.preview import ALL, Coming
from portal.domain.people.models import Post, UnitState
from portal.domain.records.models import Record, Registration, Revocation
from portal.domain.status.count_writer import Changes
from portal.domain.status.diff import Change, Row, edits, follow
from portal.domain.status.facts import facts_of, rule_of
from portal.domain.status.models import OPEN_KNOWN, micros
from portal.domain.status.periods import PersonFacts, Span, spans
from portal.domain.status.projector import COLUMNS, Flat, change_rows, flat, insert_flat, rows_of, span_of
from portal.domain.status.rules import Earned
from portal.platform.db import db, newest_stamp

PERSON, DIRECTIVE, KNOWN_FROM, KNOWN_TO, RECORD, POST, UNIT = map(
    COLUMNS.index, ("person_id", "directive_id", "known_from", "known_to", "record_id", "post_id", "unit_id")
)
WRITTEN = OPEN_KNOWN - 1  # the instant at which it is written, which is not known yet
TO_COME = 2**62  # ids of records to come: above all others, for of two on one day the lower one counts


Told = Callable[[int, int], None]


@dataclass(slots=True)
class Ahead:
    """What would follow from facts to come, whose ids lie below zero, or from ``TO_COME`` on."""

    known_at: datetime | None  # the newest stamp that it knew
    assignments: dict[int, list[dict[str, Any]]] = field(default_factory=dict)  # by person
    changed: dict[int, list[Change]] = field(default_factory=dict)  # by person
    opened: list[Flat] = field(default_factory=list)
    posts: dict[int, PostFact] = field(default_factory=dict)  # of those spans
    changes: Changes = field(default_factory=Changes)  # what the sums of all of them become

    def count(self, span: Span, posts: Mapping[int, PostFact], people: int) -> None:
        """Count a span to open, or with -1 to close, of a post among these."""
        self.posts[span.values.post_id] = posts[span.values.post_id]
        self._add(span, people)

    def record(self, ids: "Ids", people: set[int], at: datetime) -> None:
        """Write it for these people, under the lock, once the posts are written.

        Args:
            ids: What the ids of facts to come have become.
            people: As known here, of whom nothing was recorded in between.
            at: The transaction's stamp.
        """
        rows = [
            {**ids.assignment(row), "person_id": ids.person(person)}
            for person in sorted(people)
            for row in self.assignments.get(person, ())
        ]
        write(rows, at)
        now = micros(at)
        change_rows(_settled(one, now) for person in sorted(people) for one in self.changed.get(person, ()))
        insert_flat(ids.settled(self.opened, people, now))
        self._leave_out(people)
        self.changes.write(ids.directive_id, ids.unit)

    def _leave_out(self, people: set[int]) -> None:
        """Take out of the sums whoever is not among these people."""
        for person, some in self.changed.items():
            if person not in people:
                for _, span, (became, _, known_to) in some:
                    self._add(span, 1)
                    if known_to == OPEN_KNOWN:
                        self._add(became, -1)
        for row in self.opened:
            if row[PERSON] not in people and row[KNOWN_TO] == OPEN_KNOWN:
                self._add(span_of(row), -1)

    def _add(self, span: Span, people: int) -> None:
        self.changes.add(span, self.posts[span.values.post_id], people)


@dataclass(frozen=True, slots=True)
class Ids:
    """What ids of facts to come have become; others stay as they are."""

    people: Mapping[int, int]
    posts: Mapping[int, int]
    units: Mapping[int, int]
    directive: int = 0  # what the id 0 has become, of a directive
    version: int = 0  # and of its version
    records: Mapping[int, int] = field(default_factory=dict)

    def person(self, person_id: int) -> int:
        """A person's id."""
        return self.people.get(person_id, person_id)

    def directive_id(self, directive_id: int) -> int:
        """A directive's id."""
        return directive_id or self.directive

    def unit(self, unit_id: int) -> int:
        """A unit's id."""
        return self.units.get(unit_id, unit_id)

    def assignment(self, row: dict[str, Any]) -> dict[str, Any]:
        """An assignment's row with the ids of its directive and version."""
        directive_id = self.directive_id(row["directive_id"])
        version_id = row["directive_version_id"] or self.version
        return {**row, "directive_id": directive_id, "directive_version_id": version_id}

    def settled(self, rows: list[Flat], people: set[int], now: int) -> Iterator[Flat]:
        """The rows of these people with the ids of all that they name, known from an instant or until it."""
        persons, posts, units, directive = self.people, self.posts, self.units, self.directive
        records = self.records
        return (
            (
                persons.get(row[PERSON], row[PERSON]),
                row[DIRECTIVE] or directive,
                *row[DIRECTIVE + 1 : KNOWN_FROM],
                now if row[KNOWN_FROM] == WRITTEN else row[KNOWN_FROM],
                now if row[KNOWN_TO] == WRITTEN else row[KNOWN_TO],
                *row[KNOWN_TO + 1 : RECORD],
                records.get(row[RECORD], row[RECORD]),
                *row[RECORD + 1 : POST],
                posts.get(row[POST], row[POST]),
                units.get(row[UNIT], row[UNIT]),
            )
            for row in rows  # there may be very many: nothing here is called that need not be
            if row[PERSON] in people
        )


@dataclass(frozen=True, slots=True)
class VersionAhead:
    """What would follow from a version to come, for all who have a post."""

    ahead: Ahead
    people: frozenset[int]

    def moved_on(self) -> bool:
        """Whether a unit or a directive changed since."""
        return moved_on(self.ahead.known_at)

    def record(self, directive_id: int, version_id: int, at: datetime) -> set[int]:
        """Write it under the lock; those of whom something was recorded in between are given back."""
        late = people_since(self.ahead.known_at)
        self.ahead.record(Ids({}, {}, {}, directive_id, version_id), set(self.people - late), at)
        return late


@works_out
def version_ahead(version: Version) -> VersionAhead:
    """What would follow if this version were recorded now; takes no lock and writes nothing."""
    known_at = newest_stamp()
    people = frozenset(db.session.scalars(select(Post.person_id).distinct()))
    come = Coming({}, {}, {person: [] for person in people}, [])
    ahead = work_out(come, versions=[version])
    ahead.known_at = known_at
    return VersionAhead(ahead, people)


def records_ahead(found: Iterable[tuple[int, int, date]], tell: Told) -> Ahead:
    """What would follow if these records were recorded now; takes no lock and writes nothing.

    Args:
        found: Who achieved what on which day; the n-th, from 0, has the id ``TO_COME + n``.
        tell: Hears how many people are done, of how many; may raise to stop it.
    """
    records: dict[int, list[tuple[int, Earned]]] = {}
    for record_id, (person_id, activity_id, achieved_on) in enumerate(found, TO_COME):
        earned = Earned(record_id, ALL, False, None, achieved_on)
        records.setdefault(person_id, []).append((activity_id, earned))
    return work_out(Coming({}, {}, {person_id: [] for person_id in records}, []), tell, records=records)


def work_out(
    come: Coming,
    tell: Told = lambda _done, _all: None,
    versions: Iterable[Version] = (),
    records: Mapping[int, Sequence[tuple[int, Earned]]] = MappingProxyType({}),
) -> Ahead:
    """What would follow if these posts were recorded now; takes no lock and writes nothing.

    Args:
        come: The posts and units; whoever is not named there is left out.
        tell: Hears how many people are done, of how many; may raise to stop it.
        versions: Further versions to come.
        records: Records to come with their activities, by person.
    """
    ahead = Ahead(newest_stamp())
    worlds = Worlds(versions, come.states)
    by_id = {version.id: version for version in worlds.versions}
    world = worlds.known(ALL)
    done = 0
    for ids in batches(sorted(come.posts)):
        facts = facts_of(ids, by_id)
        for person_id, posts in ((person_id, come.posts[person_id]) for person_id in ids):
            facts[person_id].posts.extend(posts)
            for activity_id, earned in records.get(person_id, ()):
                facts[person_id].records.setdefault(activity_id, []).append(earned)
        _add_assignments(ahead, ids, facts, come, world, by_id)
        _add_spans(ahead, ids, facts, world, by_id)
        done += len(ids)
        tell(done, len(come.posts))
    return ahead


def _add_assignments(
    ahead: Ahead,
    ids: Sequence[int],
    facts: Mapping[int, PersonFacts],
    come: Coming,
    world: World,
    versions: Mapping[int, Version],
) -> None:
    """Note the assignments to write, and add them to the people's facts under ids of their own."""

    def posts_of(people: Sequence[int]) -> dict[int, list[PostFact]]:
        return {person: facts[person].posts for person in people}

    for person_id, directive_id, held, wanted in reaches(ids, world, ALL, posts_of=posts_of):
        for place, row in enumerate(pair(held, wanted), 1):
            ahead.assignments.setdefault(person_id, []).append({"directive_id": directive_id, **row})
            stretch = Stretch(**{name: row[name] for name in Stretch._fields})
            fact = AssignmentFact(
                -place, ALL, row["void"], row["replaces_id"], person_id, directive_id, stretch
            )
            version = versions[stretch.directive_version_id]
            rules = facts[person_id].assignments.setdefault(directive_id, [])
            rules.append((rule_of(fact, version), version.id))


def _add_spans(
    ahead: Ahead,
    ids: Sequence[int],
    facts: Mapping[int, PersonFacts],
    world: World,
    versions: Mapping[int, Version],
) -> None:
    """Note the open rows that no longer hold, and those to open."""
    wanted = {person_id: spans(facts[person_id], versions, world, ALL) for person_id in ids}
    posts = {post.id: post for person_id in ids for post in facts[person_id].posts}
    held: dict[int, dict[int, Row]] = {person_id: {} for person_id in ids}
    for row_id, person_id, row in rows_of(ids, OPEN_KNOWN):
        held[person_id][row_id] = row
    for person_id, rows in held.items():
        known = {span: since for span, since, _ in rows.values()}
        changed, _, new = edits(rows, follow(known, wanted[person_id], WRITTEN))
        if changed:
            ahead.changed[person_id] = changed
        ahead.opened += [flat(person_id, *one) for one in new]
        for _, span, _ in changed:
            ahead.count(span, posts, -1)
        for span, _, known_to in (*(became for _, _, became in changed), *new):
            if known_to == OPEN_KNOWN:
                ahead.count(span, posts, 1)


def _settled(change: Change, now: int) -> Change:
    row_id, span, (became, known_from, known_to) = change
    return row_id, span, (became, known_from, now if known_to == WRITTEN else known_to)


def moved_on(since: datetime | None) -> bool:
    """Whether a unit or a directive changed after a stamp: then nobody's spans worked out before hold."""
    if since is None:
        return newest_stamp() is not None
    newest = (db.session.scalar(select(func.max(fact.recorded_at))) for fact in (UnitState, DirectiveVersion))
    return any(at is not None and at > since for at in newest)


def people_since(since: datetime | None) -> set[int]:
    """Everyone of whom a fact that enters spans was recorded after a stamp."""
    return set(_people_since(since)) if since is not None else set()


def _people_since(since: datetime) -> Iterator[int]:
    for fact in (Post, Assignment, Exclusion, Record, Registration):
        yield from db.session.scalars(select(fact.person_id).where(fact.recorded_at > since).distinct())
    revoked = select(Record.person_id).join(Revocation, Revocation.record_id == Record.id)
    yield from db.session.scalars(revoked.where(Revocation.recorded_at > since).distinct())
