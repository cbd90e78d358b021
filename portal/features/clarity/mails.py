"""Mails that an author has answered what somebody found unclear."""

import uuid
from datetime import datetime

from sqlalchemy import insert, select

from portal.domain.reminders.message_texts import (
    NO_ADDRESS,
    NothingToSend,
    Paragraph,
    PortalDetails,
    compose_letter,
)
from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.domain.reminders.queries import list_addressees
from portal.domain.reminders.rules import SendWindow
from portal.features.clarity.services import replies_to
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.mail import Letter


def queue_reply_mail(person_id: int, *, at: datetime, hours: SendWindow) -> None:
    """Queue a mail to somebody whom an author answered, unless one about an answer waits already.

    Args:
        person_id: Who was answered.
        at: This instant, which is that of the answer.
        hours: When mail may be sent.
    """
    waits = select(Message.id).where(
        Message.person_id == person_id,
        Message.kind == MessageKind.CLARITY,
        Message.state == Delivery.WAITING,
    )
    reader = list_addressees([person_id], london_day(at)).get(person_id)
    if reader is None or not reader.has_post or not reader.email or db.session.scalar(waits) is not None:
        return
    row = {"reference": uuid.uuid4(), "person_id": person_id, "kind": MessageKind.CLARITY, "tries": 0}
    row |= {"state": Delivery.WAITING, "created_at": at, "not_before": hours.next_allowed(at)}
    db.session.execute(insert(Message).values(row))


def compose_reply_mail(row: Message, now: datetime, portal: PortalDetails) -> Letter | NothingToSend:
    """Write the mail about the answers since it was queued, or say why there is none."""
    reader = list_addressees([row.person_id], london_day(now)).get(row.person_id)
    if reader is None or not reader.has_post:
        return NothingToSend("This person has left or was erased.")
    if not reader.email:
        return NothingToSend(NO_ADDRESS)
    modules = tuple(replies_to(row.person_id, row.created_at))
    if not modules:
        return NothingToSend("Not needed any more.")
    paragraphs = [
        Paragraph("You said that something was clear or unclear. An author has answered, about:", modules),
        Paragraph("Read the answer:", link=f"{portal.address}/learning/clear"),
    ]
    foot = (
        f"{portal.force} sent this from its learning portal because you asked. The author was not told your "
        "name, and nobody else sees that you asked. Replies are not read."
    )
    return compose_letter(reader, "An author has answered you", paragraphs, foot=foot)
