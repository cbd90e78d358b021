"""Reads statuses: of a report's people, of one person, by activity, and of those who may need a reminder."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    exists,
    func,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity
from portal.domain.catalogue.version_cache import published_title
from portal.domain.directives.applies import meets_selectors, split_into_batches
from portal.domain.directives.models import Assignment, Directive, DirectiveVersion, Exclusion, Requirement
from portal.domain.directives.queries import explain_requirement
from portal.domain.people.models import Post, UnitState
from portal.domain.people.positions import is_known_fact
from portal.domain.people.units import UnitTree, read_tree
from portal.domain.people.visibility import Viewer, visibility_of
from portal.domain.records.models import Acknowledgement, AttendanceRecord, ImportedRecord, PassRecord, Record
from portal.domain.status.counts import LATE, Condition, Scope, Whose, covers_day, is_known_on
from portal.domain.status.models import Column, ResultRow, Statement, StatusPeriod
from portal.domain.status.paging import ERASED, POST_AND_NAME, join_names, name_order, place_order
from portal.domain.status.rules import WHOLE, Status
from portal.platform.bulk import (
    RawDay,
    RawInstant,
    RawRow,
    RawScore,
    fetch_raw_rows,
    instant_column,
    match_people,
    raw_column,
    text_column,
)
from portal.platform.db import db, read

period = StatusPeriod


def count_late_people(scope: Scope) -> int:
    """How many people are overdue or expired under one of the directives at least."""
    conditions = (*scope.whole_directive(), period.status.in_(LATE))
    return db.session.scalar(select(func.count(period.person_id.distinct())).where(*conditions)) or 0


def is_reached_by(person_id: Any, directive_id: int, day: date) -> ColumnElement[bool]:
    """WHERE clause: the directive applies to the person on the day, as known now."""
    return exists().where(
        period.person_id == person_id,
        period.directive_id == directive_id,
        period.position == WHOLE,
        covers_day(period, day),
        is_known_on(period, None),
    )


def people_in_report(scope: Scope, among: Collection[int] | None = None) -> set[int]:
    """The people, or those of these people, who have a row in the report."""
    conditions = [] if among is None else [period.person_id.in_(sorted(among))]
    return set(db.session.scalars(select(period.person_id).where(*scope.whole_directive(), *conditions)))


class DirectiveStatus(NamedTuple):
    """A person's status under one directive."""

    directive: str  # reference
    status: Status
    due_on: date


def directive_statuses(
    person_id: int, as_at: date, as_known_on: datetime | None = None
) -> list[DirectiveStatus]:
    """A person's status under every directive that applies, the worst first; None: as known now."""
    statement = (
        select(Directive.reference, period.status, period.due_on)
        .join(period, period.directive_id == Directive.id)
        .where(period.person_id == person_id, period.position == WHOLE)
        .where(covers_day(period, as_at), is_known_on(period, as_known_on))
        .order_by(period.status, period.due_on, Directive.reference)
    )
    return [
        DirectiveStatus(reference, Status(status), date.fromordinal(due_on))
        for reference, status, due_on in db.session.execute(statement)
    ]


@dataclass(frozen=True, slots=True)
class AssignedRequirement:
    """A requirement that a directive assigns to a person, its status, and why it applies to them."""

    directive: str  # reference
    directive_title: str
    source: str
    wording: str
    designated_role: str
    unit: str
    activity_id: int
    kind: str
    key: str
    status: Status
    due_on: date
    valid_until: date | None
    reference: str | None  # of the record that counts
    achieved_at: datetime | None
    source_of_record: str | None
    title: str | None  # of the newest version, of a guide or an event type
    why: str  # a sentence to the person, with the names that units have on the day


_REQUIREMENT_COLUMNS: tuple[Column, ...] = (
    Directive.reference.label("directive"),
    DirectiveVersion.title.label("directive_title"),
    DirectiveVersion.source,
    DirectiveVersion.wording,
    Post.designated_role,
    UnitState.name.label("unit"),
    Activity.id.label("activity_id"),
    Activity.kind,
    Activity.key,
    period.status,
    period.due_on,
    period.valid_until,
    Record.reference,
    Record.achieved_at,
    Record.source.label("source_of_record"),
    published_title(Activity, "guide", "event").label("title"),
    Post.rank_or_grade,
    period.unit_id,
    DirectiveVersion.audience,
)


