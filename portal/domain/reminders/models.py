"""Tables of the outbox and of reminder rules: ordinary rows, no facts."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.feature import list_features
from portal.platform.db import Base, BigId, unique_index


class Delivery(StrEnum):
    """The state of a message."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"  # the relay took it
    DROPPED = "dropped"  # no reason was left when it was to be sent
    REFUSED = "refused"  # by the relay, for good
    FAILED = "failed"  # given up after many tries
    BOUNCED = "bounced"  # taken by the relay and sent back later


class MessageKind(StrEnum):
    """What a message is about."""

    REMINDER = "reminder"  # about directives; one for each person and day, in the send window
    NOTICE = "notice"  # about acts on accounts; at once, at any hour
    INVITATION = "invitation"  # a link to set a first password, in the send window
    RESET = "reset"  # a link to set a new password, for somebody who asked; at once, at any hour
    RECALL = "recall"  # questions about a module passed, in the send window; only its reader sees that it is
    REVIEW = "review"  # to authors, once a month, about review dates; in the send window
    CLARITY = "clarity"  # an author answered what somebody found unclear; in the send window, and
    # only its reader sees that it is
    FOLDER = "folder"  # files of the watched folder that were not imported; in the send window
    REPORT = "report"  # a link to a saved report, on its schedule; in the send window
    EVIDENCE_STALE = (
        "evidence_stale"  # evidence or a plan that no longer holds, to its owner; in the send window
    )
    EVENT_BOOKED = "event_booked"  # a place at an event, or the task to run one; at once, as the next three
    EVENT_MOVED = "event_moved"  # an event has another time, room or notes
    EVENT_CANCELLED = "event_cancelled"  # an event, or the reader's place or task there, is no more
    PLACE_OFFERED = "place_offered"  # a place came free; it is the reader's if they take it in time
    EVENT_REMINDER = "event_reminder"  # an event is near; in the send window


EVENT_KINDS = (
    MessageKind.EVENT_BOOKED,
    MessageKind.EVENT_MOVED,
    MessageKind.EVENT_CANCELLED,
    MessageKind.PLACE_OFFERED,
    MessageKind.EVENT_REMINDER,
)


def list_private_kinds() -> list[MessageKind]:
    """The kinds that are shown to their reader alone; of every feature, on or off."""
    of_features = (mail for feature in list_features() for mail in feature.mails)
    return [MessageKind(mail.kind) for mail in of_features if mail.private]


class Message(Base):
    """One mail to one person. Its text is written when it is sent, from the data of that moment."""

    __tablename__ = "message"
    __table_args__ = (
        # The database allows one waiting reminder for each person, and one sent on each day.
        unique_index("uq_message_waiting", "person_id", where="state = 'waiting' AND kind = 'reminder'"),
        UniqueConstraint("person_id", "sent_on", name="uq_message_one_a_day"),
        Index("ix_message_state", "state", "not_before"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[UUID] = mapped_column(unique=True)  # also in its Message-ID
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str] = mapped_column(default=MessageKind.REMINDER, server_default=MessageKind.REMINDER)
    # Of a notice, the address known when the act was done; of an invitation, the one it was last sent to.
    email: Mapped[str | None]
    state: Mapped[str] = mapped_column(default=Delivery.WAITING)
    created_at: Mapped[datetime]
    not_before: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)
    claimed_at: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    # Of a reminder, the London day; set when it is claimed, and cleared if it was not sent.
    sent_on: Mapped[date | None]
    reason: Mapped[str] = mapped_column(default="")  # why it was postponed, dropped, refused or bounced


class MessageLine(Base):
    """One reason for a reminder: a directive, a person and why."""

    __tablename__ = "message_line"
    __table_args__ = (
        UniqueConstraint("message_id", "directive_id", "about_id", "reason"),
        Index("ix_message_line_about", "about_id", "directive_id", "reason"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    directive_id: Mapped[int] = mapped_column(ForeignKey("directive.id"))
    about_id: Mapped[int] = mapped_column(ForeignKey("person.id"))  # the addressee, except in an escalation
    reason: Mapped[str]
    asked_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # of a nudge
    created_at: Mapped[datetime]


class NoticeLine(Base):
    """One act that a notice, or a mail about the folder or an event, reports; more is in the audit event."""

    __tablename__ = "notice_line"
    __table_args__ = (UniqueConstraint("message_id", "event_id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    message_id: Mapped[int] = mapped_column(ForeignKey("message.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("audit_event.id"))


class ReminderRule(Base):
    """When one directive reminds, if that differs from the usual; ordinary, audited."""

    __tablename__ = "reminder_rule"

    directive_id: Mapped[int] = mapped_column(ForeignKey("directive.id"), primary_key=True)
    notice_days: Mapped[list[int]] = mapped_column(JSON)
    overdue_every: Mapped[int]
    escalate_after: Mapped[int]
    ending_days: Mapped[list[int]] = mapped_column(JSON)


class UntoldManager(Base):
    """A line manager who got no reminder about overdue people, because they cannot open the report."""

    __tablename__ = "untold_manager"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    planned_at: Mapped[datetime]  # when they were last left out
    people: Mapped[int]  # how many it would have been about


class ReminderRun(Base):
    """A London day for which reminders were planned."""

    __tablename__ = "reminder_run"

    day: Mapped[date] = mapped_column(primary_key=True)
    planned_at: Mapped[datetime]
    result: Mapped[dict[str, Any]] = mapped_column(JSON)
