"""Previews how a change would alter the audiences of directives, by the rules that apply once it is made.

Nothing is written and no lock is taken: pending facts are added to the recorded ones, and
``compare_assignments`` gives the assignments that would follow.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import NamedTuple

from sqlalchemy import func, select

from portal.domain.directives.assignments import AssignmentTerms, compare_assignments
from portal.domain.directives.audience import AudienceVersion, PostFact, UnitFact
from portal.domain.directives.fact_loader import RuleHistory
from portal.domain.directives.models import Directive, DirectiveVersion
from portal.domain.directives.named_roles import NamedValues
from portal.domain.directives.pending import ALL_KNOWN, PendingFacts, number_placeholders
from portal.domain.people.models import PersonName, Post, UnitState
from portal.domain.people.roster.plan import PostChange
from portal.domain.people.roster.store import RosterIds, line_manager_id_of
from portal.domain.people.roster.units import UnitPlan, UnitRef
from portal.domain.people.units.changes import NewUnitState
from portal.platform.db import OPEN_END, db

DAY = 1


class AudienceChange(NamedTuple):
    """The first stretch of days on which a person's assignment changes."""

    person_id: int  # a placeholder for a person whom a roster adds
    staff_number: str  # filled in by ``effect_of_posts`` alone, else empty
    first: date
    last: date
    due_on: date  # of someone who leaves the audience: the due date until now
    was_due_on: date | None = None  # the due date until now, where it changes


