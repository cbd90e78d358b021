"""Records who looked at a person's record, once a day for each viewer, and lists it for the person."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.domain.people.models import PersonName
from portal.platform.audit.models import AuditEvent
from portal.platform.audit.services import log
from portal.platform.clock import end_of_day, london_day
from portal.platform.db import db

VIEWED_ACTION = "person.viewed"
MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class AccessLogEntry:
    """The first look of one person on a day."""

    viewed_at: datetime
    staff_number: str
    name: str


def is_access_logged(viewer_id: int, subject_id: int, at: datetime) -> bool:
    """Whether this look need not be recorded: one's own record, or recorded already on this London day."""
    if viewer_id == subject_id:
        return True
    midnight = end_of_day(london_day(at) - timedelta(days=1))
    looks = select(AuditEvent.id).where(
        AuditEvent.subject_id == subject_id,
        AuditEvent.actor_id == viewer_id,
        AuditEvent.action == VIEWED_ACTION,
        AuditEvent.happened_at > midnight,
    )
    return db.session.scalar(looks.limit(1)) is not None


def log_access(viewer_id: int, subject_id: int, page: str) -> None:
    """Record that somebody looked; part of the caller's transaction."""
    log(VIEWED_ACTION, actor_id=viewer_id, subject_id=subject_id, page=page)


def list_access_log(subject_id: int) -> list[AccessLogEntry]:
    """The latest ``MOST_SHOWN`` looks of others at a person's record. One statement."""
    statement = (
        select(AuditEvent.happened_at, PersonName.staff_number, PersonName.surname, PersonName.forenames)
        .outerjoin(PersonName, PersonName.person_id == AuditEvent.actor_id)
        .where(AuditEvent.subject_id == subject_id, AuditEvent.action == VIEWED_ACTION)
        .order_by(AuditEvent.happened_at.desc(), AuditEvent.id.desc())
        .limit(MOST_SHOWN)
    )
    return [
        AccessLogEntry(at, number or "", f"{forenames} {surname}" if surname else "Erased")
        for at, number, surname, forenames in db.session.execute(statement)
    ]
