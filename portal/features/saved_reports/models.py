"""Tables of saved reports: ordinary rows, no facts; erased with the names that they belong to."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId


class SavedPage(StrEnum):
    """The page that a saved report opens."""

    DIRECTIVE = "directive"  # a directive's report
    OVERVIEW = "overview"  # of all directives
    CHANGES = "changes"  # of a directive's report between two days


class SavedReport(Base):
    """A report that a person named: its page, its filters and the rule for its day; no figure."""

    __tablename__ = "saved_report"
    __table_args__ = (CheckConstraint("kind IN ('directive', 'overview', 'changes')", name="kind_is_known"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[UUID] = mapped_column(unique=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("person_name.person_id", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    kind: Mapped[str]  # a SavedPage
    directive: Mapped[str] = mapped_column(default="")  # its reference; empty for the overview
    # Of the address: filters, order, columns, and where changes begin if that is fixed.
    arguments: Mapped[dict[str, str]] = mapped_column(JSON)
    day_rule: Mapped[str]  # a DayRule
    fixed_on: Mapped[date | None]
    known_rule: Mapped[str]  # a KnownRule
    span: Mapped[str] = mapped_column(default="")  # of changes, a Span
    saved_at: Mapped[datetime]


class ReportShare(Base):
    """A person with whom a saved report is shared; it gives them no right, only a way to the page."""

    __tablename__ = "report_share"
    __table_args__ = (UniqueConstraint("saved_report_id", "person_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    saved_report_id: Mapped[int] = mapped_column(ForeignKey("saved_report.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_name.person_id", ondelete="CASCADE"), index=True
    )
    shared_at: Mapped[datetime]
    mailed: Mapped[bool]  # whether they get its mails; they turn them off themselves


class ReportSchedule(Base):
    """When a saved report is mailed to its owner and to those with whom it is shared."""

    __tablename__ = "report_schedule"
    __table_args__ = (
        CheckConstraint("every IN ('week', 'month')", name="every_is_known"),
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday_is_known"),
    )

    saved_report_id: Mapped[int] = mapped_column(
        ForeignKey("saved_report.id", ondelete="CASCADE"), primary_key=True
    )
    every: Mapped[str]  # an Every
    weekday: Mapped[int]  # of a weekly one: 0 is Monday
    attached: Mapped[bool]  # whether the rows go with the mail, where the force allows it
    planned_until: Mapped[date]  # the last London day for which its mails are in the outbox
    set_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_why: Mapped[str] = mapped_column(default="")  # empty if its owner stopped it


class ReportMail(Base):
    """The saved report that a message is about, and the day for which it is mailed: once for each day."""

    __tablename__ = "report_mail"
    __table_args__ = (UniqueConstraint("saved_report_id", "person_id", "due_on"),)

    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"), primary_key=True)
    saved_report_id: Mapped[int] = mapped_column(ForeignKey("saved_report.id", ondelete="CASCADE"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))  # its reader
    due_on: Mapped[date]
