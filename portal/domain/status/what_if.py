"""Where a person would stand if one more fact were known: the same spans, over facts in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

from portal.domain.directives.fact_loader import Worlds
from portal.domain.status.facts import facts_of
from portal.domain.status.periods import WHOLE, PersonFacts, Span, spans
from portal.domain.status.rules import Status
from portal.platform.db import newest_stamp

__all__ = ["WHOLE", "PersonFacts", "Place", "Stood", "Supposed", "suppose"]

Place = tuple[int, int]  # directive, position
Stood = tuple[Status, date]  # with the due date
Add = Callable[[PersonFacts, datetime], None]


@dataclass(frozen=True, slots=True)
class Supposed:
    """A person's spans as they are known, and as they would be."""

    known_on: datetime
    before: set[Span]
    after: set[Span]
    activities: dict[Place, int]

    def stood(self, day: date) -> dict[Place, Stood]:
        """Where the person stands on ``day``."""
        return _on(self.before, day)

    def stands(self, day: date) -> dict[Place, Stood]:
        """Where the person would stand on ``day``: in the same places."""
        return _on(self.after, day)


def suppose(person_id: int, add: Add, *, now: datetime) -> Supposed:
    """Work out what one more fact would change; nothing is written.

    Args:
        person_id: Whose fact it is.
        add: Puts it among the person's facts, as recorded on the instant it is given.
        now: This instant; what was recorded later than that by the clock is known too.
    """
    t = max(now, newest_stamp() or now)
    worlds = Worlds()
    versions = {version.id: version for version in worlds.versions}
    world = worlds.known(t)
    facts = facts_of([person_id], versions)[person_id]
    before = spans(facts, versions, world, t)
    add(facts, t)
    after = spans(facts, versions, world, t)
    activities = {
        (directive_id, position): activity_id
        for directive_id, stretches in facts.assignments.items()
        for _, version_id in stretches
        for position, activity_id in versions[version_id].positions
    }
    return Supposed(t, before, after, activities)


def _on(found: set[Span], day: date) -> dict[Place, Stood]:
    at = day.toordinal()
    return {
        (span.directive_id, span.position): (
            Status(span.values.status),
            date.fromordinal(span.values.due_on),
        )
        for span in found
        if span.from_on <= at <= span.to_on
    }
