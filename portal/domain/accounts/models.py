"""Tables of signing in: passwords, sessions, links, failures, browsers, held forms, provider identities."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId


class Credential(Base):
    """A person's password, and whether an administrator closed the account; ordinary, audited."""

    __tablename__ = "credential"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    password_hash: Mapped[str | None]  # Argon2id; None: not set yet
    # The number of the newest rule that the password passed; None: not checked yet.
    password_rule: Mapped[int | None]
    set_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]


class SignInSession(Base):
    """One signed-in browser, kept on the server under the hash of its token."""

    __tablename__ = "sign_in_session"

    token_hash: Mapped[str] = mapped_column(primary_key=True)  # SHA-256 of the cookie's token
    reference: Mapped[str] = mapped_column(unique=True)  # names it on pages
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    csrf_secret: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(index=True)
    seen_at: Mapped[datetime]  # written at most once a minute
    ended_at: Mapped[datetime | None]
    # signed_out, ended_elsewhere, password_changed, role_changed, closed, lapsed, provider_signed_out,
    # identity_removed, factors_reset or left
    end_reason: Mapped[str | None]
    browser: Mapped[str]  # the browser's family and system in words
    address: Mapped[str]
    # Signed in with a weak password: nothing is allowed but choosing another.
    must_change: Mapped[bool] = mapped_column(default=False, server_default=false())
    method: Mapped[str] = mapped_column(default="password", server_default="password")  # oidc, saml, passkey
    provider_sid: Mapped[str | None] = mapped_column(index=True)  # the identity provider's session
    # The second factor that was shown: totp, passkey, recovery or provider; None: none.
    factor: Mapped[str | None]
    authenticated_at: Mapped[datetime | None]  # when its person last signed in again; None: never


class LastSignIn(Base):
    """When, how and where a person signed in last; ordinary, overwritten at each sign-in."""

    __tablename__ = "last_sign_in"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    signed_in_at: Mapped[datetime] = mapped_column(index=True)
    method: Mapped[str]  # as in a session
    browser: Mapped[str]  # in words; empty where it is not known any more
    address: Mapped[str]  # the same


class PasswordLink(Base):
    """A single-use link to set or reset a password, kept as the hash of its token."""

    __tablename__ = "password_link"

    token_hash: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None]
    # Leads on to a first second factor: an administrator or an operator made it, nobody at the sign-in page.
    may_enrol: Mapped[bool] = mapped_column(default=False, server_default=false())


class SignInFailure(Base):
    """One refused sign-in; ordinary, removed after two hours. The account is a keyed hash."""

    __tablename__ = "sign_in_failure"
    __table_args__ = (
        Index("ix_failure_account", "account_hash", "failed_at"),
        Index("ix_failure_address", "address", "failed_at"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    account_hash: Mapped[str]
    address: Mapped[str]  # or network, or the browser where the account used it before
    failed_at: Mapped[datetime] = mapped_column(index=True)


class KnownBrowser(Base):
    """A browser that a person signed in from before; ordinary, removed when unused for long."""

    __tablename__ = "known_browser"

    browser_hash: Mapped[str] = mapped_column(primary_key=True)  # of the browser's token and the account
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    used_at: Mapped[datetime] = mapped_column(index=True)


class HeldForm(Base):
    """A form sent after its session ended, encrypted, kept for the same person and browser."""

    __tablename__ = "held_form"

    token_hash: Mapped[str] = mapped_column(primary_key=True)  # of a cookie given with the sign-in page
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    # Address and fields, encrypted for that cookie's token.
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    held_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ProviderIdentity(Base):
    """An identity at the force's provider, and the person it signs in; bound once, ordinary, audited."""

    __tablename__ = "provider_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"), UniqueConstraint("person_id", "issuer"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    issuer: Mapped[str]
    subject: Mapped[str]  # the claim sub; of Microsoft Entra ID tid/oid
    claim_value: Mapped[str]  # by which the person was found in the roster then
    bound_at: Mapped[datetime]
    last_used_at: Mapped[datetime]


class RefusedIdentity(Base):
    """An identity at the force's provider that signs nobody in, and why; ordinary, removed after 90 days."""

    __tablename__ = "refused_identity"
    __table_args__ = (UniqueConstraint("issuer", "subject"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    claim_value: Mapped[str]
    reason: Mapped[str]  # a portal.domain.accounts.identities.Refusal
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)  # None: nobody found
    refused_at: Mapped[datetime] = mapped_column(index=True)  # the last time


class SpentLogoutToken(Base):
    """A logout token of the force's provider that was carried out, until it runs out: none counts twice."""

    __tablename__ = "spent_logout_token"

    token_hash: Mapped[str] = mapped_column(primary_key=True)  # SHA-256 of issuer and jti
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Invitation(Base):
    """An invitation to set a first password, by mail or on a printed list; the newest of a person counts."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    batch: Mapped[UUID] = mapped_column(index=True)  # the same for all that one press of a button made
    invited_at: Mapped[datetime]
    invited_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    message_id: Mapped[int | None] = mapped_column(ForeignKey("message.id"), unique=True)  # None: printed
    expires_at: Mapped[datetime | None]  # of its link, counted from sending or printing; None: not sent yet
    used_at: Mapped[datetime | None]  # when the person set a password with a link


class ResetRequest(Base):
    """Somebody asked at sign-in for a link to set a new password; ordinary, removed after an hour."""

    __tablename__ = "reset_request"
    __table_args__ = (Index("ix_reset_request_network", "network", "asked_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: nobody gets a mail
    network: Mapped[str]  # from which it came
    asked_at: Mapped[datetime] = mapped_column(index=True)
    handled_at: Mapped[datetime | None]  # when a worker queued the mail, or found that there is none


# Tables of second factors: what a person has, and what is under way.


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
