"""Acknowledgement of guides."""

from datetime import datetime

from portal.domain.guides import queries
from portal.domain.records import services as records
from portal.platform.errors import RuleError


def acknowledge_guide(person_id: int, key: str, number: int, *, at: datetime) -> str:
    """Record that a person has read version ``number`` of a guide. Repeat-safe within one day.

    Args:
        person_id: The reader.
        key: The guide's key.
        number: The version that the reader was shown.
        at: Now, by the clock.

    Returns:
        The record's reference.

    Raises:
        NotFoundError: No guide with this key is published.
        RuleError: The guide does not need acknowledgement, or a newer version was published meanwhile.
    """
    guide = queries.guide_for(person_id, key)
    if not guide.version.acknowledge:
        raise RuleError("You do not have to acknowledge this guide. Nothing was recorded.")
    if number != guide.version.number:
        raise RuleError("A newer version of this guide was published. Read it, then acknowledge it.")
    return records.record_acknowledgement(person_id, guide.version, at)
