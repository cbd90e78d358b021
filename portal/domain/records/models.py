"""Tables of registrations, lesson visits, extra attempts, records and revocations."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId, Fact, unique_index


class Registration(Fact):
    """A learner began one module version: by Start, by a lesson marked complete or by an attempt."""

    __tablename__ = "registration"
    __table_args__ = (Index("ix_registration_person_activity", "person_id", "activity_id", "started_on"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"))
    module_version_id: Mapped[int] = mapped_column(ForeignKey("module_version.id"))
    started_at: Mapped[datetime]
    started_on: Mapped[date]  # London day of started_at
    duties: Mapped[list[str]] = mapped_column(JSON, server_default="[]")  # by the posts of that day


class LessonVisit(Base):
    """A lesson was opened or marked complete under a registration; append-only."""

    __tablename__ = "lesson_visit"
    __table_args__ = (
        CheckConstraint("kind IN ('opened', 'completed')", name="kind_is_known"),
        Index("ix_lesson_visit_registration", "registration_id", "lesson_id", "kind"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lesson.id"))
    kind: Mapped[str]


class ExtraAttempt(Base):
    """One more attempt was opened, after all that the module allows were used; append-only."""

    __tablename__ = "extra_attempt"
    __table_args__ = (UniqueConstraint("registration_id", "opened_on"),)  # twice on a day is once

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]  # the transaction's stamp: when it was opened
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    opened_on: Mapped[date]  # London day of recorded_at
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str]  # a category, never free text


class Record(Fact):
    """A person achieved an activity, from whatever source. Each source has its own table with details."""

    __tablename__ = "record"
    __table_args__ = (
        Index("ix_record_person_activity", "person_id", "activity_id", "achieved_on"),
        Index("ix_record_recorded_at", "recorded_at"),
        Index("ix_record_reference", "reference"),
        unique_index("uq_record_reference_first", "reference", where="replaces_id IS NULL"),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"))
    achieved_at: Mapped[datetime]
    achieved_on: Mapped[date]  # London day of achieved_at
    source: Mapped[str]  # assessed, attended, acknowledged, waived, imported, external
    reference: Mapped[str]  # OIC-XXXX-XXXX-C; a correction keeps it


class PassRecord(Base):
    """The unchangeable proof of a pass, with the rule by which it was judged; one for each registration."""

    __tablename__ = "pass_record"
    __table_args__ = (
        CheckConstraint("mastery_score BETWEEN 0 AND 1", name="mastery_score_is_scaled"),
        CheckConstraint("score_raw BETWEEN 0 AND score_max", name="score_in_range"),
    )

    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"), unique=True)
    module_version_id: Mapped[int] = mapped_column(ForeignKey("module_version.id"))
    attempt_id: Mapped[UUID] = mapped_column(ForeignKey("attempt.id"), unique=True)
    score_raw: Mapped[Decimal] = mapped_column(Numeric(7, 4))
    score_max: Mapped[int]
    mastery_score: Mapped[Decimal] = mapped_column(Numeric(5, 4))


class Waiver(Base):
    """Prior learning recognised, with its reason category and who decided; evidence is a note."""

    __tablename__ = "waiver"

    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), primary_key=True)
    reason: Mapped[str]
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class ImportedRecord(Base):
    """A completion imported from another system; evidence is a note."""

    __tablename__ = "imported_record"
    __table_args__ = (CheckConstraint("score_scaled BETWEEN 0 AND 1", name="score_is_scaled"),)

    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), primary_key=True)
    source_system: Mapped[str]
    score_scaled: Mapped[Decimal | None] = mapped_column(Numeric(5, 4))


class Acknowledgement(Base):
    """A reader stated that they have read this version of a guide."""

    __tablename__ = "acknowledgement"

    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), primary_key=True)
    guide_version_id: Mapped[int] = mapped_column(ForeignKey("guide_version.id"))


class AttendanceRecord(Base):
    """The unchangeable proof that a person attended an event, signed off by a facilitator."""

    __tablename__ = "attendance_record"

    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), primary_key=True)
    event_type_version_id: Mapped[int] = mapped_column(ForeignKey("event_type_version.id"))
    event_reference: Mapped[str]  # of the event, which is in a room above
    signed_off_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class Revocation(Fact):
    """A record does not count from a day on (its own day, if it was never a pass)."""

    __tablename__ = "revocation"

    record_id: Mapped[int] = mapped_column(ForeignKey("record.id"), index=True)
    from_on: Mapped[date]
    reason: Mapped[str]
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
