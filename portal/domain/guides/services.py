"""Saying that a guide was read."""

from datetime import datetime

from portal.domain.guides import queries
from portal.domain.records import services as records
from portal.platform.errors import RuleError


def acknowledge_guide(person_id: int, key: str, number: int, *, at: datetime) -> str:
    """Record that a person read version ``number`` of a guide; twice on one day is the same as once.

    Args:
        person_id: The reader.
        key: The guide.
        number: The version that the reader had before them.
        at: Now, by the clock.

    Returns:
        The record's reference.

    Raises:
        NotFoundError: No such guide is published.
        RuleError: The guide asks nobody to acknowledge it, or a newer version was published meanwhile.
    """
    guide = queries.guide_for(person_id, key)
    if not guide.version.acknowledge:
        raise RuleError("This guide does not ask you to acknowledge it. Nothing was recorded.")
    if number != guide.version.number:
        raise RuleError("A newer version of this guide was published. Read it, then acknowledge it.")
    return records.record_acknowledgement(person_id, guide.version, at)
