"""The demo's dip samples: a year of counts by teams that have cases, with a missing month and a correction.

Each month is recorded in the first week of the next one. The generator is its own, so that the rest of the
force is what it was.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from random import Random

from portal.feature import ForceInMaking
from portal.features.dip_samples.queries import find_sample
from portal.features.dip_samples.rules import SampleCounts, SampleEntry
from portal.features.dip_samples.services import EARLIEST, record_sample
from portal.platform.months import add_months, first_of_month

MONTHS = 12
SUPERVISOR = "D2001"  # of the first team
FORCE_LEAD = "D4001"
FIRST_TEAM = "Response/Response North/Team A"
SLOW_TEAM = "Response/Response South/Team B"
INCOMPLETE_TEAM = "Response/Response South/Team D"  # has not recorded one month
TEAMS = (
    *(f"Response/Response North/Team {letter}" for letter in "ABCD"),
    *(f"Response/Response South/Team {letter}" for letter in "ABCD"),
    "Response/Roads Policing/Team A",
    "Investigation/CID/Team A",
    "Contact and Custody/Custody/Team A",
    "Contact and Custody/Custody/Team B",
)
DayAct = tuple[date, Callable[[], None]]


def schedule_samples(force: ForceInMaking) -> None:
    """Add what supervisors record to the days on which they do."""
    for day, act in plan_samples(force.today, force.first_day, force.people, force.units):
        force.days[day].append(act)


def plan_samples(
    today: date, first_day: date, people: Mapping[str, int], units: Mapping[str, int]
) -> Iterator[DayAct]:
    """What supervisors record on which day; the supervisor's last month is left for whoever tries the demo.

    Args:
        today: The day on which the demo is made.
        first_day: The first of the force's history.
        people: Ids of people, by staff number.
        units: Ids of units, by the path below the force.
    """
    random = Random(40)  # noqa: S311 - a repeatable force, not a secret
    this_month = first_of_month(today)
    for months_ago in range(MONTHS, 0, -1):
        month = add_months(this_month, -months_ago)
        for index, team in enumerate(TEAMS):
            entry = _invent_entry(random, units[team], month, team, MONTHS - months_ago)
            day = add_months(month, 1) + timedelta(days=index % 5)
            is_missing = (team == FIRST_TEAM and months_ago == 1) or (
                team == INCOMPLETE_TEAM and months_ago == 2
            )
            if day >= today or day <= first_day or month < EARLIEST or is_missing:
                continue
            by = people[SUPERVISOR if team == FIRST_TEAM else FORCE_LEAD]
            yield day, partial(_record_entry, entry, by, day)
            corrected_on = day + timedelta(days=9)
            if (
                team == FIRST_TEAM
                and months_ago == 3
                and corrected_on < today
                and entry.counts.missing_documents
            ):
                yield corrected_on, partial(_record_entry, _correct_entry(entry), by, corrected_on)


def _invent_entry(random: Random, unit_id: int, month: date, team: str, progress: int) -> SampleEntry:
    """Counts that rise over the year; one team stays behind, and custody reports few cases."""
    reported = random.randint(1, 3) if "Custody" in team else random.randint(5, 13)
    probability = 0.45 if team == SLOW_TEAM else min(0.6 + 0.03 * progress, 0.93)
    submitted = _draw_count(random, reported, probability)
    sampled = min(submitted, 5)
    complete = _draw_count(random, sampled, probability)
    counts = SampleCounts(
        reported=reported,
        submitted=submitted,
        on_time=_draw_count(random, submitted, min(probability + 0.05, 0.95)),
        sampled=sampled,
        complete=complete,
        graded=_draw_count(random, sampled, 0.9),
        returned=sampled - complete,
    )
    reason = random.choice(("no_time", "not_known_due", "in_hand")) if counts.missing_documents else ""
    return SampleEntry(unit_id, month, counts, reason)


def _draw_count(random: Random, among: int, probability: float) -> int:
    """Draw how many of ``among`` documents count, each with the same probability."""
    return sum(random.random() < probability for _ in range(among))


def _correct_entry(entry: SampleEntry) -> SampleEntry:
    """The same month after one more document came in."""
    counts = replace(entry.counts, submitted=entry.counts.submitted + 1)
    return replace(entry, counts=counts, reason="came_later")


def _record_entry(entry: SampleEntry, by: int, day: date) -> None:
    """Record an entry on its day, or correct what is known of its month."""
    known_sample = find_sample(entry.unit_id, entry.month)
    replaces = known_sample.id if known_sample else None
    record_sample(entry, replaces=replaces, by=by, at=datetime.combine(day, time(19), UTC))
