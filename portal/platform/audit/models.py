"""The audit trail's one table."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId


class AuditEvent(Base):
    """What an account, or a command, did here; append-only, holds no secret and no free text."""

    __tablename__ = "audit_event"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    happened_at: Mapped[datetime] = mapped_column(index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)  # None: a command
    action: Mapped[str]  # "pass.recorded", "completions.exported" …
    subject_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
