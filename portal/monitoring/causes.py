"""Why a cell of a report changed: facts recorded at a stamp, facts that began to hold, or a date."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.catalogue.models import Activity
from portal.db import OPEN_END, db
from portal.directives.models import Directive, DirectiveVersion, Exclusion
from portal.monitoring import wording
from portal.people.known import known
from portal.people.models import Post, UnitState
from portal.records.models import Record, Registration, Revocation
from portal.standing.algebra import Status
from portal.standing.changes import Step
from portal.web import filters as say

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cause:
    """One fact, or a date that passed: in words, when it is true, and when it was recorded."""

    words: str
    on: date
    recorded_at: datetime | None = None  # None: a date that passed, no fact
    void: bool = False
    edges: tuple[date, ...] = ()  # days on which something changes by it
    replaced: bool = False  # known no more

    @property
    def recorded(self) -> str:
        """When it was recorded, where it is a fact."""
        return f"Recorded at {say.instant(self.recorded_at)}." if self.recorded_at else ""


class Causes:
    """All facts of some people under one directive, whenever recorded; a fixed number of reads."""

    def __init__(self, directive_id: int, people: Collection[int], as_known_on: datetime) -> None:
        self._known_on = as_known_on
        self._of: dict[int, list[Cause]] = {person_id: [] for person_id in people}
        ids = sorted(people)
        shared = [*_versions(directive_id, as_known_on), *_units(as_known_on)]
        for read in (_posts, _exclusions, _records, _revocations, _registrations):
            for person_id, cause in read(ids, directive_id, as_known_on):
                self._of[person_id].append(cause)
        for causes in self._of.values():
            causes += shared

    def of(self, person_id: int, step: Step, ways: Collection[Step]) -> list[Cause]:
        """What made this step of this person's; ``ways`` are all steps of theirs.

        Under the whole directive somebody stands otherwise on a day because they do on a requirement.
        """
        facts = self._of[person_id]
        if step.recorded_at is not None:
            return [one for one in facts if one.recorded_at == step.recorded_at]
        if step.day is None:
            return [one for one in facts if one.words.startswith("Unit ") and self._holds(one)]
        began = [one for one in facts if step.day in one.edges and self._holds(one)]
        parts = [one for one in ways if one.day == step.day and step.whole]
        return [*dict.fromkeys(cause for one in (step, *parts) for cause in _dates(one)), *began]

    def _holds(self, one: Cause) -> bool:
        known_then = one.recorded_at is not None and one.recorded_at <= self._known_on
        return known_then and not one.void and not one.replaced


def _dates(step: Step) -> Iterator[Cause]:
    """The dates that pass between the day before a step and its day."""
    old, new, day = step.old, step.new, step.day
    if day is None:
        return
    for cell in (old, new):
        if cell is not None and cell.due_on + DAY == day:
            yield Cause(f"The due date, {say.date(cell.due_on)}, passed.", day)
            break
    ends = {(cell.valid_until, cell.status) for cell in (old, new) if cell is not None and cell.valid_until}
    for until, status in sorted(ends):
        if until + DAY == day:
            yield Cause(f"What was completed counted until {say.date(until)}.", day)
            break
        if status is Status.EXPIRING:
            yield Cause(f"What was completed counts until {say.date(until)}, which is near.", day)


def _edges(first: date, last: date) -> tuple[date, ...]:
    return (first,) if last >= OPEN_END else (first, last + DAY)


def _until(last: date) -> str:
    return "" if last >= OPEN_END else f" to {say.date(last)}"


def _fact(row: Any, words: str, on: date, edges: Iterable[date], replaced: bool) -> Cause:
    said = f"{words} Withdrawn." if row.void else words
    return Cause(said, on, row.recorded_at, row.void, tuple(edges), replaced)


def _replaced(fact: Any, at: datetime) -> Any:
    """Whether another row had taken a fact's place by then."""
    later = aliased(fact)
    taken = select(later.id).where(later.replaces_id == fact.id, later.recorded_at <= at)
    return taken.correlate(fact).exists()


Found = Iterator[tuple[int, Cause]]


