"""Directives by reference, each with its rules at a position."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import select

from portal.domain.catalogue.models import Activity
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.people.as_of import is_known_fact
from portal.domain.reports.parameters import Position
from portal.platform.db import db
from portal.platform.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class FeedRequirement:
    """What a directive asks for."""

    requirement_kind: str
    requirement: str


@dataclass(frozen=True, slots=True)
class FeedDirective:
    """A directive by the version of the day as_at; before its first day, by its first version."""

    reference: str
    title: str
    source: str
    version: int
    effective_on: date
    withdrawn: bool
    due_fixed_on: date | None
    due_days_after_joining: int | None
    validity_months: int | None
    yearly_on: str | None
    expiring_days: int
    target: Decimal
    requirements: tuple[FeedRequirement, ...]


def list_feed_directives(
    position: Position, after: str, limit: int, only: str | None = None
) -> list[FeedDirective]:
    """The next ``limit`` directives after a reference. Two statements.

    Args:
        position: Versions that were not known then are left out.
        after: A reference; empty: from the first one.
        limit: How many.
        only: The one reference that the caller may see; None: all.
    """
    v = DirectiveVersion
    known = is_known_fact(v, position.as_known_on)
    references = select(Directive.reference).join(v, v.directive_id == Directive.id).where(known).distinct()
    if only is not None:
        references = references.where(Directive.reference == only)
    page = references.where(Directive.reference > after).order_by(Directive.reference).limit(limit)
    rows = db.session.execute(
        select(Directive.reference, v)
        .join(v, v.directive_id == Directive.id)
        .where(known, Directive.reference.in_(page))
        .order_by(Directive.reference, v.effective_on, v.number)
    )
    versions: dict[str, list[DirectiveVersion]] = {}
    for reference, version in rows:
        versions.setdefault(reference, []).append(version)
    shown = {reference: _version_on(position.as_at, known) for reference, known in versions.items()}
    requirements = _read_requirements(version.id for version in shown.values())
    return [
        _build_directive(reference, version, requirements.get(version.id, ()))
        for reference, version in shown.items()
    ]


def get_feed_directive(position: Position, reference: str) -> FeedDirective:
    """The directive with this reference.

    Raises:
        NotFoundError: There is none, or it was not known then.
    """
    directives = list_feed_directives(position, "", 1, only=reference)
    if not directives:
        raise NotFoundError("There is no such directive.")
    return directives[0]


def _version_on(day: date, versions: list[DirectiveVersion]) -> DirectiveVersion:
    started = [version for version in versions if version.effective_on <= day]
    return started[-1] if started else versions[0]


def _read_requirements(version_ids: Iterable[int]) -> dict[int, tuple[FeedRequirement, ...]]:
    rows = db.session.execute(
        select(Requirement.directive_version_id, Activity.kind, Activity.key)
        .join(Activity, Activity.id == Requirement.activity_id)
        .where(Requirement.directive_version_id.in_(sorted(version_ids)))
        .order_by(Requirement.directive_version_id, Requirement.position)
    )
    requirements: dict[int, tuple[FeedRequirement, ...]] = {}
    for version_id, kind, key in rows:
        requirements[version_id] = (*requirements.get(version_id, ()), FeedRequirement(kind, key))
    return requirements


def _build_directive(
    reference: str, version: DirectiveVersion, requirements: tuple[FeedRequirement, ...]
) -> FeedDirective:
    return FeedDirective(
        reference=reference,
        title=version.title,
        source=version.source,
        version=version.number,
        effective_on=version.effective_on,
        withdrawn=version.withdrawn,
        due_fixed_on=version.due_fixed_on,
        due_days_after_joining=version.due_days_after_joining,
        validity_months=version.validity_months,
        yearly_on=version.yearly_on,
        expiring_days=version.expiring_days,
        target=version.target,
        requirements=requirements,
    )
