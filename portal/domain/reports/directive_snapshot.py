"""A directive at a report's position, with its requirements and the versions of their modules."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, null, select

from portal.domain.catalogue.guide_publishing import WORDS_A_MINUTE
from portal.domain.catalogue.models import Activity, EventTypeVersion, GuideVersion, ModuleVersion
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.people.as_of import is_known_fact
from portal.domain.reports.parameters import Position
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class SnapshotVersion:
    """A published version of a module, guide or event type, with what reports show of it."""

    id: int  # of a version; versions of two activities of different kinds may have the same
    activity_id: int
    number: int
    title: str
    mastery_score: Decimal | None  # of a module alone
    minutes: int
    published_at: datetime
    recorded_at: datetime


_GUIDE_COLUMNS: tuple[Any, ...] = (
    GuideVersion.id,
    GuideVersion.activity_id,
    GuideVersion.number,
    GuideVersion.title,
    null(),
    1 + GuideVersion.words // WORDS_A_MINUTE,
    GuideVersion.published_at,
    GuideVersion.recorded_at,
)
_EVENT_TYPE_COLUMNS: tuple[Any, ...] = (
    EventTypeVersion.id,
    EventTypeVersion.activity_id,
    EventTypeVersion.number,
    EventTypeVersion.title,
    null(),
    EventTypeVersion.minutes,
    EventTypeVersion.published_at,
    EventTypeVersion.recorded_at,
)


@dataclass(frozen=True)
class SnapshotVersions:
    """The published versions of some activities."""

    by_id: dict[tuple[int, int], SnapshotVersion]  # by activity, and id of the version
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
        types = select(*_EVENT_TYPE_COLUMNS).where(EventTypeVersion.activity_id.in_(ids))
        rows = [row for statement in (modules, guides, types) for row in db.session.execute(statement)]
        versions = sorted((SnapshotVersion(*row) for row in rows), key=lambda version: version.number)
        current: dict[int, SnapshotVersion] = {}
        end = clock.end_of_day(position.as_at)
        for version in versions:
            newest = current.setdefault(version.activity_id, version)
            known_then = version.recorded_at <= position.as_known_on and version.published_at <= end
            if newest.number < version.number and known_then:
                current[version.activity_id] = version
        return cls({(version.activity_id, version.id): version for version in versions}, current)


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
    withdrawn_on: date | None = None  # the first day without it; None: in force, or still to come

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
    found = read_directives(position, Directive.reference == reference)
    if not found:
        raise NotFoundError(f"There is no directive {reference}.")
    return found[0]


def read_directives(position: Position, *conditions: ColumnElement[bool]) -> list[DirectiveSnapshot]:
    """Read the directives that were known at a position, by reference; five statements."""
    statement = (
        select(Directive.reference, DirectiveVersion)
        .join(DirectiveVersion, DirectiveVersion.directive_id == Directive.id)
        .where(is_known_fact(DirectiveVersion, position.as_known_on), *conditions)
        .order_by(Directive.reference, DirectiveVersion.effective_on, DirectiveVersion.number)
    )
    known: dict[str, list[DirectiveVersion]] = {}
    for reference, version in db.session.execute(statement):
        known.setdefault(reference, []).append(version)
    in_force = {reference: _find_in_force(versions, position) for reference, versions in known.items()}
    requirements, versions = _read_requirements([rule.id for rule in in_force.values()], position)
    return [
        _build_snapshot(reference, rule, known[reference], requirements[rule.id], versions)
        for reference, rule in in_force.items()
    ]


def _find_in_force(versions: list[DirectiveVersion], position: Position) -> DirectiveVersion:
    """The last of these versions that is in force; the first before any is."""
    return next((rule for rule in reversed(versions) if rule.effective_on <= position.as_at), versions[0])


def _build_snapshot(
    reference: str,
    rule: DirectiveVersion,
    known: list[DirectiveVersion],
    requirements: list[SnapshotRequirement],
    versions: SnapshotVersions,
) -> DirectiveSnapshot:
    return DirectiveSnapshot(
        id=rule.directive_id,
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
        requirements=tuple(requirements),
        versions=versions,
        known_versions=tuple((version.number, version.effective_on) for version in known),
        withdrawn_on=rule.effective_on if rule.withdrawn else None,
    )


def _read_requirements(
    version_ids: list[int], position: Position
) -> tuple[dict[int, list[SnapshotRequirement]], SnapshotVersions]:
    """The requirements of each of these versions of directives, and the versions of their modules."""
    columns = (Requirement.directive_version_id, Requirement.position)
    statement = (
        select(*columns, Activity.id, Activity.kind, Activity.key)
        .join(Activity, Activity.id == Requirement.activity_id)
        .where(Requirement.directive_version_id.in_(version_ids))
        .order_by(Requirement.position)
    )
    rows = db.session.execute(statement).all()
    versions = SnapshotVersions.read({activity_id for _, _, activity_id, _, _ in rows}, position)
    requirements: dict[int, list[SnapshotRequirement]] = {version_id: [] for version_id in version_ids}
    for version_id, number, activity_id, kind, key in rows:
        current = versions.current.get(activity_id)
        title = current.title if current else key
        requirements[version_id].append(SnapshotRequirement(number, activity_id, kind, key, title))
    return requirements, versions
