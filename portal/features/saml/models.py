"""The table of assertions that were accepted."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base


class ReceivedAssertion(Base):
    """An assertion of the force's SAML provider that was accepted, until it runs out: none counts twice.

    Whom it names is kept for the two minutes in which its browser, by a token, comes for it.
    """

    __tablename__ = "received_assertion"

    assertion_hash: Mapped[str] = mapped_column(primary_key=True)  # SHA-256 of issuer and ID
    token_hash: Mapped[str | None] = mapped_column(unique=True)  # None: the browser came
    request_id: Mapped[str]  # which the assertion answers
    subject: Mapped[str]  # this and the next are empty once the browser came
    claim_value: Mapped[str]
    signed_in_at: Mapped[datetime]  # there
    received_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
