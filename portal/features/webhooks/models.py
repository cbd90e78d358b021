"""Tables of webhooks and of the messages to them; ordinary rows, changed in place."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId


class EventType(StrEnum):
    """What a message is about; other systems know these words, so none is ever renamed."""

    PASS_RECORDED = "pass.recorded"  # noqa: S105 - no password
    STATUS_CHANGED = "status.changed"
    DIRECTIVE_ISSUED = "directive.issued"
    PERSON_JOINED = "person.joined"
    PERSON_LEFT = "person.left"
    TEST = "webhook.test"  # by hand alone


class PauseReason(StrEnum):
    """Why a webhook is paused."""

    BY_HAND = "by_hand"
    GONE = "gone"  # its receiver answered 410
    RESTORED = "restored"  # the database is from a backup, perhaps on another machine


class DeliveryState(StrEnum):
    """Life cycle of a message: waiting, being sent, and one of two ends."""

    WAITING = "waiting"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"


UNENDED = (DeliveryState.WAITING, DeliveryState.SENDING)


class Webhook(Base):
    """An address that hears of events; its secrets are encrypted under a key that is not in the database."""

    __tablename__ = "webhook"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[UUID] = mapped_column(unique=True)
    name: Mapped[str] = mapped_column(unique=True)
    address: Mapped[str]
    events: Mapped[list[str]] = mapped_column(JSON)  # an EventType each
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))  # in and under it; None: the force
    directive_id: Mapped[int | None] = mapped_column(ForeignKey("directive.id"))  # None: all
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    old_secret: Mapped[bytes | None] = mapped_column(LargeBinary)  # signs beside the new one for a while
    old_secret_until: Mapped[datetime | None]
    paused: Mapped[str | None]  # a PauseReason; None: active
    created_at: Mapped[datetime]
    # The position up to which events were collected, and the one to which they are being collected.
    collected_on: Mapped[date]
    collected_at: Mapped[datetime]
    target_on: Mapped[date | None]
    target_at: Mapped[datetime | None]
    target_person: Mapped[int] = mapped_column(BigId, default=0)  # the last one done on the way to it
    failures: Mapped[int] = mapped_column(default=0)  # in a row
    resting_until: Mapped[datetime | None]  # nothing is sent before
    flagged_at: Mapped[datetime | None]  # a message failed for good since one was delivered
    delivered_at: Mapped[datetime | None]  # the last one


class WebhookDelivery(Base):
    """One message to one webhook: an event, without the names and numbers of its person, and its outcome."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        CheckConstraint("state IN ('waiting', 'sending', 'delivered', 'failed')", name="state"),
        UniqueConstraint("webhook_id", "event_id"),
        Index("ix_webhook_delivery_state", "webhook_id", "state", "id"),
        Index("ix_webhook_delivery_person", "webhook_id", "person_id", "state", "id"),
        Index("ix_webhook_delivery_ended", "ended_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    webhook_id: Mapped[int] = mapped_column(ForeignKey("webhook.id"))
    event_id: Mapped[UUID]  # the same whenever the event is collected
    type: Mapped[str]  # an EventType
    happened_at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    data: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str]
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]  # the next try
    expires_at: Mapped[datetime]  # no try after it
    tries: Mapped[int] = mapped_column(default=0)
    claim: Mapped[UUID | None]  # of the worker that sends it
    claimed_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str] = mapped_column(default="")  # of the last try: a status or an OutboundFault
