"""The position of a viewer's last visit to a report, so that they can see what changed since."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import insert, select, update

from portal.domain.reports.models import ReportLook
from portal.domain.reports.parameters import Position
from portal.platform.db import db


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
