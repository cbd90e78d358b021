"""Whom a change would reach, before it takes effect: by the same rules as what then happens.

Nothing is written and no lock is taken. A version, posts and units that are not recorded yet are added to
those that are, and ``reconcile.reaches`` says what would follow.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import func, select

from portal.domain.directives.assignments import Stretch, reaches
from portal.domain.directives.audience import PostFact, UnitFact, Version
from portal.domain.directives.fact_loader import Worlds, posts_of
from portal.domain.directives.models import Directive, DirectiveVersion
from portal.domain.people.models import PersonName, Post, UnitState
from portal.domain.people.roster.plan import PostChange
from portal.domain.people.roster.store import manager_id
from portal.domain.people.roster.units import UnitPlan, UnitRef
from portal.domain.people.units.changes import NewState
from portal.platform.db import OPEN_END, db

ALL = datetime.max.replace(tzinfo=UTC)  # an instant by which everything is known
DAY = 1


class Reached(NamedTuple):
    """How one person is reached otherwise, from a day to a day: the first such days where there are more."""

    person_id: int  # below zero: of one whom a roster brings
    staff_number: str  # in what ``effect_of_posts`` gives, else empty
    first: date
    last: date
    due_on: date  # of one who leaves: as it was
    was_due_on: date | None = None  # where the due date changes


@dataclass(slots=True)
class AudienceEffect:
    """What a change does to whom a directive reaches; somebody may join on some days and leave on others."""

    reference: str
    joins: list[Reached] = field(default_factory=list)
    leaves: list[Reached] = field(default_factory=list)
    due_changes: list[Reached] = field(default_factory=list)  # reached before and after

    def __bool__(self) -> bool:
        return bool(self.joins or self.leaves or self.due_changes)

    @property
    def digest(self) -> str:
        """The same for the same effect, and for no other."""
        said = repr((self.reference, self.joins, self.leaves, self.due_changes))
        return hashlib.sha256(said.encode()).hexdigest()


def effect_of_version(version: Version, reference: str) -> AudienceEffect:
    """What would follow if ``version`` were recorded now.

    Args:
        version: Not recorded yet: of a directive's id, or of 0 for a directive to come.
        reference: The directive's.
    """
    effect = AudienceEffect(reference)
    people = db.session.scalars(select(Post.person_id).distinct())
    world = Worlds([version]).known(ALL)
    for person_id, _, held, wanted in reaches(people, world, ALL, only=version.directive_id):
        _add(effect, person_id, "", [fact.stretch for fact in held], wanted)
    return effect


@dataclass(frozen=True, slots=True)
class Coming:
    """Posts and units that are not recorded yet, as facts; what they bring has an id below zero."""

    people: dict[str, int]  # whose posts these are, by staff number
    units: dict[UnitRef, int]  # to be created, by their names
    posts: dict[int, list[PostFact]]  # by person; the id of the n-th change is -n
    states: list[UnitFact]

    def posts_of(self, people: Sequence[int]) -> dict[int, list[PostFact]]:
        """Every post recorded of these people, and those to come."""
        return {person: [*held, *self.posts[person]] for person, held in posts_of(people).items()}


def coming(changes: Sequence[PostChange], units: UnitPlan) -> Coming:
    """What a plan would record, as facts."""
    numbers = _numbers()
    named = sorted({change.values.staff_number for change in changes})
    people = {number: numbers.get(number, -place) for place, number in enumerate(named, 1)}
    unit_ids, states = _states_to_come(units)
    managers = sorted({change.values.manager or "" for change in changes} - numbers.keys() - people.keys())
    # Managers on bad rows are nobody yet; where there is a bad row, nothing is written.
    everybody = {**{number: -len(people) - n for n, number in enumerate(managers, 1)}, **numbers, **people}
    posts: dict[int, list[PostFact]] = {}
    for place, change in enumerate(changes, 1):
        post = _post_to_come(-place, change, everybody, unit_ids)
        posts.setdefault(post.person_id, []).append(post)
    return Coming(people, unit_ids, posts, states)


def effect_of_posts(changes: Sequence[PostChange], units: UnitPlan | None = None) -> list[AudienceEffect]:
    """What would follow for every directive if posts became these; directives without change are left out.

    Args:
        changes: As ``portal.domain.people.roster.plan.plan`` gives them, people named by staff number.
        units: The units that the same plan creates, and those that begin earlier.
    """
    come = coming(changes, units or UnitPlan())
    number_of = {person_id: number for number, person_id in come.people.items()}
    effects = {key: AudienceEffect(reference) for key, reference in _references()}
    world = Worlds(states=come.states).known(ALL)
    for person_id, directive_id, held, wanted in reaches(come.posts, world, ALL, posts_of=come.posts_of):
        before = [fact.stretch for fact in held]
        _add(effects[directive_id], person_id, number_of[person_id], before, wanted)
    return [effect for effect in effects.values() if effect]


def effect_of_move(people: Iterable[int], states: Sequence[NewState]) -> list[AudienceEffect]:
    """What would follow for every directive if a unit stood so; directives without change are left out.

    Args:
        people: Those who have or had a post in the unit or under it.
        states: As ``portal.domain.people.units.changes.planned`` gives them.
    """
    facts = [
        UnitFact(
            -place,
            ALL,
            False,
            state.replaces_id,
            state.unit_id,
            state.parent_id,
            state.valid_from.toordinal(),
            state.valid_to.toordinal(),
        )
        for place, state in enumerate(states, 1)
    ]
    effects = {key: AudienceEffect(reference) for key, reference in _references()}
    world = Worlds(states=facts).known(ALL)
    for person_id, directive_id, held, wanted in reaches(people, world, ALL):
        _add(effects[directive_id], person_id, "", [fact.stretch for fact in held], wanted)
    return [effect for effect in effects.values() if effect]


def basis() -> str:
    """What an effect rests on: it is the same as long as no post, unit or version was recorded since."""
    newest = (func.coalesce(func.max(fact.id), 0) for fact in (Post, UnitState, DirectiveVersion))
    return "-".join(str(db.session.scalar(select(last))) for last in newest)


def _references() -> Iterable[tuple[int, str]]:
    rows = db.session.execute(select(Directive.id, Directive.reference).order_by(Directive.reference))
    return [(directive_id, reference) for directive_id, reference in rows]


def _numbers() -> dict[str, int]:
    """Whose every staff number is."""
    rows = db.session.execute(select(PersonName.staff_number, PersonName.person_id))
    return {number: person_id for number, person_id in rows}


def _post_to_come(
    post_id: int, change: PostChange, people: Mapping[str, int], units: Mapping[UnitRef, int]
) -> PostFact:
    values = change.values
    return PostFact(
        post_id,
        ALL,
        change.void,
        change.replaces_id,
        people[values.staff_number],
        values.post_key,
        values.rank_or_grade,
        values.designated_role,
        values.unit if isinstance(values.unit, int) else units[values.unit],
        manager_id(values, people),
        values.valid_from.toordinal(),
        values.valid_to.toordinal(),
    )


def _states_to_come(plan: UnitPlan) -> tuple[dict[UnitRef, int], list[UnitFact]]:
    """The units to create by their names, with ids below zero, and the states to come."""
    ids: dict[UnitRef, int] = {unit.names: -place for place, unit in enumerate(plan.created, 1)}
    states = []
    for unit in plan.created:
        above = unit.parent if unit.parent is None or isinstance(unit.parent, int) else ids[unit.parent]
        days = (unit.valid_from.toordinal(), OPEN_END.toordinal())
        states.append(UnitFact(ids[unit.names], ALL, False, None, ids[unit.names], above, *days))
    for state in plan.earlier:
        days = (state.valid_from.toordinal(), state.valid_to.toordinal())
        states.append(UnitFact(-len(states) - 1, ALL, False, state.id, state.unit_id, state.parent_id, *days))
    return ids, states


def _add(
    effect: AudienceEffect, person_id: int, number: str, before: Sequence[Stretch], after: Sequence[Stretch]
) -> None:
    """Note how the person is reached otherwise, if so."""
    was, becomes = _days(before), _days(after)
    if was == becomes:
        return
    for first, last, old, new in _side_by_side(was, becomes):
        told = (person_id, number, date.fromordinal(first), date.fromordinal(last))
        if old is None and new is not None:
            _once(effect.joins, Reached(*told, new))
        elif new is None and old is not None:
            _once(effect.leaves, Reached(*told, old))
        elif old is not None and new is not None and old != new:
            _once(effect.due_changes, Reached(*told, new, old))


def _once(found: list[Reached], new: Reached) -> None:
    """Add the person's first such days; days that follow on them make them longer."""
    last = found[-1] if found else None
    if last is None or last.person_id != new.person_id:
        found.append(new)
    elif last.last.toordinal() + DAY == new.first.toordinal() and last[4:] == new[4:]:
        found[-1] = last._replace(last=new.last)


Days = list[tuple[int, int, date]]  # first and last day, and when due


def _days(stretches: Iterable[Stretch]) -> Days:
    """The days reached and when each is due, whatever the version, in order."""
    found: Days = []
    for s in sorted(stretches, key=lambda stretch: stretch.from_on):
        first, last = s.from_on.toordinal(), s.to_on.toordinal()
        if found and found[-1][1] + DAY == first and found[-1][2] == s.due_on:
            found[-1] = (found[-1][0], last, s.due_on)
        else:
            found.append((first, last, s.due_on))
    return found


def _side_by_side(was: Days, becomes: Days) -> Iterator[tuple[int, int, date | None, date | None]]:
    """Runs of days with the due date before and after; None where not reached."""
    cuts = sorted({day for first, last, _ in (*was, *becomes) for day in (first, last + DAY)})
    for first, after in pairwise(cuts):
        yield first, after - DAY, _due(was, first), _due(becomes, first)


def _due(days: Days, day: int) -> date | None:
    return next((due for first, last, due in days if first <= day <= last), None)
