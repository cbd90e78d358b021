"""Files made by a job, and the last visits to reports: ordinary rows, no facts."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, insert, select, update
from sqlalchemy.orm import Mapped, mapped_column

from portal.domain.reports.parameters import Position
from portal.platform.db import Base, BigId, db


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


# The position of a viewer's last visit to a report, so that they can see what changed since.


@dataclass(frozen=True, slots=True)
class EarlierVisit:
    """The position of the last visit on an earlier day."""

    day: date
    known_on: datetime


def get_earlier_visit(
    person_id: int, directive_id: int, position: Position
) -> tuple[EarlierVisit | None, bool]:
    """The last visit before the day of the position, and whether that day's own visit is saved already."""
    row = db.session.get(ReportLook, (person_id, directive_id))
    if row is None:
        return None, False
    if row.day < position.as_at:
        return EarlierVisit(row.day, row.known_on), False
    has_earlier = row.before_day is not None and row.before_known_on is not None
    return (EarlierVisit(row.before_day, row.before_known_on) if has_earlier else None), True  # type: ignore[arg-type]


def save_visit(person_id: int, directive_id: int, position: Position) -> None:
    """Save this visit; the last one becomes the previous visit. Part of the caller's transaction."""
    key = (ReportLook.person_id == person_id, ReportLook.directive_id == directive_id)
    saved_day = db.session.scalar(select(ReportLook.day).where(*key))
    values: dict[str, Any] = {"day": position.as_at, "known_on": position.as_known_on}
    if saved_day is None:
        ids = {"person_id": person_id, "directive_id": directive_id}
        db.session.execute(insert(ReportLook).values(**ids, **values))
    elif saved_day < position.as_at:
        values |= {"before_day": ReportLook.day, "before_known_on": ReportLook.known_on}
        db.session.execute(update(ReportLook).where(*key, ReportLook.day < position.as_at).values(**values))
