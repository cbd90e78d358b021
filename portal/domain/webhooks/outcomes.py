"""What becomes of messages: claimed by one worker, delivered, tried again later, or failed; and when."""

import random
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select, update
from sqlalchemy.orm import aliased

from portal.domain.webhooks import signing
from portal.domain.webhooks.messages import find_staff_numbers, render_message
from portal.domain.webhooks.models import UNENDED, DeliveryState, PauseReason, Webhook, WebhookDelivery
from portal.domain.webhooks.services import pause_webhook
from portal.domain.webhooks.settings import (
    DELAYS,
    JITTER,
    LONGEST_REST,
    LOST_AFTER,
    PATIENCE,
    RESTS,
    encryption_key,
)
from portal.platform.audit.services import log
from portal.platform.db import db
from portal.platform.outbound.sender import NO_WAIT

MOST_CLAIMED = 20  # messages to one receiver that are sent one after the other and recorded together
GONE = 410
NO_SECRET = "secret"  # noqa: S105 - outcome of a message that could not be signed

row = WebhookDelivery


@dataclass(frozen=True, slots=True)
class ClaimedMessage:
    """A message that this worker, and no other, sends now."""

    delivery_id: int
    webhook_id: int
    claim: uuid.UUID
    address: str
    headers: dict[str, str]
    body: bytes  # empty where it could not be signed


def requeue_lost_messages(now: datetime) -> int:
    """Put back to wait what a killed worker was sending: it may have arrived, and is sent again."""
    lost = (row.state == DeliveryState.SENDING, row.claimed_at < now - LOST_AFTER)
    if not db.session.scalar(select(exists().where(*lost))):
        return 0
    values = {"state": DeliveryState.WAITING, "claim": None, "due_at": now}
    return _count(update(row).where(*lost).values(**values))


def lock_webhooks(webhooks: Collection[int]) -> None:
    """Lock these webhooks until the transaction ends, in one order, so that no two workers wait in a ring."""
    statement = select(Webhook.id).where(Webhook.id.in_(sorted(webhooks))).order_by(Webhook.id)
    db.session.execute(statement.with_for_update())


def claim_next_messages(webhook_id: int, now: datetime) -> list[ClaimedMessage]:
    """Claim the oldest messages to a webhook that are due, of different people; none if none may be sent.

    One alone after a failure. A message waits while an earlier one about the same person has not ended. The
    webhook is locked already.
    """
    webhook = db.session.get(Webhook, webhook_id)
    if webhook is None or webhook.paused is not None or (webhook.resting_until or now) > now:
        return []
    earlier = aliased(row)
    is_blocked = exists().where(
        earlier.webhook_id == row.webhook_id,
        earlier.person_id == row.person_id,
        earlier.state.in_(UNENDED),
        earlier.id < row.id,
    )
    due = (row.webhook_id == webhook_id, row.state == DeliveryState.WAITING, row.due_at <= now)
    statement = select(row).where(*due, ~is_blocked).order_by(row.id)
    deliveries = db.session.scalars(statement.limit(1 if webhook.failures else MOST_CLAIMED)).all()
    for delivery in deliveries:
        delivery.state, delivery.claim, delivery.claimed_at = DeliveryState.SENDING, uuid.uuid4(), now
        delivery.tries += 1
    db.session.flush()
    return list(_prepare_messages(webhook, deliveries, now))


def _prepare_messages(
    webhook: Webhook, deliveries: Sequence[WebhookDelivery], now: datetime
) -> Iterator[ClaimedMessage]:
    secrets, timestamp = _read_secrets(webhook, now), int(now.timestamp())
    numbers = find_staff_numbers({each.person_id for each in deliveries if each.person_id})
    for delivery in deliveries:
        number = numbers.get(delivery.person_id or 0)
        body = render_message(delivery.type, delivery.happened_at, delivery.person_id, number, delivery.data)
        message_id = signing.format_message_id(delivery.event_id)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signing.sign_message(message_id, timestamp, body, secrets),
        }
        yield ClaimedMessage(
            delivery.id,
            webhook.id,
            delivery.claim or uuid.uuid4(),
            webhook.address,
            headers,
            body if secrets else b"",
        )


def _read_secrets(webhook: Webhook, now: datetime) -> list[str]:
    """The secrets that sign now, the current one first; none where it cannot be read."""
    stored = [webhook.secret]
    if webhook.old_secret and webhook.old_secret_until and webhook.old_secret_until > now:
        stored.append(webhook.old_secret)
    found = [signing.decrypt_secret(each, webhook.reference, encryption_key()) for each in stored]
    return [secret for secret in found if secret] if found[0] else []


