"""Table of the tokens with which other systems read and write."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.column_types import unique_index
from portal.platform.db import Base, BigId


class TokenScope(StrEnum):
    """What a token is for; each route says which scopes it accepts."""

    READ = "read"
    WRITE = "write"  # reads too
    SCIM = "scim"  # provisioning alone


class AccessToken(Base):
    """A token with which another system uses the portal, kept as its hash; ordinary, audited."""

    __tablename__ = "access_token"
    __table_args__ = (
        # Two tokens that work never have one name: the audit trail names a token by it.
        unique_index("uq_access_token_live_name", "name", where="revoked_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)  # names it on pages
    name: Mapped[str]
    token_hash: Mapped[str] = mapped_column(unique=True)  # SHA-256
    scope: Mapped[str]  # a TokenScope
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))  # None: the whole force
    directive_reference: Mapped[str | None]  # None: every directive
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: a command
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    revoked_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    suspended_at: Mapped[datetime | None]  # by a restore, until an administrator lets it work again
    last_used_at: Mapped[datetime | None]  # written at most once a minute
    last_address: Mapped[str | None]
