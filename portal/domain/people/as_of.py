"""The condition that a fact is known at an instant, part of every query over facts."""

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, inspect, select
from sqlalchemy.orm import aliased

from portal.platform.db import Fact


@cache
def _replacement_alias(fact: type[Fact]) -> Any:
    """An alias of the same table, cached because building it is most of a statement's cost."""
    return aliased(fact)


def is_known_fact(fact: type[Fact], at: datetime | None = None) -> ColumnElement[bool]:
    """WHERE clause: a row of ``fact`` is known: recorded, not void, and not replaced by another row.

    Args:
        fact: A fact's class, or an alias of one.
        at: The instant whose knowledge counts; None for all that has been recorded so far.
    """
    later = _replacement_alias(inspect(fact).mapper.class_)
    # The second condition is redundant; it keeps the many rows that replace nothing out of an index scan.
    replacement = select(later.id).where(later.replaces_id == fact.id, later.replaces_id.is_not(None))
    if at is not None:
        replacement = replacement.where(later.recorded_at <= at)
    conditions = [fact.void.is_(False), ~replacement.correlate(fact).exists()]
    if at is not None:
        conditions.append(fact.recorded_at <= at)
    return and_(*conditions)
