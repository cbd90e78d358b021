"""Puts the mails that were asked for at sign-in into the outbox; nobody who asks waits for this."""

import uuid
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from sqlalchemy import insert, select, update

from portal.domain.accounts.models import ResetRequest
from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.domain.reminders.services import lock_outbox
from portal.platform.audit.services import log
from portal.platform.db import db

BATCH = 100  # requests in one transaction
MOST_AN_HOUR, MOST_A_DAY = 3, 6  # mails to one account


def queue_reset_mails(at: datetime) -> tuple[int, int]:
    """Handle the oldest requests: one message for each account, unless it had enough of them.

    Returns:
        How many requests were handled and how many messages queued; (0, 0) if no request waited.
    """
    lock_outbox()
    waiting = select(ResetRequest.id, ResetRequest.person_id, ResetRequest.network)
    waiting = waiting.where(ResetRequest.handled_at.is_(None)).order_by(ResetRequest.id).limit(BATCH)
    requests = db.session.execute(waiting).all()
    networks = {request.person_id: request.network for request in reversed(requests) if request.person_id}
    people = [person_id for person_id in networks if person_id not in _find_served(networks, at)]
    columns = {"kind": MessageKind.RESET, "state": Delivery.WAITING, "created_at": at, "not_before": at}
    columns |= {"tries": 0, "reason": ""}
    if people:
        rows = [{"person_id": person_id, "reference": uuid.uuid4(), **columns} for person_id in people]
        db.session.execute(insert(Message), rows)
    for person_id in people:
        log("account.reset_requested", actor_id=None, subject_id=person_id, address=networks[person_id])
    ids = [request.id for request in requests]
    db.session.execute(update(ResetRequest).where(ResetRequest.id.in_(ids)).values(handled_at=at))
    return len(requests), len(people)


def _find_served(people: Collection[int], at: datetime) -> set[int]:
    """Those of these people to whom a mail waits, or who had as many as an account gets."""
    statement = select(Message.person_id, Message.state, Message.created_at).where(
        Message.person_id.in_(people),
        Message.kind == MessageKind.RESET,
        Message.created_at > at - timedelta(days=1),
    )
    times, served = defaultdict(list), set()
    for person_id, state, created_at in db.session.execute(statement):
        times[person_id].append(created_at)
        if state in {Delivery.WAITING, Delivery.SENDING}:
            served.add(person_id)
    hour_ago = at - timedelta(hours=1)
    for person_id, created in times.items():
        if len(created) >= MOST_A_DAY or sum(one > hour_ago for one in created) >= MOST_AN_HOUR:
            served.add(person_id)
    return served
