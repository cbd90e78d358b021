"""Resolves a directive's next version against the recorded facts, before anything is recorded."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import Any, NamedTuple

from sqlalchemy import func, select

from portal.domain.catalogue.models import Activity
from portal.domain.catalogue.services import archived_activities
from portal.domain.directives.applies import (
    ALL_KNOWN,
    NEW_DIRECTIVE,
    NEW_VERSION,
    AssignmentTerms,
    AudienceVersion,
    PendingFacts,
    PostFact,
    RuleHistory,
    UnitFact,
    compare_assignments,
    number_placeholders,
)
from portal.domain.directives.files import DirectiveFile, Selectors
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.directives.queries import NamedValues
from portal.domain.people.models import PersonName, Post, UnitState
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import person_by_staff_number, unit_paths
from portal.domain.people.roster_plan import PostChange, UnitPlan, UnitRef
from portal.domain.people.roster_store import RosterIds, line_manager_id_of
from portal.domain.people.units import NewUnitState
from portal.platform.db import OPEN_END, db
from portal.platform.errors import BadInputError, NotFoundError, RuleError

# Previews how a change would alter the audiences of directives, by the rules that apply once it is made.
#
# Nothing is written and no lock is taken: pending facts are added to the recorded ones, and
# ``compare_assignments`` gives the assignments that would follow.

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
        states: As ``portal.domain.people.units.plan_unit_change`` gives them.
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


COLUMNS = (
    "effective_on",
    "withdrawn",
    "title",
    "source",
    "wording",
    "owner_id",
    "target",
    "notice_days",
    "due_fixed_on",
    "due_days_after_joining",
    "validity_months",
    "yearly_on",
    "minimum_gap_months",
    "expiring_days",
    "audience",
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """The next version of a directive, not recorded yet."""

    reference: str
    directive_id: int | None  # None: a new directive
    number: int
    columns: dict[str, Any]  # of the version's row
    activities: list[int]  # ids of the required activities, in order
    newest: DirectiveVersion | None
    is_unchanged: bool  # the newest version already says the same
    withdraws_version: bool = False  # it withdraws the newest version before that takes effect

    @property
    def effective_on(self) -> date:
        """The first day on which it is in force."""
        day: date = self.columns["effective_on"]
        return day

    def preview(self) -> tuple[AudienceEffect, str]:
        """Its effect on the audience, and the token with which ``matches_preview`` recognises that effect."""
        basis = preview_basis()  # before the effect, so that facts recorded in between make it outdated
        effect = self.compute_effect()
        return effect, f"{self.number}:{basis}:{effect.digest}"

    def compute_effect(self) -> AudienceEffect:
        """Compute the change to the directive's audience."""
        return effect_of_version(self.pending_version(), self.reference)

    def matches_preview(self, token: str) -> bool:
        """Whether its effect is still the one previewed with this token.

        The effect is computed again only if posts, units or versions were recorded since.
        """
        number, _, rest = token.partition(":")
        known_then, _, digest = rest.partition(":")
        if number != str(self.number):
            return False
        return known_then == preview_basis() or digest == self.compute_effect().digest

    def pending_version(self) -> AudienceVersion:
        """The version as a pending fact: its id is a placeholder, and so is the id of a new directive."""
        columns = self.columns
        return AudienceVersion(
            id=NEW_VERSION,
            recorded_at=ALL_KNOWN,
            void=self.withdraws_version,
            replaces_id=self.newest.id if self.withdraws_version and self.newest else None,
            directive_id=self.directive_id or NEW_DIRECTIVE,
            number=self.number,
            effective=self.effective_on.toordinal(),
            withdrawn=columns["withdrawn"],
            due_fixed_on=columns["due_fixed_on"],
            due_days_after_joining=columns["due_days_after_joining"],
            validity_months=columns["validity_months"],
            yearly_on=columns["yearly_on"],
            minimum_gap_months=columns["minimum_gap_months"],
            expiring_days=columns["expiring_days"],
            audience=columns["audience"]["audience"],
            exceptions=columns["audience"]["except"],
            positions=self.requirement_positions(),
        )

    def requirement_positions(self) -> tuple[tuple[int, int], ...]:
        """Position and id of each activity: the one it had in the directive, else the next free one."""
        if self.withdraws_version:
            return ()  # it requires nothing; activities of the withdrawn version keep their positions
        rows = db.session.execute(
            select(Requirement.activity_id, Requirement.position)
            .join(DirectiveVersion, DirectiveVersion.id == Requirement.directive_version_id)
            .where(DirectiveVersion.directive_id == self.directive_id)
        )
        position_of = {activity_id: position for activity_id, position in rows}
        for activity_id in self.activities:
            position_of.setdefault(activity_id, max(position_of.values(), default=0) + 1)
        return tuple(sorted((position_of[activity_id], activity_id) for activity_id in self.activities))


