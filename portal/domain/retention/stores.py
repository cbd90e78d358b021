"""What a class of data is in the database: which rows are due, whom each concerns, and how they are removed.

A class has one store or several. Each store names its rows by one key, says on which day the period of each
began, and removes a few hundred of them at a time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, delete, exists, false, or_, select
from sqlalchemy import text as sql

from portal.domain.people.models import FactNote
from portal.platform.clock import end_of_day
from portal.platform.db import db

People = Select[Any] | CompoundSelect[Any]  # ids of people under a hold
Condition = Any  # an SQL condition or column


class Limit(NamedTuple):
    """Rows whose period began on ``through_on`` or before are due."""

    through_on: date

    @property
    def before_at(self) -> datetime:
        """The London midnight after that day."""
        return end_of_day(self.through_on) + timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class DueRows:
    """The due rows of one store, before holds.

    Attributes:
        key: Names one row.
        began: The instant or day on which its period began.
        source: What both are read from, with its joins and conditions.
        people: Columns with the people whom a row concerns; none where it concerns nobody.
        concerned: Further conditions that a row concerns one of these people.
    """

    key: Condition
    began: Condition
    source: Select[Any]
    people: tuple[Condition, ...] = ()
    concerned: Callable[[People], Condition] | None = None

    def is_held(self, held_people: People | None) -> Condition:
        """The condition that a row concerns somebody under a hold."""
        if held_people is None:
            return false()
        conditions = [and_(person.is_not(None), person.in_(held_people)) for person in self.people]
        conditions += [self.concerned(held_people)] if self.concerned else []
        return or_(false(), *conditions)


@dataclass(frozen=True, slots=True)
class Store:
    """One kind of row of a class.

    Attributes:
        name: What the rows are, in the plural, as certificates count them.
        due_rows: Gives the due rows.
        remove: Removes these keys; in the caller's transaction.
    """

    name: str
    due_rows: Callable[[Limit], DueRows]
    remove: Callable[[Sequence[Any]], None]


def erase_for_good() -> None:
    """Have SQLite overwrite what this connection deletes: else it stays in the file until written over."""
    if db.engine.dialect.name == "sqlite":
        db.session.execute(sql("PRAGMA secure_delete = ON"))


def remove_by(table: Any, column: Any) -> Callable[[Sequence[Any]], None]:
    """A function that deletes the rows of a table whose column is one of these keys."""

    def remove(keys: Sequence[Any]) -> None:
        db.session.execute(
            delete(table).where(column.in_(keys)), execution_options={"synchronize_session": False}
        )

    return remove


def notes_of_fact(
    name: str, fact: Any, began: Condition, people: tuple[Condition, ...], joins: Sequence[Any], *wheres: Any
) -> Store:
    """The texts beside facts of one table.

    Args:
        name: What they are.
        fact: The class of the facts.
        began: The instant from which their period runs.
        people: Whom they concern.
        joins: Pairs of a table and the condition that joins it, beginning with the fact.
        wheres: Further conditions.
    """

    def due_rows(limit: Limit) -> DueRows:
        source = select().select_from(FactNote)
        source = source.join(
            fact, and_(FactNote.fact_table == fact.__tablename__, FactNote.fact_id == fact.id)
        )
        for table, condition in joins:
            source = source.join(table, condition)
        return DueRows(FactNote.id, began, source.where(began < limit.before_at, *wheres), people)

    return Store(name, due_rows, remove_by(FactNote, FactNote.id))


def has_row(column: Any, value: Any, *conditions: Any) -> ColumnElement[bool]:
    """The condition that a row of the column's table has this value in it."""
    return exists().where(column == value, *conditions)
