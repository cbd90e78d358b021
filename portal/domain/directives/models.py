"""Tables of directives, their versions and requirements, assignments, exemptions and deferrals."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import OPEN_END, Base, BigId, Fact


class Directive(Base):
    """The lasting identity of an instruction that an audience satisfy requirements by a date."""

    __tablename__ = "directive"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    reference: Mapped[str] = mapped_column(unique=True)


class DirectiveVersion(Fact):
    """A directive's rules from ``effective_on``, until the next version's; the highest number wins a tie."""

    __tablename__ = "directive_version"
    __table_args__ = (
        UniqueConstraint("directive_id", "number"),
        CheckConstraint("target BETWEEN 0 AND 1", name="target_is_scaled"),
    )

    directive_id: Mapped[int] = mapped_column(ForeignKey("directive.id"))
    number: Mapped[int]
    effective_on: Mapped[date]
    withdrawn: Mapped[bool] = mapped_column(default=False)
    title: Mapped[str]
    source: Mapped[str]
    wording: Mapped[str]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    target: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    notice_days: Mapped[list[int]] = mapped_column(JSON)
    due_fixed_on: Mapped[date | None]
    due_days_after_joining: Mapped[int | None]
    validity_months: Mapped[int | None]
    yearly_on: Mapped[str | None]  # "MM-DD", with minimum_gap_months
    minimum_gap_months: Mapped[int | None]
    expiring_days: Mapped[int]
    audience: Mapped[dict[str, Any]] = mapped_column(JSON)
    # {"audience": [table …], "except": [table …]}; a table: {"designated_role": [..], "rank_or_grade": [..],
    # "unit_under": [unit ids]}, each key optional


class Requirement(Base):
    """One activity that a directive version requires; a position keeps its activity in all versions."""

    __tablename__ = "requirement"

    directive_version_id: Mapped[int] = mapped_column(ForeignKey("directive_version.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)  # counts from 1
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"))


class Assignment(Fact):
    """A directive applies to a person for a stretch of days; derived from posts, never written by hand."""

    __tablename__ = "assignment"
    __table_args__ = (
        CheckConstraint("from_on <= to_on", name="from_before_to"),
        Index("ix_assignment_person_directive", "person_id", "directive_id", "from_on"),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    directive_id: Mapped[int] = mapped_column(ForeignKey("directive.id"))
    directive_version_id: Mapped[int] = mapped_column(ForeignKey("directive_version.id"))
    from_on: Mapped[date]
    to_on: Mapped[date] = mapped_column(default=OPEN_END)
    joined_on: Mapped[date]  # the day from which days after joining count
    due_on: Mapped[date]
    why: Mapped[int]  # number of the [[audience]] table that matched on from_on, from 1


class Exclusion(Fact):
    """An exemption or a deferral of a person from a directive; a category, never a diagnosis."""

    __tablename__ = "exclusion"
    __table_args__ = (
        CheckConstraint("from_on <= to_on", name="from_before_to"),
        CheckConstraint("exempt OR due_on IS NOT NULL", name="deferral_has_due_date"),
        Index("ix_exclusion_person_directive", "person_id", "directive_id", "from_on"),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    directive_id: Mapped[int] = mapped_column(ForeignKey("directive.id"))
    exempt: Mapped[bool]  # else a deferral
    reason: Mapped[str]
    from_on: Mapped[date]
    to_on: Mapped[date] = mapped_column(default=OPEN_END)
    due_on: Mapped[date | None]  # of a deferral
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
