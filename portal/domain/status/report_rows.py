"""Reads the rows of reports and files: people in order, and their requirements, as raw values."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from sqlalchemy import and_, case, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from portal.domain.directives.models import Assignment, Exclusion
from portal.domain.people.as_of import is_known_fact
from portal.domain.records.models import Acknowledgement, AttendanceRecord, ImportedRecord, PassRecord, Record
from portal.domain.status.filters import Scope, Whose
from portal.domain.status.models import Statement, StatusPeriod
from portal.domain.status.paging import ERASED, POST_AND_NAME, join_names, name_order, place_order
from portal.domain.status.rules import WHOLE, Status
from portal.platform.bulk_reading import (
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
from portal.platform.db import db


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
