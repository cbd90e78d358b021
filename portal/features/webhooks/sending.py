"""Sends the messages of the outbox: one after the other to each receiver, to all receivers at once.

The thread that calls this has the database to itself; threads of a pool only wait for receivers. So a slow
receiver keeps nobody else waiting.
"""

import random
import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from time import monotonic
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.orm import aliased

from portal.domain.people.positions import ChangeWindow
from portal.features.webhooks import queries, services, signing
from portal.features.webhooks.events import EventScope, WebhookEvent, find_staff_numbers, render_message
from portal.features.webhooks.feature import DELIVERED_RETENTION, FAILED_RETENTION
from portal.features.webhooks.models import UNENDED, DeliveryState, PauseReason, Webhook, WebhookDelivery
from portal.features.webhooks.services import pause_webhook
from portal.features.webhooks.signing import (
    DELAYS,
    JITTER,
    LONGEST_REST,
    LOST_AFTER,
    MOST_WEBHOOKS,
    PATIENCE,
    RESTS,
    encryption_key,
    outbound_policy,
)
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.db import db, transaction
from portal.platform.errors import BusyError
from portal.platform.jobs.registry import ItemFailures, Routine
from portal.platform.observability.logs import get_logger
from portal.platform.outbound import NO_WAIT, OutboundError, OutboundFault, OutboundPolicy, post_message

# Collects events into the outbox: each webhook has a position, and moves on in short transactions.
#
# What a window of time holds never changes, so it is read without a lock. One transaction then adds the
# messages about a hundred people and moves the position; another worker that did the same finds it moved
# and adds nothing. A worker that is killed in between leaves neither.

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


# What becomes of messages: claimed by one worker, delivered, tried again later, or failed; and when.

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


# Deletes old messages: those delivered after 30 days, those that failed after 90.

MOST_DELETED = 2_000  # messages in one transaction


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


COLLECTING_SECONDS = 3.0  # between two looks for new events while messages are sent
_log = get_logger("portal.webhooks")
SECONDS_IN_TURN = 15.0  # after which no more of the messages that were claimed together are sent
UPKEEP_SECONDS = 60.0  # between two rounds of failing what expired and deleting what is old


@dataclass(frozen=True, slots=True)
class EndedTry:
    """A message that was claimed, and what became of it."""

    message: ClaimedMessage
    outcome: str = ""  # the status of the answer, or why there was none; empty: it was not sent
    wait: timedelta = NO_WAIT  # for how long the receiver wants nothing


@dataclass(slots=True)
class MessageDispatch:
    """Messages under way, some to each receiver, and those whose outcome is not recorded yet."""

    policy: OutboundPolicy
    pool: ThreadPoolExecutor
    stopping: Event
    under_way: dict[Future[list[EndedTry]], int] = field(default_factory=dict)  # the webhook of each
    ended: list[EndedTry] = field(default_factory=list)
    sent: int = 0

    def take_step(self, now: datetime) -> None:
        """Record what ended and claim what is next, in one transaction; then hand it to the pool."""
        for future in [future for future in self.under_way if future.done()]:
            del self.under_way[future]
            self.ended += future.result()
        busy = self.under_way.values()
        free = [] if self.stopping.is_set() else queries.list_sendable_webhook_ids(now, busy)
        db.session.rollback()
        if not self.ended and not free:
            return
        with transaction():
            lock_webhooks({*free, *(each.message.webhook_id for each in self.ended)})
            for each in self.ended:
                if each.outcome:
                    record_outcome(each.message, each.outcome, now, each.wait)
                else:
                    release_message(each.message)
            claimed = {webhook_id: claim_next_messages(webhook_id, now) for webhook_id in free}
        self.sent += sum(bool(each.outcome) for each in self.ended)
        self.ended.clear()
        for webhook_id, messages in claimed.items():
            if messages:
                future = self.pool.submit(_send_in_turn, messages, self.policy, self.stopping)
                self.under_way[future] = webhook_id

    def wait_for_answer(self) -> None:
        """Wait until a receiver answers, or for a second."""
        wait(self.under_way, timeout=1.0, return_when=FIRST_COMPLETED)


def send_messages(stopping: Event | None = None) -> int:
    """Collect events and send messages until none is due. Edge: it commits after each message.

    Args:
        stopping: Claims no more once it is set, and waits for those under way.

    Returns:
        How many messages were sent, whatever became of them.
    """
    stopping = stopping or Event()
    if not queries.has_active_webhooks():
        return 0
    next_collecting = 0.0
    with ThreadPoolExecutor(MOST_WEBHOOKS, "webhook") as pool:
        sending = MessageDispatch(outbound_policy(), pool, stopping)
        while True:
            try:
                if monotonic() >= next_collecting and not stopping.is_set():
                    collect_events(stopping)
                    _requeue_lost(clock.now())
                    keep_up(clock.now())
                    next_collecting = monotonic() + COLLECTING_SECONDS
                sending.take_step(clock.now())
            except BusyError:  # an import holds the database: what ended is recorded after it
                stopping.wait(1.0)
                continue
            if not sending.under_way:
                return sending.sent
            sending.wait_for_answer()


def _send_in_turn(
    messages: Sequence[ClaimedMessage], policy: OutboundPolicy, stopping: Event
) -> list[EndedTry]:
    """Send messages to one receiver, until one does not arrive or it takes long; knows no database."""
    ended: list[EndedTry] = []
    last = monotonic() + SECONDS_IN_TURN
    for message in messages:
        is_over = ended and (stopping.is_set() or monotonic() > last or not is_delivered(ended[-1].outcome))
        ended.append(EndedTry(message) if is_over else _send(message, policy))
    return ended


def _send(message: ClaimedMessage, policy: OutboundPolicy) -> EndedTry:
    """Send one message."""
    if not message.body:
        return EndedTry(message, NO_SECRET)
    try:
        answer = post_message(message.address, message.body, message.headers, policy)
    except OutboundError as error:
        return EndedTry(message, str(error.fault))
    except Exception:  # one message that cannot be sent keeps no other waiting
        _log.exception("webhook.message_failed", webhook=message.webhook_id)
        return EndedTry(message, str(OutboundFault.NO_ANSWER))
    return EndedTry(message, str(answer.status), answer.wait)


def _requeue_lost(now: datetime) -> None:
    with transaction():
        requeue_lost_messages(now)


_next_upkeep = [0.0]


def keep_up(now: datetime) -> None:
    """Fail what expired and delete what is old, once a minute. Edge: it commits."""
    if monotonic() < _next_upkeep[0]:
        return
    _next_upkeep[0] = monotonic() + UPKEEP_SECONDS
    if has_work(now):
        with transaction():
            fail_expired_messages(now)
            delete_old_messages(now)


def run_webhooks(stopping: Event) -> None:
    """One round: everything that is due now. Edge: it commits. Without webhooks it is one statement."""
    if queries.has_webhooks():
        send_messages(stopping)
        keep_up(clock.now())
    db.session.rollback()


# No job: a receiver may take ten seconds to answer, and with one worker thread an import would wait for it.
ROUTINES = (Routine("webhooks", run_webhooks, seconds=2.0),)
