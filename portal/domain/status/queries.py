"""Reading standings: the one place from which any page or file learns where somebody stands.

Everything is read from the spans, on a day as known on an instant, and no statement outside this
package names their table.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import Row, Select, and_, case, func, literal, select, union_all
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity, GuideVersion
from portal.domain.directives.audience import meets_selectors
from portal.domain.directives.descriptions import why
from portal.domain.directives.models import Assignment, Directive, DirectiveVersion, Exclusion, Requirement
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post, UnitState
from portal.domain.people.units.tree import UnitTree, read_tree
from portal.domain.records.models import Acknowledgement, ImportedRecord, PassRecord, Record
from portal.domain.status import count_reader
from portal.domain.status.filters import LATE, Scope, Whose, holds, is_known
from portal.domain.status.late_arrivals import learnt
from portal.domain.status.models import StatusPeriod
from portal.domain.status.paging import HOLDER, by_name, place, with_names
from portal.domain.status.periods import WHOLE
from portal.domain.status.raw_columns import among, held, ids_text, tuples, written
from portal.domain.status.rules import Status
from portal.platform.db import db

__all__ = ["Asked", "Scope", "Whole", "Whose", "asked_of", "wholes_of"]

span: Any = StatusPeriod


def counts(scope: Scope) -> Iterator[tuple[int, int, Status, int]]:
    """How many people by unit, position and status; position 0 is the whole directive.

    A requirement has the unit 0 where its sum is kept.
    """
    rows: Any = count_reader.counts(scope)
    if rows is None:
        columns = (span.unit_id, span.position, span.status)
        statement = select(*columns, func.count()).where(*scope.every()).group_by(*columns)
        rows = db.session.execute(statement)
    return ((unit, place, Status(status), n) for unit, place, status, n in rows)


def wholes(scope: Scope) -> Iterator[tuple[int, int, Status, int]]:
    """The same of the whole directive alone."""
    rows: Any = count_reader.wholes(scope)
    if rows is None:
        apart = [(status,) for status in LATE] if scope.whose.late and not scope.whose.statuses else [None]
        rows = (row for statuses in apart for row in _by_unit(scope, statuses))
    return ((unit, WHOLE, Status(status), n) for unit, status, n in rows)


def _by_unit(scope: Scope, statuses: tuple[Status, ...] | None) -> Sequence[Row[Any]]:
    """People by unit and status; those overdue apart from those expired are told by an index alone."""
    if statuses is not None:
        scope = replace(scope, whose=replace(scope.whose, statuses=statuses))
    columns = (span.unit_id, span.status)
    statement = select(*columns, func.count()).where(*scope.wholes()).group_by(*columns)
    return db.session.execute(statement).all()


def reasons(scope: Scope) -> dict[str, int]:
    """People exempt or deferred, by reason."""
    if (kept := count_reader.by_days(scope)) is not None:
        found = Counter[str]()
        for status, _, _, reason, people in kept:
            found[reason] += people * Status(status).excluded
        return {reason: found[reason] for reason in sorted(found) if found[reason]}
    statement = (
        select(Exclusion.reason, func.count())
        .join(span, span.exclusion_id == Exclusion.id)
        .where(*scope.wholes(), span.status.in_([status for status in Status if status.excluded]))
        .group_by(Exclusion.reason)
        .order_by(Exclusion.reason)
    )
    return {reason: count for reason, count in db.session.execute(statement)}


def overdue_people(scope: Scope) -> set[int]:
    """Ids of the people overdue, with those whose completion lapsed."""
    return set(db.session.scalars(select(span.person_id).where(*scope.wholes(), span.status.in_(LATE))))


def commonest_due_dates(scope: Scope, most: int) -> list[date]:
    """The due dates that most people have, in order."""
    if (kept := count_reader.by_days(scope)) is not None:
        found = Counter[int]()
        for _, due, _, _, people in kept:
            found[due] += people
        return sorted(
            date.fromordinal(due) for due in sorted(found, key=lambda due: (-found[due], due))[:most]
        )
    statement = select(span.due_on).where(*scope.wholes()).group_by(span.due_on)
    statement = statement.order_by(func.count().desc(), span.due_on).limit(most)
    return sorted(date.fromordinal(day) for day in db.session.scalars(statement))


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


def holders(scope: Scope, size: int, units: Sequence[int] = ()) -> Iterator[Sequence[Row[Any]]]:
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
        with_names(select(*HOLDER, span.status, span.due_on, held(rule.joined_on).label("joined_on")))
        .join(rule, and_(same, live))
        .where(*scope.wholes())
        .order_by(*order)
        .execution_options(yield_per=size)
    )
    yield from db.session.connection().execute(statement).partitions()  # the session would go through each


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
            written(Record.achieved_at),
            Record.source,
            Record.reference,
            case((unproven, -read.scalar_subquery()), else_=PassRecord.module_version_id),
            written(PassRecord.mastery_score),
            written(PassRecord.score_raw),
            PassRecord.score_max,
            written(case((unproven, brought.scalar_subquery()))),
        )
        .select_from(span)
        .outerjoin(Record, Record.id == span.record_id)
        .outerjoin(PassRecord, PassRecord.record_id == proof)
    )


Reader = Callable[[Sequence[int]], Sequence[tuple[Any, ...]]]  # of given people, by person and position


def requirements(scope: Scope) -> Reader:
    """Reads where people stand on each requirement, with the record that counts.

    Days of spans are ordinals; instants and scores come as they are written. The version is the module's
    that was passed, or the guide's that was acknowledged, its id below zero.
    """
    return _reader(scope, _with_records())


def statuses_and_reasons(scope: Scope) -> Reader:
    """Reads the status of people on each requirement, and the reason where they are exempt or deferred."""
    return _reader(scope, select(span.person_id, span.position, span.status, _REASON))


def _reader(scope: Scope, statement: Select[Any]) -> Reader:
    """One statement, made once for all batches of people."""
    seen = scope.whose
    anyone = replace(scope, whose=Whose(seen.everyone, seen.unit_ids, seen.manager_id))
    here = (*anyone.every(), among(span.person_id, "people"), span.position > WHOLE)
    made = statement.where(*here).order_by(span.person_id, span.position)
    return lambda people: tuples(made, {"people": ids_text(people)})


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
    Directive.reference,
    DirectiveVersion.title,
    DirectiveVersion.source,
    DirectiveVersion.wording,
    Post.designated_role,
    UnitState.name,
    Activity.id,
    Activity.kind,
    Activity.key,
    span.status,
    span.due_on,
    span.valid_until,
    Record.reference,
    Record.achieved_at,
    Record.source,
    _guide_title,
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
    return [_asked(tuple(row), tree, day) for row in rows]


def _asked(row: tuple[Any, ...], tree: UnitTree, day: date) -> Asked:
    status, due_on, valid_until = row[9:12]
    until = date.fromordinal(valid_until) if valid_until else None
    role, (rank, unit_id, audience) = row[4], row[-3:]
    units = [(state.unit_id, state.name) for state in tree.states_above(unit_id, day)]
    ids = {key for key, _ in units}
    met: dict[str, list[Any]] = next(
        (table for table in audience["audience"] if meets_selectors(table, role, rank, ids)), {}
    )
    said = why(met, role, rank, units)
    found: tuple[Any, ...] = (*row[:9], Status(status), date.fromordinal(due_on), until, *row[12:-3], said)
    return Asked(*found)
