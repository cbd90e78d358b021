"""Reads directives for their pages: every version as the directive file that describes it."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity
from portal.domain.catalogue.publishing import event_type_summaries, guide_summaries
from portal.domain.catalogue.services import archived_activities
from portal.domain.catalogue.version_cache import published_modules
from portal.domain.directives.applies import (
    ALL_KNOWN,
    AudienceVersion,
    known_facts,
    list_versions_in_force,
    load_versions,
)
from portal.domain.directives.files import DirectiveFile, Selectors
from portal.domain.directives.models import Assignment, Directive, DirectiveVersion, Requirement
from portal.domain.people import units
from portal.domain.people.models import PersonName, Post
from portal.domain.people.positions import is_known_fact
from portal.domain.people.staff_numbers import sort_ranks
from portal.domain.people.units import UnitTree, read_tree
from portal.domain.people.visibility import Viewer, is_valid_on, visible_people
from portal.platform import wording as say
from portal.platform.db import clock_at, db
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.spelling import find_mistyped


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
    """The directive of this reference."""
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


# Describes directives in plain sentences: who must do what, by when, for how long, and what changed.

Titles = Mapping[tuple[str, str], str]  # of modules, guides and event types, by kind and key


def join_words(words: Sequence[str], link: str = "or") -> str:
    """The words as a list of a sentence.

    >>> joined(["response", "contact", "custody"])
    'response, contact or custody'
    """
    return f" {link} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def unit_label(path: str) -> str:
    """The names of a unit and of those above it, below the force.

    >>> unit("Westshire Police/Response/Team A")
    'Response › Team A'
    """
    try:
        names = units.split(path)
    except RuleError:  # not a path; the form or the file's reader says so
        return path
    return " › ".join(names[1:] or names)


def describe_group(table: Selectors, people: str = "everyone") -> str:
    """The people of one table of an audience."""
    parts = []
    if roles := table.get("designated_role"):
        parts.append(f"with the role {join_words(roles)}")
    if units := table.get("unit_under"):
        parts.append(f"in {join_words([unit_label(path) for path in units])} or any unit below")
    if ranks := table.get("rank_or_grade"):
        parts.append(f"of the rank or grade {join_words(ranks)}")
    return f"{people} {', '.join(parts)}" if parts else people


def describe_audience(file: DirectiveFile) -> str:
    """The audience, as one sentence."""
    included = join_words([describe_group(table) for table in file.audience], "and")
    excluded = join_words([describe_group(table, "those") for table in file.exceptions], "and")
    return f"{included[:1].upper()}{included[1:]}{f', except {excluded}' if excluded else ''}."


def explain_requirement(
    table: Mapping[str, Sequence[object]], role: str, rank: str, units: Sequence[tuple[int, str]]
) -> str:
    """Why a directive applies to a person, as one sentence to them: what the audience names of their post.

    Args:
        table: The table that the post meets, with unit ids.
        role: The post's designated role.
        rank: The post's rank or grade.
        units: Ids and names of the post's unit and of those above it, lowest first.
    """
    reasons = []
    if "designated_role" in table:
        reasons.append(f"your role is {role}")
    if "unit_under" in table:
        top = next((name for key, name in units if key in table["unit_under"]), "")
        own = units[0][1] if units else ""
        reasons.append(f"you are in {own}" + (f", which is part of {top}" if top not in ("", own) else ""))
    if "rank_or_grade" in table:
        reasons.append(f"your rank or grade is {rank}")
    return (
        f"You have to do this because {join_words(reasons, 'and')}."
        if reasons
        else "Everyone has to do this."
    )


def describe_due_date(file: DirectiveFile) -> str:
    """The due date, as one sentence."""
    fixed, days = file.due_fixed_on, file.due_days_after_joining
    joining = f"{say.plural(days, 'day')} after joining the audience" if days is not None else ""
    if fixed and joining:
        return f"On {say.date(fixed)} or {joining}, whichever is later."
    return f"On {say.date(fixed)}." if fixed else f"{joining[:1].upper()}{joining[1:]}."


def describe_validity(file: DirectiveFile) -> str:
    """How long a pass counts, as one or two sentences."""
    if file.validity_months:
        return f"A pass counts for {say.plural(file.validity_months, 'month')}. {_describe_ending_soon(file)}"
    if file.yearly_on:
        month, day = map(int, file.yearly_on.split("-"))
        gap = say.plural(file.minimum_gap_months or 0, "month")
        until = f"A pass counts until the first {date(2001, month, day):%-d %B}"
        return f"{until} that is at least {gap} later. {_describe_ending_soon(file)}"
    return "A pass does not expire."


def _describe_ending_soon(file: DirectiveFile) -> str:
    return f"It shows as ending soon from {say.plural(file.expiring_days, 'day')} before."


def describe_notices(file: DirectiveFile) -> str:
    """When learners are reminded, as one sentence."""
    if not file.notice_days:
        return "No notice before the due date."
    days = sorted(set(file.notice_days), reverse=True)
    return (
        f"{join_words([str(n) for n in days], 'and')} {'day' if days == [1] else 'days'} before the due date."
    )


def requirement_titles(file: DirectiveFile, titles: Titles) -> list[str]:
    """The titles of the required modules, guides and event types."""
    return [titles.get(requirement, requirement[1]) for requirement in file.requirements]


def describe_people_affected(kind: str, people: int) -> str:
    """How many people a change to an audience affects, and how.

    >>> describe_people_affected("due_changes", 1)
    '1 person gets a new due date'
    """
    one, many = _EFFECTS[kind]
    return f"{say.plural(people, 'person', 'people')} {one if people == 1 else many}"


def list_changes(old: DirectiveFile | None, new: DirectiveFile, titles: Titles) -> list[str]:
    """What a version changes, a sentence each.

    Args:
        old: The version before; None: there is none.
        new: The version.
        titles: Of modules, guides and event types.
    """
    if old is None:
        return ["First issued."]
    if new.withdrawn:
        return ["Withdrawn." if not old.withdrawn else "Still withdrawn."]
    sentences = ["In force again after it was withdrawn."] if old.withdrawn else []
    if sorted_audience(old) != sorted_audience(new):
        sentences.append(
            f"Who: “{describe_audience(new).rstrip('.')}” (was “{describe_audience(old).rstrip('.')}”)."
        )
    for name, describe in _DESCRIPTIONS.items():
        before, after = describe(old), describe(new)
        if before != after:
            sentences.append(f"{name}: “{after.rstrip('.')}” (was “{before.rstrip('.')}”).")
    sentences += [f"{name} has changed." for name, key in _TEXTS if _is_changed(old, new, key)]
    sentences += _requirement_changes(old, new, titles)
    return sentences or ["Nothing has changed."]


def sorted_audience(file: DirectiveFile) -> list[list[list[tuple[str, list[str]]]]]:
    """The audience with its choices sorted, for comparing: their order means nothing."""
    return [
        [sorted((key, sorted(values)) for key, values in table.items()) for table in tables]
        for tables in (file.audience, file.exceptions)
    ]


_EFFECTS = {  # by field of ``AudienceEffect``, of one person and of several
    "joins": ("will have to do this", "will have to do this"),
    "leaves": ("will no longer have to do this", "will no longer have to do this"),
    "due_changes": ("gets a new due date", "get a new due date"),
}
_TEXTS = (("The exact wording", "wording"), ("The recommendation", "source"))
_DESCRIPTIONS: dict[str, Callable[[DirectiveFile], str]] = {
    "Title": lambda file: str(file.title),
    "Due": describe_due_date,
    "Validity": describe_validity,
    "Notices": describe_notices,
    "Target": lambda file: say.percent_exact(file.target),
    "Owner": lambda file: str(file.owner),
}


def _is_changed(old: DirectiveFile, new: DirectiveFile, key: str) -> bool:
    return bool(getattr(old, key) != getattr(new, key))


def _requirement_changes(old: DirectiveFile, new: DirectiveFile, titles: Titles) -> Iterable[str]:
    for requirement in new.requirements:
        if requirement not in old.requirements:
            yield f"{titles.get(requirement, requirement[1])} is now required."
    for requirement in old.requirements:
        if requirement not in new.requirements:
            yield f"{titles.get(requirement, requirement[1])} is no longer required."


# Which roles and ranks directives name, and which roles people have that no directive names.
#
# A role that nobody named is often one that was mistyped: whoever has it falls out of every directive
# that selects by roles, and nothing else would say so.

FEW = 3  # people of a role that are shown


@dataclass(frozen=True, slots=True)
class NamedValues:
    """The roles and ranks that directives in force today or later name, also to except them."""

    roles: frozenset[str]
    ranks: frozenset[str]
    is_any: bool  # whether there is such a directive

    @classmethod
    def of(cls, versions: Iterable[AudienceVersion], today: date) -> "NamedValues":
        """What those of all recorded versions name that are in force on the day or later."""
        by_directive: dict[int, list[AudienceVersion]] = defaultdict(list)
        for version in known_facts(versions, ALL_KNOWN):
            by_directive[version.directive_id].append(version)
        in_force = (each for known in by_directive.values() for each in list_versions_in_force(known))
        live = [each.version for each in in_force if each.last >= today.toordinal()]
        tables = [table for version in live for table in (*version.audience, *version.exceptions)]
        roles, ranks = (
            frozenset(str(text) for table in tables for text in table.get(column, ()))
            for column in ("designated_role", "rank_or_grade")
        )
        return cls(roles, ranks, bool(live))


def read_named_values(today: date) -> NamedValues:
    """What directives name, as known now. One statement."""
    return NamedValues.of(load_versions(with_activities=False), today)


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A role or rank that a directive names and nobody has."""

    column: str  # designated_role or rank_or_grade
    text: str
    alike: str  # one that somebody has, of which it is perhaps a mistyping; else empty


