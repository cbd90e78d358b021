"""Mails to owners about evidence and a plan that no longer hold: when more does not, then once a week."""

import uuid
from collections import defaultdict
from datetime import date, datetime, timedelta

from sqlalchemy import func, insert, select

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
from portal.domain.reports.parameters import Position, read_position_today
from portal.features.assurance.evidence import StaleEntry, list_stale
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.mail import Letter
from portal.platform.wording import plural

EVERY = timedelta(days=7)


def queue_evidence_mails(day: date, *, at: datetime, hours: SendWindow) -> int:
    """Queue a mail to every owner of what does not hold; return how many.

    Whoever got one within a week gets another only if something of theirs has ceased to hold since then.

    Args:
        day: The London day of ``at``.
        at: This instant.
        hours: When mail may be sent.
    """
    today = read_position_today(at)
    stale = _by_owner(list_stale(today))
    if not stale:
        return 0
    mailed = _list_mailed(at - EVERY, stale)
    before = {
        then: _by_owner(list_stale(Position(london_day(then), then, day, latest=False)))
        for then in set(mailed.values())
    }
    asked = [
        owner
        for owner, entries in stale.items()
        if owner not in mailed or entries - before[mailed[owner]][owner]
    ]
    people = list_addressees(sorted(asked), day)
    columns = {"kind": MessageKind.EVIDENCE_STALE, "state": Delivery.WAITING, "created_at": at, "tries": 0}
    columns["not_before"] = hours.next_allowed(at)
    rows = [
        {"reference": uuid.uuid4(), "person_id": person.person_id} | columns
        for person in people.values()
        if person.has_post and person.email
    ]
    if rows:
        db.session.execute(insert(Message), rows)
    return len(rows)


def _by_owner(stale: list[StaleEntry]) -> dict[int, set[str]]:
    """The addresses of what is each owner's; what is nobody's is left out."""
    found: dict[int, set[str]] = defaultdict(set)
    for each in stale:
        if each.owner_id is not None:
            found[each.owner_id].add(each.address)
    return found


def _list_mailed(since: datetime, owners: dict[int, set[str]]) -> dict[int, datetime]:
    """When the newest of these mails was queued, by owner; without owners who had none since an instant."""
    newest = func.max(Message.created_at)
    rows = db.session.execute(
        select(Message.person_id, newest)
        .where(Message.kind == MessageKind.EVIDENCE_STALE, Message.person_id.in_(sorted(owners)))
        .group_by(Message.person_id)
        .having(newest > since)
    )
    return {person_id: at for person_id, at in rows}


def compose_evidence_mail(row: Message, now: datetime, portal: PortalDetails) -> Letter | NothingToSend:
    """Write the mail about what does not hold now, or say why there is none."""
    reader = list_addressees([row.person_id], london_day(now)).get(row.person_id)
    if reader is None or not reader.has_post:
        return NothingToSend("This person has no post any more.")
    if not reader.email:
        return NothingToSend(NO_ADDRESS)
    stale = list_stale(read_position_today(now), row.person_id)
    if not stale:
        return NothingToSend("Not needed any more.")
    subject = f"Assurance: {plural(len(stale), 'thing needs', 'things need')} attention"
    paragraphs = [
        Paragraph(
            "What you own at the assurance desk needs attention:",
            tuple(_evidence_line(each) for each in stale),
        ),
        Paragraph("See what to do about it:", link=f"{portal.address}/assurance/mine"),
    ]
    foot = (
        f"{portal.force} sent this from its learning portal because you own what it lists. It comes when more"
        " of that no longer holds, and otherwise at most once a week. Replies are not read."
    )
    return compose_letter(reader, subject, paragraphs, foot=foot)


def _evidence_line(stale: StaleEntry) -> str:
    return f"{', '.join(filter(None, (stale.reference, stale.title)))}: {' '.join(stale.faults)}"