def find_directive_id(reference: str) -> int | None:
    """The id of the directive with this reference; None if there is none."""
    directive_id: int | None = db.session.scalar(select(Directive.id).where(Directive.reference == reference))
    return directive_id


def propose_version(file: DirectiveFile) -> Proposal:
    """The file as the next version of its directive.

    Raises:
        BadInputError: It names what does not exist, or does not take effect later than the newest version.
    """
    columns, activities = _resolve_columns(file)
    directive_id = find_directive_id(file.reference)
    if directive_id is None:
        _refuse_other_spelling(file.reference)
    newest = newest_version_of(directive_id) if directive_id is not None else None
    _refuse_archived(file, activities, newest)
    return _build_proposal(file.reference, directive_id, newest, columns, activities)


def _refuse_archived(file: DirectiveFile, activities: list[int], newest: DirectiveVersion | None) -> None:
    """Refuse an archived module that the directive does not require yet."""
    archived = archived_activities(activities)
    if not archived:
        return
    required = _required_activities(newest) if newest is not None else set()
    if faults := [
        f"requirement {number}: the module {key!r} is archived. Require the one that replaces it."
        for number, ((_, key), activity_id) in enumerate(zip(file.requirements, activities, strict=True), 1)
        if activity_id in archived - required
    ]:
        raise BadInputError(faults)


def _required_activities(version: DirectiveVersion) -> set[int]:
    required = select(Requirement.activity_id).where(Requirement.directive_version_id == version.id)
    return set(db.session.scalars(required))


def _refuse_other_spelling(reference: str) -> None:
    """Refuse a new reference that equals an existing one but for capital letters."""
    alike = select(Directive.reference).where(func.lower(Directive.reference) == reference.lower())
    existing = db.session.scalar(alike.limit(1))
    if existing is not None:
        raise BadInputError(
            [
                f"reference: there is already a directive {existing}. Write it with the same capitals, "
                "or choose another reference."
            ]
        )


def propose_withdrawal(reference: str, on: date) -> Proposal:
    """The directive's next version, which withdraws it from ``on``."""
    directive_id = find_directive_id(reference)
    newest = newest_version_of(directive_id) if directive_id is not None else None
    if newest is None:
        raise NotFoundError(f"There is no directive {reference}.")
    if newest.withdrawn:
        raise BadInputError([f"effective_on: {reference} is already withdrawn."])
    columns = {name: getattr(newest, name) for name in COLUMNS}
    required = select(Requirement.activity_id).where(Requirement.directive_version_id == newest.id)
    activities = list(db.session.scalars(required.order_by(Requirement.position)))
    columns |= {"withdrawn": True, "effective_on": on}
    return _build_proposal(reference, directive_id, newest, columns, activities)


def propose_version_withdrawal(reference: str, number: int, today: date) -> Proposal:
    """The withdrawal of the directive's newest version before it takes effect.

    The withdrawal has a version number of its own. The version before, if any, stays in force.
    """
    directive_id = find_directive_id(reference)
    newest = newest_version_of(directive_id) if directive_id is not None else None
    if directive_id is None or newest is None or not 0 < number <= newest.number:
        raise NotFoundError(f"{reference} has no version {number}.")
    if number != newest.number:
        raise RuleError(
            f"Version {number} of {reference} is not the newest. "
            f"You can withdraw only version {newest.number} before it takes effect."
        )
    if newest.effective_on <= today:
        raise RuleError(
            f"Version {number} of {reference} took effect on {newest.effective_on:%-d %B %Y}, so you can no "
            "longer withdraw it. Withdraw the directive, or issue a new version."
        )
    columns = {name: getattr(newest, name) for name in COLUMNS}
    following = _last_number(directive_id) + 1
    return Proposal(
        reference, directive_id, following, columns, [], newest, is_unchanged=False, withdraws_version=True
    )


