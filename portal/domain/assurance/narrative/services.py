"""Writing a narrative: each saving is a version of its own, from a day on."""

from collections.abc import Sequence
from datetime import date, datetime

from portal.domain.assurance.desk import HeldRecommendation
from portal.domain.assurance.models import Narrative
from portal.domain.assurance.narrative.fields import NarrativeField
from portal.domain.assurance.narrative.rendering import check_narrative
from portal.domain.reports.parameters import EARLIEST, TOO_EARLY
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp
from portal.platform.errors import BadInputError, RuleError

NOT_YET = "Choose today or an earlier date. A narrative holds from the day on which it was agreed."


def write_narrative(
    held: HeldRecommendation,
    text: str,
    fields: Sequence[NarrativeField],
    *,
    from_on: date,
    by: int,
    at: datetime,
) -> None:
    """Record the next version of a recommendation's narrative; in the caller's transaction.

    Args:
        held: The recommendation as it is now.
        text: Markdown with fields.
        fields: Those that it may have now.
        from_on: From which day it holds; it may be entered late.
        by: Who writes it.
        at: The current instant.

    Raises:
        BadInputError: The text is empty or too long, has an unknown field, or its Markdown is faulty.
        RuleError: The day is still to come, or before 1900.
    """
    recorded_at = stamp()
    refuse_day(from_on, london_day(at))
    if faults := check_narrative(text, fields):
        raise BadInputError(faults)
    db.session.add(
        Narrative(
            recorded_at=recorded_at,
            recommendation_id=held.id,
            from_on=from_on,
            text=text,
            recorded_by_id=by,
        )
    )
    log("narrative.written", actor_id=by, recommendation=held.key, from_on=from_on.isoformat())


def refuse_day(from_on: date, today: date) -> None:
    """Refuse a day from which nothing can hold.

    Raises:
        RuleError: It is still to come, or before 1900.
    """
    if from_on > today:
        raise RuleError(NOT_YET)
    if from_on < EARLIEST:
        raise RuleError(TOO_EARLY)
