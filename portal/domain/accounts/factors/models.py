"""Tables of second factors: what a person has, and what is under way."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, false
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId


class Factor(Base):
    """A passkey or a device for one-time codes that a person added to their account; ordinary, audited."""

    __tablename__ = "factor"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    reference: Mapped[str] = mapped_column(unique=True)  # names it on pages
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[str]  # totp or passkey
    label: Mapped[str]  # the person's own name for it
    # Of a device for one-time codes: its secret, encrypted, and the last 30 seconds whose code was used.
    sealed_secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    last_step: Mapped[int | None] = mapped_column(BigId)
    # Of a passkey: as WebAuthn names them.
    credential_id: Mapped[str | None] = mapped_column(unique=True)  # base64url
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary)  # COSE
    sign_count: Mapped[int | None] = mapped_column(BigId)
    added_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """One of a person's ten recovery codes, kept as a keyed hash; a new set replaces them."""

    __tablename__ = "recovery_code"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    code_hash: Mapped[str]
    made_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PendingPasswordSignIn(Base):
    """A sign-in whose password was right and whose second factor is awaited; ordinary, ten minutes."""

    __tablename__ = "pending_sign_in"

    token_hash: Mapped[str] = mapped_column(primary_key=True)  # of a token in the browser's signed cookie
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    # The password is weak: another must be chosen next.
    must_change: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class SpentChallenge(Base):
    """A challenge that a passkey answered, until it would run out: none counts twice."""

    __tablename__ = "spent_challenge"

    challenge_hash: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)