def _last_number(directive_id: int | None) -> int:
    """The highest version number of the directive, withdrawn versions included."""
    highest = select(func.max(DirectiveVersion.number)).where(DirectiveVersion.directive_id == directive_id)
    return db.session.scalar(highest) or 0


def newest_version_of(directive_id: int) -> DirectiveVersion | None:
    """The directive's known version of the highest number."""
    return db.session.scalar(
        select(DirectiveVersion)
        .where(DirectiveVersion.directive_id == directive_id, is_known_fact(DirectiveVersion))
        .order_by(DirectiveVersion.number.desc())
        .limit(1)
    )


def _build_proposal(
    reference: str,
    directive_id: int | None,
    newest: DirectiveVersion | None,
    columns: dict[str, Any],
    activities: list[int],
) -> Proposal:
    is_unchanged = newest is not None and _is_unchanged(newest, columns, activities)
    if newest is not None and not is_unchanged and columns["effective_on"] <= newest.effective_on:
        raise BadInputError(
            [
                f"effective_on: version {newest.number} of {reference} takes effect on "
                f"{newest.effective_on} and is different. "
                "Choose a later date for a new version."
            ]
        )
    number = newest.number if newest is not None and is_unchanged else _last_number(directive_id) + 1
    return Proposal(reference, directive_id, number, columns, activities, newest, is_unchanged)


def _resolve_columns(file: DirectiveFile) -> tuple[dict[str, Any], list[int]]:
    """The version's columns, and the required activities in the order of the file."""
    faults: list[str] = []
    owner_id, audience = _resolve_owner(file.owner, faults), _resolve_audience(file, faults)
    activities = _resolve_activities(file, faults)
    if faults:
        raise BadInputError(faults)
    columns = {name: getattr(file, name) for name in COLUMNS if name not in ("owner_id", "audience")}
    return {**columns, "owner_id": owner_id, "audience": audience}, activities


def _resolve_audience(file: DirectiveFile, faults: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The audience's tables, with the ids of ``effective_on`` for unit paths."""
    units = {path: unit for unit, path in unit_paths(file.effective_on).items()}

    def by_id(name: str, number: int, table: Selectors) -> dict[str, Any]:
        resolved: dict[str, Any] = dict(table)
        paths = table.get("unit_under", [])
        faults.extend(
            f"{name} {number}: unit_under: no unit has the path {path!r} on {file.effective_on}."
            for path in paths
            if path not in units
        )
        if paths:
            resolved["unit_under"] = sorted(units[path] for path in paths if path in units)
        return resolved

    return {
        "audience": [by_id("audience", n, t) for n, t in enumerate(file.audience, 1)],
        "except": [by_id("except", n, t) for n, t in enumerate(file.exceptions, 1)],
    }


def _resolve_owner(staff_number: str, faults: list[str]) -> int | None:
    try:
        return person_by_staff_number(staff_number)
    except NotFoundError as error:
        faults.append(f"owner: {error}")
        return None


def _resolve_activities(file: DirectiveFile, faults: list[str]) -> list[int]:
    rows = db.session.execute(select(Activity.kind, Activity.key, Activity.id))
    activity_ids = {(kind, key): activity_id for kind, key, activity_id in rows}
    for number, (kind, key) in enumerate(file.requirements, 1):
        if (kind, key) not in activity_ids:
            faults.append(f"requirement {number}: there is no {kind} {key!r}. Publish it first.")
    return [activity_ids[requirement] for requirement in file.requirements if requirement in activity_ids]


def _is_unchanged(newest: DirectiveVersion, columns: dict[str, Any], activities: list[int]) -> bool:
    if _required_activities(newest) != set(activities):
        return False
    current = {name: getattr(newest, name) for name in columns}
    return _sort_audience_lists(current) == _sort_audience_lists(columns)


def _sort_audience_lists(columns: dict[str, Any]) -> dict[str, Any]:
    """The columns with each list of the audience sorted: the order of choices means nothing."""
    audience = {
        name: [{key: sorted(values) for key, values in table.items()} for table in tables]
        for name, tables in columns["audience"].items()
    }
    return {**columns, "audience": audience}
