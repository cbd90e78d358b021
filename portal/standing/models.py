"""The only derived table: spans of days and knowledge in which a standing does not change."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.db import Base, BigId

OPEN_KNOWN = 2**63 - 1  # known_to of what still holds
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros(instant: datetime) -> int:
    """The instant as spans hold it: whole microseconds since 1970, exactly."""
    return (instant - EPOCH) // timedelta(microseconds=1)


class StandingSpan(Base):
    """A rectangle of days and knowledge in which nothing about one position of one person changes.

    Days are ``date.toordinal()``, instants integer microseconds since 1970 in UTC. Position 0 is the
    person under the whole directive. Derived: ``directives reconcile --rebuild`` makes the same rows.
    """

    __tablename__ = "standing_span"
    __table_args__ = (
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
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    directive_id: Mapped[int] = mapped_column(ForeignKey("directive.id"))
    position: Mapped[int]
    from_on: Mapped[int]
    to_on: Mapped[int]
    known_from: Mapped[int] = mapped_column(BigInteger)
    known_to: Mapped[int] = mapped_column(BigInteger, default=OPEN_KNOWN)
    status: Mapped[int]  # a Status, by badness: 1 is the worst
    due_on: Mapped[int]
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"))
    satisfied_on: Mapped[int | None]
    valid_until: Mapped[int | None]
    late_days: Mapped[int | None]
    exclusion_id: Mapped[int | None] = mapped_column(ForeignKey("exclusion.id"))
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"))
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
