"""Queues mails about events: one for each act that concerns a person, in the act's transaction."""

import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import insert, select

from portal.domain.directives.fact_loader import split_into_batches
from portal.domain.reminders.models import Delivery, Message, MessageKind, NoticeLine
from portal.domain.reminders.notices import JOB
from portal.domain.reminders.settings import mail_hours, relay_is_set
from portal.platform import clock
from portal.platform.audit.models import AuditEvent
from portal.platform.db import db
from portal.platform.jobs import services as jobs

_KIND_OF = {
    "event.facilitator_named": MessageKind.EVENT_BOOKED,
    "event.facilitator_released": MessageKind.EVENT_CANCELLED,
    "event.move_told": MessageKind.EVENT_MOVED,
    "event.cancellation_told": MessageKind.EVENT_CANCELLED,
    "event.reminded": MessageKind.EVENT_REMINDER,
    "booking.offered": MessageKind.PLACE_OFFERED,
    "booking.cancelled": MessageKind.EVENT_CANCELLED,
    "booking.declined": MessageKind.EVENT_CANCELLED,
    "booking.lapsed": MessageKind.EVENT_CANCELLED,
    "booking.left": MessageKind.EVENT_CANCELLED,
}


def kind_of_act(act: AuditEvent) -> MessageKind | None:
    """The kind of mail that follows from an act; None if none does."""
    if act.action == "booking.made":  # the others wait for a place or an approval, and have none yet
        return MessageKind.EVENT_BOOKED if act.detail.get("state", "booked") == "booked" else None
    return _KIND_OF.get(act.action)


def queue_event_mails(acts: Sequence[AuditEvent]) -> None:
    """Queue a mail about each of these acts of events to the person it concerns; pass over other acts.

    Args:
        acts: The audit events of this transaction.
    """
    told = [(act, kind) for act in acts if act.subject_id is not None and (kind := kind_of_act(act))]
    if not told:
        return
    at = clock.now()
    references = {act.id: uuid.uuid4() for act, _ in told}
    rows: list[dict[str, Any]] = [
        {
            "reference": references[act.id],
            "person_id": act.subject_id,
            "kind": kind,
            "state": Delivery.WAITING,
            "created_at": at,
            "not_before": mail_hours().next_allowed(at) if kind is MessageKind.EVENT_REMINDER else at,
            "tries": 0,
        }
        for act, kind in told
    ]
    db.session.execute(insert(Message), rows)
    ids: dict[uuid.UUID, int] = {}
    for batch in split_into_batches(list(references.values())):
        found = select(Message.reference, Message.id).where(Message.reference.in_(batch))
        ids.update({reference: message_id for reference, message_id in db.session.execute(found)})
    lines = [{"message_id": ids[reference], "event_id": act_id} for act_id, reference in references.items()]
    db.session.execute(insert(NoticeLine), lines)
    if relay_is_set() and any(kind is not MessageKind.EVENT_REMINDER for _, kind in told):
        jobs.start_job_once(JOB, at)