def _posts(people: list[int], _directive_id: int, at: datetime) -> Found:
    state = aliased(UnitState)
    here = (state.unit_id == Post.unit_id) & known(state) & (state.valid_to >= OPEN_END)
    statement = select(Post, state.name, _replaced(Post, at)).outerjoin(state, here)
    for row, unit, gone in db.session.execute(statement.where(Post.person_id.in_(people))):
        what = f"{row.rank_or_grade}, role {row.designated_role}, {unit or 'a unit that ended'}"
        words = f"Post: {what}, from {say.date(row.valid_from)}{_until(row.valid_to)}."
        yield row.person_id, _fact(row, words, row.valid_from, _edges(row.valid_from, row.valid_to), gone)


def _exclusions(people: list[int], directive_id: int, at: datetime) -> Found:
    e = Exclusion
    statement = select(e, _replaced(e, at)).where(e.person_id.in_(people), e.directive_id == directive_id)
    for row, gone in db.session.execute(statement):
        kind = "Exempt" if row.exempt else "Deferred"
        words = f"{kind}, {wording.reason(row.reason)}, from {say.date(row.from_on)}{_until(row.to_on)}."
        yield row.person_id, _fact(row, words, row.from_on, _edges(row.from_on, row.to_on), gone)


def _records(people: list[int], _directive_id: int, at: datetime) -> Found:
    statement = select(Record, Activity.key, _replaced(Record, at)).join(
        Activity, Activity.id == Record.activity_id
    )
    for row, key, gone in db.session.execute(statement.where(Record.person_id.in_(people))):
        how = wording.SOURCES.get(row.source, "Completed")
        words = f"{how} {say_key(key)} on {say.date(row.achieved_on)}, {row.reference}."
        yield row.person_id, _fact(row, words, row.achieved_on, (row.achieved_on,), gone)


def _revocations(people: list[int], _directive_id: int, at: datetime) -> Found:
    statement = (
        select(Revocation, Record.person_id, Record.reference, _replaced(Revocation, at))
        .join(Record, Record.id == Revocation.record_id)
        .where(Record.person_id.in_(people))
    )
    for row, person_id, reference, gone in db.session.execute(statement):
        words = f"{reference} is not counted from {say.date(row.from_on)} on."
        yield person_id, _fact(row, words, row.from_on, (row.from_on,), gone)


def _registrations(people: list[int], _directive_id: int, at: datetime) -> Found:
    r = Registration
    statement = select(r, Activity.key, _replaced(r, at)).join(Activity, Activity.id == r.activity_id)
    for row, key, gone in db.session.execute(statement.where(r.person_id.in_(people))):
        words = f"Began {say_key(key)} on {say.date(row.started_on)}."
        yield row.person_id, _fact(row, words, row.started_on, (row.started_on,), gone)


def _versions(directive_id: int, at: datetime) -> Iterator[Cause]:
    v = DirectiveVersion
    statement = select(v, Directive.reference, _replaced(v, at)).join(
        Directive, Directive.id == v.directive_id
    )
    for row, reference, gone in db.session.execute(statement.where(v.directive_id == directive_id)):
        day = say.date(row.effective_on)
        if row.void:
            words = f"{reference}: the version to come from {day} never takes effect."
            yield Cause(words, row.effective_on, row.recorded_at, True, (row.effective_on,), gone)
            continue
        does = "is withdrawn" if row.withdrawn else f"version {row.number} holds"
        words = f"{reference} {does} from {day} on."
        yield _fact(row, words, row.effective_on, (row.effective_on,), gone)


def _units(at: datetime) -> Iterator[Cause]:
    """Moves of units: states that follow another of the same unit under another parent."""
    states: dict[int, list[Any]] = {}
    for row, gone in db.session.execute(select(UnitState, _replaced(UnitState, at)).order_by(UnitState.id)):
        states.setdefault(row.unit_id, []).append((row, gone))
    for of_unit in states.values():
        if len({row.parent_id for row, _ in of_unit}) > 1:
            for row, gone in of_unit:
                days = f"from {say.date(row.valid_from)}{_until(row.valid_to)}"
                words = f"Unit {row.name} stands where it does {days}."
                yield _fact(row, words, row.valid_from, _edges(row.valid_from, row.valid_to), gone)


def say_key(key: str) -> str:
    """A module's or guide's key as words."""
    return key.replace("-", " ").capitalize()
