"""Records who read the audit trail, and with which filters."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.domain.audit_desk.filters import AuditFilters
from portal.platform.audit.models import AuditEvent
from portal.platform.audit.services import log, log_file
from portal.platform.db import db

VIEWED, EXPORTED = "audit.viewed", "audit.exported"
MOST_COMPARED = 20  # of a reader's entries
ONE_VIEW = timedelta(minutes=30)  # the pages of one list, read one after the other, are one view


def is_view_logged(viewer_id: int, filters: AuditFilters, page: str, at: datetime) -> bool:
    """Whether one of the reader's latest entries is this same view, begun within ``ONE_VIEW``."""
    statement = (
        select(AuditEvent.subject_id, AuditEvent.detail)
        .where(AuditEvent.actor_id == viewer_id, AuditEvent.happened_at > at - ONE_VIEW)
        .where(AuditEvent.action == VIEWED)
        .order_by(AuditEvent.happened_at.desc(), AuditEvent.id.desc())
    )
    view = (filters.about_id, _view_detail(filters, page))
    return any(tuple(row) == view for row in db.session.execute(statement.limit(MOST_COMPARED)))


def log_view(viewer_id: int, filters: AuditFilters, page: str) -> None:
    """Record that somebody read a list of the audit trail; part of the caller's transaction."""
    detail = _view_detail(filters, page)
    log(VIEWED, actor_id=viewer_id, subject_id=filters.about_id, **detail)


def log_export(viewer_id: int, filters: AuditFilters, rows: int, people: Iterable[int]) -> None:
    """Record that somebody takes a file of the audit trail, and whom it names.

    Part of the caller's transaction, before the file's first row is sent.
    """
    detail = filters.audit_detail()
    if filters.about_id is not None:
        detail["about"] = filters.about_id
    log_file(EXPORTED, people, actor_id=viewer_id, rows=rows, **detail)


def _view_detail(filters: AuditFilters, page: str) -> dict[str, str | int]:
    return {**filters.audit_detail(), **({"page": page} if page else {})}
