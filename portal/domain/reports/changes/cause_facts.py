"""The facts that can change a cell of a report, in words, as far as a viewer may know of them.

A post is in sight where its unit is, or where it names the viewer as line manager. Other facts
about a person are shown for a day on which their row is in sight, and only if they had begun by then.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity
from portal.domain.directives.models import Directive, DirectiveVersion, Exclusion
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post, UnitState
from portal.domain.people.queries import UnitRow
from portal.domain.records.models import Record, Registration, Revocation
from portal.domain.reports import sentences
from portal.domain.status.report_diff import Step
from portal.platform import wording as say
from portal.platform.db import OPEN_END, db

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cause:
    """One fact, or a date that passed: in words, when it is true, and when it was recorded."""

    words: str
    on: date
    recorded_at: datetime | None = None  # None: a date that passed, no fact
    void: bool = False
    edges: tuple[date, ...] = field(default=(), compare=False)  # days on which something changes by it
    fact: tuple[str, int] | None = field(default=None, compare=False)  # table and id
    replaces: tuple[str, int] | None = field(default=None, compare=False)
    replaced_at: datetime | None = field(default=None, compare=False)  # known no more from then on
    unit_id: int | None = field(default=None, compare=False)  # of a post
    moves_unit: bool = field(default=False, compare=False)
    own: bool = field(default=False, compare=False)  # recorded on the person, and no post

    @property
    def recorded(self) -> str:
        """When it was recorded, where it is a fact."""
        return f"Recorded at {say.instant(self.recorded_at)}." if self.recorded_at else ""


class FactSight(NamedTuple):
    """What a viewer who does not see everyone may know of, between two positions."""

    unit_ids: frozenset[int]  # in sight at either position
    manager_id: int | None
    trees: tuple[dict[int, UnitRow], dict[int, UnitRow]]  # of the earlier and of the later position
    as_at: date  # day of the earlier position

    def sees_post(self, post: Any) -> bool:
        """Whether the viewer may know of a post."""
        reports = self.manager_id is not None and post.line_manager_id == self.manager_id
        return post.unit_id in self.unit_ids or reports

    def may_tell(self, one: Cause, step: Step) -> bool:
        """Whether a fact may be named as a cause of a step; none is for days out of sight."""
        if not one.own:
            return True
        both = step.old is not None and step.new is not None
        return both and (step.recorded_at is None or one.on <= self.as_at)

    @property
    def names(self) -> dict[int, str]:
        """The names of units, by the later position or, for units that ended by then, the earlier one."""
        return {unit_id: unit.name for tree in self.trees for unit_id, unit in tree.items()}

    def parents_by_unit(self) -> dict[int, set[int]]:
        """The units right above each unit at the two positions."""
        parents: dict[int, set[int]] = defaultdict(set)
        for tree in self.trees:
            for unit_id, unit in tree.items():
                if unit.parent_id is not None:
                    parents[unit_id].add(unit.parent_id)
        return parents


CausesByPerson = Iterator[tuple[int, Cause]]


def facts_of(
    people: list[int], directive_id: int, as_known_on: datetime, sight: FactSight | None
) -> dict[int, list[Cause]]:
    """Every fact that was ever recorded on these people and that a viewer may know of, by person."""
    causes: dict[int, list[Cause]] = {person_id: [] for person_id in people}
    for person_id, cause in _posts_as_causes(people, as_known_on, sight):
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
    row: Any, words: str, on: date, last: date | None, gone: datetime | None, **more: Any
) -> Cause:
    """A fact as a cause.

    Args:
        row: The fact.
        words: What it says.
        on: Its first day.
        last: Its last day; None: it has none.
        gone: When another row took its place; None: none did.
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
        gone,
        **more,
    )


def _replacement_time(fact: Any) -> Any:
    """When another row took a fact's place."""
    later = aliased(fact)
    taken = select(func.min(later.recorded_at)).where(later.replaces_id == fact.id)
    return taken.correlate(fact).scalar_subquery()


def _posts_as_causes(people: list[int], as_known_on: datetime, sight: FactSight | None) -> CausesByPerson:
    rows = db.session.execute(select(Post, _replacement_time(Post)).where(Post.person_id.in_(people))).all()
    visible = [(row, gone) for row, gone in rows if sight is None or sight.sees_post(row)]
    names = _unit_names({row.unit_id for row, _ in visible}, as_known_on) if sight is None else sight.names
    for row, gone in visible:
        unit = names.get(row.unit_id, "a unit that ended")
        what = f"{row.rank_or_grade}, role {row.designated_role}, {unit}"
        words = f"Post: {what}, from {say.date(row.valid_from)}{_until_words(row.valid_to)}."
        cause = _fact_as_cause(row, words, row.valid_from, row.valid_to, gone, unit_id=row.unit_id)
        yield row.person_id, cause


def _unit_names(units: Collection[int], as_known_on: datetime) -> dict[int, str]:
    """The last name of each of these units, as known then."""
    statement = select(UnitState.unit_id, UnitState.name).where(
        UnitState.unit_id.in_(sorted(units)), is_known_fact(UnitState, as_known_on)
    )
    return {unit_id: name for unit_id, name in db.session.execute(statement.order_by(UnitState.valid_from))}


