"""Reads directives for their pages: every version as the directive file that describes it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.archiving import archived_activities
from portal.domain.catalogue.event_types import event_type_summaries
from portal.domain.catalogue.guide_publishing import guide_summaries
from portal.domain.catalogue.models import Activity
from portal.domain.catalogue.queries import published_modules
from portal.domain.directives.models import Assignment, Directive, DirectiveVersion, Requirement
from portal.domain.directives.toml_reader import DirectiveFile, Selectors
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post
from portal.domain.people.queries import Viewer, visible_people
from portal.domain.people.rank_order import sort_ranks
from portal.domain.people.units.tree import UnitTree, read_tree
from portal.domain.people.visibility.rules import is_valid_on
from portal.platform.db import clock_at, db
from portal.platform.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class VersionDetails:
    """One known version of a directive."""

    id: int
    number: int
    effective_on: date
    recorded_at: datetime
    owner: str  # name and staff number; empty where erased
    file: DirectiveFile  # units by the paths they had on ``effective_on``


@dataclass(frozen=True, slots=True)
class DirectiveDetails:
    """A directive with every known version, in order of number."""

    id: int
    reference: str
    versions: tuple[VersionDetails, ...]

    @property
    def newest(self) -> VersionDetails:
        """The version of the highest number."""
        return self.versions[-1]

    @property
    def first_day(self) -> date:
        """The day on which it first took effect."""
        return min(version.effective_on for version in self.versions)

    def version_on(self, day: date) -> VersionDetails | None:
        """The version in force on ``day``, or the one that withdraws the directive; None before the first."""
        started = [version for version in self.versions if version.effective_on <= day]
        return max(started, key=lambda version: (version.effective_on, version.number), default=None)

    def shown_version(self, day: date) -> VersionDetails:
        """The version of ``day``, or the first version after it."""
        return self.version_on(day) or min(self.versions, key=lambda version: version.effective_on)

    def next_version_after(self, day: date) -> VersionDetails | None:
        """The first version to take effect after ``day``."""
        later = [version for version in self.versions if version.effective_on > day]
        return min(later, key=lambda version: (version.effective_on, -version.number), default=None)

    def in_this_state_since(self, day: date) -> date | None:
        """The day from which it has been in force, or withdrawn, without a break until ``day``."""
        current = self.version_on(day)
        if current is None:
            return None
        first = current.effective_on
        for version in reversed(self.versions):
            if version.effective_on > day:
                continue
            if version.file.withdrawn != current.file.withdrawn:
                break
            first = version.effective_on
        return first

    def version_before(self, version: VersionDetails) -> VersionDetails | None:
        """The version before ``version``; None for the first."""
        place = self.versions.index(version)
        return self.versions[place - 1] if place else None


def list_directives() -> list[DirectiveDetails]:
    """All directives in order of reference; a fixed number of statements."""
    return _load_directives(select(Directive.id, Directive.reference, DirectiveVersion))


def get_directive(reference: str) -> DirectiveDetails:
    """The directive of this reference.

    Raises:
        NotFoundError: There is none.
    """
    statement = select(Directive.id, Directive.reference, DirectiveVersion)
    directives = _load_directives(statement.where(Directive.reference == reference))
    if not directives:
        raise NotFoundError(f"There is no directive {reference}.")
    return directives[0]


WITHDRAWAL_SHOWN = timedelta(days=180)


class WithdrawnDirective(NamedTuple):
    """A directive that applied to a person until it was withdrawn."""

    reference: str
    title: str
    from_on: date  # the first day without it


def withdrawn_directives_of(person_id: int, day: date) -> list[WithdrawnDirective]:
    """The directives withdrawn from this person within half a year before ``day``. One statement."""
    version = DirectiveVersion
    rows = db.session.execute(
        select(Directive.reference, version.title, version.effective_on, Assignment.to_on)
        .join(version, version.directive_id == Directive.id)
        .join(Assignment, Assignment.directive_id == Directive.id)
        .where(version.withdrawn, is_known_fact(version))
        .where(version.effective_on <= day, version.effective_on > day - WITHDRAWAL_SHOWN)
        .where(Assignment.person_id == person_id, is_known_fact(Assignment))
        .order_by(version.effective_on, Directive.reference)
    )
    return [
        WithdrawnDirective(reference, title, from_on)
        for reference, title, from_on, last_day in rows
        if last_day == from_on - timedelta(days=1)
    ]


class ComingVersion(NamedTuple):
    """A version of a directive that is still to take effect."""

    reference: str
    number: int
    effective_on: date
    withdraws: bool  # from its day on the directive applies to nobody


def list_coming_versions(after: date, until: date) -> list[ComingVersion]:
    """The versions that take effect after one day and by another, the first to come first. One statement."""
    version = DirectiveVersion
    rows = db.session.execute(
        select(Directive.reference, version.number, version.effective_on, version.withdrawn)
        .join(version, version.directive_id == Directive.id)
        .where(is_known_fact(version), version.effective_on > after, version.effective_on <= until)
        .order_by(version.effective_on, Directive.reference, version.number)
    )
    return [ComingVersion(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class WithdrawnVersion:
    """A version that was withdrawn before it took effect."""

    number: int
    effective_on: date
    withdrawn_at: datetime


def list_withdrawn_versions(directive_id: int) -> list[WithdrawnVersion]:
    """The versions that were withdrawn before they took effect, newest first. One statement."""
    void, version = aliased(DirectiveVersion), DirectiveVersion
    rows = db.session.execute(
        select(version.number, version.effective_on, clock_at(void.recorded_at))
        .join(void, void.replaces_id == version.id)
        .where(version.directive_id == directive_id, void.void)
        .order_by(version.number.desc())
    )
    return [WithdrawnVersion(*row) for row in rows]


def _load_directives(statement: Any) -> list[DirectiveDetails]:
    rows = db.session.execute(
        statement.join(DirectiveVersion, DirectiveVersion.directive_id == Directive.id)
        .where(is_known_fact(DirectiveVersion))
        .order_by(Directive.reference, DirectiveVersion.number)
    ).all()
    requirements = _load_requirements({version.id for _, _, version in rows})
    owners = _load_owners({version.owner_id for _, _, version in rows if version.owner_id})
    tree = read_tree() if rows else UnitTree([])
    versions_of: dict[tuple[int, str], list[VersionDetails]] = {}
    for directive_id, reference, version in rows:
        number, name = owners.get(version.owner_id, ("", ""))
        file = _build_file(reference, version, number, requirements.get(version.id, []), tree)
        days = (version.number, version.effective_on, version.recorded_at)
        versions_of.setdefault((directive_id, reference), []).append(
            VersionDetails(version.id, *days, name, file)
        )
    return [DirectiveDetails(*key, tuple(versions)) for key, versions in versions_of.items()]


def _build_file(
    reference: str,
    version: DirectiveVersion,
    owner: str,
    requirements: list[tuple[str, str]],
    tree: UnitTree,
) -> DirectiveFile:
    def tables_with_paths(name: str) -> list[Selectors]:
        return [
            _with_unit_paths(table, version.effective_on, tree) for table in version.audience.get(name, [])
        ]

    return DirectiveFile(
        reference=reference,
        title=version.title,
        source=version.source,
        wording=version.wording,
        owner=owner,
        effective_on=version.effective_on,
        target=version.target,
        notice_days=list(version.notice_days),
        expiring_days=version.expiring_days,
        withdrawn=version.withdrawn,
        due_fixed_on=version.due_fixed_on,
        due_days_after_joining=version.due_days_after_joining,
        validity_months=version.validity_months,
        yearly_on=version.yearly_on,
        minimum_gap_months=version.minimum_gap_months,
        audience=tables_with_paths("audience"),
        exceptions=tables_with_paths("except"),
        requirements=requirements,
    )


def _with_unit_paths(table: Mapping[str, Any], day: date, tree: UnitTree) -> Selectors:
    """The table with unit ids replaced by the paths of ``day``."""
    with_paths: Selectors = dict(table)
    if "unit_under" in table:
        with_paths["unit_under"] = sorted(tree.last_path_on(unit_id, day) for unit_id in table["unit_under"])
    return with_paths


def file_with_paths_on(version: VersionDetails, day: date) -> DirectiveFile:
    """The version as a file, with the unit paths of ``day``."""
    row = db.session.get_one(DirectiveVersion, version.id)
    tree = read_tree()
    tables = {
        name: [_with_unit_paths(table, day, tree) for table in row.audience.get(name, [])]
        for name in ("audience", "except")
    }
    return replace(version.file, audience=tables["audience"], exceptions=tables["except"])


def _load_requirements(version_ids: Iterable[int]) -> dict[int, list[tuple[str, str]]]:
    statement = (
        select(Requirement.directive_version_id, Activity.kind, Activity.key)
        .join(Activity, Activity.id == Requirement.activity_id)
        .where(Requirement.directive_version_id.in_(sorted(version_ids)))
        .order_by(Requirement.directive_version_id, Requirement.position)
    )
    requirements: dict[int, list[tuple[str, str]]] = {}
    for version_id, kind, key in db.session.execute(statement):
        requirements.setdefault(version_id, []).append((kind, key))
    return requirements


def _load_owners(people: Iterable[int]) -> dict[int | None, tuple[str, str]]:
    """Staff number, and name with staff number, by person id."""
    columns = (PersonName.person_id, PersonName.staff_number, PersonName.forenames, PersonName.surname)
    rows = db.session.execute(select(*columns).where(PersonName.person_id.in_(sorted(people))))
    return {
        person_id: (number, f"{forenames} {surname}, {number}")
        for person_id, number, forenames, surname in rows
    }


def published_titles() -> dict[tuple[str, str], str]:
    """The newest title of each published module, guide and event type, by kind and key, in that order."""
    archived = archived_activities()
    modules = {
        ("module", each.activity.key): each.title + (" (archived)" if each.activity_id in archived else "")
        for each in published_modules()
    }
    guides = {("guide", each.key): f"{each.title} (guide)" for each in guide_summaries()}
    return (
        modules | guides | {("event", each.key): f"{each.title} (event)" for each in event_type_summaries()}
    )


def list_roles_and_ranks() -> tuple[list[str], list[str]]:
    """All designated roles, and all ranks and grades, of known posts, in order."""
    rows = db.session.execute(
        select(Post.designated_role, Post.rank_or_grade).where(is_known_fact(Post)).distinct()
    ).all()
    return sorted({role for role, _ in rows}), sort_ranks(rank for _, rank in rows)


@dataclass(frozen=True, slots=True)
class NamedPerson:
    """A person whom the viewer may see."""

    person_id: int
    staff_number: str
    name: str
    designated_role: str  # of the main post today, empty without one
    unit: str


def list_visible_people(viewer: Viewer, people: Sequence[int], day: date) -> list[NamedPerson]:
    """Those of the people whom the viewer may see, in order of name."""
    visible: list[NamedPerson] = []
    tree = read_tree()
    for start in range(0, len(people), _BATCH):
        visible += _select_visible_people(viewer, people[start : start + _BATCH], day, tree)
    return sorted(visible, key=lambda person: (person.name, person.staff_number))


_BATCH = 500


def load_staff_numbers(people: Sequence[int]) -> dict[int, str]:
    """The staff numbers of at most a few hundred people, by person id."""
    columns = (PersonName.person_id, PersonName.staff_number)
    rows = db.session.execute(select(*columns).where(PersonName.person_id.in_(people)))
    return {person_id: number for person_id, number in rows}


def _select_visible_people(
    viewer: Viewer, people: Sequence[int], day: date, tree: UnitTree
) -> Iterable[NamedPerson]:
    columns = (PersonName.person_id, PersonName.staff_number, PersonName.surname, PersonName.forenames)
    main_post = (
        (Post.person_id == PersonName.person_id)
        & is_known_fact(Post)
        & is_valid_on(Post, day)
        & (Post.post_key == "")
    )
    statement = (
        select(*columns, Post.designated_role, Post.unit_id)
        .outerjoin(Post, main_post)
        .where(PersonName.person_id.in_(people), PersonName.person_id.in_(visible_people(viewer)))
    )
    for person_id, number, surname, forenames, role, unit_id in db.session.execute(statement):
        unit = tree.label_on(unit_id, day) if unit_id else ""
        yield NamedPerson(person_id, number, f"{surname}, {forenames}", role or "", unit)


def directives_requiring(activity_id: int, day: date) -> list[str]:
    """The references of directives that require an activity on ``day`` or later."""
    newer = aliased(DirectiveVersion)
    superseded = select(newer.id).where(
        newer.directive_id == DirectiveVersion.directive_id,
        newer.effective_on <= day,
        newer.number > DirectiveVersion.number,
        is_known_fact(newer),
    )
    rows = db.session.scalars(
        select(Directive.reference)
        .join(DirectiveVersion, DirectiveVersion.directive_id == Directive.id)
        .join(Requirement, Requirement.directive_version_id == DirectiveVersion.id)
        .where(
            Requirement.activity_id == activity_id,
            is_known_fact(DirectiveVersion),
            ~DirectiveVersion.withdrawn,
            ~superseded.exists(),
        )
        .distinct()
        .order_by(Directive.reference)
    )
    return list(rows)
