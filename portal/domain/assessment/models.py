"""Attempts at a module's assessment, the responses saved in them, and their submissions."""

from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId


class Attempt(Base):
    """One run through an assessment; its items are drawn and its mastery score frozen when it begins."""

    __tablename__ = "attempt"
    __table_args__ = (
        UniqueConstraint("registration_id", "number"),
        CheckConstraint("mastery_score BETWEEN 0 AND 1", name="mastery_score_is_scaled"),
        Index("ix_attempt_registration", "registration_id", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    number: Mapped[int]  # counts from 1 within the registration
    mastery_score: Mapped[Decimal] = mapped_column(Numeric(5, 4))  # scaled, 0 to 1
    drawn: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    # [{"item_id", "order": [the kind's keys, shuffled]}], in the order in which they are shown
    duties: Mapped[list[str]] = mapped_column(
        JSON, server_default="[]"
    )  # that weighted the draw, as on that day
    started_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Response(Base):
    """One saving of an answer: a new row each time; the last before submission counts."""

    __tablename__ = "response"
    __table_args__ = (Index("ix_response_attempt_item", "attempt_id", "item_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"))
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"))
    choices: Mapped[list[str]] = mapped_column(JSON)  # keys, as the item's kind writes them; never texts
    saved_at: Mapped[datetime]
    recorded_at: Mapped[datetime]


class Submission(Base):
    """The marked end of an attempt: a fact, written once, never changed.

    The mastery score is copied from the attempt, which copied it from the module version when it
    started, so a later version never changes how an open attempt is judged.
    """

    __tablename__ = "submission"
    __table_args__ = (
        CheckConstraint("mastery_score BETWEEN 0 AND 1", name="mastery_score_is_scaled"),
        CheckConstraint("score_raw BETWEEN 0 AND score_max", name="score_in_range"),
        Index("ix_submission_scored", "attempt_id", "submitted_at", "recorded_at", "score_raw", "score_max"),
    )

    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"), primary_key=True)
    score_raw: Mapped[Decimal] = mapped_column(Numeric(7, 4))  # sum of the items' marks, each 0 to 1
    score_max: Mapped[int]  # marks available: the number of items
    mastery_score: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    marks: Mapped[dict[str, str]] = mapped_column(JSON)  # item id -> mark, four places
    submitted_at: Mapped[datetime]
    recorded_at: Mapped[datetime]  # the transaction's stamp

    @property
    def passed(self) -> bool:
        """Whether the marks reach the mastery score."""
        return reaches_mastery(self.score_raw, self.score_max, self.mastery_score)


def reaches_mastery(raw: Decimal, maximum: int, mastery: Decimal) -> bool:
    """Whether ``raw`` of ``maximum`` marks reach the scaled mastery score; compared exactly, not rounded."""
    return raw >= mastery * maximum