def release_message(message: ClaimedMessage) -> None:
    """Put back to wait what was claimed and not sent."""
    held = (row.id == message.delivery_id, row.claim == message.claim)
    values = {"state": DeliveryState.WAITING, "claim": None, "tries": row.tries - 1}
    _count(update(row).where(*held).values(**values))


def record_outcome(message: ClaimedMessage, outcome: str, now: datetime, wait: timedelta = NO_WAIT) -> None:
    """Record how a try ended; what another worker has claimed since is left alone.

    The webhook is locked already.

    Args:
        message: What was sent.
        outcome: The status of the answer in digits, or why there was none.
        now: When it ended.
        wait: For how long the receiver said that it wants nothing; it gets an hour of it at most.
    """
    webhook = db.session.get(Webhook, message.webhook_id)
    delivery = db.session.scalar(select(row).where(row.id == message.delivery_id, row.claim == message.claim))
    if webhook is None or delivery is None:
        return
    delivery.claim, delivery.outcome = None, outcome
    if is_delivered(outcome):
        _record_success(webhook, delivery, now)
    elif outcome == str(GONE):
        _end(delivery, DeliveryState.FAILED, now)
        if webhook.paused is None:
            pause_webhook(webhook, PauseReason.GONE, by=None)
    else:
        _record_failure(webhook, delivery, now, wait)


def is_delivered(outcome: str) -> bool:
    """Whether the receiver has the message.

    >>> is_delivered("204"), is_delivered("302"), is_delivered("timeout")
    (True, False, False)
    """
    return len(outcome) == 3 and outcome.startswith("2")


def _record_success(webhook: Webhook, delivery: WebhookDelivery, now: datetime) -> None:
    _end(delivery, DeliveryState.DELIVERED, now)
    webhook.failures, webhook.resting_until, webhook.delivered_at = 0, None, now
    webhook.flagged_at = None


def _record_failure(webhook: Webhook, delivery: WebhookDelivery, now: datetime, wait: timedelta) -> None:
    """Try the message again later, and let the receiver rest: what it says holds for every message to it."""
    webhook.failures += 1
    rest = min(wait, LONGEST_REST)
    if webhook.failures >= PATIENCE:
        rest = max(rest, RESTS[min(webhook.failures - PATIENCE, len(RESTS) - 1)])
    if rest:
        webhook.resting_until = now + rest
    due_at = now + delay_after(delivery.tries)
    if due_at > delivery.expires_at:
        _end(delivery, DeliveryState.FAILED, now)
        _flag(webhook, now)
    else:
        delivery.state, delivery.due_at = DeliveryState.WAITING, due_at


def delay_after(tries: int, draw: Callable[[], float] = random.random) -> timedelta:
    """How long to wait after so many failed tries.

    Args:
        tries: At least one.
        draw: Gives a number from 0 to 1.

    >>> [str(delay_after(tries, lambda: 0.5)) for tries in (1, 2, 4, 20)]
    ['0:00:05', '0:05:00', '2:00:00', '20:00:00']
    """
    return DELAYS[min(tries, len(DELAYS)) - 1] * (1 + JITTER * (2 * draw() - 1))


def fail_expired_messages(now: datetime) -> int:
    """Fail what was tried, or could not be tried, for three days; messages to paused webhooks wait on."""
    active = select(Webhook.id).where(Webhook.paused.is_(None))
    expired = (row.state == DeliveryState.WAITING, row.expires_at < now, row.webhook_id.in_(active))
    concerned = db.session.scalars(select(row.webhook_id).where(*expired).distinct()).all()
    if not concerned:
        return 0
    lock_webhooks(concerned)
    count = _count(update(row).where(*expired).values(state=DeliveryState.FAILED, ended_at=now))
    for webhook in db.session.scalars(select(Webhook).where(Webhook.id.in_(concerned))):
        _flag(webhook, now)
    return count


def _flag(webhook: Webhook, now: datetime) -> None:
    """Say once, until a message is delivered, that messages failed."""
    if webhook.flagged_at is None:
        webhook.flagged_at = now
        log("webhook.failed", actor_id=None, webhook=str(webhook.reference), name=webhook.name)


def _end(delivery: WebhookDelivery, state: DeliveryState, now: datetime) -> None:
    delivery.state, delivery.ended_at = state, now


def _count(statement: Any) -> int:
    """Carry out an update; how many rows it changed."""
    result: Any = db.session.execute(statement, execution_options={"synchronize_session": False})
    number: int = result.rowcount
    return number
