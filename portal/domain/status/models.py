"""The derived tables: status periods, and the status counts that are their sums.

Their constraints keep the names that they had before release 0.2.0 renamed the tables.
"""

from enum import IntEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Row,
    Select,
    UniqueConstraint,
    and_,
    func,
    literal_column,
    select,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute, Mapped, mapped_column

from portal.domain.directives.applies import LAST_DAY
from portal.platform.clock import EPOCH
from portal.platform.db import Base, BigId, StampAhead

OPEN_KNOWN = 2**63 - 1  # known_to of what is known now
DAY = 86_400_000_000  # microseconds
EVENING = DAY // 24 * 20  # 20:00: what is recorded later about its own day is in the indexes of late arrivals

# Of statements whose columns the type checker does not see.
Column = ColumnElement[Any] | InstrumentedAttribute[Any]
Statement = Select[*tuple[Any, ...]]
ResultRow = Row[*tuple[Any, ...]]

_RECTANGLE = ("from_on", "to_on", "known_from", "known_to")


def evening_of(day: int) -> int:
    """20:00 UTC of a day, in microseconds."""
    return (day - EPOCH.toordinal()) * DAY + EVENING


def _key_of(table: str, of: str = "span") -> ForeignKey:
    return ForeignKey(f"{table}.id", name=f"fk_standing_{of}_{table}_id")


class StatusPeriod(Base):
    """A rectangle of days and knowledge in which nothing about one position of one person changes.

    Days are ``date.toordinal()``, instants integer microseconds since 1970 in UTC. Position 0 is the
    person under the whole directive. Derived: ``directives reconcile --rebuild`` makes the same rows.
    The database does not check the ids of person, post and unit: rows are written ahead of them.
    """

    __tablename__ = "status_period"
    __table_args__ = (
        PrimaryKeyConstraint(name="pk_standing_span"),
        Index("ix_span_unit", "directive_id", "unit_id", "position", "status", *_RECTANGLE, "post_id"),
        Index(
            "ix_span_whole",
            *("directive_id", "unit_id", "status", *_RECTANGLE, "person_id", "post_id", "due_on"),
            sqlite_where=text("position = 0"),
            postgresql_where=text("position = 0"),
        ),
        Index("ix_span_person", "person_id", "directive_id", "position", *_RECTANGLE),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(BigId, info={"table": "person"})
    directive_id: Mapped[int] = mapped_column(_key_of("directive"))
    position: Mapped[int]
    from_on: Mapped[int]
    to_on: Mapped[int]
    known_from: Mapped[int] = mapped_column(BigInteger)
    known_to: Mapped[int] = mapped_column(BigInteger, default=OPEN_KNOWN)
    status: Mapped[int]  # a Status: 1 is the worst
    due_on: Mapped[int]
    record_id: Mapped[int | None] = mapped_column(_key_of("record"))
    satisfied_on: Mapped[int | None]
    valid_until: Mapped[int | None]
    late_days: Mapped[int | None]
    exclusion_id: Mapped[int | None] = mapped_column(_key_of("exclusion"))
    post_id: Mapped[int] = mapped_column(BigId, info={"table": "post"})
    unit_id: Mapped[int] = mapped_column(BigId, info={"table": "unit"})


def _literal_number(number: int) -> ColumnElement[int]:
    """A number in the text of a statement: a partial index is not found by parameters."""
    return literal_column(str(number), BigInteger)


_FIRST_EVENING = (StatusPeriod.from_on - _literal_number(EPOCH.toordinal())) * _literal_number(
    DAY
) + _literal_number(EVENING)
OPENED_LATE = StatusPeriod.known_from > _FIRST_EVENING
ENDED_LATE = and_(StatusPeriod.known_to > _FIRST_EVENING, StatusPeriod.known_to < _literal_number(OPEN_KNOWN))
# The stamp of which rows are being written ahead: what is known from then on is not known yet.
FIRST_AHEAD = select(func.coalesce(func.max(StampAhead.microseconds), OPEN_KNOWN)).scalar_subquery()
# True of every period. SQLite keeps no statistics and would use these indexes for other queries, so a query
# that is to use one of them names its condition.
HAS_FIRST_DAY = StatusPeriod.from_on > _literal_number(0)
HAS_LAST_DAY = StatusPeriod.to_on < _literal_number(LAST_DAY)


def _add_index(name: str, leading: Column, condition: ColumnElement[bool]) -> None:
    Index(name, StatusPeriod.directive_id, leading, sqlite_where=condition, postgresql_where=condition)


_add_index("ix_span_first", StatusPeriod.from_on, HAS_FIRST_DAY)
_add_index("ix_span_last", StatusPeriod.to_on, HAS_LAST_DAY)
_add_index("ix_span_opened_late", StatusPeriod.known_from, OPENED_LATE)
_add_index("ix_span_ended_late", StatusPeriod.known_to, ENDED_LATE)


class Kind(IntEnum):
    """What people are counted by, in addition to their group and status."""

    PLACE = 1  # people under the whole directive, by unit
    POSITION = 2  # by requirement; the whole directive is position 0
    DAYS = 3  # people under the whole directive, by their due date and by the last day in time


_GROUP = ("designated_role", "rank_or_grade", "reason")


class StatusGroup(Base):
    """People who are counted together: with one designated role and one rank or grade.

    ``reason`` is that of their exemption or deferral, where the count is by days; else empty.
    """

    __tablename__ = "status_group"
    __table_args__ = (
        PrimaryKeyConstraint(name="pk_standing_group"),
        UniqueConstraint(*_GROUP, name=f"uq_standing_group_{'_'.join(_GROUP)}"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    designated_role: Mapped[str]
    rank_or_grade: Mapped[str]
    reason: Mapped[str]


class StatusCount(Base):
    """How many people have a status, as known now: the sums of the open status periods.

    Where ``summed`` is 0, ``people`` is by how much their number changes on ``day``; where it is 1, their
    number on a day with a snapshot. So the number on any day is that of the last snapshot before it and
    the changes since. Columns that a ``kind`` does not count by are 0. Derived: ``directives reconcile``
    compares the counts with the periods and corrects them.
    """

    __tablename__ = "status_count"
    __table_args__ = (PrimaryKeyConstraint(name="pk_standing_total"), {"sqlite_with_rowid": False})

    directive_id: Mapped[int] = mapped_column(_key_of("directive", "total"), primary_key=True)
    kind: Mapped[int] = mapped_column(primary_key=True)  # a Kind
    summed: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
    unit_id: Mapped[int] = mapped_column(BigId, primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    status: Mapped[int] = mapped_column(primary_key=True)
    due_on: Mapped[int] = mapped_column(primary_key=True)
    since_on: Mapped[int] = mapped_column(primary_key=True)  # the last day in time of who is overdue
    group_id: Mapped[int] = mapped_column(
        ForeignKey("status_group.id", name="fk_standing_total_group_id"), primary_key=True
    )
    people: Mapped[int]


class StatusCountSnapshot(Base):
    """A day of a directive whose status counts are kept summed."""

    __tablename__ = "status_count_snapshot"
    __table_args__ = (PrimaryKeyConstraint(name="pk_standing_kept"), {"sqlite_with_rowid": False})

    directive_id: Mapped[int] = mapped_column(_key_of("directive", "kept"), primary_key=True)
    day: Mapped[int] = mapped_column(primary_key=True)
