"""Collects events into the outbox: each webhook has a position, and moves on in short transactions.

What a window of time holds never changes, so it is read without a lock. One transaction then adds the
messages about a hundred people and moves the position; another worker that did the same finds it moved
and adds nothing. A worker that is killed in between leaves neither.
"""

from threading import Event
from uuid import UUID

from sqlalchemy import select

from portal.domain.people.change_window import ChangeWindow
from portal.domain.webhooks import queries, services
from portal.domain.webhooks.events import EventScope, WebhookEvent
from portal.domain.webhooks.models import Webhook
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.jobs.items import ItemFailures

PEOPLE = 100  # whose events are added in one transaction, while nobody else can write on SQLite

Position = tuple[object, ...]


def collect_events(stopping: Event | None = None) -> int:
    """Collect what happened for every webhook that is not paused. Edge: it commits.

    Args:
        stopping: Ends it early, with nothing lost.

    Returns:
        How many messages were added.
    """
    added, failures = 0, ItemFailures("webhook")
    for webhook_id in queries.list_active_webhook_ids():
        if stopping and stopping.is_set():
            break
        with failures.of(webhook_id):
            added += _collect_for(webhook_id, stopping or Event())
    return added


def _collect_for(webhook_id: int, stopping: Event) -> int:
    """Move one webhook on to what is known now."""
    db.session.rollback()  # one state of the database for all that is read
    webhook = db.session.get(Webhook, webhook_id)
    if webhook is None or webhook.paused is not None:
        return 0
    window = services.start_window(webhook)
    if window.empty:
        return 0
    scope = EventScope(queries.event_types_of(webhook), webhook.unit_id, webhook.directive_id)
    reference, position = webhook.reference, _position_of(webhook)
    people = [person for person in scope.find_people(window) if person > webhook.target_person]
    events = scope.list_directive_events(window) if not webhook.target_person else []
    added = 0
    while not stopping.is_set():
        batch, people = people[:PEOPLE], people[PEOPLE:]
        events += scope.list_person_events(window, batch) if batch else []
        rows = [_row_of(event, reference) for event in events]
        db.session.rollback()
        with transaction():
            moved = _move_on(webhook_id, position, window, batch[-1] if people else None)
            if moved is None:
                return added  # another worker did, or an administrator changed the webhook
            services.add_deliveries(webhook_id, rows, clock.now())
        added, position, events = added + len(rows), moved, []
        if not people:
            break
    return added


def _move_on(
    webhook_id: int, position: Position, window: ChangeWindow, last_person: int | None
) -> Position | None:
    """Move the position of a webhook, if it is still there; what it is then, or None.

    Args:
        webhook_id: The webhook.
        position: Where it was when the events were read.
        window: The way.
        last_person: The last one whose events are added, if more people follow; None: the way is done.
    """
    webhook = db.session.scalar(select(Webhook).where(Webhook.id == webhook_id).with_for_update())
    if webhook is None or webhook.paused is not None or _position_of(webhook) != position:
        return None
    if last_person is None:
        webhook.collected_on, webhook.collected_at = window.until_on, window.until_at
        webhook.target_on, webhook.target_at, webhook.target_person = None, None, 0
    else:
        webhook.target_on, webhook.target_at = window.until_on, window.until_at
        webhook.target_person = last_person
    db.session.flush()
    return _position_of(webhook)


def _position_of(webhook: Webhook) -> Position:
    """All on which it depends what is added next."""
    scope = (tuple(webhook.events), webhook.unit_id, webhook.directive_id)
    target = (webhook.target_on, webhook.target_at, webhook.target_person)
    return (webhook.collected_on, webhook.collected_at, *target, *scope)


def _row_of(event: WebhookEvent, reference: UUID) -> dict[str, object]:
    return {
        "event_id": event.id_for(reference),
        "type": event.type,
        "happened_at": event.happened_at,
        "person_id": event.person_id,
        "data": event.data,
    }
