"""Why a cell of a report changed: facts recorded at a stamp, facts that began to hold, or a date."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from portal.domain.reports.changes.cause_facts import Cause, FactSight, facts_of, moves_of_units, versions_of
from portal.domain.status.report_diff import Step
from portal.domain.status.rules import Status
from portal.platform import wording as say
from portal.platform.clock import london_day

DAY = timedelta(days=1)
UNSEEN = "A change that you cannot see."


class Causes:
    """All facts of some people under one directive, whenever recorded; a fixed number of reads.

    Args:
        directive_id: The directive.
        people: Ids of people.
        as_known_on: What the later position knows.
        sight: What the viewer may know of; None: everything.
        until: Moves of units recorded later are left out; None: none is.
    """

    def __init__(
        self,
        directive_id: int,
        people: Collection[int],
        as_known_on: datetime,
        sight: FactSight | None = None,
        until: datetime | None = None,
    ) -> None:
        self._known_on, self._sight = as_known_on, sight
        self._of = facts_of(sorted(people), directive_id, as_known_on, sight)
        versions, unit_moves = list(versions_of(directive_id)), moves_of_units(sight, until)
        for facts in self._of.values():
            units = {one.unit_id for one in facts if one.unit_id is not None}
            facts += [*versions, *unit_moves.moves_above(units)]

    def of(self, person_id: int, step: Step, ways: Collection[Step]) -> list[Cause]:
        """What made this step of this person's; ``ways`` are all steps of theirs.

        Under the whole directive somebody stands otherwise on a day because they do on a requirement.
        """
        if self._sight is None:
            return self._all_of(self._of[person_id], step, ways)
        facts = [one for one in self._of[person_id] if self._sight.may_tell(one, step)]
        causes = self._all_of(facts, step, ways)
        return causes or [Cause(UNSEEN, step.day or self._sight.as_at, step.recorded_at)]

    def _all_of(self, facts: Sequence[Cause], step: Step, ways: Collection[Step]) -> list[Cause]:
        if step.recorded_at is not None:
            return _recorded_at(facts, step.recorded_at)
        if step.day is None:
            return [one for one in facts if one.moves_unit and self._holds(one)]
        began = [_date_move(one, step.day) for one in facts if step.day in one.edges and self._holds(one)]
        parts = [one for one in ways if one.day == step.day and step.whole]
        return [*dict.fromkeys(cause for one in (step, *parts) for cause in _dates(one)), *began]

    def _holds(self, one: Cause) -> bool:
        known_then = one.recorded_at is not None and one.recorded_at <= self._known_on
        gone = one.replaced_at is not None and one.replaced_at <= self._known_on
        return known_then and not one.void and not gone


def _recorded_at(facts: Sequence[Cause], at: datetime) -> list[Cause]:
    """What was recorded at a stamp, and what ended then without another of these facts in its place."""
    recorded = [_date_move(one, london_day(at)) for one in facts if one.recorded_at == at]
    replaced = {one.replaces for one in recorded}
    ended = [one for one in facts if one.replaced_at == at and not one.void and one.fact not in replaced]
    return [*recorded, *(replace(one, words=f"{one.words} Withdrawn.", recorded_at=at) for one in ended)]


def _date_move(one: Cause, day: date) -> Cause:
    """Date a unit's move to this day, so that one state's end and the next one's start are one cause."""
    return replace(one, on=day) if one.moves_unit else one


def _dates(step: Step) -> Iterator[Cause]:
    """The dates that pass between the day before a step and its day."""
    old, new, day = step.old, step.new, step.day
    if day is None or old is None or new is None:
        return
    for cell in (old, new):
        if cell.due_on + DAY == day:
            yield Cause(f"The due date, {say.date(cell.due_on)}, passed.", day)
            break
    ends = {(cell.valid_until, cell.status) for cell in (old, new) if cell.valid_until}
    for until, status in sorted(ends):
        if until + DAY == day:
            yield Cause(f"What was completed counted until {say.date(until)}.", day)
            break
        if status is Status.EXPIRING:
            yield Cause(f"What was completed counts until {say.date(until)}, which is near.", day)
