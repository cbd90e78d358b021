"""A directive at a report's position, with its requirements and the versions of their modules."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, null, select

from portal.domain.catalogue.guide_publishing import WORDS_A_MINUTE
from portal.domain.catalogue.models import Activity, EventTypeVersion, GuideVersion, ModuleVersion
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.people.as_of import choose_known
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
    """The published versions of some activities, at a position."""

    by_id: dict[tuple[int, int], SnapshotVersion]  # by activity, and id of the version
    current: dict[int, SnapshotVersion]  # of each activity, at the position

    @classmethod
    def choose(cls, versions: Sequence[SnapshotVersion], position: Position) -> "SnapshotVersions":
        """Choose which of these versions, the lowest number first, is current.

        It is the latest one published by the day as_at and known on as_known_on, else the first.
        """
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
    return DirectiveHistory.read(*conditions).at(position)


@dataclass(frozen=True)
class DirectiveHistory:
    """All that was ever recorded of directives, read once, to be looked at from many positions.

    Attributes:
        rules: The versions of each directive with those that replace them, by reference.
        requirements: Of each of those versions: position, and id, kind and key of the activity.
        versions: The published versions of those activities, the lowest number first.
    """

    rules: dict[str, list[DirectiveVersion]]
    requirements: dict[int, list[tuple[int, int, str, str]]]
    versions: list[SnapshotVersion]

    @classmethod
    def read(cls, *conditions: ColumnElement[bool]) -> "DirectiveHistory":
        """Read the directives that meet the conditions; five statements."""
        statement = (
            select(Directive.reference, DirectiveVersion)
            .join(DirectiveVersion, DirectiveVersion.directive_id == Directive.id)
            .where(*conditions)
            .order_by(Directive.reference, DirectiveVersion.effective_on, DirectiveVersion.number)
        )
        rules: dict[str, list[DirectiveVersion]] = defaultdict(list)
        for reference, rule in db.session.execute(statement):
            rules[reference].append(rule)
        requirements = _read_requirements([rule.id for rows in rules.values() for rule in rows])
        asked = {activity_id for rows in requirements.values() for _, activity_id, _, _ in rows}
        return cls(rules, requirements, _read_versions(asked))

    def at(self, position: Position) -> list[DirectiveSnapshot]:
        """The directives that were known at a position, by reference."""
        known = {ref: choose_known(rules, position.as_known_on) for ref, rules in self.rules.items()}
        in_force = {ref: _find_in_force(rules, position) for ref, rules in known.items() if rules}
        asked = {row[1] for rule in in_force.values() for row in self.requirements[rule.id]}
        own = [version for version in self.versions if version.activity_id in asked]
        versions = SnapshotVersions.choose(own, position)
        return [
            _build_snapshot(ref, rule, known[ref], self.requirements[rule.id], versions)
            for ref, rule in in_force.items()
        ]


def _find_in_force(versions: list[DirectiveVersion], position: Position) -> DirectiveVersion:
    """The last of these versions that is in force; the first before any is."""
    return next((rule for rule in reversed(versions) if rule.effective_on <= position.as_at), versions[0])


def _build_snapshot(
    reference: str,
    rule: DirectiveVersion,
    known: list[DirectiveVersion],
    requirements: list[tuple[int, int, str, str]],
    versions: SnapshotVersions,
) -> DirectiveSnapshot:
    asked = []
    for number, activity_id, kind, key in requirements:
        current = versions.current.get(activity_id)
        title = current.title if current else key
        asked.append(SnapshotRequirement(number, activity_id, kind, key, title))
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
        requirements=tuple(asked),
        versions=versions,
        known_versions=tuple((version.number, version.effective_on) for version in known),
        withdrawn_on=rule.effective_on if rule.withdrawn else None,
    )


def _read_requirements(rule_ids: list[int]) -> dict[int, list[tuple[int, int, str, str]]]:
    """The requirements of each of these versions of directives, in order."""
    statement = (
        select(
            Requirement.directive_version_id, Requirement.position, Activity.id, Activity.kind, Activity.key
        )
        .join(Activity, Activity.id == Requirement.activity_id)
        .where(Requirement.directive_version_id.in_(rule_ids))
        .order_by(Requirement.position)
    )
    requirements: dict[int, list[tuple[int, int, str, str]]] = {rule_id: [] for rule_id in rule_ids}
    for rule_id, number, activity_id, kind, key in db.session.execute(statement):
        requirements[rule_id].append((number, activity_id, kind, key))
    return requirements


def _read_versions(activity_ids: Iterable[int]) -> list[SnapshotVersion]:
    """The published versions of these activities, the lowest number first."""
    ids = sorted(activity_ids)
    columns = [getattr(ModuleVersion, name) for name in SnapshotVersion.__slots__]
    modules = select(*columns).where(ModuleVersion.activity_id.in_(ids))
    guides = select(*_GUIDE_COLUMNS).where(GuideVersion.activity_id.in_(ids))
    types = select(*_EVENT_TYPE_COLUMNS).where(EventTypeVersion.activity_id.in_(ids))
    rows = [row for statement in (modules, guides, types) for row in db.session.execute(statement)]
    return sorted((SnapshotVersion(*row) for row in rows), key=lambda version: version.number)
