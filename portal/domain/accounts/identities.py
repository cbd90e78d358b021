"""Identities at the force's provider: whom each signs in, and the sessions that the provider ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute

from portal.domain.accounts import retention, services
from portal.domain.accounts.grants import is_in_administration
from portal.domain.accounts.models import (
    Credential,
    ProviderIdentity,
    RefusedIdentity,
    SignInSession,
    SpentLogoutToken,
)
from portal.domain.accounts.services import OPENID
from portal.domain.accounts.tokens import hash_token
from portal.domain.people.models import Identifier, PersonName
from portal.domain.people.queries import viewer_of
from portal.domain.people.services import lock_person
from portal.domain.people.sight import administered_units
from portal.domain.people.staff_numbers import fold_staff_number
from portal.domain.people.visibility import Viewer
from portal.platform.audit import log
from portal.platform.db import db
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from portal.platform.openid.claims import ProviderSubject
from portal.platform.openid.settings import STAFF_NUMBER

# Which person an identity at the force's provider signs in: found by one claim once, then bound for ever.

AUDITED_EVERY = timedelta(hours=1)  # the same refusal of the same identity: the audit trail cannot be emptied


class Refusal(StrEnum):
    """Why an identity signs nobody in."""

    NO_CLAIM = "no-claim"  # the provider does not send the claim, or it is no single value
    NOBODY = "nobody"  # nobody in the roster has its value
    SEVERAL = "several"  # more than one person has it
    NO_POST = "no-post"
    CLOSED = "closed"
    BOUND_TO_ANOTHER = "bound-to-another"  # the person signs in with another identity of this provider


SENTENCES = {
    Refusal.NO_CLAIM: "Your sign-in did not say which person in the roster you are.",
    Refusal.NOBODY: "Nobody in the portal’s roster has the number that your sign-in gave.",
    Refusal.SEVERAL: "More than one person in the portal’s roster has the number that your sign-in gave.",
    Refusal.NO_POST: "You have no post in the portal’s roster today.",
    Refusal.CLOSED: "Your account in the portal is closed.",
    Refusal.BOUND_TO_ANOTHER: "You signed in to the portal before with another account of your force.",
}


class BindingRefusedError(RuleError):
    """The identity is genuine, but signs nobody in."""

    def __init__(self, reason: Refusal, person_id: int | None = None) -> None:
        self.reason, self.person_id = reason, person_id
        super().__init__(SENTENCES[reason])


def admit_subject(subject: ProviderSubject, match_field: str, at: datetime) -> int:
    """The person whom the identity signs in; bound now if it never signed anyone in.

    Args:
        subject: Who signed in at the provider.
        match_field: What the claim names a person by: the staff number, or a scheme of identifiers.
        at: This instant.

    Raises:
        BindingRefusedError: It signs nobody in, and why. Nothing is changed.
    """
    identity = _find_identity(subject)
    if identity is None:
        person_id = _match_person(subject.match_value, match_field)
        lock_person(person_id)  # two tabs that sign in for the first time at once wait for each other
        identity = _find_identity(subject) or _bind_subject(subject, person_id, at)
    else:
        _refuse_shut_out(identity.person_id)
        identity.last_used_at = at
    db.session.execute(delete(RefusedIdentity).where(*_is_same(RefusedIdentity, subject)))
    return identity.person_id


def _bind_subject(subject: ProviderSubject, person_id: int, at: datetime) -> ProviderIdentity:
    _refuse_shut_out(person_id)
    other = select(ProviderIdentity.id).where(
        ProviderIdentity.person_id == person_id, ProviderIdentity.issuer == subject.issuer
    )
    if db.session.scalar(other) is not None:
        raise BindingRefusedError(Refusal.BOUND_TO_ANOTHER, person_id)
    identity = ProviderIdentity(
        person_id=person_id,
        issuer=subject.issuer,
        subject=subject.subject,
        claim_value=subject.match_value,
        bound_at=at,
        last_used_at=at,
    )
    db.session.add(identity)
    log("account.identity_bound", actor_id=person_id, subject_id=person_id)
    return identity


def _find_identity(subject: ProviderSubject) -> ProviderIdentity | None:
    return db.session.scalar(select(ProviderIdentity).where(*_is_same(ProviderIdentity, subject)))


def _is_same(
    table: type[ProviderIdentity] | type[RefusedIdentity], subject: ProviderSubject
) -> tuple[ColumnElement[bool], ...]:
    return table.issuer == subject.issuer, table.subject == subject.subject


def _match_person(value: str, match_field: str) -> int:
    """The one person whom the claim names, in any capitals."""
    if not value:
        raise BindingRefusedError(Refusal.NO_CLAIM)
    if match_field == STAFF_NUMBER:
        number = fold_staff_number(value)
        statement = select(PersonName.person_id).where(_is_spelt(PersonName.staff_number, number))
    else:
        statement = select(Identifier.person_id).where(
            Identifier.scheme == match_field, _is_spelt(Identifier.value, value)
        )
    people = set(db.session.scalars(statement))
    if len(people) > 1:
        raise BindingRefusedError(Refusal.SEVERAL)
    if not people:
        raise BindingRefusedError(Refusal.NOBODY)
    return people.pop()


def _is_spelt(column: InstrumentedAttribute[str], value: str) -> ColumnElement[bool]:
    return func.lower(column) == func.lower(value)


def _refuse_shut_out(person_id: int) -> None:
    """Raise if the person may not sign in at all, however they show who they are."""
    closed = select(Credential.closed_at).where(Credential.person_id == person_id)
    if db.session.scalar(closed) is not None:
        raise BindingRefusedError(Refusal.CLOSED, person_id)
    viewer = viewer_of(person_id)
    if viewer is None or not viewer.has_post:
        raise BindingRefusedError(Refusal.NO_POST, person_id)


def remove_identity(person_id: int, issuer: str, *, by: int | None, at: datetime) -> None:
    """Forget which identity signs the person in, and sign them out: the next sign-in is matched anew."""
    removed = db.session.scalars(
        delete(ProviderIdentity)
        .where(ProviderIdentity.person_id == person_id, ProviderIdentity.issuer == issuer)
        .returning(ProviderIdentity.id)
    ).all()
    if not removed:
        raise NotFoundError("This person has not signed in with the force's account.")
    log("account.identity_removed", actor_id=by, subject_id=person_id)
    services.end_sessions(person_id, "identity_removed", by, at)


def record_refusal(subject: ProviderSubject, refusal: BindingRefusedError, at: datetime) -> None:
    """Note, for an administrator, that the identity was refused; audit it at most once an hour."""
    retention.delete_old_provider_rows(at)
    row = db.session.scalar(select(RefusedIdentity).where(*_is_same(RefusedIdentity, subject)))
    if row is None:
        row = RefusedIdentity(issuer=subject.issuer, subject=subject.subject)
        db.session.add(row)
    is_news = row.reason != refusal.reason or at - row.refused_at >= AUDITED_EVERY
    row.claim_value, row.reason = subject.match_value, refusal.reason
    row.person_id, row.refused_at = refusal.person_id, at
    if is_news:
        log(
            "account.binding_refused",
            actor_id=None,
            subject_id=refusal.person_id,
            reason=str(refusal.reason),
        )


# Which identities of the force's provider are bound to whom, and which were refused, for administrators.

MOST_REFUSALS = 100  # the latest; more are a fault of the settings, not of people


@dataclass(frozen=True, slots=True)
class BoundIdentity:
    """An identity and the person it signs in."""

    staff_number: str
    name: str
    claim_value: str  # by which the person was found when it was bound
    bound_at: datetime
    last_used_at: datetime


@dataclass(frozen=True, slots=True)
class RefusedSignIn:
    """An identity that was not let in."""

    claim_value: str
    reason: Refusal
    refused_at: datetime
    staff_number: str | None  # of the person it is about, where there is one
    name: str | None


def find_identity(person_id: int, issuer: str) -> ProviderIdentity | None:
    """The identity of this provider that signs the person in."""
    return db.session.scalar(
        select(ProviderIdentity).where(
            ProviderIdentity.person_id == person_id, ProviderIdentity.issuer == issuer
        )
    )


def count_bound_identities(viewer: Viewer, issuer: str) -> int:
    """How many people whose accounts the viewer may look at sign in with this provider."""
    statement = select(func.count()).where(
        ProviderIdentity.issuer == issuer, is_in_administration(ProviderIdentity.person_id, viewer)
    )
    return db.session.scalar(statement) or 0


def list_bound_identities(viewer: Viewer, issuer: str, *, offset: int, limit: int) -> list[BoundIdentity]:
    """A part of the identities of people whose accounts the viewer may look at, by name."""
    rows = db.session.execute(
        select(
            PersonName.staff_number,
            PersonName.surname + ", " + PersonName.forenames,
            ProviderIdentity.claim_value,
            ProviderIdentity.bound_at,
            ProviderIdentity.last_used_at,
        )
        .join(PersonName, PersonName.person_id == ProviderIdentity.person_id)
        .where(ProviderIdentity.issuer == issuer, is_in_administration(PersonName.person_id, viewer))
        .order_by(PersonName.surname, PersonName.staff_number)
        .offset(offset)
        .limit(limit)
    )
    return [BoundIdentity(*row) for row in rows]


def list_refused_sign_ins(viewer: Viewer, issuer: str) -> list[RefusedSignIn]:
    """The latest refusals of people whose accounts the viewer may look at.

    Of nobody in the roster only to administrators of the whole force: whose number it is, nobody can say.
    """
    is_shown = is_in_administration(RefusedIdentity.person_id, viewer)
    if administered_units(viewer) is None:
        is_shown = or_(is_shown, RefusedIdentity.person_id.is_(None))
    rows = db.session.execute(
        select(
            RefusedIdentity.claim_value,
            RefusedIdentity.reason,
            RefusedIdentity.refused_at,
            PersonName.staff_number,
            PersonName.surname + ", " + PersonName.forenames,
        )
        .outerjoin(PersonName, PersonName.person_id == RefusedIdentity.person_id)
        .where(RefusedIdentity.issuer == issuer, is_shown)
        .order_by(RefusedIdentity.refused_at.desc(), RefusedIdentity.id)
        .limit(MOST_REFUSALS)
    )
    return [
        RefusedSignIn(value, Refusal(reason), refused_at, staff_number, name)
        for value, reason, refused_at, staff_number, name in rows
    ]


# Ends the sessions that the force's provider says are over (back-channel logout).

REMEMBERED = timedelta(minutes=30)  # a token's check refuses it long before
REASON = "provider_signed_out"


class LogoutReplayedError(ConflictError):
    """This logout token was carried out before."""

    def __init__(self) -> None:
        super().__init__("This logout token was carried out before.")


def end_provider_sessions(
    issuer: str, token_id: str, *, subject: str | None, provider_sid: str | None, at: datetime
) -> int:
    """End the portal's sessions that came from one session, or from all, of a subject at the provider.

    Args:
        issuer: Of the logout token.
        token_id: Its ``jti``.
        subject: Its ``sub``.
        provider_sid: Its ``sid``: the sessions with this one; if there are none, those that name no session
            of the provider's.
        at: This instant.

    Returns:
        How many sessions ended; none where all are over already.

    Raises:
        LogoutReplayedError: The token was carried out before. Nothing is changed.
    """
    _spend_token(issuer, token_id, at)
    ended = _end_sessions(SignInSession.provider_sid == provider_sid, at) if provider_sid else 0
    if ended or subject is None:
        return ended
    owner = select(ProviderIdentity.person_id).where(
        ProviderIdentity.issuer == issuer, ProviderIdentity.subject == subject
    )
    theirs = SignInSession.person_id == owner.scalar_subquery()
    return _end_sessions(theirs & SignInSession.provider_sid.is_(None) if provider_sid else theirs, at)


def _spend_token(issuer: str, token_id: str, at: datetime) -> None:
    retention.delete_old_provider_rows(at)
    token_hash = hash_token(f"{issuer} {token_id}")
    try:
        with db.session.begin_nested():  # two deliveries at once: the second waits for the first
            db.session.execute(
                insert(SpentLogoutToken).values(token_hash=token_hash, expires_at=at + REMEMBERED)
            )
    except IntegrityError as error:
        raise LogoutReplayedError from error


def _end_sessions(which: ColumnElement[bool], at: datetime) -> int:
    """End these sessions that the provider opened; a form sent from one is not carried out."""
    opened = SignInSession.method == OPENID
    people = db.session.scalars(
        update(SignInSession)
        .where(which, opened, SignInSession.ended_at.is_(None))
        .values(ended_at=at, end_reason=REASON)
        .returning(SignInSession.person_id),
        execution_options={"synchronize_session": False},
    ).all()
    # A session that expired and was replaced no longer vouches for a form that an old page still sends.
    db.session.execute(
        update(SignInSession)
        .where(which, opened, SignInSession.end_reason == "lapsed")
        .values(end_reason=REASON),
        execution_options={"synchronize_session": False},
    )
    for person_id in sorted(set(people)):
        log("account.session_ended", actor_id=None, subject_id=person_id, reason=REASON)
    return len(people)