def _select_requirements(as_known_on: datetime | None) -> Select[Any]:
    """The requirements of ``person_id`` on ``day``, which is also given as ``ordinal``."""
    rule, unit = Assignment, UnitState
    day, ordinal = bindparam("day", type_=Date), bindparam("ordinal", type_=Integer)
    same = and_(rule.person_id == period.person_id, rule.directive_id == period.directive_id)
    live = and_(rule.from_on <= day, rule.to_on >= day, is_known_fact(rule, as_known_on))
    of_unit = and_(unit.unit_id == period.unit_id, unit.valid_from <= day, unit.valid_to >= day)
    of_version = Requirement.directive_version_id == DirectiveVersion.id
    return (
        select(*_REQUIREMENT_COLUMNS)
        .select_from(period)
        .join(Directive, Directive.id == period.directive_id)
        .join(rule, and_(same, live))
        .join(DirectiveVersion, DirectiveVersion.id == rule.directive_version_id)
        .join(Requirement, and_(of_version, Requirement.position == period.position))
        .join(Activity, Activity.id == Requirement.activity_id)
        .join(Post, Post.id == period.post_id)
        .join(unit, and_(of_unit, is_known_fact(unit, as_known_on)))
        .outerjoin(Record, Record.id == period.record_id)
        .where(period.person_id == bindparam("person_id"), period.position > WHOLE)
        .where(period.from_on <= ordinal, period.to_on >= ordinal, is_known_on(period, as_known_on))
        .order_by(period.due_on, Directive.reference, period.position)
    )


_REQUIREMENTS_NOW = _select_requirements(None)


def requirements_of(
    person_id: int, day: date, as_known_on: datetime | None = None
) -> list[AssignedRequirement]:
    """Every live requirement of a person by due date, directive and position; None: as known now."""
    statement = _REQUIREMENTS_NOW if as_known_on is None else _select_requirements(as_known_on)
    rows = read(statement, {"person_id": person_id, "day": day, "ordinal": day.toordinal()})
    by_unit = any("unit_under" in table for row in rows for table in row.audience["audience"])
    tree = read_tree() if by_unit else UnitTree([])
    return [_build_requirement(row, tree, day) for row in rows]


def _build_requirement(row: ResultRow, tree: UnitTree, day: date) -> AssignedRequirement:
    """The requirement with the reason why it applies: the first audience that matches the post."""
    values = row._asdict()
    audience, unit_id, rank = (values.pop(name) for name in ("audience", "unit_id", "rank_or_grade"))
    role, until = row.designated_role, row.valid_until
    units = [(state.unit_id, tree.label_on(state.unit_id, day)) for state in tree.states_above(unit_id, day)]
    ids = {unit_id for unit_id, _ in units}
    matching = (table for table in audience["audience"] if meets_selectors(table, role, rank, ids))
    values["status"], values["due_on"] = Status(row.status), date.fromordinal(row.due_on)
    values["valid_until"] = date.fromordinal(until) if until else None
    return AssignedRequirement(**values, why=explain_requirement(next(matching, {}), role, rank, units))


def statuses_by_activity(kind: str, day: date, whose: Whose | None = None) -> Subquery:
    """Each status of a day, as known now, under each directive that asks for an activity of a kind.

    A person has a row for every such directive. The people are chosen by the posts of their statuses; None:
    everyone, to be narrowed by the caller.

    Returns:
        Columns ``activity_id``, ``person_id``, ``status``, ``due_on`` (an ordinal), ``unit_id``,
        ``rank_or_grade`` and ``designated_role``.
    """
    asked = (  # a position of a directive keeps its activity in all versions
        select(DirectiveVersion.directive_id, Requirement.position, Requirement.activity_id)
        .join(DirectiveVersion, DirectiveVersion.id == Requirement.directive_version_id)
        .join(Activity, Activity.id == Requirement.activity_id)
        .where(Activity.kind == kind)
        .distinct()
        .subquery()
    )
    is_asked = and_(asked.c.directive_id == period.directive_id, asked.c.position == period.position)
    columns = (period.person_id, period.status, period.due_on, period.unit_id)
    of_people = [] if whose is None else [whose.matches(period)]
    return (
        select(asked.c.activity_id, *columns, Post.rank_or_grade, Post.designated_role)
        .join(asked, is_asked)
        .join(Post, Post.id == period.post_id)
        .where(covers_day(period, day), is_known_on(period, None), *of_people)
        .subquery()
    )


class DirectiveReach(NamedTuple):
    """The people to whom a directive applies on a day."""

    people: int
    done: int  # of those counted
    counted: int  # all but those exempt or deferred


NOBODY = DirectiveReach(0, 0, 0)


def count_reach(viewer: Viewer, day: date) -> dict[int, DirectiveReach]:
    """By directive, the people to whom it applies on ``day``, as known now, of those the viewer may see."""
    seen = visibility_of(viewer)
    whose = Whose(seen.everyone, seen.unit_ids, seen.direct_reports_of)
    statement = select(period.directive_id, period.status, func.count()).where(
        period.position == WHOLE, covers_day(period, day), is_known_on(period, None), whose.matches(period)
    )
    reach: dict[int, DirectiveReach] = {}
    for key, number, n in db.session.execute(statement.group_by(period.directive_id, period.status)):
        status, (people, done, counted) = Status(number), reach.get(key, NOBODY)
        reach[key] = DirectiveReach(people + n, done + n * status.held, counted + n * (not status.excluded))
    return reach


