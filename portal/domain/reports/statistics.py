"""The figures of a report, all added up from one count by unit, requirement and status."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, null, select

from portal.domain.catalogue.models import Activity, EventTypeVersion, GuideVersion, ModuleVersion
from portal.domain.catalogue.publishing import WORDS_A_MINUTE
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.people.positions import choose_known
from portal.domain.people.queries import UnitRow
from portal.domain.reports.parameters import DUE_DAYS, LATE_BANDS, Position
from portal.domain.status.counts import RequirementCount
from portal.domain.status.rules import Status
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import NotFoundError

# A directive at a report's position, with its requirements and the versions of their modules.


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
    """Read the directive with this reference at a position."""
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


BAR_ORDER = (
    Status.SATISFIED,
    Status.EXPIRING,
    Status.IN_PROGRESS,
    Status.NOT_STARTED,
    Status.EXPIRED,
    Status.OVERDUE,
)


@dataclass(frozen=True)
class Share:
    """How many of the counted people are complete."""

    done: int = 0
    total: int = 0

    def __add__(self, other: "Share") -> "Share":
        """The share of both groups together."""
        return Share(self.done + other.done, self.total + other.total)


@dataclass(frozen=True)
class Figures:
    """Numbers of people by unit and status, and of rows of the file."""

    people: dict[int, dict[Status, int]] = field(default_factory=dict)  # unit id -> status -> people
    requirements: dict[int, dict[Status, int]] = field(default_factory=dict)  # position -> status -> people
    rows: int = 0

    @classmethod
    def by_directive(cls, counted: Iterable[RequirementCount]) -> dict[int, "Figures"]:
        """The figures of each directive from people by directive, unit, position and status."""
        rows: dict[int, list[tuple[int, int, Status, int]]] = {}
        for directive_id, unit_id, position, status, people in counted:
            rows.setdefault(directive_id, []).append((unit_id, position, status, people))
        return {directive_id: cls.from_counts(counts) for directive_id, counts in rows.items()}

    @classmethod
    def from_counts(cls, counted: Iterable[tuple[int, int, Status, int]], rows_of_each: int = 0) -> "Figures":
        """Add up rows of unit id, position of the requirement, status and number of people.

        Args:
            counted: The rows; position 0 is the whole directive.
            rows_of_each: How many rows each person has, if only the whole directive is counted.
        """
        people: dict[int, dict[Status, int]] = {}
        requirements: dict[int, dict[Status, int]] = {}
        rows = 0
        for unit_id, position, status, count in counted:
            group = requirements.setdefault(position, {}) if position else people.setdefault(unit_id, {})
            group[status] = group.get(status, 0) + count
            rows += count if position else count * rows_of_each
        return cls(people, requirements, rows)

    @classmethod
    def from_unit_counts(cls, counted: Iterable[tuple[int, Status, int]], rows_of_each: int) -> "Figures":
        """Add up rows of unit id, overall status and number of people."""
        return cls.from_counts(
            ((unit_id, 0, status, people) for unit_id, status, people in counted), rows_of_each
        )

    @cached_property
    def by_status(self) -> dict[Status, int]:
        """People by status in all units; statuses that nobody has are 0."""
        counts = dict.fromkeys(Status, 0)
        for unit in self.people.values():
            for status, people in unit.items():
                counts[status] += people
        return counts

    @property
    def assigned(self) -> int:
        """All people with a row."""
        return sum(self.by_status.values())

    @property
    def rows_of_each(self) -> int:
        """How many requirements each person has, if all have the same ones; else 0."""
        same = all(sum(group.values()) == self.assigned for group in self.requirements.values())
        return len(self.requirements) if same else 0

    @property
    def share(self) -> Share:
        """The numerator and the denominator of the percentage."""
        return share_of_group(self.by_status)

    @property
    def bar(self) -> list[tuple[Status, int]]:
        """The counted people by status, in the order of the status bar."""
        return [(status, self.by_status[status]) for status in BAR_ORDER]

    def count_people(self, *statuses: Status) -> int:
        """People with one of these statuses."""
        return sum(self.by_status[status] for status in statuses)

    @property
    def unit_shares(self) -> dict[int, Share]:
        """The share of complete people by unit id."""
        return {unit_id: share_of_group(group) for unit_id, group in self.people.items()}

    @property
    def unit_people(self) -> dict[int, int]:
        """People by unit id."""
        return {unit_id: sum(group.values()) for unit_id, group in self.people.items()}


def share_of_group(group: dict[Status, int]) -> Share:
    """How many people of a group are counted, and how many of them are complete."""
    total = sum(count for status, count in group.items() if not status.excluded)
    return Share(sum(count for status, count in group.items() if status.held), total)


@dataclass(frozen=True)
class UnitLine:
    """A unit with all units below it: one line of the unit table."""

    name: str
    path: str | None  # None: the people in the parent itself, or a unit that had ended
    done: int
    total: int


def minutes_to_learn(figures: Figures, directive: DirectiveSnapshot) -> int:
    """Minutes of everything that people have still to complete, each module and guide at full length."""
    minutes = 0
    for requirement in directive.requirements:
        version = directive.versions.current.get(requirement.activity_id)
        counts = figures.requirements.get(requirement.position, {})
        missing = sum(n for status, n in counts.items() if not status.held and not status.excluded)
        minutes += missing * (version.minutes if version else 0)
    return minutes


@dataclass(frozen=True)
class Outlook:
    """How long people have been overdue, and how many are due soon."""

    late: dict[str, int]  # by the band's name in an address, the shortest first
    soon: int

    @classmethod
    def by_directive(
        cls, left: Iterable[tuple[int, Status, int, int]], directive_ids: Iterable[int]
    ) -> dict[int, "Outlook"]:
        """Add up rows of directive, status, days left and number of people, for each of these directives.

        Args:
            left: Only people with something still to complete; days are negative once overdue.
            directive_ids: The directives; some may have no rows.
        """
        late = {directive_id: dict.fromkeys(LATE_BANDS, 0) for directive_id in directive_ids}
        soon = dict.fromkeys(late, 0)
        for directive_id, status, days, people in left:
            if status in (Status.OVERDUE, Status.EXPIRED):
                for name, (least, most) in LATE_BANDS.items():
                    late[directive_id][name] += people * (least <= -days <= most)
            elif days <= DUE_DAYS["30"]:
                soon[directive_id] += people
        return {directive_id: cls(late[directive_id], soon[directive_id]) for directive_id in late}


@dataclass(frozen=True)
class GroupLine:
    """The people of one rank, grade or role: one line of a table."""

    name: str
    done: int
    total: int


def group_lines(counted: Iterable[tuple[str, Share]], *, most_first: bool = False) -> list[GroupLine]:
    """The named groups, the lowest share first; groups in which nobody is counted come last."""
    groups: dict[str, Share] = {}
    for name, share in counted:
        groups[name] = groups.get(name, Share()) + share
    lines = [GroupLine(name, share.done, share.total) for name, share in groups.items()]
    return sorted(lines, key=_largest_share_first if most_first else _lowest_share_first)


def _lowest_share_first(line: "GroupLine | UnitLine") -> tuple[float, str]:
    return line.done / line.total if line.total else 2, line.name


def _largest_share_first(line: "GroupLine | UnitLine") -> tuple[float, str]:
    return -line.done / line.total if line.total else 1, line.name


def unit_lines(
    shares: dict[int, Share], units: dict[int, UnitRow], top: int | None, *, most_first: bool = False
) -> list[UnitLine]:
    """The units directly below ``top``, each with all units below it, the lowest share first.

    Args:
        shares: By unit id.
        units: The units of the position.
        top: A unit; None: the lowest one that contains everybody counted.
        most_first: The largest share first instead.
    """
    group_of, top = group_units(shares, units, top)
    groups: dict[int, Share] = {}
    for unit_id, key in group_of.items():
        groups[key] = groups.get(key, Share()) + shares[unit_id]
    lines = [_unit_line(unit_id, top, share, units) for unit_id, share in groups.items()]
    return sorted(lines, key=_largest_share_first if most_first else _lowest_share_first)


def group_units(
    unit_ids: Iterable[int], units: dict[int, UnitRow], top: int | None = None
) -> tuple[dict[int, int], int | None]:
    """The unit directly below ``top`` that each unit is in; those outside ``top`` are left out.

    Args:
        unit_ids: The units.
        units: The units of the position.
        top: A unit; None: the lowest one that contains them all.

    Returns:
        The unit directly below by unit, and ``top``; None for it if everybody is in that unit itself, which
        is then named like any other.
    """
    chains = {unit_id: _units_from_top(unit_id, units) for unit_id in unit_ids}
    if top is None:
        top = _lowest_common_unit(list(chains.values()))
    group_of: dict[int, int] = {}
    for unit_id, chain in chains.items():
        if top is not None and top not in chain:
            continue
        depth = chain.index(top) + 1 if top is not None else 0
        group_of[unit_id] = chain[depth] if depth < len(chain) else unit_id
    return group_of, None if set(group_of.values()) == {top} else top


def name_unit(unit_id: int, top: int | None, units: dict[int, UnitRow]) -> str:
    """The name of a line of the unit table: of a unit, or of the people in ``top`` itself."""
    unit = units.get(unit_id)
    name = unit.label if unit else "A unit that had ended"
    return f"{name}, not in a sub-unit" if unit_id == top else name


def _unit_line(unit_id: int, top: int | None, counted: Share, units: dict[int, UnitRow]) -> UnitLine:
    unit = units.get(unit_id)
    path = unit.path if unit and unit_id != top else None
    return UnitLine(name_unit(unit_id, top, units), path, counted.done, counted.total)


def _units_from_top(unit_id: int, units: dict[int, UnitRow]) -> list[int]:
    """The ids from the force down to the unit."""
    chain: list[int] = []
    current: int | None = unit_id
    while current is not None and current not in chain:
        chain.append(current)
        current = units[current].parent_id if current in units else None
    return chain[::-1]


def _lowest_common_unit(chains: list[list[int]]) -> int | None:
    """The lowest unit that is in every chain."""
    if not chains:
        return None
    shared = None
    for level in zip(*chains, strict=False):
        if len(set(level)) > 1:
            break
        shared = level[0]
    return shared
