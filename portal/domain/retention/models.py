"""Tables of retention: periods, disposals, holds, and requests to correct or erase. Reasons are notes.

All are append-only, and none takes a stamp: a disposal is seen in no report, not even in the instant it is
known on.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import JSON, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId


class RetentionPeriod(Base):
    """How long the force keeps a class, from an instant on; the newest of a class counts."""

    __tablename__ = "retention_period"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    class_key: Mapped[str] = mapped_column(index=True)
    months: Mapped[int]
    set_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    set_at: Mapped[datetime]


class DisposalRequest(Base):
    """Somebody asked to dispose of all rows of a class that began on a day or before, as counted then."""

    __tablename__ = "disposal_request"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    class_key: Mapped[str] = mapped_column(index=True)
    months: Mapped[int]  # the period on which it is based
    through_on: Mapped[date]  # the newest day on which a period began that was over
    before_at: Mapped[datetime]  # the London midnight after that day
    rows: Mapped[int]  # due when it was asked for
    held: Mapped[int]  # due, but kept by a hold, then
    oldest_on: Mapped[date]  # the earliest day on which the period of one of them began
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime]


class DisposalDecision(Base):
    """The one answer to a request to dispose; granting it starts the job."""

    __tablename__ = "disposal_decision"
    __table_args__ = (
        CheckConstraint("outcome IN ('granted', 'refused', 'withdrawn')", name="outcome_is_known"),
    )

    request_id: Mapped[int] = mapped_column(ForeignKey("disposal_request.id"), primary_key=True)
    outcome: Mapped[str]
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime]
    job_reference: Mapped[UUID | None]


class DisposalSlice(Base):
    """What one short transaction of a disposal removed, so that one that was cut off still counts all."""

    __tablename__ = "disposal_slice"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    request_id: Mapped[int] = mapped_column(ForeignKey("disposal_request.id"), index=True)
    disposed_at: Mapped[datetime]
    counts: Mapped[dict[str, int]] = mapped_column(JSON)  # rows by what they are


class DisposalCertificate(Base):
    """What a disposal removed and left, written when it was done; never changed."""

    __tablename__ = "disposal_certificate"

    request_id: Mapped[int] = mapped_column(ForeignKey("disposal_request.id"), primary_key=True)
    began_at: Mapped[datetime]
    ended_at: Mapped[datetime]
    rows: Mapped[int]
    held: Mapped[int]  # left, because of a hold
    counts: Mapped[dict[str, int]] = mapped_column(JSON)  # rows by what they are
    words: Mapped[dict[str, Any]] = mapped_column(JSON)  # title, contents and reason of the class, as then


class LegalHold(Base):
    """Nothing of one person, one unit or one class is disposed of or erased while this stands."""

    __tablename__ = "legal_hold"
    __table_args__ = (
        CheckConstraint(
            "(person_id IS NOT NULL AND unit_id IS NULL AND class_key IS NULL)"
            " OR (person_id IS NULL AND unit_id IS NOT NULL AND class_key IS NULL)"
            " OR (person_id IS NULL AND unit_id IS NULL AND class_key IS NOT NULL)",
            name="one_subject",
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    class_key: Mapped[str | None]
    placed_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    placed_at: Mapped[datetime]


class LegalHoldEnd(Base):
    """A hold was lifted."""

    __tablename__ = "legal_hold_end"

    hold_id: Mapped[int] = mapped_column(ForeignKey("legal_hold.id"), primary_key=True)
    lifted_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    lifted_at: Mapped[datetime]


class DataRequest(Base):
    """A person asked the force to correct or erase data about them."""

    __tablename__ = "data_request"
    __table_args__ = (CheckConstraint("kind IN ('correction', 'erasure')", name="kind_is_known"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    kind: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)  # whose data
    received_on: Mapped[date]
    due_on: Mapped[date]
    noted_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    noted_at: Mapped[datetime]


class DataAnswer(Base):
    """The one answer to a request to correct or erase data."""

    __tablename__ = "data_answer"
    __table_args__ = (CheckConstraint("outcome IN ('done', 'refused')", name="outcome_is_known"),)

    request_id: Mapped[int] = mapped_column(ForeignKey("data_request.id"), primary_key=True)
    outcome: Mapped[str]
    answered_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    answered_at: Mapped[datetime]
    counts: Mapped[dict[str, int]] = mapped_column(JSON)  # of an erasure: what was erased
