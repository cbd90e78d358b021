"""Sends the messages of the outbox: one after the other to each receiver, to all receivers at once.

The thread that calls this has the database to itself; threads of a pool only wait for receivers. So a slow
receiver keeps nobody else waiting.
"""

from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Event
from time import monotonic

from portal.domain.webhooks import outcomes, queries, retention
from portal.domain.webhooks.collecting import collect_events
from portal.domain.webhooks.outcomes import NO_SECRET, ClaimedMessage, is_delivered
from portal.domain.webhooks.settings import MOST_WEBHOOKS, outbound_policy
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.errors import BusyError
from portal.platform.jobs.registry import Routine
from portal.platform.observability.logs import get_logger
from portal.platform.outbound.errors import OutboundError, OutboundFault
from portal.platform.outbound.sender import NO_WAIT, post_message
from portal.platform.outbound.targets import OutboundPolicy

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
            outcomes.lock_webhooks({*free, *(each.message.webhook_id for each in self.ended)})
            for each in self.ended:
                if each.outcome:
                    outcomes.record_outcome(each.message, each.outcome, now, each.wait)
                else:
                    outcomes.release_message(each.message)
            claimed = {webhook_id: outcomes.claim_next_messages(webhook_id, now) for webhook_id in free}
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
        outcomes.requeue_lost_messages(now)


_next_upkeep = [0.0]


def keep_up(now: datetime) -> None:
    """Fail what expired and delete what is old, once a minute. Edge: it commits."""
    if monotonic() < _next_upkeep[0]:
        return
    _next_upkeep[0] = monotonic() + UPKEEP_SECONDS
    if retention.has_work(now):
        with transaction():
            outcomes.fail_expired_messages(now)
            retention.delete_old_messages(now)


def run_webhooks(stopping: Event) -> None:
    """One round: everything that is due now. Edge: it commits. Without webhooks it is one statement."""
    if queries.has_webhooks():
        send_messages(stopping)
        keep_up(clock.now())
    db.session.rollback()


# No job: a receiver may take ten seconds to answer, and with one worker thread an import would wait for it.
ROUTINES = (Routine("webhooks", run_webhooks, seconds=2.0),)
