"""Reading directives as their desk shows them: every version as the file that would say it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.guide_publishing import guide_summaries
from portal.domain.catalogue.models import Activity
from portal.domain.catalogue.queries import published_modules
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.directives.toml_reader import DirectiveFile, Selectors
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post
from portal.domain.people.queries import Viewer, visible_people
from portal.domain.people.units.tree import UnitTree, read_tree
from portal.domain.people.visibility.rules import is_valid_on
from portal.platform.db import clock_at, db
from portal.platform.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class VersionTold:
    """One known version of a directive."""

    id: int
    number: int
    effective_on: date
    recorded_at: datetime
    owner: str  # name, and staff number; empty where erased
    file: DirectiveFile  # units by the paths they had on ``effective_on``


@dataclass(frozen=True, slots=True)
class DirectiveTold:
    """A directive with every known version, in order of number."""

    id: int
    reference: str
    versions: tuple[VersionTold, ...]

    @property
    def newest(self) -> VersionTold:
        """The version of the highest number."""
        return self.versions[-1]

    @property
    def first_day(self) -> date:
        """The day on which it first took effect."""
        return min(version.effective_on for version in self.versions)

    def on(self, day: date) -> VersionTold | None:
        """The version that holds on ``day``, a withdrawn one too; None before the first."""
        begun = [version for version in self.versions if version.effective_on <= day]
        return max(begun, key=lambda version: (version.effective_on, version.number), default=None)

    def shown(self, day: date) -> VersionTold:
        """The version that holds on ``day``, or the first to come."""
        return self.on(day) or min(self.versions, key=lambda version: version.effective_on)

    def next_after(self, day: date) -> VersionTold | None:
        """The first version to take effect after ``day``."""
        ahead = [version for version in self.versions if version.effective_on > day]
        return min(ahead, key=lambda version: (version.effective_on, -version.number), default=None)

    def since(self, day: date) -> date | None:
        """From which day on it has been in force, or withdrawn, as it is on ``day``."""
        held = self.on(day)
        if held is None:
            return None
        first = held.effective_on
        for version in reversed(self.versions):
            if version.effective_on > day:
                continue
            if version.file.withdrawn != held.file.withdrawn:
                break
            first = version.effective_on
        return first

    def before(self, version: VersionTold) -> VersionTold | None:
        """The version that ``version`` followed."""
        place = self.versions.index(version)
        return self.versions[place - 1] if place else None


def directives() -> list[DirectiveTold]:
    """Every directive by its reference; a fixed number of statements."""
    return _told(select(Directive.id, Directive.reference, DirectiveVersion))


def directive(reference: str) -> DirectiveTold:
    """The directive of this reference.

    Raises:
        NotFoundError: There is none.
    """
    statement = select(Directive.id, Directive.reference, DirectiveVersion)
    found = _told(statement.where(Directive.reference == reference))
    if not found:
        raise NotFoundError(f"There is no directive {reference}.")
    return found[0]


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A version that was withdrawn before it took effect."""

    number: int
    effective_on: date
    withdrawn_at: datetime


def taken_back(directive_id: int) -> list[TakenBack]:
    """The directive's versions that never took effect, the newest first. One statement."""
    void, version = aliased(DirectiveVersion), DirectiveVersion
    rows = db.session.execute(
        select(version.number, version.effective_on, clock_at(void.recorded_at))
        .join(void, void.replaces_id == version.id)
        .where(version.directive_id == directive_id, void.void)
        .order_by(version.number.desc())
    )
    return [TakenBack(*row) for row in rows]


def _told(statement: Any) -> list[DirectiveTold]:
    rows = db.session.execute(
        statement.join(DirectiveVersion, DirectiveVersion.directive_id == Directive.id)
        .where(is_known_fact(DirectiveVersion))
        .order_by(Directive.reference, DirectiveVersion.number)
    ).all()
    asked = _asked({version.id for _, _, version in rows})
    owners = _owners({version.owner_id for _, _, version in rows if version.owner_id})
    tree = read_tree() if rows else UnitTree([])
    made: dict[tuple[int, str], list[VersionTold]] = {}
    for directive_id, reference, version in rows:
        number, name = owners.get(version.owner_id, ("", ""))
        file = _file(reference, version, number, asked.get(version.id, []), tree)
        days = (version.number, version.effective_on, version.recorded_at)
        made.setdefault((directive_id, reference), []).append(VersionTold(version.id, *days, name, file))
    return [DirectiveTold(*key, tuple(versions)) for key, versions in made.items()]


