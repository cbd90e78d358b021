"""Previews what granting a request would change, from the facts with one more among them; writes nothing."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import select

from portal.domain.decisions.change_requests import EXCLUSIONS, ChangeRequest
from portal.domain.decisions.queries import activity_titles
from portal.domain.directives.models import Directive, DirectiveVersion, Exclusion
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.queries import Viewer, visibility_of
from portal.domain.records.models import Record, Revocation
from portal.domain.status.counting import count_requirements
from portal.domain.status.filters import Scope, Whose
from portal.domain.status.rules import WHOLE, ExclusionFact, RecordFact, RevocationFact, Status
from portal.domain.status.what_if import (
    PersonFacts,
    Place,
    StatusWithDueDay,
    WhatIf,
    project_what_ifs,
    statuses_on_day,
)
from portal.platform.db import OPEN_END, db
from portal.platform.wording import fraction, percent_cut

_NEW = 2**62  # id of the fact that is not written: higher than all real ones


@dataclass(frozen=True, slots=True)
class CompletionShare:
    """How many people are complete, of those counted."""

    done: int
    total: int

    @property
    def share_words(self) -> str:
        """The percentage with its fraction."""
        if not self.total:
            return "nobody required"
        return f"{percent_cut(self.done, self.total)} ({fraction(self.done, self.total)})"

    def with_change(self, before: Status, after: Status) -> "CompletionShare":
        """The share once one person's status has changed."""
        done = self.done + after.held - before.held
        return CompletionShare(done, self.total + before.excluded - after.excluded)


@dataclass(frozen=True, slots=True)
class RequirementChange:
    """One requirement whose status changes."""

    position: int
    title: str
    before: Status
    after: Status


@dataclass(frozen=True, slots=True)
class DirectiveEffect:
    """A person's status under one directive on a day, before and after the decision."""

    reference: str
    title: str
    day: date
    before: Status
    after: Status
    due_before: date
    due_after: date
    share_before: CompletionShare
    share_after: CompletionShare
    parts: tuple[RequirementChange, ...]  # of the requirements

    @property
    def changes_status(self) -> bool:
        """Whether the status or due date under the whole directive changes."""
        return (self.before, self.due_before) != (self.after, self.due_after)

    @property
    def parts_to_show(self) -> list[RequirementChange]:
        """The requirements whose change differs from that of the whole directive."""
        return [part for part in self.parts if (part.before, part.after) != (self.before, self.after)]


def preview_effects(
    change: ChangeRequest, viewer: Viewer, *, now: datetime, today: date
) -> list[DirectiveEffect]:
    """How the person's status under each directive changes, today and on the first day of the change.

    Percentages count the people the viewer may see. Directives without a change are left out.
    """
    add_fact = partial(_ADD[change.kind], change)
    what_if = project_what_ifs([change.person_id], add_fact, now=now)[change.person_id]
    effects = []
    for day in _days_to_compare(change, today):
        before, after = statuses_on_day(what_if.before, day), statuses_on_day(what_if.after, day)
        changes = {place: (old, after[place]) for place, old in before.items() if old != after[place]}
        effects += _effects_of_day(_DayComparison(changes, after, day), what_if, viewer)
    return effects


def _days_to_compare(change: ChangeRequest, today: date) -> list[date]:
    first = change.from_on
    if change.kind == "lift":
        first = None if change.to_on is None or change.to_on == OPEN_END else change.to_on + timedelta(days=1)
    return [today] if first is None or first <= today else [today, first]


class _DayComparison(NamedTuple):
    """The statuses that change on a day, and all statuses after the decision."""

    changes: dict[Place, tuple[StatusWithDueDay, StatusWithDueDay]]
    after: dict[Place, StatusWithDueDay]
    day: date


