"""Mails about recall: queued once for what has become due, written from the data of the moment of sending."""

import uuid
from datetime import date, datetime, timedelta

from sqlalchemy import func, insert, select

from portal.domain.reminders.message_texts import (
    MOST_DAYS,
    NO_ADDRESS,
    NothingToSend,
    Paragraph,
    PortalDetails,
    compose_letter,
)
from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.domain.reminders.queries import list_addressees
from portal.domain.reminders.rules import SendWindow
from portal.features.recall.queries import due_days_by_person, list_due_recalls
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.mail import Letter
from portal.platform.wording import date as date_words
from portal.platform.wording import plural


def queue_recall_mails(day: date, *, at: datetime, hours: SendWindow) -> int:
    """Queue a mail to everybody for whom a module became due lately; return how many.

    Whoever does not answer is not written to again about the same modules, and nobody about what was due
    long before mail was set up. People without a post, an address or recall turned on get none.

    Args:
        day: The London day of ``at``.
        at: This instant.
        hours: When mail may be sent.
    """
    long_ago = day - timedelta(days=MOST_DAYS)
    due_days = due_days_by_person(day, long_ago)
    last_on = _last_mailed_on() if due_days else {}
    readers = [
        person_id for person_id, days in due_days.items() if max(days) > last_on.get(person_id, long_ago)
    ]
    people = list_addressees(readers, day)
    columns = {"kind": MessageKind.RECALL, "state": Delivery.WAITING, "created_at": at, "tries": 0}
    rows = [
        {"reference": uuid.uuid4(), "person_id": person.person_id, "not_before": hours.next_allowed(at)}
        | columns
        for person in people.values()
        if person.has_post and person.email
    ]
    if rows:
        db.session.execute(insert(Message), rows)
    return len(rows)


def compose_recall(row: Message, now: datetime, portal: PortalDetails) -> Letter | NothingToSend:
    """Write the mail about what is due now, or say why there is none."""
    day = london_day(now)
    reader = list_addressees([row.person_id], day).get(row.person_id)
    if reader is None or not reader.has_post:
        return NothingToSend("This person has left or was erased.")
    if not reader.email:
        return NothingToSend(NO_ADDRESS)
    recalls = list_due_recalls(row.person_id, day)
    if not recalls:
        return NothingToSend("Not needed any more.")
    items = tuple(f"{each.short_title}, which you passed on {date_words(each.passed_at)}" for each in recalls)
    subject = f"Do you still know it? {plural(3 * len(recalls), 'question')}"
    paragraphs = [
        Paragraph("Three questions take about two minutes. They are about:", items),
        Paragraph("Answer them, or turn them off:", link=f"{portal.address}/learning/recall"),
    ]
    foot = (
        f"{portal.force} sent this from its learning portal because you passed a module. You do not have to "
        "answer, and nobody else sees whether you do. Replies are not read."
    )
    return compose_letter(reader, subject, paragraphs, foot=foot)


def _last_mailed_on() -> dict[int, date]:
    """The London day on which each person's last mail about recall was queued."""
    statement = select(Message.person_id, func.max(Message.created_at)).where(
        Message.kind == MessageKind.RECALL
    )
    rows = db.session.execute(statement.group_by(Message.person_id))
    return {person_id: london_day(at) for person_id, at in rows}
