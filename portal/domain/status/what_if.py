"""What-if: a person's status if one more fact were known, by the same rules over facts in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from portal.domain.directives.fact_loader import RuleHistory
from portal.domain.status.facts import load_facts
from portal.domain.status.periods import WHOLE, Period, PersonFacts, compute_periods
from portal.domain.status.rules import Status
from portal.platform.db import newest_stamp

__all__ = ["WHOLE", "PersonFacts", "Place", "StatusWithDueDay", "WhatIf", "project_what_if"]

Place = tuple[int, int]  # directive, position
StatusWithDueDay = tuple[Status, date]  # with the due date
AddFact = Callable[[PersonFacts, datetime], None]


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A person's spans as they are known, and as they would be."""

    known_on: datetime
    before: set[Period]
    after: set[Period]
    activities: dict[Place, int]

    def statuses_before(self, day: date) -> dict[Place, StatusWithDueDay]:
        """Where the person stands on ``day``."""
        return _list_statuses(self.before, day)

    def statuses_after(self, day: date) -> dict[Place, StatusWithDueDay]:
        """Where the person would stand on ``day``: in the same places."""
        return _list_statuses(self.after, day)


def project_what_if(person_id: int, add: AddFact, *, now: datetime) -> WhatIf:
    """Work out what one more fact would change; nothing is written.

    Args:
        person_id: Whose fact it is.
        add: Puts it among the person's facts, as recorded on the given instant.
        now: This instant; what was recorded later than that by the clock is known too.
    """
    t = max(now, newest_stamp() or now)
    history = RuleHistory()
    facts = load_facts([person_id], history.versions)[person_id]
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


def _list_statuses(found: set[Period], day: date) -> dict[Place, StatusWithDueDay]:
    at = day.toordinal()
    return {
        (span.directive_id, span.position): (
            Status(span.values.status),
            date.fromordinal(span.values.due_on),
        )
        for span in found
        if span.from_on <= at <= span.to_on
    }
