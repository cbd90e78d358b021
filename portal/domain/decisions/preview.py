"""What granting a wish would change: worked out from the facts with one more among them, nothing written."""

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
from portal.domain.status import queries as standings
from portal.domain.status.counting import Question, count_source
from portal.domain.status.rules import Earned, Excluded, Revoked, Status
from portal.domain.status.what_if import WHOLE, PersonFacts, Place, StatusWithDueDay, WhatIf, project_what_if
from portal.platform.db import OPEN_END, db
from portal.platform.wording import number, percent_cut

_NEW = 2**62  # the id of the fact that is not written: later than all


@dataclass(frozen=True, slots=True)
class CompletionShare:
    """How many are complete, of those counted."""

    done: int
    total: int

    @property
    def share_words(self) -> str:
        """The percentage with its fraction."""
        if not self.total:
            return "nobody required"
        return f"{percent_cut(self.done, self.total)} ({number(self.done)} of {number(self.total)})"

    def with_change(self, before: Status, after: Status) -> "CompletionShare":
        """With one person standing otherwise."""
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
    """Where a person stands under one directive on a day, now and after the decision."""

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
        """Whether the person under the whole directive stands differently."""
        return (self.before, self.due_before) != (self.after, self.due_after)

    @property
    def told_parts(self) -> list[RequirementChange]:
        """The requirements of which the whole does not tell."""
        return [part for part in self.parts if (part.before, part.after) != (self.before, self.after)]


def preview_effects(
    wish: ChangeRequest, viewer: Viewer, *, now: datetime, today: date
) -> list[DirectiveEffect]:
    """How the person's standing under each directive changes, today and on the first day it would hold.

    Percentages are of the people the viewer may see. Directives under which nothing changes are left out.
    """
    what_if = project_what_if(wish.person_id, partial(_ADD[wish.kind], wish), now=now)
    found = []
    for day in _days_to_compare(wish, today):
        stood, will = what_if.statuses_before(day), what_if.statuses_after(day)
        both = {place: (was, will[place]) for place, was in stood.items() if was != will[place]}
        found += _effects_of_day(_DayComparison(both, will, day), what_if, viewer)
    return found


def _days_to_compare(wish: ChangeRequest, today: date) -> list[date]:
    first = wish.from_on
    if wish.kind == "lift":
        first = None if wish.to_on is None or wish.to_on == OPEN_END else wish.to_on + timedelta(days=1)
    return [today] if first is None or first <= today else [today, first]


class _DayComparison(NamedTuple):
    """What differs on a day, with where everything would stand."""

    both: dict[Place, tuple[StatusWithDueDay, StatusWithDueDay]]
    will: dict[Place, StatusWithDueDay]
    day: date


def _effects_of_day(change: _DayComparison, what_if: WhatIf, viewer: Viewer) -> list[DirectiveEffect]:
    changed = sorted({directive_id for directive_id, _ in change.both})
    if not changed:
        return []
    seen = visibility_of(viewer)
    whose = standings.Whose(seen.everyone, seen.unit_ids, seen.direct_reports_of)
    activities = what_if.activities
    titles = activity_titles({activities[place] for place in change.both if place[1] != WHOLE})
    found = []
    for directive_id, (reference, title) in sorted(
        directive_titles(changed).items(), key=lambda pair: pair[1]
    ):
        share = _completion_share(standings.Scope(directive_id, change.day, what_if.known_on, whose))
        stays = change.will[directive_id, WHOLE]
        (before, due_before), (after, due_after) = change.both.get((directive_id, WHOLE), (stays, stays))
        parts = tuple(
            RequirementChange(place[1], titles[activities[place]], was[0], will[0])
            for place, (was, will) in sorted(change.both.items())
            if place[0] == directive_id and place[1] != WHOLE and was[0] is not will[0]
        )
        dues, shares = (due_before, due_after), (share, share.with_change(before, after))
        found.append(DirectiveEffect(reference, title, change.day, before, after, *dues, *shares, parts))
    return found


def _completion_share(scope: standings.Scope) -> CompletionShare:
    done = total = 0
    for _, position, status, people in count_source(scope, Question.REQUIREMENTS).count_requirements():
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


def _add_exclusion(wish: ChangeRequest, facts: PersonFacts, t: datetime) -> None:
    e, exempt = Exclusion, wish.kind == "exemption"
    corrects = db.session.scalar(
        select(e.id).where(
            e.person_id == wish.person_id,
            e.directive_id == wish.directive_id,
            e.exempt == exempt,
            e.from_on == wish.from_on,
            is_known_fact(e),
        )
    )
    from_on: Any = wish.from_on
    due_on = None if exempt else wish.due_on
    new = Excluded(_NEW, t, False, corrects, from_on, wish.to_on or OPEN_END, exempt, due_on)
    facts.exclusions.setdefault(wish.directive_id or 0, []).append(new)


def _remove_exclusion(wish: ChangeRequest, facts: PersonFacts, t: datetime) -> None:
    held = db.session.get_one(Exclusion, wish.exclusion_id)
    void = wish.to_on is None or wish.to_on < held.from_on
    to_on = held.to_on if void or wish.to_on is None else wish.to_on
    new = Excluded(_NEW, t, void, held.id, held.from_on, to_on, held.exempt, held.due_on)
    facts.exclusions.setdefault(held.directive_id, []).append(new)


def _add_waiver(wish: ChangeRequest, facts: PersonFacts, t: datetime) -> None:
    achieved_on: Any = wish.from_on
    facts.records.setdefault(wish.activity_id or 0, []).append(Earned(_NEW, t, False, None, achieved_on))


def _remove_record(wish: ChangeRequest, facts: PersonFacts, t: datetime) -> None:
    which: Any = (wish.record_id, wish.from_on)
    facts.revocations.append(Revoked(_NEW, t, False, None, *which))


def _restore_record(wish: ChangeRequest, facts: PersonFacts, t: datetime) -> None:
    held = db.session.get_one(Revocation, wish.revocation_id)
    record = db.session.get_one(Record, held.record_id)
    facts.revocations.append(Revoked(_NEW, t, True, held.id, record.id, held.from_on))


_ADD = {kind: _add_exclusion for kind in EXCLUSIONS} | {
    "lift": _remove_exclusion,
    "waiver": _add_waiver,
    "revocation": _remove_record,
    "restore": _restore_record,
}
