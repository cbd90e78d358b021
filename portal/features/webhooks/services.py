"""Makes, changes, pauses and removes webhooks, and sends messages again; in the caller's transaction."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_in_postgresql
from sqlalchemy.dialects.sqlite import insert as insert_in_sqlite

from portal.domain.people.positions import ChangeWindow
from portal.features.webhooks import queries, signing
from portal.features.webhooks.events import PRESENCE
from portal.features.webhooks.models import DeliveryState, EventType, PauseReason, Webhook, WebhookDelivery
from portal.features.webhooks.signing import (
    MOST_WEBHOOKS,
    OLD_SECRET,
    TRIED_FOR,
    WebhookError,
    encryption_key,
    outbound_policy,
)
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import db, newest_stamp
from portal.platform.errors import ConflictError, RuleError
from portal.platform.outbound import OutboundError, read_target

MOST_AGAIN = 20_000  # messages that are sent again by one act
MESSAGES = WebhookDelivery.metadata.tables[WebhookDelivery.__tablename__]
NEVER_REST: dict[str, Any] = {"failures": 0, "resting_until": None}


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """What an administrator chooses of a webhook."""

    name: str
    address: str
    events: tuple[EventType, ...]
    unit_id: int | None = None
    directive_id: int | None = None


def add_webhook(settings: WebhookSettings, *, by: int | None, at: datetime) -> tuple[uuid.UUID, str]:
    """Make a webhook that hears of what happens from now on.

    Returns:
        Its reference, and its secret, which nothing tells again.

    Raises:
        WebhookError: The settings are refused.
    """
    if (db.session.scalar(select(func.count()).select_from(Webhook)) or 0) >= MOST_WEBHOOKS:
        raise RuleError(f"There are {MOST_WEBHOOKS} webhooks, and there may be no more. Remove one first.")
    check_settings(settings)
    reference, secret = uuid.uuid4(), signing.new_secret()
    webhook = Webhook(
        reference=reference,
        secret=signing.encrypt_secret(secret, reference, encryption_key()),
        created_at=at,
        collected_on=clock.london_day(at),
        collected_at=newest_stamp() or at,
        **_columns(settings),
    )
    db.session.add(webhook)
    _log("webhook.added", webhook, by, events=list(settings.events))
    return reference, secret


def change_webhook(webhook: Webhook, settings: WebhookSettings, *, by: int | None) -> bool:
    """Give a webhook other settings; False if they are the same. Messages that wait are sent to them.

    Raises:
        WebhookError: The settings are refused.
    """
    check_settings(settings, webhook)
    columns = _columns(settings)
    changed = sorted(name for name, value in columns.items() if getattr(webhook, name) != value)
    for name in changed:
        setattr(webhook, name, columns[name])
    if changed:
        _stop_resting(webhook)
        _log("webhook.changed", webhook, by, changed=changed, events=list(settings.events))
    return bool(changed)


def check_settings(settings: WebhookSettings, webhook: Webhook | None = None) -> None:
    """Refuse settings with which a webhook would hear of nothing, or not reach anything.

    Args:
        settings: The settings.
        webhook: The one that gets them; None: a new one.

    Raises:
        WebhookError: They are refused.
    """
    others = select(Webhook.id).where(func.lower(Webhook.name) == settings.name.lower())
    if any(number != (webhook and webhook.id) for number in db.session.scalars(others)):
        raise WebhookError("name", "Another webhook has this name. Enter another one.")
    try:
        read_target(settings.address, outbound_policy())
    except OutboundError as error:
        raise WebhookError("address", error.sentence) from error
    if not settings.events:
        raise WebhookError("events", "Choose at least one event.")
    if settings.directive_id and set(settings.events) & set(PRESENCE):
        raise WebhookError("directive", "Joining and leaving belong to no directive. Leave this empty.")


def _columns(settings: WebhookSettings) -> dict[str, Any]:
    return {
        "name": settings.name,
        "address": settings.address,
        "events": [str(event) for event in settings.events],
        "unit_id": settings.unit_id,
        "directive_id": settings.directive_id,
    }


def replace_secret(webhook: Webhook, *, by: int | None, at: datetime) -> str:
    """Give a webhook another secret, which is returned; for a day messages are signed with both."""
    secret = signing.new_secret()
    webhook.old_secret, webhook.old_secret_until = webhook.secret, at + OLD_SECRET
    webhook.secret = signing.encrypt_secret(secret, webhook.reference, encryption_key())
    _stop_resting(webhook)
    _log("webhook.secret_replaced", webhook, by)
    return secret


def pause_webhook(webhook: Webhook, reason: PauseReason, *, by: int | None) -> None:
    """Send nothing until it is resumed; what happens meanwhile is not lost."""
    webhook.paused = reason
    _log("webhook.gone" if reason is PauseReason.GONE else "webhook.paused", webhook, by)


def resume_webhook(webhook: Webhook, *, by: int | None, at: datetime, from_now: bool = False) -> None:
    """Send again; first what happened while it was paused, or nothing of that.

    Args:
        webhook: A paused one.
        by: Who resumes it.
        at: This instant, from which messages that wait are tried for three days.
        from_now: Whether to leave out what happened meanwhile, and what still waits.
    """
    if webhook.paused is None:
        raise ConflictError("The webhook is not paused.")
    waiting = (WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.state == DeliveryState.WAITING)
    if from_now:
        db.session.execute(delete(WebhookDelivery).where(*waiting))
        webhook.collected_on, webhook.collected_at = clock.london_day(at), newest_stamp() or at
        webhook.target_on = webhook.target_at = None
        webhook.target_person = 0
    else:
        values = {"due_at": at, "expires_at": at + TRIED_FOR, "tries": 0}
        db.session.execute(update(WebhookDelivery).where(*waiting).values(**values))
    webhook.paused = None
    _stop_resting(webhook)
    _log("webhook.resumed", webhook, by, from_now=from_now)


def remove_webhook(webhook: Webhook, *, by: int | None) -> None:
    """Remove a webhook with its secret and all its messages, sent or not."""
    _log("webhook.removed", webhook, by)
    db.session.execute(delete(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook.id))
    db.session.delete(webhook)


def send_test_event(webhook: Webhook, *, by: int | None, at: datetime) -> None:
    """Put a message into the outbox that is about nothing."""
    if webhook.paused is not None:
        raise ConflictError("The webhook is paused. Resume it first.")
    row = {"event_id": uuid.uuid4(), "type": EventType.TEST, "happened_at": at, "person_id": None}
    add_deliveries(webhook.id, [row | {"data": {"webhook": webhook.name}}], at)
    _stop_resting(webhook)
    _log("webhook.tested", webhook, by)


def send_again(webhook: Webhook, message: uuid.UUID | None, *, by: int | None, at: datetime) -> int:
    """Send one message again, or all that failed; as the same message, so a receiver can tell.

    Args:
        webhook: Whose messages.
        message: The event of one that was delivered or failed; None: all that failed.
        by: Who asks.
        at: This instant.

    Returns:
        How many.
    """
    if webhook.paused is not None:
        raise ConflictError("The webhook is paused. Resume it first.")
    row = WebhookDelivery
    ended = [DeliveryState.FAILED] if message is None else [DeliveryState.FAILED, DeliveryState.DELIVERED]
    chosen = select(row.id).where(row.webhook_id == webhook.id, row.state.in_(ended))
    chosen = chosen if message is None else chosen.where(row.event_id == message)
    ids = chosen.order_by(row.id).limit(MOST_AGAIN)
    values = {"state": DeliveryState.WAITING, "due_at": at, "expires_at": at + TRIED_FOR, "tries": 0}
    result: Any = db.session.execute(
        update(row).where(row.id.in_(ids)).values(**values, ended_at=None, outcome=""),
        execution_options={"synchronize_session": False},
    )
    count: int = result.rowcount
    if not count:
        raise ConflictError("There is no message that can be sent again.")
    _stop_resting(webhook)
    _log("webhook.sent_again", webhook, by, messages=count)
    return count


def add_deliveries(webhook_id: int, rows: Collection[dict[str, Any]], at: datetime) -> None:
    """Put messages into the outbox; each is tried for three days. One that is there stays as it is."""
    columns = {"webhook_id": webhook_id, "state": DeliveryState.WAITING, "created_at": at, "due_at": at}
    columns |= {"expires_at": at + TRIED_FOR, "tries": 0, "outcome": ""}
    insert: Any = insert_in_postgresql if db.engine.dialect.name == "postgresql" else insert_in_sqlite
    if rows:
        statement = insert(MESSAGES).on_conflict_do_nothing()
        db.session.execute(statement, [{**columns, **row} for row in rows])


def start_window(webhook: Webhook) -> ChangeWindow:
    """The way from what was collected to what is known now, or the one that was begun.

    The newest stamp is read before the day: so no stamp is of a day after the window's last. Where the clock
    was set back, the days that it had shown come again; what they bring are the same messages.
    """
    if webhook.target_on and webhook.target_at:
        return ChangeWindow(webhook.collected_on, webhook.collected_at, webhook.target_on, webhook.target_at)
    newest = max(newest_stamp() or webhook.collected_at, webhook.collected_at)
    today = clock.today()
    return ChangeWindow(min(webhook.collected_on, today), webhook.collected_at, today, newest)


def get_webhook_to_change(reference: uuid.UUID) -> Webhook:
    """The webhook, locked until the transaction ends."""
    return queries.get_webhook(reference, lock=True)


def _stop_resting(webhook: Webhook) -> None:
    for name, value in NEVER_REST.items():
        setattr(webhook, name, value)


def _log(action: str, webhook: Webhook, by: int | None, **detail: Any) -> None:
    """Record an act, with the host alone of the address: some receivers have a secret in the rest."""
    host = urlsplit(webhook.address).hostname
    log(action, actor_id=by, webhook=str(webhook.reference), name=webhook.name, host=host, **detail)