TO_REMIND = (Status.OVERDUE, Status.EXPIRED, Status.NOT_STARTED, Status.IN_PROGRESS, Status.EXPIRING)


class PersonToRemind(NamedTuple):
    """A person who has still to complete a directive, or whose completion ends soon, as known now."""

    person_id: int
    directive_id: int
    reference: str
    status: Status
    due_on: date
    valid_until: date | None
    manager_id: int | None  # line manager of the row's post
    unit_id: int  # of the row's post

    @property
    def since(self) -> date:
        """The last day in time: the due date, or the end of what lapsed after it."""
        return max(self.due_on, self.valid_until or self.due_on)


def people_to_remind(day: date, people: Collection[int] | None = None) -> list[PersonToRemind]:
    """Everyone, or these people, whose status on ``day`` is one of ``TO_REMIND``, under every directive.

    Ordered by directive and person. One statement for each five hundred people named.
    """
    if people is None:
        return list(_fetch_to_remind(day))
    batches = split_into_batches(sorted(people))
    return [row for ids in batches for row in _fetch_to_remind(day, period.person_id.in_(ids))]


def _fetch_to_remind(day: date, *conditions: Condition) -> Iterator[PersonToRemind]:
    columns = (period.person_id, period.directive_id, Directive.reference, period.status)
    statement = (
        select(*columns, period.due_on, period.valid_until, Post.line_manager_id, Post.unit_id)
        .join(Directive, Directive.id == period.directive_id)
        .join(Post, Post.id == period.post_id)
        .where(period.position == WHOLE, covers_day(period, day), is_known_on(period, None), *conditions)
        .where(period.status.in_(TO_REMIND))
        .order_by(Directive.reference, period.person_id)
    )
    rows = db.session.execute(statement)
    for person_id, directive_id, reference, status, due, until, manager_id, unit_id in rows:
        yield PersonToRemind(
            person_id,
            directive_id,
            reference,
            Status(status),
            date.fromordinal(due),
            None if until is None else date.fromordinal(until),
            manager_id,
            unit_id,
        )


# Reads the rows of reports and files: people in order, and their requirements, as raw values.


class AudienceRow(NamedTuple):
    """A person to whom a directive applies, with the post of their row and their status under all of it."""

    person_id: int
    unit_id: int
    staff_number: str | None  # None: erased, as the names
    surname: str
    forenames: str
    rank_or_grade: str
    designated_role: str
    manager_number: str | None
    status: int
    due_on: int  # ordinal
    joined_on: RawDay


class AudienceKey(NamedTuple):
    """The place of a person in the order of ``stream_people``."""

    unit_id: int
    surname: str
    staff_number: str
    person_id: int

    @classmethod
    def of_row(cls, row: AudienceRow) -> "AudienceKey":
        """The place of a row; of an erased person by their id alone."""
        name = (ERASED, ERASED) if row.staff_number is None else (row.surname, row.staff_number)
        return cls(row.unit_id, *name, row.person_id)


def stream_people(scope: Scope, size: int, units: Sequence[int] = ()) -> Iterator[Sequence[AudienceRow]]:
    """The people for a file, ``size`` at a time, by unit in the order of ``units``, then by name.

    One statement streams them: no more than ``size`` are in memory.
    """
    statement = _select_audience(scope, units).execution_options(yield_per=size)
    result = db.session.connection().execute(statement)  # without the session's work for each row
    for rows in result.partitions():
        yield [AudienceRow._make(row) for row in rows]


def list_audience(
    scope: Scope, units: Sequence[int], after: AudienceKey | None, limit: int
) -> list[AudienceRow]:
    """The next ``limit`` people of ``stream_people`` after a key, which is of one of ``units``."""
    statement = _select_audience(scope, units)
    if after is not None:
        in_later_unit = StatusPeriod.unit_id != after.unit_id  # ``units`` begins with the key's
        key = tuple_(*name_order())
        statement = statement.where(
            or_(in_later_unit, key > (after.surname, after.staff_number, after.person_id))
        )
    rows = db.session.connection().execute(statement.limit(limit))
    return [AudienceRow._make(row) for row in rows]


