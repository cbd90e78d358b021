"""Recording, correcting and withdrawing what a supervisor counted of a unit and a month."""

from datetime import date, datetime

from portal.domain.catalogue.guide_publishing import current_guide
from portal.domain.dip_samples.measures import (
    CountRefusedError,
    SampleEntry,
    refuse_false_counts,
    refuse_false_reason,
)
from portal.domain.dip_samples.models import COUNTS, DipSample
from portal.domain.dip_samples.queries import entry_of, find_sample
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp
from portal.platform.errors import ConflictError, RuleError
from portal.platform.months import first_of_month

CHECKLIST = "intelligence-document"  # the guide with the supervisor's checklist
EARLIEST = date(2020, 1, 1)  # before it, the year was mistyped


def record_sample(entry: SampleEntry, *, replaces: int | None, by: int, at: datetime) -> int | None:
    """Record the counts of a unit and a month, or correct them.

    Args:
        entry: What was counted.
        replaces: The sample that the supervisor saw and corrects; None: there was none.
        by: Who counted.
        at: Now.

    Returns:
        The id of the new row; None: the same counts and reason are recorded already, and nothing was written.

    Raises:
        CountRefusedError: The counts cannot be true, or the month has not begun.
        ConflictError: Somebody else recorded or corrected this month meanwhile.
    """
    recorded_at = stamp()
    refuse_wrong_month(entry.month, london_day(at))
    earlier = find_sample(entry.unit_id, entry.month)
    if earlier is not None and entry_of(earlier) == entry:
        return None
    if (earlier.id if earlier else None) != replaces:
        raise ConflictError(
            "Somebody else has recorded this unit and month meanwhile. Look at it, then correct it if needed."
        )
    refuse_false_counts(entry.counts)
    refuse_false_reason(entry, corrects=earlier is not None)
    action = "dip_sample.corrected" if earlier else "dip_sample.recorded"
    log(action, actor_id=by, unit_id=entry.unit_id, month=f"{entry.month:%Y-%m}")
    return add_sample(entry, replaces=replaces, by=by, recorded_at=recorded_at)


def add_sample(
    entry: SampleEntry, *, replaces: int | None, by: int, recorded_at: datetime, void: bool = False
) -> int:
    """Add a row that was checked, with the checklist of this instant; return its id."""
    guide = current_guide(CHECKLIST)
    row = DipSample(
        recorded_at=recorded_at,
        replaces_id=replaces,
        void=void,
        unit_id=entry.unit_id,
        month=entry.month,
        guide_version_id=guide.id if guide else None,
        reason=entry.reason,
        recorded_by_id=by,
        **{name: getattr(entry.counts, name) for name in COUNTS},
    )
    db.session.add(row)
    db.session.flush()
    return row.id


def withdraw_sample(sample_id: int, *, by: int) -> None:
    """Withdraw a sample, such as one of the wrong unit: adds a void row.

    Raises:
        ConflictError: It was corrected or withdrawn meanwhile.
    """
    recorded_at = stamp()
    sample = db.session.get_one(DipSample, sample_id)
    current = find_sample(sample.unit_id, sample.month)
    if current is None or current.id != sample_id:
        raise ConflictError("This sample was corrected or withdrawn meanwhile.")
    add_sample(entry_of(sample), replaces=sample_id, by=by, recorded_at=recorded_at, void=True)
    log("dip_sample.withdrawn", actor_id=by, unit_id=sample.unit_id, month=f"{sample.month:%Y-%m}")


def refuse_wrong_month(month: date, today: date) -> None:
    """Refuse a month that has not begun, and one that was mistyped.

    Raises:
        CountRefusedError: The month has not begun, or is before ``EARLIEST``.
        RuleError: The date is not the first day of a month.
    """
    if month != first_of_month(month):
        raise RuleError("A month is named by its first day.")
    if month > today:
        raise CountRefusedError("month", "This month has not begun. Choose an earlier one.")
    if month < EARLIEST:
        raise CountRefusedError("month", "Choose January 2020 or a later month.")
