"""Which identities of the force's provider are bound to whom, and which were refused, for administrators."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select

from portal.domain.accounts.grants.authority import administered_units, is_in_administration
from portal.domain.accounts.identities.binding import Refusal
from portal.domain.accounts.models import ProviderIdentity, RefusedIdentity
from portal.domain.people.models import PersonName
from portal.domain.people.queries import Viewer
from portal.platform.db import db

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