def _exclusions_as_causes(people: list[int], directive_id: int) -> CausesByPerson:
    e = Exclusion
    statement = select(e, _replacement_time(e)).where(e.person_id.in_(people), e.directive_id == directive_id)
    for row, gone in db.session.execute(statement):
        kind = "Exempt" if row.exempt else "Deferred"
        words = (
            f"{kind}, {sentences.reason(row.reason)}, from {say.date(row.from_on)}{_until_words(row.to_on)}."
        )
        yield row.person_id, _fact_as_cause(row, words, row.from_on, row.to_on, gone, own=True)


def _records_as_causes(people: list[int], _directive_id: int) -> CausesByPerson:
    statement = select(Record, Activity.key, _replacement_time(Record)).join(
        Activity, Activity.id == Record.activity_id
    )
    for row, key, gone in db.session.execute(statement.where(Record.person_id.in_(people))):
        how = sentences.SOURCES.get(row.source, "Completed")
        words = f"{how} {say_key(key)} on {say.date(row.achieved_on)}, {row.reference}."
        yield row.person_id, _fact_as_cause(row, words, row.achieved_on, None, gone, own=True)


def _revocations_as_causes(people: list[int], _directive_id: int) -> CausesByPerson:
    statement = (
        select(Revocation, Record.person_id, Record.reference, _replacement_time(Revocation))
        .join(Record, Record.id == Revocation.record_id)
        .where(Record.person_id.in_(people))
    )
    for row, person_id, reference, gone in db.session.execute(statement):
        words = f"{reference} is not counted from {say.date(row.from_on)} on."
        yield person_id, _fact_as_cause(row, words, row.from_on, None, gone, own=True)


def _registrations_as_causes(people: list[int], _directive_id: int) -> CausesByPerson:
    r = Registration
    statement = select(r, Activity.key, _replacement_time(r)).join(Activity, Activity.id == r.activity_id)
    for row, key, gone in db.session.execute(statement.where(r.person_id.in_(people))):
        words = f"Began {say_key(key)} on {say.date(row.started_on)}."
        yield row.person_id, _fact_as_cause(row, words, row.started_on, None, gone, own=True)


def versions_of(directive_id: int) -> Iterator[Cause]:
    """Every version of a directive, whenever recorded."""
    v = DirectiveVersion
    statement = select(v, Directive.reference, _replacement_time(v)).join(
        Directive, Directive.id == v.directive_id
    )
    for row, reference, gone in db.session.execute(statement.where(v.directive_id == directive_id)):
        day = say.date(row.effective_on)
        if row.void:
            words = f"{reference}: the version to come from {day} never takes effect."
            yield Cause(words, row.effective_on, row.recorded_at, True, (row.effective_on,))
            continue
        does = "is withdrawn" if row.withdrawn else f"version {row.number} holds"
        words = f"{reference} {does} from {day} on."
        yield _fact_as_cause(row, words, row.effective_on, None, gone)


class UnitMoves:
    """The states of units that were ever under more than one other, and what is above each unit."""

    def __init__(self, causes: dict[int, list[Cause]], parents: dict[int, set[int]]) -> None:
        self._causes, self._parents = causes, parents

    def moves_above(self, units: Iterable[int]) -> list[Cause]:
        """The moves of these units and of those above them."""
        lineage: set[int] = set()
        waiting = list(units)
        while waiting:
            unit_id = waiting.pop()
            if unit_id not in lineage:
                lineage.add(unit_id)
                waiting += self._parents.get(unit_id, ())
        return [cause for unit_id in sorted(lineage) for cause in self._causes.get(unit_id, ())]


def moves_of_units(sight: FactSight | None, until: datetime | None) -> UnitMoves:
    """The moves of units that a viewer may know of. One statement.

    Args:
        sight: What they may know of; None: everything.
        until: States recorded later are left out; None: none is.
    """
    statement = select(UnitState, _replacement_time(UnitState)).order_by(UnitState.id)
    if until is not None:
        statement = statement.where(UnitState.recorded_at <= until)
    states: dict[int, list[Any]] = defaultdict(list)
    parents: dict[int, set[int]] = defaultdict(set)
    for row, gone in db.session.execute(statement):
        states[row.unit_id].append((row, gone))
        if row.parent_id is not None:
            parents[row.unit_id].add(row.parent_id)
    causes = {}
    for unit_id, of_unit in states.items():
        if len({row.parent_id for row, _ in of_unit}) > 1:
            causes[unit_id] = [
                _move_as_cause(row, gone, sight) for row, gone in of_unit[1:]
            ]  # the first began it
    return UnitMoves(causes, parents if sight is None else sight.parents_by_unit())


def _move_as_cause(row: Any, gone: datetime | None, sight: FactSight | None) -> Cause:
    """A move of a unit as a cause, without where it went: that may be out of sight."""
    name = row.name if sight is None else sight.names.get(row.unit_id, "above")
    return _fact_as_cause(row, f"Unit {name} moved.", row.valid_from, row.valid_to, gone, moves_unit=True)


def say_key(key: str) -> str:
    """A module's or guide's key as words."""
    return key.replace("-", " ").capitalize()
