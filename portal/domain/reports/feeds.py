"""Directives by reference, each with its rules at a position."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity, EventTypeVersion, GuideVersion, ModuleVersion
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.people.models import Person, PersonName, Post
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import UnitRow, find_seen_person, live_units
from portal.domain.people.visibility import Viewer, is_valid_on, is_visible, visible_people
from portal.domain.records.models import (
    Acknowledgement,
    AttendanceRecord,
    ImportedRecord,
    PassRecord,
    Record,
    Revocation,
)
from portal.domain.records.queries import drop_unknown_time, scale_score
from portal.domain.reports.parameters import Position
from portal.platform.db import OPEN_END, db
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
    """The directive with this reference."""
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


# People whom a viewer may see, by staff number, with their posts at a position.


@dataclass(frozen=True, slots=True)
class FeedPost:
    """A post of a person on the day as_at."""

    post_key: str
    rank_or_grade: str
    designated_role: str
    unit: str
    unit_path: str
    line_manager_staff_number: str | None  # None: no manager, or one whom the viewer may not see
    valid_from: date
    valid_to: date | None  # None: no last day


@dataclass(frozen=True, slots=True)
class FeedPerson:
    """A person with their name as it is now."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str
    posts: tuple[FeedPost, ...]


def list_feed_people(viewer: Viewer, position: Position, after: str, limit: int) -> list[FeedPerson]:
    """The next ``limit`` people after a staff number; a fixed number of statements.

    Whom the viewer may see is decided by today's posts, as on the page of a person. People who came into the
    portal after as_known_on are left out.
    """
    n = PersonName
    rows = db.session.execute(
        select(n.person_id, n.staff_number, n.surname, n.forenames)
        .join(Person, Person.id == n.person_id)
        .where(
            is_visible(n.person_id, viewer),
            n.staff_number > after,
            Person.recorded_at <= position.as_known_on,
        )
        .order_by(n.staff_number)
        .limit(limit)
    ).all()
    return _with_posts(viewer, position, rows)


def get_feed_person(viewer: Viewer, position: Position, staff_number: str) -> FeedPerson:
    """The person with this staff number."""
    n = PersonName
    rows = db.session.execute(
        select(n.person_id, n.staff_number, n.surname, n.forenames)
        .join(Person, Person.id == n.person_id)
        .where(
            n.person_id == find_seen_person(viewer, staff_number),
            Person.recorded_at <= position.as_known_on,
        )
    ).all()
    if not rows:
        raise NotFoundError("Nobody has this staff number.")
    return _with_posts(viewer, position, rows)[0]


def _with_posts(viewer: Viewer, position: Position, rows: Sequence[Any]) -> list[FeedPerson]:
    posts = _read_posts(viewer, position, [row.person_id for row in rows])
    people = [(*row, tuple(posts.get(row.person_id, ()))) for row in rows]
    return [FeedPerson(*values) for values in people]


def _read_posts(viewer: Viewer, position: Position, people: Collection[int]) -> dict[int, list[FeedPost]]:
    manager = aliased(PersonName)
    rows = db.session.execute(
        select(Post, manager.person_id, manager.staff_number)
        .outerjoin(manager, manager.person_id == Post.line_manager_id)
        .where(
            Post.person_id.in_(people),
            is_known_fact(Post, position.as_known_on),
            is_valid_on(Post, position.as_at),
        )
        .order_by(Post.person_id, Post.post_key)  # the main post, "", comes first
    ).all()
    managers = {manager_id for _, manager_id, _ in rows if manager_id is not None}
    visible = set(db.session.scalars(visible_people(viewer, among=managers)))
    units = live_units(position.as_at, position.as_known_on)
    posts: dict[int, list[FeedPost]] = {}
    for post, manager_id, number in rows:
        shown = number if manager_id in visible else None
        posts.setdefault(post.person_id, []).append(_build_post(post, shown, units.get(post.unit_id)))
    return posts


def _build_post(post: Post, manager_number: str | None, unit: UnitRow | None) -> FeedPost:
    return FeedPost(
        post_key=post.post_key,
        rank_or_grade=post.rank_or_grade,
        designated_role=post.designated_role,
        unit=unit.name if unit else "",
        unit_path=unit.path if unit else "",
        line_manager_staff_number=manager_number,
        valid_from=post.valid_from,
        valid_to=None if post.valid_to == OPEN_END else post.valid_to,
    )


