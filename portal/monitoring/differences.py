"""What is known now of a past day and was not known then: whose standing differs, and how."""

from dataclasses import dataclass

from portal.monitoring.figures import Figures
from portal.monitoring.openable import numbers_and_names, openable
from portal.monitoring.queries import CompletionReport
from portal.standing.algebra import Status

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Difference:
    """One person who stood otherwise as known then; None: was not, or is not, assigned."""

    staff_number: str
    name: str
    then: Status | None
    now: Status | None
    opens: bool  # the viewer may open the page, whose timeline has the facts


@dataclass(frozen=True, slots=True)
class KnownNow:
    """The same day with today's knowledge, beside a report of earlier knowledge."""

    figures: Figures
    count: int  # people who stand otherwise
    listed: list[Difference]  # the first of them, by surname


def known_now(then: CompletionReport, now: CompletionReport) -> KnownNow:
    """How the standing of the people differs between two reports of one day."""
    before, after = then.standings(), now.standings()
    changed = [
        person_id
        for person_id in before.keys() | after.keys()
        if before.get(person_id) != after.get(person_id)
    ]
    named = numbers_and_names(changed)[:SHOWN]
    opened = openable(then.viewer, [person_id for person_id, _, _ in named])
    listed = [
        Difference(number, name, before.get(person_id), after.get(person_id), person_id in opened)
        for person_id, number, name in named
    ]
    return KnownNow(now.figures, len(changed), listed)