def _file(
    reference: str,
    version: DirectiveVersion,
    owner: str,
    requirements: list[tuple[str, str]],
    tree: UnitTree,
) -> DirectiveFile:
    def tables(name: str) -> list[Selectors]:
        return [_by_path(table, version.effective_on, tree) for table in version.audience.get(name, [])]

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
        audience=tables("audience"),
        exceptions=tables("except"),
        requirements=requirements,
    )


def _by_path(table: Mapping[str, Any], day: date, tree: UnitTree) -> Selectors:
    """The table with the paths of ``day`` for unit ids."""
    made: Selectors = dict(table)
    if "unit_under" in table:
        made["unit_under"] = sorted(tree.last_path_on(unit_id, day) for unit_id in table["unit_under"])
    return made


def with_paths_of(version: VersionTold, day: date) -> DirectiveFile:
    """The version as a file that names its units by the paths of ``day``."""
    row = db.session.get_one(DirectiveVersion, version.id)
    tree = read_tree()
    tables = {
        name: [_by_path(table, day, tree) for table in row.audience.get(name, [])]
        for name in ("audience", "except")
    }
    return replace(version.file, audience=tables["audience"], exceptions=tables["except"])


def _asked(version_ids: Iterable[int]) -> dict[int, list[tuple[str, str]]]:
    statement = (
        select(Requirement.directive_version_id, Activity.kind, Activity.key)
        .join(Activity, Activity.id == Requirement.activity_id)
        .where(Requirement.directive_version_id.in_(sorted(version_ids)))
        .order_by(Requirement.directive_version_id, Requirement.position)
    )
    found: dict[int, list[tuple[str, str]]] = {}
    for version_id, kind, key in db.session.execute(statement):
        found.setdefault(version_id, []).append((kind, key))
    return found


def _owners(people: Iterable[int]) -> dict[int | None, tuple[str, str]]:
    """Staff number, and how the person is named, by id."""
    columns = (PersonName.person_id, PersonName.staff_number, PersonName.forenames, PersonName.surname)
    rows = db.session.execute(select(*columns).where(PersonName.person_id.in_(sorted(people))))
    return {
        person_id: (number, f"{forenames} {surname}, {number}")
        for person_id, number, forenames, surname in rows
    }


def titles() -> dict[tuple[str, str], str]:
    """Every published module and guide by kind and key, modules first; the newest title of each."""
    modules = {("module", each.activity.key): each.title for each in published_modules()}
    return modules | {("guide", each.key): f"{each.title} (guide)" for each in guide_summaries()}


def roles_and_ranks() -> tuple[list[str], list[str]]:
    """The designated roles and the ranks and grades that a known post has, each in order."""
    rows = db.session.execute(
        select(Post.designated_role, Post.rank_or_grade).where(is_known_fact(Post)).distinct()
    ).all()
    return sorted({role for role, _ in rows}), sorted({rank for _, rank in rows})


@dataclass(frozen=True, slots=True)
class PersonNamed:
    """Someone whose page the viewer may open."""

    person_id: int
    staff_number: str
    name: str
    designated_role: str  # of the main post today, empty without one
    unit: str


def names_seen(viewer: Viewer, people: Sequence[int], day: date) -> list[PersonNamed]:
    """Those of the people whom the viewer may see, by name; the others are not named."""
    found: list[PersonNamed] = []
    tree = read_tree()
    for start in range(0, len(people), _BOUND):
        found += _named(viewer, people[start : start + _BOUND], day, tree)
    return sorted(found, key=lambda one: (one.name, one.staff_number))


_BOUND = 500


def staff_numbers(people: Sequence[int]) -> dict[int, str]:
    """The staff numbers of at most a few hundred people, by id."""
    columns = (PersonName.person_id, PersonName.staff_number)
    rows = db.session.execute(select(*columns).where(PersonName.person_id.in_(people)))
    return {person_id: number for person_id, number in rows}


def _named(viewer: Viewer, people: Sequence[int], day: date, tree: UnitTree) -> Iterable[PersonNamed]:
    columns = (PersonName.person_id, PersonName.staff_number, PersonName.surname, PersonName.forenames)
    held = (
        (Post.person_id == PersonName.person_id)
        & is_known_fact(Post)
        & is_valid_on(Post, day)
        & (Post.post_key == "")
    )
    statement = (
        select(*columns, Post.designated_role, Post.unit_id)
        .outerjoin(Post, held)
        .where(PersonName.person_id.in_(people), PersonName.person_id.in_(visible_people(viewer)))
    )
    for person_id, number, surname, forenames, role, unit_id in db.session.execute(statement):
        state = tree.state_on(unit_id, day) if unit_id else None
        yield PersonNamed(
            person_id, number, f"{surname}, {forenames}", role or "", state.name if state else ""
        )
