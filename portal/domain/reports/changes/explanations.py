"""Why a cell of a report changed: facts recorded at a stamp, facts that began on a day, or a date."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from portal.domain.reports.changes.cause_facts import (
    Cause,
    FactSight,
    UnitStates,
    facts_of,
    moves_of_units,
    versions_of,
)
from portal.domain.status.changes import Step
from portal.domain.status.rules import Status
from portal.platform import wording as say
from portal.platform.clock import london_day

DAY = timedelta(days=1)
UNSEEN = "A change that you cannot see."


class Causes:
    """Finds the causes of changes among all facts of some people under one directive.

    A fixed number of queries, however many people there are.

    Args:
        directive_id: The directive.
        people: Ids of people.
        as_known_on: That of the later position.
        sight: What the viewer may know; None: everything.
        until: Moves of units recorded after it are left out; None: none is.
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
        states = UnitStates()
        self._facts_by_person = facts_of(sorted(people), directive_id, as_known_on, states, sight)
        versions, unit_moves = list(versions_of(directive_id)), moves_of_units(states, sight, until)
        for facts in self._facts_by_person.values():
            units = {fact.unit_id for fact in facts if fact.unit_id is not None}
            facts += [*versions, *unit_moves.moves_above(units)]

    def causes_of(self, person_id: int, step: Step, steps: Collection[Step]) -> list[Cause]:
        """The causes of one step of a person's changes; ``steps`` are all steps of the person.

        An overall status changes because a requirement's status does.
        """
        if self._sight is None:
            return self._match_causes(self._facts_by_person[person_id], step, steps)
        facts = [fact for fact in self._facts_by_person[person_id] if self._sight.may_tell(fact, step)]
        causes = self._match_causes(facts, step, steps)
        return causes or [Cause(UNSEEN, step.day or self._sight.earlier.position.as_at, step.recorded_at)]

    def _match_causes(self, facts: Sequence[Cause], step: Step, steps: Collection[Step]) -> list[Cause]:
        if step.recorded_at is not None:
            return _recorded_at(facts, step.recorded_at)
        if step.day is None:
            return [fact for fact in facts if fact.moves_unit and self._is_in_force(fact)]
        began = [
            _date_move(fact, step.day) for fact in facts if step.day in fact.edges and self._is_in_force(fact)
        ]
        parts = [other for other in steps if other.day == step.day and step.whole]
        return [*dict.fromkeys(cause for part in (step, *parts) for cause in _date_causes(part)), *began]

    def _is_in_force(self, fact: Cause) -> bool:
        is_known = fact.recorded_at is not None and fact.recorded_at <= self._known_on
        is_replaced = fact.replaced_at is not None and fact.replaced_at <= self._known_on
        return is_known and not fact.void and not is_replaced


def _recorded_at(facts: Sequence[Cause], at: datetime) -> list[Cause]:
    """The facts recorded at a stamp, and those withdrawn then that none of these facts replaces."""
    recorded = [_date_move(fact, london_day(at)) for fact in facts if fact.recorded_at == at]
    replaced = {fact.replaces for fact in recorded}
    ended = [fact for fact in facts if fact.replaced_at == at and not fact.void and fact.fact not in replaced]
    return [*recorded, *(replace(fact, words=f"{fact.words} Withdrawn.", recorded_at=at) for fact in ended)]


def _date_move(fact: Cause, day: date) -> Cause:
    """Date a unit's move to this day: the end of its old state and the start of its new one are one cause."""
    return replace(fact, on=day) if fact.moves_unit else fact


def _date_causes(step: Step) -> Iterator[Cause]:
    """The due date or the end of a record that passes between the day before a step and its day."""
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
            yield Cause(f"The record counted until {say.date(until)}.", day)
            break
        if status is Status.EXPIRING:
            yield Cause(f"The record ends soon, on {say.date(until)}.", day)
