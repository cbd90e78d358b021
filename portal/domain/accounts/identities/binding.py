"""Which person an identity at the force's provider signs in: found by one claim once, then bound for ever."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute

from portal.domain.accounts import retention, services
from portal.domain.accounts.models import Credential, ProviderIdentity, RefusedIdentity
from portal.domain.people.models import Identifier, PersonName
from portal.domain.people.queries import viewer_of
from portal.domain.people.services import lock_person
from portal.domain.people.staff_numbers import fold_staff_number
from portal.platform.audit.services import log
from portal.platform.db import db
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.openid.settings import STAFF_NUMBER
from portal.platform.openid.subjects import ProviderSubject

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
    """Forget which identity signs the person in, and sign them out: the next sign-in is matched anew.

    Raises:
        NotFoundError: None does.
    """
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
