"""Reading standings: the one place from which any page or file learns where somebody stands.

Everything is read from the spans, on a day as known on an instant, and no statement outside this
package names their table.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, and_, case, func, literal, select, union_all
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity, GuideVersion
from portal.domain.directives.audience import meets_selectors
from portal.domain.directives.descriptions import explain_requirement
from portal.domain.directives.models import Assignment, Directive, DirectiveVersion, Exclusion, Requirement
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post, UnitState
from portal.domain.people.units.tree import UnitTree, read_tree
from portal.domain.records.models import Acknowledgement, ImportedRecord, PassRecord, Record
from portal.domain.status.filters import LATE, Scope, Whose, holds, is_known
from portal.domain.status.late_arrivals import learnt
from portal.domain.status.models import StatusPeriod
from portal.domain.status.paging import HOLDER, by_name, place, with_names
from portal.domain.status.periods import WHOLE
from portal.domain.status.raw_columns import (
    RawDay,
    RawInstant,
    RawRow,
    RawScore,
    fetch_raw_rows,
    ids_parameter,
    match_ids,
    raw_column,
    text_column,
)
from portal.domain.status.rules import Status
from portal.platform.db import db

__all__ = ["Asked", "Scope", "Whole", "Whose", "asked_of", "wholes_of"]

span: Any = StatusPeriod


def overdue_people(scope: Scope) -> set[int]:
    """Ids of the people overdue, with those whose completion lapsed."""
    return set(db.session.scalars(select(span.person_id).where(*scope.wholes(), span.status.in_(LATE))))


def statuses(scope: Scope, people: Sequence[int]) -> dict[int, dict[int, Status]]:
    """The status of every requirement of these people, by person and position."""
    statement = select(span.person_id, span.position, span.status).where(*scope.requirements(people))
    found: dict[int, dict[int, Status]] = {}
    for person_id, position, status in db.session.execute(statement):
        found.setdefault(person_id, {})[position] = Status(status)
    return found


def differing(then: Scope, now: Scope) -> dict[int, tuple[Status | None, Status | None]]:
    """Who stands otherwise under the whole directive by two states of knowledge of one day, and how.

    None: was not, or is not, among them.
    """
    found: dict[int, tuple[Status | None, Status | None]] = {}
    for person_id, status, was in db.session.execute(_one_sided(then, now)):
        old, new = found.get(person_id, (None, None))
        found[person_id] = (Status(status), new) if was else (old, Status(status))
    return {person_id: (old, new) for person_id, (old, new) in found.items() if old is not new}


def _one_sided(then: Scope, now: Scope) -> Any:
    """The spans of people that one of the two states of knowledge has and the other has not."""
    here = (span.directive_id == then.directive_id, span.position == WHOLE)
    columns = (span.person_id, span.status)
    if then.whose.same_as(now.whose):
        parts = (
            select(*columns, literal(known_before)).where(*here, then.whose.theirs(span), *rows)
            for known_before, rows in learnt((then.as_at, then.as_at), then.as_known_on, now.as_known_on)
        )
        return union_all(*parts)
    before = and_(is_known(span, then.as_known_on), then.whose.theirs(span))
    after = and_(is_known(span, now.as_known_on), now.whose.theirs(span))
    return select(*columns, before.label("before")).where(*here, holds(span, then.as_at), before != after)


def listed_among(scope: Scope, people: Collection[int]) -> set[int]:
    """Those of these people who have a row in the report."""
    statement = select(span.person_id).where(*scope.wholes(), span.person_id.in_(sorted(people)))
    return set(db.session.scalars(statement))


class AudienceRow(NamedTuple):
    """A person whom a directive reaches, with the post of their row and their status under all of it."""

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


def audience(scope: Scope, size: int, units: Sequence[int] = ()) -> Iterator[Sequence[AudienceRow]]:
    """The people for a file, ``size`` at a time, by unit in the order of ``units``, then by name.

    They stream from one statement: no more than ``size`` are in memory.
    """
    rule = Assignment
    same = and_(rule.person_id == span.person_id, rule.directive_id == span.directive_id)
    live = and_(
        rule.from_on <= scope.as_at, rule.to_on >= scope.as_at, is_known_fact(rule, scope.as_known_on)
    )
    order = [place(units), *by_name()] if len(units) > 1 else by_name()
    statement = (
        with_names(select(*HOLDER, span.status, span.due_on, raw_column(rule.joined_on).label("joined_on")))
        .join(rule, and_(same, live))
        .where(*scope.wholes())
        .order_by(*order)
        .execution_options(yield_per=size)
    )
    result = db.session.connection().execute(statement)  # the session would go through each
    for rows in result.partitions():
        yield [AudienceRow._make(row) for row in rows]


_first: Any = aliased(Record)


_reason = select(Exclusion.reason).where(Exclusion.id == span.exclusion_id)
_REASON = case((span.exclusion_id.is_not(None), _reason.scalar_subquery()))


def _with_records() -> Select[Any]:
    """The spans of requirements with the record that counts, and what only a few of them have.

    That is asked where there is any: joined, it would be looked for beside every row of a file.
    """
    first = select(_first.id).where(_first.reference == Record.reference, _first.replaces_id.is_(None))
    first = first.correlate(Record)
    corrected = case((Record.replaces_id.is_not(None), first.scalar_subquery()))
    proof = func.coalesce(corrected, Record.id)  # a correction keeps the proof of the row it replaces
    unproven = and_(Record.id.is_not(None), PassRecord.record_id.is_(None))
    read = select(Acknowledgement.guide_version_id).where(Acknowledgement.record_id == proof)
    brought = select(ImportedRecord.score_scaled).where(ImportedRecord.record_id == proof)
    return (
        select(
            span.person_id,
            span.position,
            span.status,
            span.due_on,
            span.valid_until,
            span.late_days,
            _REASON,
            text_column(Record.achieved_at),
            Record.source,
            Record.reference,
            case((unproven, -read.scalar_subquery()), else_=PassRecord.module_version_id),
            text_column(PassRecord.mastery_score),
            text_column(PassRecord.score_raw),
            PassRecord.score_max,
            text_column(case((unproven, brought.scalar_subquery()))),
        )
        .select_from(span)
        .outerjoin(Record, Record.id == span.record_id)
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
    int | None,  # id of the module version passed; of a guide version acknowledged, below zero
    RawScore | None,  # mastery score of the pass
    RawScore | None,  # marks of the pass
    int | None,  # marks available
    RawScore | None,  # score of an imported record
]
RawStatusRow = tuple[int, int, int, str | None]  # person id, position, status, reason of an exclusion


def requirements(scope: Scope) -> Callable[[Iterable[int]], Sequence[RawRequirementRow]]:
    """A function that reads the requirements of some people, with the record that counts.

    Its rows come by person and position.
    """
    return _batch_reader(scope, _with_records())


def statuses_and_reasons(scope: Scope) -> Callable[[Iterable[int]], Sequence[RawStatusRow]]:
    """A function that reads the status of some people on each requirement, by person and position."""
    return _batch_reader(scope, select(span.person_id, span.position, span.status, _REASON))


def _batch_reader(scope: Scope, statement: Select[Any]) -> Callable[[Iterable[int]], Sequence[RawRow]]:
    """A function that runs one statement, made once, for each batch of people."""
    seen = scope.whose
    anyone = replace(scope, whose=Whose(seen.everyone, seen.unit_ids, seen.manager_id))
    here = (*anyone.every(), match_ids(span.person_id, "people"), span.position > WHOLE)
    made = statement.where(*here).order_by(span.person_id, span.position)
    return lambda people: fetch_raw_rows(made, {"people": ids_parameter(people)})


class Whole(NamedTuple):
    """Where a person stands under one directive."""

    directive: str  # reference
    status: Status
    due_on: date


def wholes_of(person_id: int, as_at: date, as_known_on: datetime | None = None) -> list[Whole]:
    """Every directive that reaches a person, the worst standing first; None: as known now."""
    statement = (
        select(Directive.reference, span.status, span.due_on)
        .join(span, span.directive_id == Directive.id)
        .where(span.person_id == person_id, span.position == WHOLE)
        .where(holds(span, as_at), is_known(span, as_known_on))
        .order_by(span.status, span.due_on, Directive.reference)
    )
    rows = db.session.execute(statement)
    return [Whole(reference, Status(status), date.fromordinal(due)) for reference, status, due in rows]


@dataclass(frozen=True, slots=True)
class Asked:
    """One requirement of one directive, where a person stands on it, and why it is asked of them."""

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
    guide_title: str | None  # of the newest version, of a guide
    why: str  # a sentence to the person, with the names that units have on the day


_guide_title = (
    select(GuideVersion.title)
    .where(GuideVersion.activity_id == Activity.id)
    .order_by(GuideVersion.number.desc())
    .limit(1)
    .correlate(Activity)
    .scalar_subquery()
)
_ASKED: tuple[Any, ...] = (
    Directive.reference.label("directive_reference"),
    DirectiveVersion.title.label("directive_title"),
    DirectiveVersion.source.label("directive_source"),
    DirectiveVersion.wording,
    Post.designated_role,
    UnitState.name.label("unit_name"),
    Activity.id.label("activity_id"),
    Activity.kind,
    Activity.key,
    span.status,
    span.due_on,
    span.valid_until,
    Record.reference.label("record_reference"),
    Record.achieved_at,
    Record.source.label("record_source"),
    _guide_title.label("guide_title"),
    Post.rank_or_grade,
    span.unit_id,
    DirectiveVersion.audience,
)


def asked_of(person_id: int, day: date, as_known_on: datetime | None = None) -> list[Asked]:
    """Every live requirement of a person by due date, directive and position; None: as known now."""
    rule, asked, unit = Assignment, Requirement, UnitState
    same = and_(rule.person_id == span.person_id, rule.directive_id == span.directive_id)
    live = and_(rule.from_on <= day, rule.to_on >= day, is_known_fact(rule, as_known_on))
    stood = and_(unit.unit_id == span.unit_id, unit.valid_from <= day, unit.valid_to >= day)
    at = and_(asked.directive_version_id == DirectiveVersion.id, asked.position == span.position)
    statement = (
        select(*_ASKED)
        .select_from(span)
        .join(Directive, Directive.id == span.directive_id)
        .join(rule, and_(same, live))
        .join(DirectiveVersion, DirectiveVersion.id == rule.directive_version_id)
        .join(asked, at)
        .join(Activity, Activity.id == asked.activity_id)
        .join(Post, Post.id == span.post_id)
        .join(unit, and_(stood, is_known_fact(unit, as_known_on)))
        .outerjoin(Record, Record.id == span.record_id)
        .where(span.person_id == person_id, span.position > WHOLE)
        .where(holds(span, day), is_known(span, as_known_on))
        .order_by(span.due_on, Directive.reference, span.position)
    )
    rows = db.session.execute(statement).all()
    by_unit = any("unit_under" in table for row in rows for table in row.audience["audience"])
    tree = read_tree() if by_unit else UnitTree([])
    return [_asked(row, tree, day) for row in rows]


def _asked(row: Row[Any], tree: UnitTree, day: date) -> Asked:
    units = [(state.unit_id, state.name) for state in tree.states_above(row.unit_id, day)]
    ids = {unit_id for unit_id, _ in units}
    tables: list[dict[str, list[Any]]] = row.audience["audience"]
    matching = (
        table for table in tables if meets_selectors(table, row.designated_role, row.rank_or_grade, ids)
    )
    return Asked(
        directive=row.directive_reference,
        directive_title=row.directive_title,
        source=row.directive_source,
        wording=row.wording,
        designated_role=row.designated_role,
        unit=row.unit_name,
        activity_id=row.activity_id,
        kind=row.kind,
        key=row.key,
        status=Status(row.status),
        due_on=date.fromordinal(row.due_on),
        valid_until=date.fromordinal(row.valid_until) if row.valid_until else None,
        reference=row.record_reference,
        achieved_at=row.achieved_at,
        source_of_record=row.record_source,
        guide_title=row.guide_title,
        why=explain_requirement(next(matching, {}), row.designated_role, row.rank_or_grade, units),
    )
