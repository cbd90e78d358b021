"""The messages that a person was mailed, so that they find them in the portal too."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from portal.domain.people.queries import Viewer
from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.domain.reminders.outbox_words import WORDS_OF_KIND, lines_in_words
from portal.platform.db import db

SHOWN_FOR = timedelta(days=180)
MOST_SHOWN = 50
_MAILED = (Delivery.SENT, Delivery.BOUNCED, Delivery.REFUSED, Delivery.FAILED)


@dataclass(frozen=True, slots=True)
class OwnMessage:
    """One message to the person who reads it."""

    kind: str  # a MessageKind
    mailed_at: datetime
    arrived: bool  # False: no email could be delivered
    lines: tuple[str, ...]  # what it said, in words


def list_own_messages(viewer: Viewer, at: datetime) -> list[OwnMessage]:
    """The messages mailed to the viewer in the last half year, the newest first. Three statements."""
    rows = db.session.scalars(
        select(Message)
        .where(Message.person_id == viewer.person_id, Message.state.in_(_MAILED))
        .where(Message.created_at > at - SHOWN_FOR)
        .order_by(Message.created_at.desc(), Message.id.desc())
        .limit(MOST_SHOWN)
    ).all()
    words = lines_in_words(viewer, [row.id for row in rows])
    return [
        OwnMessage(
            kind=row.kind,
            mailed_at=row.sent_at or row.created_at,
            arrived=row.state == Delivery.SENT,
            lines=tuple(words.get(row.id, ())) or WORDS_OF_KIND.get(MessageKind(row.kind), ()),
        )
        for row in rows
    ]
