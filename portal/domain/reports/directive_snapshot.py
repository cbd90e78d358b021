"""A directive at a report's position, with its requirements and the versions of their modules."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import null, select

from portal.domain.catalogue.guide_publishing import WORDS_A_MINUTE
from portal.domain.catalogue.models import Activity, GuideVersion, ModuleVersion
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.people.as_of import is_known_fact
from portal.domain.reports.parameters import Position
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class SnapshotVersion:
    """A published version of a module or guide, with what reports show of it."""

    id: int  # negative for a guide
    activity_id: int
    number: int
    title: str
    mastery_score: Decimal | None  # None for a guide
    minutes: int
    published_at: datetime
    recorded_at: datetime


_GUIDE_COLUMNS: tuple[Any, ...] = (
    -GuideVersion.id,
    GuideVersion.activity_id,
    GuideVersion.number,
    GuideVersion.title,
    null(),
    1 + GuideVersion.words // WORDS_A_MINUTE,
    GuideVersion.published_at,
    GuideVersion.recorded_at,
)


@dataclass(frozen=True)
class SnapshotVersions:
    """The published versions of some activities."""

    by_id: dict[int, SnapshotVersion]
    current: dict[int, SnapshotVersion]  # of each activity, at the position

    @classmethod
    def read(cls, activity_ids: Iterable[int], position: Position) -> "SnapshotVersions":
        """Read the versions of these activities.

        Current is the latest one published by the day as_at and known on as_known_on, else the first.
        """
        ids = sorted(activity_ids)
        columns = [getattr(ModuleVersion, name) for name in SnapshotVersion.__slots__]
        modules = select(*columns).where(ModuleVersion.activity_id.in_(ids))
        guides = select(*_GUIDE_COLUMNS).where(GuideVersion.activity_id.in_(ids))
        rows = [*db.session.execute(modules), *db.session.execute(guides)]
        versions = sorted((SnapshotVersion(*row) for row in rows), key=lambda version: version.number)
        current: dict[int, SnapshotVersion] = {}
        end = clock.end_of_day(position.as_at)
        for version in versions:
            newest = current.setdefault(version.activity_id, version)
            known_then = version.recorded_at <= position.as_known_on and version.published_at <= end
            if newest.number < version.number and known_then:
                current[version.activity_id] = version
        return cls({version.id: version for version in versions}, current)


@dataclass(frozen=True, slots=True)
class SnapshotRequirement:
    """One requirement of the directive."""

    position: int
    activity_id: int
    kind: str
    key: str
    title: str  # of the current version; the key if nothing is published

    @property
    def short_title(self) -> str:
        """The title up to its colon: the head of a column."""
        return self.title.partition(":")[0]


@dataclass(frozen=True, slots=True)
class DirectiveSnapshot:
    """A directive at a position; before its first day, its first version."""

    id: int
    reference: str
    title: str
    source: str
    wording: str
    version_number: int
    due_fixed_on: date | None
    due_days_after_joining: int | None
    validity_months: int | None
    yearly_on: str | None
    expiring_days: int
    target: Decimal
    requirements: tuple[SnapshotRequirement, ...]
    versions: SnapshotVersions
    known_versions: tuple[tuple[int, date], ...]  # number and first day of each known version

    @property
    def requirement_noun(self) -> str:
        """What its requirements are called: modules, if all of them are."""
        all_modules = all(requirement.kind == "module" for requirement in self.requirements)
        return "module" if all_modules else "requirement"


def list_references() -> list[str]:
    """The references of all directives, in order."""
    return list(db.session.scalars(select(Directive.reference).order_by(Directive.reference)))


def read_directive(reference: str, position: Position) -> DirectiveSnapshot:
    """Read the directive with this reference at a position.

    Raises:
        NotFoundError: There is none, or it was not known then.
    """
    statement = (
        select(Directive.id, DirectiveVersion)
        .join(DirectiveVersion, DirectiveVersion.directive_id == Directive.id)
        .where(Directive.reference == reference, is_known_fact(DirectiveVersion, position.as_known_on))
        .order_by(DirectiveVersion.effective_on, DirectiveVersion.number)
    )
    rows = db.session.execute(statement).all()
    if not rows:
        raise NotFoundError(f"There is no directive {reference}.")
    in_force = [row for row in rows if row[1].effective_on <= position.as_at]
    directive_id, rule = in_force[-1] if in_force else rows[0]
    requirements, versions = _read_requirements(rule.id, position)
    return DirectiveSnapshot(
        id=directive_id,
        reference=reference,
        title=rule.title,
        source=rule.source,
        wording=rule.wording,
        version_number=rule.number,
        due_fixed_on=rule.due_fixed_on,
        due_days_after_joining=rule.due_days_after_joining,
        validity_months=rule.validity_months,
        yearly_on=rule.yearly_on,
        expiring_days=rule.expiring_days,
        target=rule.target,
        requirements=requirements,
        versions=versions,
        known_versions=tuple((version.number, version.effective_on) for _, version in rows),
    )


def _read_requirements(
    directive_version_id: int, position: Position
) -> tuple[tuple[SnapshotRequirement, ...], SnapshotVersions]:
    statement = (
        select(Requirement.position, Activity.id, Activity.kind, Activity.key)
        .join(Activity, Activity.id == Requirement.activity_id)
        .where(Requirement.directive_version_id == directive_version_id)
        .order_by(Requirement.position)
    )
    rows = db.session.execute(statement).all()
    versions = SnapshotVersions.read([activity_id for _, activity_id, _, _ in rows], position)
    requirements = []
    for number, activity_id, kind, key in rows:
        current = versions.current.get(activity_id)
        title = current.title if current else key
        requirements.append(SnapshotRequirement(number, activity_id, kind, key, title))
    return tuple(requirements), versions
