"""Dip samples, recorded as a supervisor records them."""

from datetime import date

from portal.features.dip_samples.queries import find_sample
from portal.features.dip_samples.rules import SampleCounts, SampleEntry
from portal.features.dip_samples.services import record_sample
from portal.platform import clock
from portal.platform.db import transaction

APRIL = date(2026, 4, 1)
COUNTS = SampleCounts(reported=12, submitted=9, on_time=8, sampled=5, complete=4, graded=5, returned=1)


def make_sample(
    unit: int, by: int, month: date = APRIL, counts: SampleCounts = COUNTS, reason: str = "no_time"
) -> int | None:
    """What a supervisor counts of a unit and a month, now; a correction where something is known."""
    with transaction():
        known = find_sample(unit, month)
        replaces = known.id if known else None
        return record_sample(
            SampleEntry(unit, month, counts, reason), replaces=replaces, by=by, at=clock.now()
        )


def few(submitted: int, reported: int) -> SampleCounts:
    """Counts of documents of which none was read."""
    return SampleCounts(reported, submitted, submitted, 0, 0, 0, 0)
