"""Files made by a job, and the last visits to reports: ordinary rows, no facts."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId


class PreparedFile(Base):
    """One file that a person requested: what it contains, and where it is once a job has made it."""

    __tablename__ = "prepared_file"
    __table_args__ = (Index("ix_prepared_file_asked_by_id_digest", "asked_by_id", "digest"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID]  # the job that makes it
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    asked_at: Mapped[datetime] = mapped_column(index=True)
    directive: Mapped[str]  # its reference; of an answer pack the recommendation's key, or "all"
    name: Mapped[str]  # the last part of its address, such as "completions.xlsx"
    position: Mapped[dict[str, str]] = mapped_column(JSON)  # both times, written out
    filters: Mapped[dict[str, str]] = mapped_column(JSON)
    digest: Mapped[str]  # of the request: the same request has the same digest
    made_at: Mapped[datetime | None]
    stored: Mapped[str | None]  # its name in the folder of files
    called: Mapped[str | None]  # its name where it is downloaded
    size: Mapped[int | None]  # bytes
    sight: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True)
    )  # visibility when it was made
    event_id: Mapped[int | None] = mapped_column(BigId)  # audit event of its making, which says whom it holds


class ReportLook(Base):
    """The position of a person's newest visit to a report, and of the last visit on an earlier day."""

    __tablename__ = "report_look"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    directive_id: Mapped[int] = mapped_column(ForeignKey("directive.id"), primary_key=True)
    day: Mapped[date]
    known_on: Mapped[datetime]
    before_day: Mapped[date | None]
    before_known_on: Mapped[datetime | None]
