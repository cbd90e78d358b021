"""Sends the messages of the outbox: one at a time to each receiver, to all receivers at once.

The thread that calls this has the database to itself; threads of a pool only wait for receivers. So a slow
receiver keeps nobody else waiting.
"""

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from time import monotonic

from portal.domain.webhooks import outcomes, queries, retention
from portal.domain.webhooks.collecting import collect_events
from portal.domain.webhooks.outcomes import NO_SECRET, ClaimedMessage
from portal.domain.webhooks.settings import MOST_WEBHOOKS, outbound_policy
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.errors import BusyError
from portal.platform.jobs.registry import Routine
from portal.platform.outbound.errors import OutboundError
from portal.platform.outbound.sender import post_message
from portal.platform.outbound.targets import OutboundPolicy

COLLECTING_SECONDS = 3.0  # between two looks for new events while messages are sent
UPKEEP_SECONDS = 60.0  # between two rounds of failing what expired and deleting what is old


@dataclass(slots=True)
class MessageDispatch:
    """Messages under way, and those whose outcome is not recorded yet."""

    policy: OutboundPolicy
    pool: ThreadPoolExecutor
    under_way: dict[Future[str], ClaimedMessage] = field(default_factory=dict)
    ended: list[tuple[ClaimedMessage, str]] = field(default_factory=list)
    sent: int = 0

    def take_step(self, now: datetime, *, claims: bool) -> None:
        """Record what ended and claim what is next, in one transaction; then hand it to the pool.

        Args:
            now: This instant.
            claims: Whether to claim anything.
        """
        for future in [future for future in self.under_way if future.done()]:
            self.ended.append((self.under_way.pop(future), future.result()))
        busy = {message.webhook_id for message in self.under_way.values()}
        free = queries.list_sendable_webhook_ids(now, busy) if claims else []
        db.session.rollback()
        if not self.ended and not free:
            return
        claimed = []
        with transaction():
            outcomes.lock_webhooks([*free, *(message.webhook_id for message, _ in self.ended)])
            for message, outcome in self.ended:
                outcomes.record_outcome(message, outcome, now)
            for webhook_id in free:
                if next_message := outcomes.claim_next_message(webhook_id, now):
                    claimed.append(next_message)
        self.sent += len(self.ended)
        self.ended.clear()
        for message in claimed:
            self.under_way[self.pool.submit(_send, message, self.policy)] = message

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
        sending = MessageDispatch(outbound_policy(), pool)
        while True:
            try:
                if monotonic() >= next_collecting and not stopping.is_set():
                    collect_events(stopping)
                    _requeue_lost(clock.now())
                    next_collecting = monotonic() + COLLECTING_SECONDS
                sending.take_step(clock.now(), claims=not stopping.is_set())
            except BusyError:  # an import holds the database: what ended is recorded after it
                stopping.wait(1.0)
                continue
            if not sending.under_way:
                return sending.sent
            sending.wait_for_answer()


def _send(message: ClaimedMessage, policy: OutboundPolicy) -> str:
    """Send one message; how it ended. Knows no database."""
    if not message.body:
        return NO_SECRET
    try:
        return str(post_message(message.address, message.body, message.headers, policy))
    except OutboundError as error:
        return str(error.fault)


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