def _effects_of_day(comparison: _DayComparison, what_if: WhatIf, viewer: Viewer) -> list[DirectiveEffect]:
    directive_ids = sorted({directive_id for directive_id, _ in comparison.changes})
    if not directive_ids:
        return []
    whose = visible_to(viewer)
    activities = what_if.activities
    titles = activity_titles({activities[place] for place in comparison.changes if place[1] != WHOLE})
    effects = []
    for directive_id, (reference, title) in sorted(
        directive_titles(directive_ids).items(), key=lambda pair: pair[1]
    ):
        share = completion_share(Scope((directive_id,), comparison.day, what_if.known_on, whose))
        unchanged = comparison.after[directive_id, WHOLE]
        (before, due_before), (after, due_after) = comparison.changes.get(
            (directive_id, WHOLE), (unchanged, unchanged)
        )
        parts = tuple(
            RequirementChange(place[1], titles[activities[place]], old[0], new[0])
            for place, (old, new) in sorted(comparison.changes.items())
            if place[0] == directive_id and place[1] != WHOLE and old[0] is not new[0]
        )
        dues, shares = (due_before, due_after), (share, share.with_change(before, after))
        effects.append(
            DirectiveEffect(reference, title, comparison.day, before, after, *dues, *shares, parts)
        )
    return effects


def visible_to(viewer: Viewer) -> Whose:
    """The people whom percentages of a preview count: those that the viewer may see. One statement."""
    visibility = visibility_of(viewer)
    return Whose(visibility.everyone, visibility.unit_ids, visibility.direct_reports_of)


def completion_share(scope: Scope) -> CompletionShare:
    """How many people of a scope are complete under its directive."""
    done = total = 0
    for _, _, position, status, people in count_requirements(scope):
        if position == WHOLE:
            done += people * status.held
            total += people * (not status.excluded)
    return CompletionShare(done, total)


def directive_titles(directive_ids: list[int]) -> dict[int, tuple[str, str]]:
    """Reference and newest title of these directives."""
    v = DirectiveVersion
    rows = db.session.execute(
        select(Directive.id, Directive.reference, v.title)
        .join(v, v.directive_id == Directive.id)
        .where(Directive.id.in_(directive_ids), is_known_fact(v))
        .order_by(v.number)
    )
    return {directive_id: (reference, title) for directive_id, reference, title in rows}


def add_exclusion(change: ChangeRequest, facts: PersonFacts, t: datetime) -> None:
    """Put the exemption or deferral of a change among a person's facts, as a correction if there is one."""
    exempt = change.kind == "exemption"
    from_on: Any = change.from_on
    known = facts.exclusions.setdefault(change.directive_id or 0, [])
    replaced = {fact.replaces_id for fact in known}
    same_matter = (
        fact.id
        for fact in known
        if not fact.void and fact.id not in replaced and (fact.exempt, fact.from_on) == (exempt, from_on)
    )
    due_on = None if exempt else change.due_on
    to_on = change.to_on or OPEN_END
    known.append(ExclusionFact(_NEW, t, False, next(same_matter, None), from_on, to_on, exempt, due_on))


def _remove_exclusion(change: ChangeRequest, facts: PersonFacts, t: datetime) -> None:
    exclusion = db.session.get_one(Exclusion, change.exclusion_id)
    void = change.to_on is None or change.to_on < exclusion.from_on
    to_on = exclusion.to_on if void or change.to_on is None else change.to_on
    new = ExclusionFact(
        _NEW, t, void, exclusion.id, exclusion.from_on, to_on, exclusion.exempt, exclusion.due_on
    )
    facts.exclusions.setdefault(exclusion.directive_id, []).append(new)


def _add_waiver(change: ChangeRequest, facts: PersonFacts, t: datetime) -> None:
    achieved_on: Any = change.from_on
    facts.records.setdefault(change.activity_id or 0, []).append(
        RecordFact(_NEW, t, False, None, achieved_on)
    )


def _remove_record(change: ChangeRequest, facts: PersonFacts, t: datetime) -> None:
    record = db.session.get_one(Record, change.record_id)
    from_on: Any = change.from_on
    new = RevocationFact(_NEW, t, False, None, record.id, from_on)
    facts.revocations.setdefault(record.activity_id, []).append(new)


def _restore_record(change: ChangeRequest, facts: PersonFacts, t: datetime) -> None:
    revocation = db.session.get_one(Revocation, change.revocation_id)
    record = db.session.get_one(Record, revocation.record_id)
    new = RevocationFact(_NEW, t, True, revocation.id, record.id, revocation.from_on)
    facts.revocations.setdefault(record.activity_id, []).append(new)


_ADD = {kind: add_exclusion for kind in EXCLUSIONS} | {
    "lift": _remove_exclusion,
    "waiver": _add_waiver,
    "revocation": _remove_record,
    "restore": _restore_record,
}
