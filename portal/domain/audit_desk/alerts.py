"""Raises an alert, in the transaction of the refusal that completes it, as an audit event of its own."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from portal.domain.audit_desk.alert_rules import FAILED_SIGN_INS, REFUSALS, AlertRule
from portal.platform.audit.models import AuditEvent
from portal.platform.audit.services import log_alert
from portal.platform.db import db

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