def _select_audience(scope: Scope, units: Sequence[int]) -> Statement:
    rule, period, day = Assignment, StatusPeriod, scope.as_at
    same = and_(rule.person_id == period.person_id, rule.directive_id == period.directive_id)
    live = and_(rule.from_on <= day, rule.to_on >= day, is_known_fact(rule, scope.as_known_on))
    columns = (*POST_AND_NAME, period.status, period.due_on, raw_column(rule.joined_on).label("joined_on"))
    return (
        join_names(select(*columns))
        .join(rule, and_(same, live))
        .where(*scope.whole_directive())
        .order_by(*([place_order(StatusPeriod.unit_id, units)] if len(units) > 1 else []), *name_order())
    )


_reason = select(Exclusion.reason).where(Exclusion.id == StatusPeriod.exclusion_id)
_REASON = case((StatusPeriod.exclusion_id.is_not(None), _reason.scalar_subquery()))


def _select_with_records() -> Statement:
    """The periods of requirements with the record that counts.

    What few of them have is a subquery within a CASE: joined, it would be looked up for every row of a file.
    """
    period, original = StatusPeriod, aliased(Record)
    first = select(original.id).where(original.reference == Record.reference, original.replaces_id.is_(None))
    corrected = case((Record.replaces_id.is_not(None), first.correlate(Record).scalar_subquery()))
    proof = func.coalesce(corrected, Record.id)  # a correction keeps the proof of the row it replaces
    without_pass = and_(Record.id.is_not(None), PassRecord.record_id.is_(None))
    guide_version = select(Acknowledgement.guide_version_id).where(Acknowledgement.record_id == proof)
    event_type = select(AttendanceRecord.event_type_version_id).where(AttendanceRecord.record_id == proof)
    score = select(ImportedRecord.score_scaled).where(ImportedRecord.record_id == proof)
    return (
        select(
            period.person_id,
            period.position,
            period.status,
            period.due_on,
            period.valid_until,
            period.late_days,
            _REASON,
            instant_column(Record.achieved_at),
            Record.source,
            Record.reference,
            case(
                (and_(without_pass, Record.source == "acknowledged"), guide_version.scalar_subquery()),
                (and_(without_pass, Record.source == "attended"), event_type.scalar_subquery()),
                else_=PassRecord.module_version_id,
            ),
            text_column(PassRecord.mastery_score),
            text_column(PassRecord.score_raw),
            PassRecord.score_max,
            text_column(case((without_pass, score.scalar_subquery()))),
        )
        .select_from(period)
        .outerjoin(Record, Record.id == period.record_id)
        .outerjoin(PassRecord, PassRecord.record_id == proof)
    )


RawRequirementRow = tuple[
    int,  # person id
    int,  # position of the requirement
    int,  # status
    int,  # due date, an ordinal
    int | None,  # last day on which the completion counts, an ordinal
    int | None,  # days late
    str | None,  # reason of an exclusion
    RawInstant | None,  # when the record was achieved
    str | None,  # source of the record
    str | None,  # reference of the record
    int | None,  # id of the version passed, acknowledged or attended, of the kind of the requirement
    RawScore | None,  # mastery score of the pass
    RawScore | None,  # marks of the pass
    int | None,  # marks available
    RawScore | None,  # score of an imported record
]
RawStatusRow = tuple[int, int, int, str | None]  # person id, position, status, reason of an exclusion


def requirement_reader(scope: Scope) -> Callable[[Iterable[int]], Sequence[RawRequirementRow]]:
    """A function that reads the requirements of some people, with the record that counts.

    Its rows come by person and position.
    """
    return _batch_reader(scope, _select_with_records())


def status_reader(scope: Scope) -> Callable[[Iterable[int]], Sequence[RawStatusRow]]:
    """A function that reads the status of some people on each requirement, by person and position."""
    period = StatusPeriod
    return _batch_reader(scope, select(period.person_id, period.position, period.status, _REASON))


def load_statuses(scope: Scope, people: Iterable[int]) -> dict[tuple[int, int], dict[int, Status]]:
    """The status of every requirement of these people: by directive and person, then by position."""
    period, statuses = StatusPeriod, dict[tuple[int, int], dict[int, Status]]()
    columns = (period.directive_id, period.person_id, period.position, period.status)
    for directive_id, person_id, position, status in _batch_reader(scope, select(*columns))(people):
        statuses.setdefault((directive_id, person_id), {})[position] = Status(status)
    return statuses


def _batch_reader(scope: Scope, statement: Statement) -> Callable[[Iterable[int]], Sequence[RawRow]]:
    """A function that runs one statement, made once, for each batch of people."""
    whose, period = scope.whose, StatusPeriod
    visible = replace(scope, whose=Whose(whose.everyone, whose.unit_ids, whose.manager_id))
    conditions = (*visible.all_positions(), match_people(period.person_id), period.position > WHOLE)
    prepared = statement.where(*conditions).order_by(period.person_id, period.position)
    return lambda people: fetch_raw_rows(prepared, people)
