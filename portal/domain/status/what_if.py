"""What-if: a person's status if one more fact were known, by the same rules over facts in memory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from portal.domain.directives.fact_loader import RuleHistory
from portal.domain.status.periods import Period, PersonFacts, Place, compute_periods
from portal.domain.status.projector import load_facts
from portal.domain.status.rules import Status
from portal.platform.db import newest_stamp

# Facts of a person and places are given on: no other room reads the file they are from.
__all__ = ["PersonFacts", "Place", "StatusWithDueDay", "WhatIf", "project_what_ifs", "statuses_on_day"]

StatusWithDueDay = tuple[Status, date]  # with the due date
AddFact = Callable[[PersonFacts, datetime], None]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A person's status periods as they are known, and as they would be; both have the same places."""

    known_on: datetime
    before: set[Period]
    after: set[Period]
    activities: dict[Place, int]


def project_what_ifs(people: Sequence[int], add: AddFact, *, now: datetime) -> dict[int, WhatIf]:
    """Work out what one more fact about each person would change; nothing is written.

    Args:
        people: Ids of those whose fact it is.
        add: Puts it among one person's facts, as recorded on the given instant.
        now: This instant; what was recorded later than that by the clock is known too.
    """
    t = max(now, newest_stamp() or now)
    history = RuleHistory()
    return {
        person_id: _project_one(facts, history, add, t)
        for person_id, facts in load_facts(people, history).items()
    }


def _project_one(facts: PersonFacts, history: RuleHistory, add: AddFact, t: datetime) -> WhatIf:
    before = compute_periods(facts, history, t)
    add(facts, t)
    after = compute_periods(facts, history, t)
    activities = {
        (directive_id, position): activity_id
        for directive_id, rules in facts.assignments.items()
        for rule in rules
        for position, activity_id in history.versions[rule.version_id].positions
    }
    return WhatIf(t, before, after, activities)


def statuses_on_day(periods: Iterable[Period], day: date) -> dict[Place, StatusWithDueDay]:
    """The status and due date of each directive and position on ``day``."""
    return {
        period.place: (Status(period.values.status), date.fromordinal(period.values.due_on))
        for period in periods
        if period.from_on <= day.toordinal() <= period.to_on
    }
