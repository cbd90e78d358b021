"""Tables of case runs and the steps saved in them."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId


class CaseRun(Base):
    """A learner works once through a lesson that is a case; append-only, and never scored."""

    __tablename__ = "case_run"
    __table_args__ = (UniqueConstraint("registration_id", "lesson_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lesson.id"), index=True)
    number: Mapped[int]  # counts from 1 within the registration and lesson


class CaseStep(Base):
    """One saving of the way so far through a case: a new row each time; the last one counts.

    The learner's reasons and texts are notes, so that they can be erased.
    """

    __tablename__ = "case_step"
    __table_args__ = (Index("ix_case_step_run", "run_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    run_id: Mapped[int] = mapped_column(ForeignKey("case_run.id"))
    choices: Mapped[list[str]] = mapped_column(JSON)  # keys, as the kind of case writes them; never texts
    ends: Mapped[bool]  # the run is over; no later step


class CaseCopy(Base):
    """A learner shows a copy of the texts of a run to the one person they named; append-only.

    The copy itself is notes of this row, so that it can be erased.
    """

    __tablename__ = "case_copy"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    run_id: Mapped[int] = mapped_column(ForeignKey("case_run.id"), index=True)
    manager_id: Mapped[int] = mapped_column(
        ForeignKey("person.id"), index=True
    )  # the learner's line manager by the posts of that day, named in the consent


class CaseCopyEnd(Base):
    """A learner takes a copy back; append-only, at most one a copy."""

    __tablename__ = "case_copy_end"

    copy_id: Mapped[int] = mapped_column(ForeignKey("case_copy.id"), primary_key=True)
    recorded_at: Mapped[datetime]


class CaseRubric(Base):
    """The rubric applied to the texts of a run: a new row each time; the last one of each reader counts.

    What was ticked is a note, so that it can be erased with the texts it is about.
    """

    __tablename__ = "case_rubric"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    run_id: Mapped[int] = mapped_column(ForeignKey("case_run.id"), index=True)
    copy_id: Mapped[int | None] = mapped_column(
        ForeignKey("case_copy.id")
    )  # read by the manager; None: by the learner
