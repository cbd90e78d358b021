"""The facts that can change a cell of a report, in words, as far as a viewer may know them.

A post is in sight if its unit is on one of its days, by the units as known while the post was, or if it
names the viewer as line manager. Other facts about a person are shown for a day on which their row is in
sight, and only if they had begun by then.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity
from portal.domain.catalogue.version_cache import published_title
from portal.domain.directives.models import Directive, DirectiveVersion, Exclusion
from portal.domain.people.models import Post, UnitState
from portal.domain.people.positions import choose_known
from portal.domain.people.queries import UnitRow
from portal.domain.people.units import KnownUnitState, UnitTree, read_tree
from portal.domain.records.models import Record, Registration, Revocation
from portal.domain.reports import sentences
from portal.domain.reports.queries import DaysByUnit, ViewerScope, days_under, is_held_within
from portal.domain.status.changes import Step
from portal.platform import wording as say
from portal.platform.db import OPEN_END, db

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cause:
    """One fact, or a date that passed: in words, its first day, and when it was recorded."""

    words: str
    on: date
    recorded_at: datetime | None = None  # None: a date that passed, no fact
    void: bool = False
    edges: tuple[date, ...] = field(default=(), compare=False)  # days on which it changes something
    fact: tuple[str, int] | None = field(default=None, compare=False)  # table and id
    replaces: tuple[str, int] | None = field(default=None, compare=False)
    replaced_at: datetime | None = field(default=None, compare=False)  # when a correction replaced it
    unit_id: int | None = field(default=None, compare=False)  # of a post
    moves_unit: bool = field(default=False, compare=False)
    own: bool = field(default=False, compare=False)  # about the person, but not a post

    @property
    def recorded(self) -> str:
        """When it was recorded, as a sentence; empty for a date that passed."""
        return f"Recorded at {say.instant(self.recorded_at)}." if self.recorded_at else ""


class UnitStates:
    """Every state of a unit that was ever recorded, and when another replaced it. One statement."""

    def __init__(self) -> None:
        statement = select(UnitState, _replacement_time(UnitState)).order_by(UnitState.id)
        self.rows = [(row, replaced_at) for row, replaced_at in db.session.execute(statement)]
        self._instants = sorted({row.recorded_at for row, _ in self.rows})
        self._days: dict[int, DaysByUnit] = {}  # by how many of the instants were past

    def days_under(self, units: frozenset[int], before: datetime | None) -> DaysByUnit:
        """The days of each unit in or under ``units``, which are the same at every call.

        As known just before an instant; None: as known now.
        """
        past = len(self._instants) if before is None else bisect_left(self._instants, before)
        if past not in self._days:
            known = choose_known((row for row, _ in self.rows), self._instants[past - 1]) if past else ()
            self._days[past] = days_under(UnitTree(map(_tree_state, known)), units)
        return self._days[past]


def _tree_state(row: UnitState) -> KnownUnitState:
    return KnownUnitState(row.id, row.unit_id, row.name, row.parent_id, row.valid_from, row.valid_to)


@dataclass(frozen=True)
class FactSight:
    """What a viewer who may not see everyone may know between two positions."""

    earlier: ViewerScope
    later: ViewerScope

    def sees_post(self, post: Any, replaced_at: datetime | None, states: UnitStates) -> bool:
        """Whether the viewer may see a post: at one of the positions, or on a day by what was last known.

        What was last known of a post that was replaced or withdrawn is what was known just before that.
        """
        manager_id = self.later.manager_id
        if manager_id is not None and post.line_manager_id == manager_id:
            return True
        if any(_is_in_sight(post, replaced_at, scope) for scope in (self.earlier, self.later)):
            return True
        days = states.days_under(self.later.granted, post.recorded_at if post.void else replaced_at)
        return is_held_within(post, days)

    def may_tell(self, fact: Cause, step: Step) -> bool:
        """Whether a fact may be named as a cause of a step; never for days out of sight."""
        if not fact.own:
            return True
        in_sight = step.old is not None and step.new is not None
        return in_sight and (step.recorded_at is None or fact.on <= self.earlier.position.as_at)

    @property
    def _trees(self) -> tuple[dict[int, UnitRow], dict[int, UnitRow]]:
        return self.earlier.units, self.later.units

    @property
    def unit_names(self) -> dict[int, str]:
        """Labels of units at the later position or, if they ended before it, at the earlier one."""
        return {unit_id: unit.label for tree in self._trees for unit_id, unit in tree.items()}

    def parents_by_unit(self) -> dict[int, set[int]]:
        """The units directly above each unit at the two positions."""
        parents: dict[int, set[int]] = defaultdict(set)
        for tree in self._trees:
            for unit_id, unit in tree.items():
                if unit.parent_id is not None:
                    parents[unit_id].add(unit.parent_id)
        return parents


def _is_in_sight(post: Any, replaced_at: datetime | None, scope: ViewerScope) -> bool:
    """Whether a post is known and held at the position of ``scope``, in one of its units."""
    at = scope.position
    is_known = post.recorded_at <= at.as_known_on and (replaced_at is None or replaced_at > at.as_known_on)
    is_held = not post.void and post.valid_from <= at.as_at <= post.valid_to
    return is_known and is_held and post.unit_id in scope.unit_ids


CausesByPerson = Iterator[tuple[int, Cause]]


def facts_of(
    people: list[int],
    directive_id: int,
    as_known_on: datetime,
    states: UnitStates,
    sight: FactSight | None,
) -> dict[int, list[Cause]]:
    """Every fact ever recorded about these people that a viewer may know, by person."""
    causes: dict[int, list[Cause]] = {person_id: [] for person_id in people}
    for person_id, cause in _posts_as_causes(people, as_known_on, states, sight):
        causes[person_id].append(cause)
    for read in (_exclusions_as_causes, _records_as_causes, _revocations_as_causes, _registrations_as_causes):
        for person_id, cause in read(people, directive_id):
            causes[person_id].append(cause)
    return causes


def _days_of_change(first: date, last: date) -> tuple[date, ...]:
    return (first,) if last >= OPEN_END else (first, last + DAY)


def _until_words(last: date) -> str:
    return "" if last >= OPEN_END else f" to {say.date(last)}"


def _fact_as_cause(
    row: Any, words: str, on: date, last: date | None, replaced_at: datetime | None, **more: Any
) -> Cause:
    """A fact as a cause.

    Args:
        row: The fact.
        words: What it says.
        on: Its first day.
        last: Its last day; None: it has none.
        replaced_at: When another row replaced it; None: none did.
        more: Further fields of the cause.
    """
    table, sentence = row.__tablename__, f"{words} Withdrawn." if row.void else words
    return Cause(
        sentence,
        on,
        row.recorded_at,
        row.void,
        (on,) if last is None else _days_of_change(on, last),
        (table, row.id),
        None if row.replaces_id is None else (table, row.replaces_id),
        replaced_at,
        **more,
    )


def _replacement_time(fact: Any) -> Any:
    """SQL expression: when another row replaced a fact."""
    successor = aliased(fact)
    recorded_at = select(func.min(successor.recorded_at)).where(successor.replaces_id == fact.id)
    return recorded_at.correlate(fact).scalar_subquery()


def _posts_as_causes(
    people: list[int], as_known_on: datetime, states: UnitStates, sight: FactSight | None
) -> CausesByPerson:
    rows = db.session.execute(select(Post, _replacement_time(Post)).where(Post.person_id.in_(people))).all()
    visible = [
        (row, replaced_at)
        for row, replaced_at in rows
        if sight is None or sight.sees_post(row, replaced_at, states)
    ]
    names = (
        _unit_names({row.unit_id for row, _ in visible}, as_known_on) if sight is None else sight.unit_names
    )
    for row, replaced_at in visible:
        unit = names.get(row.unit_id, "a unit that ended")
        post = f"{row.rank_or_grade}, role {row.designated_role}, {unit}"
        words = f"Post: {post}, from {say.date(row.valid_from)}{_until_words(row.valid_to)}."
        cause = _fact_as_cause(row, words, row.valid_from, row.valid_to, replaced_at, unit_id=row.unit_id)
        yield row.person_id, cause


def _unit_names(units: Collection[int], as_known_on: datetime) -> dict[int, str]:
    """The last label of each of these units, as known then."""
    tree = read_tree(as_known_on)
    return {unit_id: tree.last_label_on(unit_id, date.max) for unit_id in units}


def _exclusions_as_causes(people: list[int], directive_id: int) -> CausesByPerson:
    statement = select(Exclusion, _replacement_time(Exclusion)).where(
        Exclusion.person_id.in_(people), Exclusion.directive_id == directive_id
    )
    for row, replaced_at in db.session.execute(statement):
        kind = "Exempt" if row.exempt else "Deferred"
        reason = sentences.reason_words(row.reason)
        words = f"{kind}, {reason}, from {say.date(row.from_on)}{_until_words(row.to_on)}."
        yield row.person_id, _fact_as_cause(row, words, row.from_on, row.to_on, replaced_at, own=True)


def _records_as_causes(people: list[int], _directive_id: int) -> CausesByPerson:
    event_title = published_title(Activity, "event")
    statement = select(Record, Activity.key, event_title, _replacement_time(Record)).join(
        Activity, Activity.id == Record.activity_id
    )
    for row, key, title, replaced_at in db.session.execute(statement.where(Record.person_id.in_(people))):
        how = sentences.SOURCES.get(row.source, "Completed")
        words = f"{how} {title or key_words(key)} on {say.date(row.achieved_on)}, {row.reference}."
        yield row.person_id, _fact_as_cause(row, words, row.achieved_on, None, replaced_at, own=True)


def _revocations_as_causes(people: list[int], _directive_id: int) -> CausesByPerson:
    statement = (
        select(Revocation, Record.person_id, Record.reference, _replacement_time(Revocation))
        .join(Record, Record.id == Revocation.record_id)
        .where(Record.person_id.in_(people))
    )
    for row, person_id, reference, replaced_at in db.session.execute(statement):
        words = f"{reference} stops counting from {say.date(row.from_on)}."
        yield person_id, _fact_as_cause(row, words, row.from_on, None, replaced_at, own=True)


def _registrations_as_causes(people: list[int], _directive_id: int) -> CausesByPerson:
    statement = select(Registration, Activity.key, _replacement_time(Registration)).join(
        Activity, Activity.id == Registration.activity_id
    )
    for row, key, replaced_at in db.session.execute(statement.where(Registration.person_id.in_(people))):
        words = f"Started {key_words(key)} on {say.date(row.started_on)}."
        yield row.person_id, _fact_as_cause(row, words, row.started_on, None, replaced_at, own=True)


def versions_of(directive_id: int) -> Iterator[Cause]:
    """Every version of a directive, whenever recorded."""
    version = DirectiveVersion
    statement = select(version, Directive.reference, _replacement_time(version)).join(
        Directive, Directive.id == version.directive_id
    )
    for row, reference, replaced_at in db.session.execute(
        statement.where(version.directive_id == directive_id)
    ):
        day = say.date(row.effective_on)
        if row.void:
            words = f"{reference}: the version planned for {day} will not take effect."
            yield Cause(words, row.effective_on, row.recorded_at, True, (row.effective_on,))
            continue
        event = "is withdrawn" if row.withdrawn else f"version {row.number} applies"
        words = f"{reference} {event} from {day}."
        yield _fact_as_cause(row, words, row.effective_on, None, replaced_at)


class UnitMoves:
    """The moves of units, and the units directly above each unit."""

    def __init__(self, causes: dict[int, list[Cause]], parents: dict[int, set[int]]) -> None:
        self._causes, self._parents = causes, parents

    def moves_above(self, units: Iterable[int]) -> list[Cause]:
        """The moves of these units and of those above them."""
        lineage: set[int] = set()
        unread = list(units)
        while unread:
            unit_id = unread.pop()
            if unit_id not in lineage:
                lineage.add(unit_id)
                unread += self._parents.get(unit_id, ())
        return [cause for unit_id in sorted(lineage) for cause in self._causes.get(unit_id, ())]


def moves_of_units(all_states: UnitStates, sight: FactSight | None, until: datetime | None) -> UnitMoves:
    """The moves of units that a viewer may know.

    Args:
        all_states: The states of all units.
        sight: What they may know; None: everything.
        until: States recorded after it are left out; None: none is.
    """
    states: dict[int, list[Any]] = defaultdict(list)
    parents: dict[int, set[int]] = defaultdict(set)
    for row, replaced_at in all_states.rows:
        if until is not None and row.recorded_at > until:
            continue
        states[row.unit_id].append((row, replaced_at))
        if row.parent_id is not None:
            parents[row.unit_id].add(row.parent_id)
    causes = {}
    for unit_id, of_unit in states.items():
        if len({row.parent_id for row, _ in of_unit}) > 1:
            moves = of_unit[1:]  # the first state is the unit's beginning
            causes[unit_id] = [_move_as_cause(row, replaced_at, sight) for row, replaced_at in moves]
    return UnitMoves(causes, parents if sight is None else sight.parents_by_unit())


def _move_as_cause(row: Any, replaced_at: datetime | None, sight: FactSight | None) -> Cause:
    """A move of a unit as a cause, without its new place: the viewer may not be allowed to see it."""
    name = row.name if sight is None else sight.unit_names.get(row.unit_id, "above")
    return _fact_as_cause(
        row, f"Unit {name} moved.", row.valid_from, row.valid_to, replaced_at, moves_unit=True
    )


def key_words(key: str) -> str:
    """A module's or guide's key as words."""
    return key.replace("-", " ").capitalize()
