"""The derived tables: spans of days and knowledge in which a standing does not change, and their sums.

Their constraints keep the names that they had before the tables were renamed by migration 0025.
"""

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    UniqueConstraint,
    and_,
    column,
    literal_column,
    table,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.directives.audience import LAST_DAY
from portal.platform.db import Base, BigId

OPEN_KNOWN = 2**63 - 1  # known_to of what still holds
LATEST = OPEN_KNOWN - 1  # after every instant
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400_000_000  # microseconds
EVENING = DAY // 24 * 20  # what is recorded later on its day stands in the indexes of what came late


def micros(instant: datetime) -> int:
    """The instant as spans hold it: whole microseconds since 1970, exactly."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def evening(day: int) -> int:
    """20:00 UTC of a day, as spans hold instants."""
    return (day - EPOCH.toordinal()) * DAY + EVENING


def _first_evening(span: Any) -> ColumnElement[int]:
    """The same of the first day of a span.

    Its numbers stand in the text of a statement: by parameters no index of some rows alone is found.
    """
    numbers = (EPOCH.toordinal(), DAY, EVENING)
    epoch, day, late = (literal_column(str(number), BigInteger) for number in numbers)
    found: ColumnElement[int] = (span.from_on - epoch) * day + late
    return found


def opened_late(span: Any) -> ColumnElement[bool]:
    """That a span became known after the evening of its first day."""
    return and_(span.known_from > _first_evening(span))


def ended_late(span: Any) -> ColumnElement[bool]:
    """That a span has ended, after the evening of its first day."""
    return and_(span.known_to > _first_evening(span), span.known_to < literal_column(str(OPEN_KNOWN)))


def begins(span: Any) -> ColumnElement[bool]:
    """That a span has a first day, as all have: who asks for it by days says so.

    SQLite, which keeps no statistics, would else find by it what other indexes find much sooner.
    """
    return and_(span.from_on > literal_column("0"))


def ends(span: Any) -> ColumnElement[bool]:
    """That a span has a last day."""
    return and_(span.to_on < literal_column(str(LAST_DAY)))


def _some(name: str, leading: str, condition: ColumnElement[bool]) -> Index:
    return Index(name, "directive_id", leading, sqlite_where=condition, postgresql_where=condition)


_row: Any = table("status_period", *map(column, ("from_on", "to_on", "known_from", "known_to"))).c


class StatusPeriod(Base):
    """A rectangle of days and knowledge in which nothing about one position of one person changes.

    Days are ``date.toordinal()``, instants integer microseconds since 1970 in UTC. Position 0 is the
    person under the whole directive. Derived: ``directives reconcile --rebuild`` makes the same rows.
    """

    __tablename__ = "status_period"
    __table_args__ = (
        PrimaryKeyConstraint(name="pk_standing_span"),
        Index(
            "ix_span_unit",
            "directive_id",
            "unit_id",
            "position",
            "status",
            "from_on",
            "to_on",
            "known_from",
            "known_to",
            "post_id",
        ),
        Index(
            "ix_span_whole",
            "directive_id",
            "unit_id",
            "status",
            "from_on",
            "to_on",
            "known_from",
            "known_to",
            "person_id",
            "post_id",
            "due_on",
            sqlite_where=text("position = 0"),
            postgresql_where=text("position = 0"),
        ),
        Index(
            "ix_span_person",
            "person_id",
            "directive_id",
            "position",
            "from_on",
            "to_on",
            "known_from",
            "known_to",
        ),
        _some("ix_span_first", "from_on", begins(_row)),
        _some("ix_span_last", "to_on", ends(_row)),
        _some("ix_span_opened_late", "known_from", opened_late(_row)),
        _some("ix_span_ended_late", "known_to", ended_late(_row)),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", name="fk_standing_span_person_id"))
    directive_id: Mapped[int] = mapped_column(
        ForeignKey("directive.id", name="fk_standing_span_directive_id")
    )
    position: Mapped[int]
    from_on: Mapped[int]
    to_on: Mapped[int]
    known_from: Mapped[int] = mapped_column(BigInteger)
    known_to: Mapped[int] = mapped_column(BigInteger, default=OPEN_KNOWN)
    status: Mapped[int]  # a Status, by badness: 1 is the worst
    due_on: Mapped[int]
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id", name="fk_standing_span_record_id"))
    satisfied_on: Mapped[int | None]
    valid_until: Mapped[int | None]
    late_days: Mapped[int | None]
    exclusion_id: Mapped[int | None] = mapped_column(
        ForeignKey("exclusion.id", name="fk_standing_span_exclusion_id")
    )
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id", name="fk_standing_span_post_id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id", name="fk_standing_span_unit_id"))


class Kind(IntEnum):
    """What people are counted by, beside their group and status."""

    PLACE = 1  # people under the whole directive, by unit
    POSITION = 2  # by requirement; the whole directive is position 0
    DAYS = 3  # people under the whole directive, by their due date and by the last day in time


class StatusGroup(Base):
    """People who are counted together: of one designated role and one rank or grade.

    ``reason`` is that of their exemption or deferral, where the count is by days; else empty.
    """

    __tablename__ = "status_group"
    __table_args__ = (
        PrimaryKeyConstraint(name="pk_standing_group"),
        UniqueConstraint(
            "designated_role",
            "rank_or_grade",
            "reason",
            name="uq_standing_group_designated_role_rank_or_grade_reason",
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    designated_role: Mapped[str]
    rank_or_grade: Mapped[str]
    reason: Mapped[str]


class StatusCount(Base):
    """How many people stand so, by what nothing has superseded: the sums of the open spans.

    Where ``summed`` is 0, by how much their number changes on ``day``; where it is 1, their number on it,
    which is a kept day. So the number on any day is that of the last kept day before it and the changes
    since. What does not count for a ``kind`` is 0. Derived: ``directives reconcile`` compares it with the
    spans and puts it right.
    """

    __tablename__ = "status_count"
    __table_args__ = (PrimaryKeyConstraint(name="pk_standing_total"), {"sqlite_with_rowid": False})

    directive_id: Mapped[int] = mapped_column(
        ForeignKey("directive.id", name="fk_standing_total_directive_id"), primary_key=True
    )
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
    """A day of a directive whose numbers are kept summed."""

    __tablename__ = "status_count_snapshot"
    __table_args__ = (PrimaryKeyConstraint(name="pk_standing_kept"), {"sqlite_with_rowid": False})

    directive_id: Mapped[int] = mapped_column(
        ForeignKey("directive.id", name="fk_standing_kept_directive_id"), primary_key=True
    )
    day: Mapped[int] = mapped_column(primary_key=True)
