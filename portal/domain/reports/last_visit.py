"""What a viewer saw of a directive when they last looked, so that they can ask what changed since."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import insert, select, update

from portal.domain.reports.as_of import Position
from portal.domain.reports.models import ReportLook
from portal.platform.db import db


@dataclass(frozen=True, slots=True)
class Before:
    """The position of the last look on an earlier day."""

    day: date
    known_on: datetime


def last_look(person_id: int, directive_id: int, at: Position) -> tuple[Before | None, bool]:
    """The look of an earlier day than the position's, and whether today's is kept already."""
    row = db.session.get(ReportLook, (person_id, directive_id))
    if row is None:
        return None, False
    if row.day < at.as_at:
        return Before(row.day, row.known_on), False
    kept = row.before_day is not None and row.before_known_on is not None
    return (Before(row.before_day, row.before_known_on) if kept else None), True  # type: ignore[arg-type]


def keep_look(person_id: int, directive_id: int, at: Position) -> None:
    """Keep today's look, and what stood there as the one before; part of the caller's transaction."""
    mine = (ReportLook.person_id == person_id, ReportLook.directive_id == directive_id)
    held = db.session.scalar(select(ReportLook.day).where(*mine))
    values = {"day": at.as_at, "known_on": at.as_known_on}
    if held is None:
        one = {"person_id": person_id, "directive_id": directive_id, **values}
        db.session.execute(insert(ReportLook).values(**one))
    elif held < at.as_at:
        moved = {"before_day": ReportLook.day, "before_known_on": ReportLook.known_on, **values}
        db.session.execute(update(ReportLook).where(*mine, ReportLook.day < at.as_at).values(**moved))
