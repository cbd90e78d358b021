"""How many messages wait in the outbox, and for how long they could have been sent."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, or_, select

from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.domain.reminders.send_window import SendWindow
from portal.domain.reminders.services import send_window_of
from portal.platform.clock import LONDON
from portal.platform.db import db


@dataclass(frozen=True, slots=True)
class OutboxFigures:
    """The waiting messages of one kind."""

    kind: MessageKind
    waiting: int
    postponed: int  # tried, or without a relay that answered
    oldest_seconds: float  # for which the oldest could have been sent; 0 while none may be


def read_outbox_figures(at: datetime, hours: SendWindow) -> list[OutboxFigures]:
    """The waiting messages of each kind that has some. One statement.

    A message waits from the first instant at which it might be sent, on each day anew for what is sent in
    ``hours`` alone: what the evening left over does not look old in the morning.
    """
    is_postponed = Message.reason != ""
    since = case((is_postponed, Message.created_at), (Message.not_before <= at, Message.not_before))
    statement = (
        select(
            Message.kind,
            func.count(),
            func.sum(case((is_postponed, 1), else_=0)),
            func.min(since),
        )
        .where(Message.state == Delivery.WAITING, or_(is_postponed, Message.not_before <= at))
        .group_by(Message.kind)
        .order_by(Message.kind)
    )
    return [
        OutboxFigures(
            MessageKind(kind),
            waiting,
            int(postponed),
            _seconds_open(oldest, at, send_window_of(MessageKind(kind), hours)),
        )
        for kind, waiting, postponed, oldest in db.session.execute(statement)
    ]


def _seconds_open(since: datetime, at: datetime, window: SendWindow) -> float:
    """For how long a message could have been sent today, which waits since then."""
    if not window.allows_sending(at):
        return 0.0
    opened = datetime.combine(at.astimezone(LONDON).date(), window.first, LONDON)
    begin = max(since, opened) if window.first > window.first.min else since
    return max(0.0, (at - begin).total_seconds())
