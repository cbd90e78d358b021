"""The directive a report is about, as it stood at a position, and the modules it asks for."""

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
from portal.domain.reports.as_of import Position
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class SnapshotVersion:
    """A published version of a module or guide, as far as reports speak of it."""

    id: int  # below zero: of a guide
    activity_id: int
    number: int
    title: str
    mastery_score: Decimal | None  # None: of a guide
    minutes: int
    published_at: datetime
    recorded_at: datetime


_OF_GUIDE: tuple[Any, ...] = (
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
class Versions:
    """The published versions of some activities."""

    by_id: dict[int, SnapshotVersion]
    current: dict[int, SnapshotVersion]  # of each activity, at the position

    @classmethod
    def of(cls, activity_ids: Iterable[int], position: Position) -> "Versions":
        """Of these activities; current is the latest published by the day and known, else the first."""
        asked = sorted(activity_ids)
        columns = [getattr(ModuleVersion, name) for name in SnapshotVersion.__slots__]
        modules = select(*columns).where(ModuleVersion.activity_id.in_(asked))
        guides = select(*_OF_GUIDE).where(GuideVersion.activity_id.in_(asked))
        rows = [*db.session.execute(modules), *db.session.execute(guides)]
        found = sorted((SnapshotVersion(*row) for row in rows), key=lambda version: version.number)
        current: dict[int, SnapshotVersion] = {}
        end = clock.end_of_day(position.as_at)
        for version in found:
            held = current.setdefault(version.activity_id, version)
            known_then = version.recorded_at <= position.as_known_on and version.published_at <= end
            if held.number < version.number and known_then:
                current[version.activity_id] = version
        return cls({version.id: version for version in found}, current)


@dataclass(frozen=True, slots=True)
class Asked:
    """One requirement of the directive."""

    position: int
    activity_id: int
    kind: str
    key: str
    title: str  # of the current version; the key where nothing is published

    @property
    def short(self) -> str:
        """The title as far as its colon: what a column is headed with."""
        return self.title.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Subject:
    """A directive at a position; before its first day, as it was first issued."""

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
    asked: tuple[Asked, ...]
    versions: Versions
    known_versions: tuple[tuple[int, date], ...]  # number and first day of each known version


def references() -> list[str]:
    """The references of all directives, in order."""
    return list(db.session.scalars(select(Directive.reference).order_by(Directive.reference)))


def subject(reference: str, position: Position) -> Subject:
    """The directive with this reference, at the position.

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
    begun = [row for row in rows if row[1].effective_on <= position.as_at]
    directive_id, rule = begun[-1] if begun else rows[0]
    asked, versions = _asked(rule.id, position)
    return Subject(
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
        asked=asked,
        versions=versions,
        known_versions=tuple((version.number, version.effective_on) for _, version in rows),
    )


def _asked(directive_version_id: int, position: Position) -> tuple[tuple[Asked, ...], Versions]:
    statement = (
        select(Requirement.position, Activity.id, Activity.kind, Activity.key)
        .join(Activity, Activity.id == Requirement.activity_id)
        .where(Requirement.directive_version_id == directive_version_id)
        .order_by(Requirement.position)
    )
    rows = db.session.execute(statement).all()
    versions = Versions.of([activity_id for _, activity_id, _, _ in rows], position)
    asked = []
    for place, activity_id, kind, key in rows:
        current = versions.current.get(activity_id)
        asked.append(Asked(place, activity_id, kind, key, current.title if current else key))
    return tuple(asked), versions
