"""Deletes old messages: those delivered after 30 days, those that failed after 90."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select

from portal.domain.webhooks.models import DeliveryState, WebhookDelivery
from portal.platform.db import db

MOST_DELETED = 2_000  # messages in one transaction
DELIVERED_RETENTION = timedelta(days=30)
FAILED_RETENTION = timedelta(days=90)

row = WebhookDelivery


def has_work(now: datetime) -> bool:
    """Whether a message is old, or waits longer than it may; mostly none does, and nothing is locked."""
    expired = and_(row.state == DeliveryState.WAITING, row.expires_at < now)
    return bool(db.session.scalar(select(exists().where(or_(_is_old(now), expired)))))


def delete_old_messages(now: datetime) -> int:
    """Delete old messages, at most ``MOST_DELETED``; how many."""
    ids = select(row.id).where(_is_old(now)).limit(MOST_DELETED).with_for_update(skip_locked=True)
    result: Any = db.session.execute(
        delete(row).where(row.id.in_(ids)), execution_options={"synchronize_session": False}
    )
    count: int = result.rowcount
    return count


def _is_old(now: datetime) -> ColumnElement[bool]:
    delivered = and_(row.state == DeliveryState.DELIVERED, row.ended_at < now - DELIVERED_RETENTION)
    failed = and_(row.state == DeliveryState.FAILED, row.ended_at < now - FAILED_RETENTION)
    return or_(delivered, failed)
