"""Records who read the audit trail, and with which filters."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from portal.domain.audit_desk.queries import AuditFilters
from portal.platform.audit import AuditEvent, log, log_alert, log_file
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


# When many refusals are an alert: pure rules of instants.


@dataclass(frozen=True, slots=True)
class AlertRule:
    """So many events within a window are an alert, and then none for a while."""

    count: int
    window: timedelta
    quiet: timedelta  # after an alert

    def is_alert(self, recent: Sequence[datetime], last_alert: datetime | None, at: datetime) -> bool:
        """Whether what happened ``at`` this instant completes an alert.

        Args:
            recent: The events counted, the one of this instant included.
            last_alert: When the last alert of the same kind and person was raised.
            at: This instant.
        """
        if (
            last_alert is not None and -self.window < at - last_alert < self.quiet
        ):  # one may just have overtaken
            return False
        return sum(at - self.window < moment <= at for moment in recent) >= self.count


REFUSALS = AlertRule(10, timedelta(minutes=10), timedelta(hours=1))  # of one account
FAILED_SIGN_INS = AlertRule(50, timedelta(minutes=10), timedelta(hours=1))  # in the whole force


# Raises an alert, in the transaction of the refusal that completes it, as an audit event of its own.

ALERT_LOCK = 7241003


def raise_alerts(acts: Sequence[AuditEvent]) -> list[AuditEvent]:
    """Add the alerts that these acts complete; returns them, flushed, for mail.

    Args:
        acts: The counted and announced acts of this transaction, flushed.
    """
    alerts = []
    for act in acts:
        if act.action == "access.refused":  # of an account, or of an access token
            alerts += _raise_alert("alert.many_refusals", REFUSALS, act)
        elif act.action == "account.refused" and act.actor_id is None:
            alerts += _raise_alert("alert.many_failed_sign_ins", FAILED_SIGN_INS, act)
    return alerts


def _raise_alert(alert: str, rule: AlertRule, act: AuditEvent) -> list[AuditEvent]:
    at = act.happened_at
    same_agent = AuditEvent.agent == act.agent
    counted = (
        AuditEvent.action == act.action,
        AuditEvent.actor_id == act.actor_id,
        same_agent,
        AuditEvent.happened_at <= at,
    )
    if not rule.is_alert(_newest(counted, rule.count), None, at):
        return []
    if db.engine.dialect.name == "postgresql":  # two at once would each raise it; SQLite has one writer
        db.session.execute(select(func.pg_advisory_xact_lock(ALERT_LOCK)))
    raised = (AuditEvent.action == alert, AuditEvent.subject_id == act.actor_id, same_agent)
    last_alert = next(iter(_newest(raised, 1)), None)
    if not rule.is_alert(_newest(counted, rule.count), last_alert, at):
        return []
    minutes = int(rule.window.total_seconds()) // 60
    return [log_alert(alert, act, count=rule.count, minutes=minutes)]


def _newest(conditions: tuple[ColumnElement[bool], ...], limit: int) -> Sequence[datetime]:
    """The newest instants of such events; an index of the account or of the action leads to them."""
    statement = select(AuditEvent.happened_at).where(*conditions)
    return db.session.scalars(statement.order_by(AuditEvent.happened_at.desc()).limit(limit)).all()
