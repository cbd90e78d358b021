"""Which facts are known: the one condition that every read of facts carries."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, inspect, select
from sqlalchemy.orm import aliased

from portal.platform.db import Fact


@cache
def _replacement_alias(fact: type[Fact]) -> Any:
    """The same table under another name; made once, since making it is the dear part of a statement."""
    return aliased(fact)


def is_known_fact(fact: type[Fact], at: datetime | None = None) -> ColumnElement[bool]:
    """That a row of ``fact`` is known: recorded, not void, and not replaced by another row.

    Args:
        fact: A fact's class, or an alias of one.
        at: The instant whose knowledge counts; None for all that has been recorded so far.
    """
    later = _replacement_alias(inspect(fact).mapper.class_)
    # Most rows replace nothing: said apart, since a database that reads all of the index reads these too.
    replacement = select(later.id).where(later.replaces_id == fact.id, later.replaces_id.is_not(None))
    if at is not None:
        replacement = replacement.where(later.recorded_at <= at)
    conditions = [fact.void.is_(False), ~replacement.correlate(fact).exists()]
    if at is not None:
        conditions.append(fact.recorded_at <= at)
    return and_(*conditions)
