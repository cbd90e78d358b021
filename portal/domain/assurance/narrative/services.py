"""Writing a narrative: each saving is a version of its own, from a day on."""

from collections.abc import Sequence
from datetime import date, datetime

from portal.domain.assurance.entering import add_entry, begin_entry, require_recommendation
from portal.domain.assurance.models import Narrative
from portal.domain.assurance.narrative.fields import NarrativeField
from portal.domain.assurance.narrative.rendering import check_narrative
from portal.platform.audit.services import log
from portal.platform.errors import BadInputError


def write_narrative(
    key: str, text: str, fields: Sequence[NarrativeField], *, from_on: date, by: int, at: datetime
) -> None:
    """Record the next version of a recommendation's narrative; in the caller's transaction.

    Args:
        key: Of the recommendation.
        text: Markdown with fields.
        fields: Those that it may have now.
        from_on: From which day it holds; it may be entered late.
        by: Who writes it.
        at: The current instant.

    Raises:
        BadInputError: The text is empty or too long, has an unknown field, or its Markdown is faulty.
        EntryRefusedError: The day is still to come, or before 1900.
        NotFoundError: There is no such recommendation.
    """
    position = begin_entry(from_on, at)
    recommendation = require_recommendation(key)
    if faults := check_narrative(text, fields):
        raise BadInputError(faults)
    add_entry(Narrative, position, by=by, recommendation_id=recommendation.id, text=text)
    log("narrative.written", actor_id=by, recommendation=key, from_on=from_on.isoformat())
