"""Previews what granting a request would change, from the facts with one more among them; writes nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from sqlalchemy import select

from portal.domain.decisions import requests
from portal.domain.decisions.queries import activity_titles
from portal.domain.decisions.requests import EXCLUSIONS, ChangeRequest
from portal.domain.directives.models import Directive, DirectiveVersion, Exclusion
from portal.domain.people.positions import is_known_fact
from portal.domain.people.visibility import Viewer, visibility_of
from portal.domain.records.documents import achieved_label
from portal.domain.records.models import Record, Revocation
from portal.domain.records.queries import RecordRow, list_records, list_revocations
from portal.domain.status.counts import Scope, Whose, count_requirements
from portal.domain.status.queries import directive_statuses, requirements_of
from portal.domain.status.recording import StatusWithDueDay, WhatIf, project_what_ifs, statuses_on_day
from portal.domain.status.rules import (
    WHOLE,
    ExclusionFact,
    PersonFacts,
    Place,
    RecordFact,
    RevocationFact,
    Status,
)
from portal.platform.db import OPEN_END, db
from portal.platform.wording import date as say_date
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


# The choices of a request's form: what a request about a person can concern.


@dataclass(frozen=True, slots=True)
class RequestChoice:
    """One choice; ``ids`` are columns of the request."""

    key: str
    label: str
    hint: str
    ids: dict[str, int]
    since: date | None = None  # the day on which a record was achieved


def list_choices(kind: str, person_id: int, today: date) -> list[RequestChoice]:
    """The choices for a request of this kind; a fixed number of statements."""
    return _LISTS[kind](person_id, today)


def _list_directives(person_id: int, today: date) -> list[RequestChoice]:
    """Every directive that is not withdrawn; first those that apply to the person."""
    v = DirectiveVersion
    rows = db.session.execute(
        select(Directive.id, Directive.reference, v.title, v.withdrawn)
        .join(v, v.directive_id == Directive.id)
        .where(is_known_fact(v))
        .order_by(Directive.reference, v.number)
    )
    newest = {reference: (i, title, withdrawn) for i, reference, title, withdrawn in rows}
    statuses = {status.directive: status for status in directive_statuses(person_id, today)}
    choices = []
    for reference, (directive_id, title, withdrawn) in newest.items():
        current = statuses.get(reference)
        if withdrawn and current is None:
            continue
        hint = (
            f"{current.status.label}, due on {say_date(current.due_on)}"
            if current
            else "Does not apply to them today"
        )
        choices.append(
            RequestChoice(reference, f"{reference}: {title}", hint, {"directive_id": directive_id})
        )
    return sorted(choices, key=lambda choice: choice.key not in statuses)


def _list_requirements(person_id: int, today: date) -> list[RequestChoice]:
    requirements = {
        requirement.activity_id: requirement for requirement in reversed(requirements_of(person_id, today))
    }
    titles = activity_titles(requirements)
    return [
        RequestChoice(
            f"{requirement.kind}-{requirement.key}",
            titles[activity_id],
            f"Directive {requirement.directive} · {requirement.status.label}",
            {"activity_id": activity_id},
        )
        for activity_id, requirement in reversed(requirements.items())
    ]


def _list_records(person_id: int, today: date) -> list[RequestChoice]:
    records = list_records(person_id)
    revoked = {revocation.record_id for revocation in list_revocations([row.id for row in records])}
    return [_record_choice(row, {}) for row in records if row.id not in revoked]


def _list_revoked_records(person_id: int, today: date) -> list[RequestChoice]:
    records = {row.id: row for row in list_records(person_id)}
    revocations = list_revocations(list(records))
    return [
        _record_choice(records[revocation.record_id], {"revocation_id": revocation.id})
        for revocation in revocations
    ]


def _record_choice(row: RecordRow, other_ids: dict[str, int]) -> RequestChoice:
    hint = f"{achieved_label(row)} on {say_date(row.achieved_on)} · reference {row.reference}"
    ids = {"record_id": row.id, "activity_id": row.activity_id, **other_ids}
    return RequestChoice(row.reference, requests.short_title(row.title), hint, ids, row.achieved_on)


def _list_exclusions(person_id: int, today: date) -> list[RequestChoice]:
    e, kind = Exclusion, "exemption"  # both kinds have the same reasons
    rows = db.session.execute(
        select(e, Directive.reference)
        .join(Directive, Directive.id == e.directive_id)
        .where(e.person_id == person_id, is_known_fact(e))
        .order_by(e.from_on.desc(), e.id.desc())
    )
    return [
        RequestChoice(
            str(row.id),
            f"{'Exemption from' if row.exempt else 'Deferral under'} {reference}",
            f"From {say_date(row.from_on)} {requests.until_words(row.to_on)}"
            f" · {requests.reason_label(kind, row.reason)}",
            {"exclusion_id": row.id, "directive_id": row.directive_id},
        )
        for row, reference in rows
    ]


_LISTS: dict[str, Callable[[int, date], list[RequestChoice]]] = {
    "exemption": _list_directives,
    "deferral": _list_directives,
    "waiver": _list_requirements,
    "revocation": _list_records,
    "lift": _list_exclusions,
    "restore": _list_revoked_records,
}
