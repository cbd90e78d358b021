"""Reading directives: which hold on a day, as known on an instant, and what they ask."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select

from portal.catalogue.models import Activity
from portal.db import db
from portal.directives.models import Directive, DirectiveVersion, Requirement
from portal.errors import NotFoundError
from portal.people.known import known


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """One thing a directive version asks for."""

    position: int
    activity_id: int
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class DirectiveRow:
    """A directive by the version that holds on a day; or, before any does, the first to come."""

    id: int
    reference: str
    version_id: int
    number: int
    effective_on: date
    withdrawn: bool
    title: str
    source: str
    wording: str
    owner_id: int | None
    target: Decimal
    notice_days: tuple[int, ...]
    due_fixed_on: date | None
    due_days_after_joining: int | None
    requirements: tuple[RequirementRow, ...]


def directives_on(day: date, known_at: datetime | None = None) -> list[DirectiveRow]:
    """Every known directive as it stands on ``day``, by reference; withdrawn ones say so."""
    query = (
        select(Directive.reference, DirectiveVersion)
        .join(Directive, Directive.id == DirectiveVersion.directive_id)
        .where(known(DirectiveVersion, known_at))
        .order_by(Directive.reference, DirectiveVersion.effective_on, DirectiveVersion.number)
    )
    versions: dict[str, list[DirectiveVersion]] = {}
    for reference, version in db.session.execute(query):
        versions.setdefault(reference, []).append(version)
    held = {reference: _holding(some, day) for reference, some in versions.items()}
    asked = requirements_of([version.id for version in held.values()])
    return [_row(reference, version, asked.get(version.id, ())) for reference, version in held.items()]


def directive_on(reference: str, day: date, known_at: datetime | None = None) -> DirectiveRow:
    """The directive of this reference as it stands on ``day``.

    Raises:
        NotFoundError: No directive has it, as known on ``known_at``.
    """
    for row in directives_on(day, known_at):
        if row.reference == reference:
            return row
    raise NotFoundError(f"No directive has the reference {reference}.")


def requirements_of(version_ids: Sequence[int]) -> dict[int, tuple[RequirementRow, ...]]:
    """What each of these versions asks for, by position."""
    query = (
        select(
            Requirement.directive_version_id,
            Requirement.position,
            Activity.id,
            Activity.kind,
            Activity.key,
        )
        .join(Activity, Activity.id == Requirement.activity_id)
        .where(Requirement.directive_version_id.in_(version_ids))
        .order_by(Requirement.directive_version_id, Requirement.position)
    )
    found: dict[int, tuple[RequirementRow, ...]] = {}
    for version_id, position, activity_id, kind, key in db.session.execute(query):
        row = RequirementRow(position, activity_id, kind, key)
        found[version_id] = (*found.get(version_id, ()), row)
    return found


def _holding(versions: list[DirectiveVersion], day: date) -> DirectiveVersion:
    begun = [version for version in versions if version.effective_on <= day]
    return begun[-1] if begun else versions[0]


def _row(reference: str, v: DirectiveVersion, asked: tuple[RequirementRow, ...]) -> DirectiveRow:
    return DirectiveRow(
        id=v.directive_id,
        reference=reference,
        version_id=v.id,
        number=v.number,
        effective_on=v.effective_on,
        withdrawn=v.withdrawn,
        title=v.title,
        source=v.source,
        wording=v.wording,
        owner_id=v.owner_id,
        target=v.target,
        notice_days=tuple(v.notice_days),
        due_fixed_on=v.due_fixed_on,
        due_days_after_joining=v.due_days_after_joining,
        requirements=asked,
    )
