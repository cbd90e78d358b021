"""The condition that a fact is known at an instant, part of every query over facts."""

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, inspect, select
from sqlalchemy.orm import aliased

from portal.platform.db import Fact

SomeFact = TypeVar("SomeFact", bound=Fact)


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


def choose_known(rows: Iterable[SomeFact], at: datetime) -> list[SomeFact]:
    """The rows that are known at an instant, as ``is_known_fact`` says, of facts that have been read.

    Args:
        rows: Facts of one class, with those that replace them.
        at: The instant whose knowledge counts.
    """
    recorded = [row for row in rows if row.recorded_at <= at]
    replaced = {row.replaces_id for row in recorded if row.replaces_id is not None}
    return [row for row in recorded if not row.void and row.id not in replaced]


def choose_known_rows(rows: Iterable[tuple[Any, ...]], at: datetime) -> list[tuple[Any, ...]]:
    """The rows that are known at an instant, of columns that were read of facts which are not void.

    Args:
        rows: The last two columns are when a fact was recorded and when another replaced it (None: never).
        at: The instant whose knowledge counts.
    """
    return [row for row in rows if row[-2] <= at and (row[-1] is None or row[-1] > at)]