def list_unknown_names(tables: Iterable[Mapping[str, Sequence[str]]], day: date) -> list[UnknownName]:
    """The roles and ranks in these groups of people that nobody has on the day or later. One statement."""
    columns = (Post.designated_role, Post.rank_or_grade)
    posts = select(*columns).where(is_known_fact(Post), Post.valid_to >= day).distinct()
    rows = db.session.execute(posts).all()
    known = {column.key: {row[place] for row in rows} for place, column in enumerate(columns)}
    named = [(key, text) for table in tables for key in known for text in table.get(key, ())]
    return [
        UnknownName(key, text, find_mistyped(text, known[key]))
        for key, text in dict.fromkeys(named)
        if text not in known[key]
    ]


@dataclass(frozen=True, slots=True)
class UnnamedRole:
    """A role that people have today and no directive names."""

    role: str
    people: int
    without: int  # of them, those whom no directive applies to
    alike: str  # a role that a directive names, of which it is perhaps a mistyping; else empty
    numbers: tuple[str, ...]  # staff numbers of a few of them


def list_unnamed_roles(today: date) -> list[UnnamedRole]:
    """Roles that are perhaps mistyped, or whose people have nothing to complete; the likeliest first.

    None where no directive is in force. Two statements, however many people have them.
    """
    named = read_named_values(today)
    if not named.is_any:
        return []
    is_assigned = exists().where(
        Assignment.person_id == Post.person_id, is_known_fact(Assignment), Assignment.to_on >= today
    )
    rows = db.session.execute(
        select(Post.designated_role, PersonName.staff_number, is_assigned)
        .join(PersonName, PersonName.person_id == Post.person_id)
        .where(is_known_fact(Post), is_valid_on(Post, today), Post.designated_role.not_in(named.roles))
        .order_by(PersonName.staff_number)
    )
    holders: dict[str, dict[str, bool]] = defaultdict(dict)
    for role, number, has_something in rows:
        holders[role][number] = has_something
    found = [_describe_role(role, people, named) for role, people in holders.items()]
    wanted = [role for role in found if role.alike or role.without]
    return sorted(wanted, key=lambda role: (not role.alike, -role.without, role.role))


def _describe_role(role: str, people: dict[str, bool], named: NamedValues) -> UnnamedRole:
    without = [number for number, has_something in people.items() if not has_something]
    shown = tuple(without or people)[:FEW]
    return UnnamedRole(role, len(people), len(without), find_mistyped(role, named.roles), shown)