@dataclass(slots=True)
class AudienceEffect:
    """What a change does to a directive's audience; a person may join on some days and leave on others."""

    reference: str
    joins: list[AudienceChange] = field(default_factory=list)
    leaves: list[AudienceChange] = field(default_factory=list)
    due_changes: list[AudienceChange] = field(default_factory=list)  # in the audience before and after

    def __bool__(self) -> bool:
        return bool(self.joins or self.leaves or self.due_changes)

    @property
    def digest(self) -> str:
        """A hash that is equal for equal effects."""
        content = repr((self.reference, self.joins, self.leaves, self.due_changes))
        return hashlib.sha256(content.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RosterEffect:
    """What changes of posts do to audiences, and who of these people has something to complete."""

    audiences: list[AudienceEffect]  # those that change, in order of reference
    named: NamedValues
    before: frozenset[str]  # staff numbers of those to whom a directive applies from today on, as it is
    after: frozenset[str]  # the same, once the changes are made


def effect_of_version(version: AudienceVersion, reference: str) -> AudienceEffect:
    """The change to the audience if ``version`` were recorded now.

    Args:
        version: A pending fact, of a directive's id or of ``NEW_DIRECTIVE``.
        reference: The directive's.
    """
    people = db.session.scalars(select(Post.person_id).distinct())
    pending = PendingFacts(versions=[version])
    effects = _compare_effects(people, pending, {version.directive_id: reference})
    return next(iter(effects), AudienceEffect(reference))


def effect_of_posts(changes: Sequence[PostChange], units: UnitPlan, today: date) -> RosterEffect:
    """What would follow if these changes of posts were made; directives without a change are left out.

    Args:
        changes: As in a ``RosterPlan``; people are named by staff number.
        units: The units that the same plan creates, and those that it lets begin earlier.
        today: Whoever has an assignment on this day or later has something to complete.
    """
    roster = build_pending_roster(changes, units)
    numbers = {person_id: number for number, person_id in roster.people.items()}
    references = _load_references()
    history = RuleHistory(roster.facts, only=references)
    effects = {directive_id: AudienceEffect(reference) for directive_id, reference in references.items()}
    before, after = set[str](), set[str]()
    rows = compare_assignments(roster.facts.posts, history, ALL_KNOWN, roster.facts)
    for person_id, directive_id, current, expected in rows:
        was, number = [fact.terms for fact in current], numbers[person_id]
        _add_changes(effects[directive_id], person_id, number, was, expected)
        before.update([number] if any(term.to_on >= today for term in was) else ())
        after.update([number] if any(term.to_on >= today for term in expected) else ())
    audiences = [effect for effect in effects.values() if effect]
    named = NamedValues.of(history.versions.values(), today)
    return RosterEffect(audiences, named, frozenset(before), frozenset(after))


def effect_of_move(people: Iterable[int], states: Sequence[NewUnitState]) -> list[AudienceEffect]:
    """The changes to audiences if a unit moved; directives without a change are left out.

    Args:
        people: Everyone who has or had a post in the unit or below it.
        states: As ``portal.domain.people.units.changes.plan_unit_change`` gives them.
    """
    placeholders = number_placeholders()
    facts = [
        _pending_state(next(placeholders), s.replaces_id, s.unit_id, s.parent_id, (s.valid_from, s.valid_to))
        for s in states
    ]
    return _compare_effects(people, PendingFacts(states=facts), _load_references())


def _compare_effects(
    people: Iterable[int],
    pending: PendingFacts,
    references: Mapping[int, str],
) -> list[AudienceEffect]:
    """The effects on these directives, in order; those without a change are left out."""
    effects = {directive_id: AudienceEffect(reference) for directive_id, reference in references.items()}
    rows = compare_assignments(people, RuleHistory(pending, only=references), ALL_KNOWN, pending)
    for person_id, directive_id, current, expected in rows:
        before = [fact.terms for fact in current]
        _add_changes(effects[directive_id], person_id, "", before, expected)
    return [effect for effect in effects.values() if effect]


def preview_basis() -> str:
    """A token for the facts behind a preview: equal until another post, unit state or version is recorded."""
    newest = (func.coalesce(func.max(fact.id), 0) for fact in (Post, UnitState, DirectiveVersion))
    return "-".join(str(db.session.scalar(select(last))) for last in newest)


@dataclass(frozen=True, slots=True)
class PendingRoster:
    """The pending facts of a roster plan, with the placeholders of their ids."""

    people: dict[str, int]  # of all people whose posts change, by staff number
    units: dict[UnitRef, int]  # to be created, by their names
    post_ids: list[int]  # in the order of the plan's changes
    facts: PendingFacts

    def real_ids(self, written: RosterIds) -> dict[int, int]:
        """The real id for each placeholder, once the plan is written."""
        people = {person_id: written.people[number] for number, person_id in self.people.items()}
        units = {unit_id: written.units[names] for names, unit_id in self.units.items()}
        return {**people, **units, **dict(zip(self.post_ids, written.posts, strict=True))}


def build_pending_roster(changes: Sequence[PostChange], units: UnitPlan) -> PendingRoster:
    """Turn a roster plan into pending facts."""
    placeholders = number_placeholders()
    recorded_ids = _load_staff_numbers()
    staff_numbers = sorted({change.values.staff_number for change in changes})
    people = {number: recorded_ids.get(number) or next(placeholders) for number in staff_numbers}
    managers = sorted(
        {change.values.manager or "" for change in changes} - recorded_ids.keys() - people.keys()
    )
    # Rows with faults may name managers who do not exist; with such rows nothing is written.
    all_ids = {**{number: next(placeholders) for number in managers}, **recorded_ids, **people}
    unit_ids, states = _build_pending_states(units, placeholders)
    posts: dict[int, list[PostFact]] = {}
    post_ids = []
    for change in changes:
        post = _pending_post(next(placeholders), change, all_ids, unit_ids)
        posts.setdefault(post.person_id, []).append(post)
        post_ids.append(post.id)
    return PendingRoster(people, unit_ids, post_ids, PendingFacts(posts=posts, states=states))


def _load_references() -> dict[int, str]:
    """References by directive id, in order of reference."""
    rows = db.session.execute(select(Directive.id, Directive.reference).order_by(Directive.reference))
    return {directive_id: reference for directive_id, reference in rows}


def _load_staff_numbers() -> dict[str, int]:
    """Person ids by staff number."""
    rows = db.session.execute(select(PersonName.staff_number, PersonName.person_id))
    return {number: person_id for number, person_id in rows}


def _pending_post(
    post_id: int, change: PostChange, people: Mapping[str, int], units: Mapping[UnitRef, int]
) -> PostFact:
    values = change.values
    return PostFact(
        post_id,
        ALL_KNOWN,
        change.void,
        change.replaces_id,
        people[values.staff_number],
        values.post_key,
        values.rank_or_grade,
        values.designated_role,
        values.unit if isinstance(values.unit, int) else units[values.unit],
        line_manager_id_of(values, people),
        values.valid_from.toordinal(),
        values.valid_to.toordinal(),
    )


def _build_pending_states(
    plan: UnitPlan, placeholders: Iterator[int]
) -> tuple[dict[UnitRef, int], list[UnitFact]]:
    """Placeholders for the units to create, by their names, and the pending unit states."""
    ids: dict[UnitRef, int] = {unit.names: next(placeholders) for unit in plan.new_units}
    states = []
    for unit in plan.new_units:
        above = unit.parent if unit.parent is None or isinstance(unit.parent, int) else ids[unit.parent]
        days = (unit.valid_from, OPEN_END)
        states.append(_pending_state(next(placeholders), None, ids[unit.names], above, days))
    for state in plan.extended_states:
        days = (state.valid_from, state.valid_to)
        states.append(_pending_state(next(placeholders), state.id, state.unit_id, state.parent_id, days))
    return ids, states


def _pending_state(
    state_id: int, replaces_id: int | None, unit_id: int, parent_id: int | None, days: tuple[date, date]
) -> UnitFact:
    first, last = (day.toordinal() for day in days)
    return UnitFact(state_id, ALL_KNOWN, False, replaces_id, unit_id, parent_id, first, last)


def _add_changes(
    effect: AudienceEffect,
    person_id: int,
    number: str,
    before: Sequence[AssignmentTerms],
    after: Sequence[AssignmentTerms],
) -> None:
    """Add how the person's assignments change, if they do."""
    was, becomes = _merge_due_days(before), _merge_due_days(after)
    if was == becomes:
        return
    for first, last, old, new in _align_days(was, becomes):
        told = (person_id, number, date.fromordinal(first), date.fromordinal(last))
        if old is None and new is not None:
            _add_or_extend(effect.joins, AudienceChange(*told, new))
        elif new is None and old is not None:
            _add_or_extend(effect.leaves, AudienceChange(*told, old))
        elif old is not None and new is not None and old != new:
            _add_or_extend(effect.due_changes, AudienceChange(*told, new, old))


def _add_or_extend(changes: list[AudienceChange], new: AudienceChange) -> None:
    """Add a person's first stretch of days; a stretch that follows on it without a gap extends it."""
    last = changes[-1] if changes else None
    if last is None or last.person_id != new.person_id:
        changes.append(new)
    elif last.last.toordinal() + DAY == new.first.toordinal() and last[4:] == new[4:]:
        changes[-1] = last._replace(last=new.last)


Days = list[tuple[int, int, date]]  # first and last day, and when due


def _merge_due_days(terms: Iterable[AssignmentTerms]) -> Days:
    """The assigned days with their due dates, whatever the version, in order."""
    merged: Days = []
    for term in sorted(terms, key=lambda each: each.from_on):
        first, last = term.from_on.toordinal(), term.to_on.toordinal()
        if merged and merged[-1][1] + DAY == first and merged[-1][2] == term.due_on:
            merged[-1] = (merged[-1][0], last, term.due_on)
        else:
            merged.append((first, last, term.due_on))
    return merged


def _align_days(was: Days, becomes: Days) -> Iterator[tuple[int, int, date | None, date | None]]:
    """Stretches of days with the due date before and after; None where not assigned."""
    cuts = sorted({day for first, last, _ in (*was, *becomes) for day in (first, last + DAY)})
    for first, after in pairwise(cuts):
        yield first, after - DAY, _due_day_on(was, first), _due_day_on(becomes, first)


def _due_day_on(days: Days, day: int) -> date | None:
    return next((due for first, last, due in days if first <= day <= last), None)
