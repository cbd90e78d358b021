"""The audit trail's tables."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.audit.origin import current_origin
from portal.platform.db import Base, BigId


class Outcome(StrEnum):
    """What became of an act."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"


_IS_NOT_DONE = text("outcome <> 'done'")
_HAS_ADDRESS = text("address <> ''")
_HAS_REQUEST = text("request_id <> ''")
_IS_RARE_CHANNEL = text("channel NOT IN ('', 'page')")


class AuditEvent(Base):
    """What an account, a token, a job or a command did; append-only, holds no secret and no free text."""

    __tablename__ = "audit_event"
    __table_args__ = (
        # Each list is read from the newest on, by one of these.
        Index("ix_audit_event_happened_at", "happened_at", "id"),
        Index("ix_audit_event_actor_id", "actor_id", "happened_at", "id"),
        Index("ix_audit_event_subject_id", "subject_id", "happened_at", "id"),
        Index("ix_audit_event_action", "action", "happened_at", "id"),
        Index(
            "ix_audit_event_address", "address", "happened_at", "id",
            sqlite_where=_HAS_ADDRESS, postgresql_where=_HAS_ADDRESS,
        ),
        Index(
            "ix_audit_event_request_id", "request_id", "happened_at", "id",
            sqlite_where=_HAS_REQUEST, postgresql_where=_HAS_REQUEST,
        ),
        Index(
            "ix_audit_event_outcome", "outcome", "happened_at", "id",
            sqlite_where=_IS_NOT_DONE, postgresql_where=_IS_NOT_DONE,
        ),
        Index(
            "ix_audit_event_channel", "channel", "happened_at", "id",
            sqlite_where=_IS_RARE_CHANNEL, postgresql_where=_IS_RARE_CHANNEL,
        ),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    happened_at: Mapped[datetime]
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: no account acted
    action: Mapped[str]  # "pass.recorded", "completions.exported" …
    subject_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    outcome: Mapped[str] = mapped_column(default=Outcome.DONE, server_default=Outcome.DONE)
    # From where: the edge states it once, and every row takes it, whichever way it is written.
    channel: Mapped[str] = mapped_column(default=lambda: current_origin().channel, server_default="")
    agent: Mapped[str] = mapped_column(default=lambda: current_origin().agent, server_default="")
    address: Mapped[str] = mapped_column(default=lambda: current_origin().address, server_default="")
    request_id: Mapped[str] = mapped_column(default=lambda: current_origin().request_id, server_default="")


class FilePeople(Base):
    """Whose data one file held: a set of people, beside the audit event of the file; append-only."""

    __tablename__ = "file_people"

    event_id: Mapped[int] = mapped_column(ForeignKey("audit_event.id"), primary_key=True)
    people: Mapped[bytes] = mapped_column(LargeBinary)  # as portal/platform/audit/person_sets.py packs it
