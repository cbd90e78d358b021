"""What tests of webhooks share: one that hears of everything, and what its receiver got."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from standardwebhooks import Webhook as Verifier

from portal.features.webhooks import services
from portal.features.webhooks.models import EventType, Webhook, WebhookDelivery
from portal.features.webhooks.sending import collect_events
from portal.features.webhooks.services import WebhookSettings
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from tests.platform.outbound.receivers import Received, Receiver

EVERYTHING = tuple(kind for kind in EventType if kind is not EventType.TEST)
NOON = datetime(2026, 4, 20, 12, tzinfo=UTC)
PASSES = (EventType.PASS_RECORDED,)
NOWHERE = "https://receiver.example/hook"


def make_webhook(
    address: str = NOWHERE, events: tuple[EventType, ...] = EVERYTHING, name: str = "HR", **scope: Any
) -> tuple[UUID, str]:
    """A webhook of these events; its reference and its secret."""
    with transaction():
        settings = WebhookSettings(name, address, events, **scope)
        return services.add_webhook(settings, by=None, at=clock.now())


def the_webhook(reference: UUID) -> Webhook:
    db.session.rollback()
    return db.session.scalars(select(Webhook).where(Webhook.reference == reference)).one()


def outbox(reference: UUID) -> list[WebhookDelivery]:
    """Every message to a webhook, the oldest first."""
    number = the_webhook(reference).id
    statement = select(WebhookDelivery).where(WebhookDelivery.webhook_id == number)
    return list(db.session.scalars(statement.order_by(WebhookDelivery.id)))


def collected(reference: UUID) -> list[tuple[str, dict[str, Any]]]:
    """The types and data of all that was collected until now."""
    collect_events()
    return [(row.type, row.data) for row in outbox(reference)]


def transitions(reference: UUID) -> list[tuple[str | None, str | None, str | None]]:
    """Requirement, old and new status of each change of a status collected until now."""
    return [
        (data["requirement"], data["old_status"], data["new_status"])
        for kind, data in collected(reference)
        if kind == EventType.STATUS_CHANGED
    ]


def verified(receiver: Receiver, secret: str) -> list[dict[str, Any]]:
    """The messages that came, each verified as its receiver would."""
    return [_verify(message, secret) for message in receiver.messages]


def _verify(message: Received, secret: str) -> dict[str, Any]:
    Verifier(secret).verify(message.body, message.headers)
    read: dict[str, Any] = json.loads(message.body)
    return read


def states(reference):
    return [(row.state, row.tries, row.outcome) for row in outbox(reference)]


def numbers(receiver, secret):
    return [message["data"]["staff_number"] for message in verified(receiver, secret)]


def act(service, reference, *arguments, **options):
    with transaction():
        return service(services.get_webhook_to_change(reference), *arguments, by=None, **options)


def actions():
    return [
        row.action
        for row in db.session.scalars(select(AuditEvent).order_by(AuditEvent.id))
        if "webhook" in row.action
    ]
