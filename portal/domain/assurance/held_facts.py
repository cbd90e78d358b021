"""Which of several dated facts holds at a position: of those known, the one from the latest day."""

from collections.abc import Iterable
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select

from portal.domain.people.as_of import choose_known, is_known_fact
from portal.domain.reports.parameters import Position
from portal.platform.db import Fact, db

Dated = TypeVar("Dated", bound=Fact)


def list_held_facts(fact: type[Dated], position: Position, *conditions: ColumnElement[bool]) -> list[Dated]:
    """The facts of a class that are known at a position and hold from its day or an earlier one.

    Args:
        fact: A class with ``from_on``.
        position: As at which day, as known on which instant.
        conditions: Which facts; all of them unless given.

    Returns:
        The latest day last; of one day, the one recorded last. One statement.
    """
    from_on = fact.from_on  # type: ignore[attr-defined]
    statement = (
        select(fact)
        .where(is_known_fact(fact, position.as_known_on), from_on <= position.as_at, *conditions)
        .order_by(from_on, fact.recorded_at, fact.id)
    )
    return list(db.session.scalars(statement))


def read_held_by_subject(
    fact: type[Dated], key: str, position: Position, *conditions: ColumnElement[bool]
) -> dict[int, Dated]:
    """The fact that holds of each thing at a position, by the id of the thing. One statement.

    Args:
        fact: A class with ``from_on``.
        key: The column with the id of what the fact is about, such as ``action_id``.
        position: As at which day, as known on which instant.
        conditions: Which facts; all of them unless given.
    """
    return {getattr(row, key): row for row in list_held_facts(fact, position, *conditions)}


def choose_held_facts(rows: Iterable[Dated], position: Position) -> list[Dated]:
    """The same of facts that have been read: those that ``list_held_facts`` would list, in its order.

    Args:
        rows: Facts of one class, with those that replace them.
        position: As at which day, as known on which instant.
    """
    known = choose_known(rows, position.as_known_on)
    facts = [row for row in known if _first_day(row) <= position.as_at]
    return sorted(facts, key=lambda row: (_first_day(row), row.recorded_at, row.id))


def choose_held_by_subject(rows: Iterable[Dated], key: str, position: Position) -> dict[int, Dated]:
    """The same of facts that have been read: what ``read_held_by_subject`` would read."""
    return {getattr(row, key): row for row in choose_held_facts(rows, position)}


def _first_day(row: Any) -> date:
    day: date = row.from_on
    return day