# Records of people whom a viewer may see, in the order recorded, as known on an instant.


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """Proof that a person achieved a requirement, as it was known."""

    reference: str
    staff_number: str
    requirement_kind: str
    requirement: str
    achieved_at: datetime
    achieved_on: date
    source: str
    source_system: str | None
    version: int | None
    score_scaled: Decimal | None
    mastery_score: Decimal | None
    revoked_from: date | None  # the first day on which it no longer counts
    recorded_at: datetime

    @property
    def achieved_when(self) -> date | datetime:
        """When it was achieved; only the day, where no time of day was given."""
        return drop_unknown_time(self.achieved_at, self.source)


def list_feed_records(viewer: Viewer, position: Position, after: str, limit: int) -> list[FeedRecord]:
    """The next ``limit`` records after the one with a reference. Three statements at most.

    Records achieved after the day as_at are left out.
    """
    statement = _select_records(viewer, position).order_by(Record.id).limit(limit)
    if after:
        known = select(Record.id).where(
            Record.reference == after, is_known_fact(Record, position.as_known_on)
        )
        statement = statement.where(Record.id > known.scalar_subquery())
    return _build_records(db.session.execute(statement), position)


def get_feed_record(viewer: Viewer, position: Position, reference: str) -> FeedRecord:
    """The record with this reference."""
    statement = _select_records(viewer, position).where(Record.reference == reference)
    records = _build_records(db.session.execute(statement), position)
    if not records:
        raise NotFoundError("There is no such record.")
    return records[0]


def _select_records(viewer: Viewer, position: Position) -> Select[Any]:
    """Known records with what proves them: a correction keeps the proof of the row it replaces."""
    original = aliased(Record)
    first = (original.reference == Record.reference, original.replaces_id.is_(None))
    columns: tuple[Any, ...] = (
        Record.reference,
        PersonName.staff_number,
        Activity.kind,
        Activity.key,
        Record.achieved_at,
        Record.achieved_on,
        Record.source,
        ImportedRecord.source_system,
        func.coalesce(ModuleVersion.number, GuideVersion.number, EventTypeVersion.number),
        PassRecord.score_raw,
        PassRecord.score_max,
        ImportedRecord.score_scaled,
        PassRecord.mastery_score,
        Record.recorded_at,
    )
    return (
        select(*columns)
        .join(PersonName, PersonName.person_id == Record.person_id)
        .join(Activity, Activity.id == Record.activity_id)
        .join(original, first[0] & first[1])
        .outerjoin(PassRecord, PassRecord.record_id == original.id)
        .outerjoin(ModuleVersion, ModuleVersion.id == PassRecord.module_version_id)
        .outerjoin(Acknowledgement, Acknowledgement.record_id == original.id)
        .outerjoin(GuideVersion, GuideVersion.id == Acknowledgement.guide_version_id)
        .outerjoin(AttendanceRecord, AttendanceRecord.record_id == original.id)
        .outerjoin(EventTypeVersion, EventTypeVersion.id == AttendanceRecord.event_type_version_id)
        .outerjoin(ImportedRecord, ImportedRecord.record_id == original.id)
        .where(
            is_known_fact(Record, position.as_known_on),
            Record.achieved_on <= position.as_at,
            is_visible(Record.person_id, viewer),
        )
    )


def _build_records(rows: Iterable[Any], position: Position) -> list[FeedRecord]:
    all_rows = list(rows)
    revoked_from = _read_revocations([row.reference for row in all_rows], position)
    records = []
    for *first, raw, maximum, imported, mastery, recorded_at in all_rows:
        score = imported if raw is None else scale_score(raw, maximum)
        values = (*first, score, mastery, revoked_from.get(first[0]), recorded_at)
        records.append(FeedRecord(*values))
    return records


def _read_revocations(references: list[str], position: Position) -> dict[str, date]:
    """The first day on which a record no longer counts, by reference, which a correction keeps."""
    rows = db.session.execute(
        select(Record.reference, func.min(Revocation.from_on))
        .join(Record, Record.id == Revocation.record_id)
        .where(
            Record.reference.in_(references),
            is_known_fact(Revocation, position.as_known_on),
            Revocation.from_on <= position.as_at,
        )
        .group_by(Record.reference)
    )
    return {reference: from_on for reference, from_on in rows}
