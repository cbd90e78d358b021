"""What a file says beyond the standing: records, registrations, attempts; a fixed number of reads a batch."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal import clock
from portal.assessment.models import Attempt, Submission
from portal.db import db
from portal.directives.models import Assignment, Exclusion
from portal.monitoring.completion import CompletionRow
from portal.monitoring.reach import Reach
from portal.monitoring.subject import Asked, Subject, Version
from portal.people import paths
from portal.people.known import known
from portal.records.models import ImportedRecord, PassRecord, Record, Registration
from portal.records.queries import scaled
from portal.standing.algebra import Status
from portal.standing.models import StandingSpan

_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Holder:
    """A person with the post their row stands for."""

    person_id: int
    staff_number: str
    surname: str
    forenames: str
    rank_or_grade: str = ""
    designated_role: str = ""
    unit: str = ""
    unit_path: str = ""
    manager_number: str | None = None
    manager: str | None = None  # the line manager's name
    erased: bool = False

    @property
    def name(self) -> str:
        """The name as tables show it: surname first."""
        return f"{self.surname}, {self.forenames}" if self.forenames else self.surname


Key = tuple[int, int]  # person id, activity id


@dataclass
class Work:
    """What people have done on activities, as far as it lay before the day's end and is known."""

    begun: dict[Key, tuple[datetime, int]] = field(default_factory=dict)  # latest: start, module version
    attempts: dict[Key, int] = field(default_factory=dict)
    best: dict[Key, Decimal] = field(default_factory=dict)


def statuses(subject: Subject, reach: Reach, people: Sequence[int]) -> dict[int, dict[int, Status]]:
    """The status of every requirement of these people, by person and position. One statement."""
    span = StandingSpan
    statement = select(span.person_id, span.position, span.status).where(
        *reach.conditions(span, subject.id), span.person_id.in_(people), span.position > 0
    )
    found: dict[int, dict[int, Status]] = {}
    for person_id, position, status in db.session.execute(statement):
        found.setdefault(person_id, {})[position] = Status(status)
    return found


def completion_rows(subject: Subject, reach: Reach, holders: Sequence[Holder]) -> list[CompletionRow]:
    """The rows of the file for these people, in their order and that of the requirements."""
    people = [holder.person_id for holder in holders]
    stands: dict[int, list[Any]] = {}
    for row in _standing(subject, reach, people):
        stands.setdefault(row.person_id, []).append(row)
    work = work_of(reach, people, [asked.activity_id for asked in subject.asked])
    asked = {one.position: one for one in subject.asked}
    return [
        _row(subject, reach, holder, asked[row.position], row, work)
        for holder in holders
        for row in stands.get(holder.person_id, [])
        if row.position in asked
    ]


def _standing(subject: Subject, reach: Reach, people: Sequence[int]) -> Any:
    span, position = StandingSpan, reach.position
    first: Any = aliased(Record)  # a correction keeps the proof of the row it replaces
    statement = (
        select(
            span.person_id,
            span.position,
            span.status,
            span.due_on,
            span.valid_until,
            span.late_days,
            Assignment.joined_on,
            Exclusion.reason,
            Record.achieved_at,
            Record.source,
            Record.reference,
            PassRecord.module_version_id,
            PassRecord.mastery_score,
            PassRecord.score_raw,
            PassRecord.score_max,
            ImportedRecord.score_scaled,
        )
        .select_from(span)
        .join(
            Assignment,
            (Assignment.person_id == span.person_id)
            & (Assignment.directive_id == span.directive_id)
            & (Assignment.from_on <= position.as_at)
            & (Assignment.to_on >= position.as_at)
            & known(Assignment, position.as_known_on),
        )
        .outerjoin(Exclusion, Exclusion.id == span.exclusion_id)
        .outerjoin(Record, Record.id == span.record_id)
        .outerjoin(first, (first.reference == Record.reference) & first.replaces_id.is_(None))
        .outerjoin(PassRecord, PassRecord.record_id == first.id)
        .outerjoin(ImportedRecord, ImportedRecord.record_id == first.id)
        .where(*reach.conditions(span, subject.id), span.person_id.in_(people), span.position > 0)
        .order_by(span.person_id, span.position)
    )
    return db.session.execute(statement)


def work_of(reach: Reach, people: Sequence[int], activities: Sequence[int]) -> Work:
    """Registrations and submissions of these people on these activities. Two statements."""
    work, position = Work(), reach.position
    started = (
        select(
            Registration.person_id,
            Registration.activity_id,
            Registration.started_at,
            Registration.module_version_id,
        )
        .where(
            Registration.person_id.in_(people),
            Registration.activity_id.in_(activities),
            Registration.started_on <= position.as_at,
            known(Registration, position.as_known_on),
        )
        .order_by(Registration.started_at, Registration.id)
    )
    for person_id, activity_id, started_at, version_id in db.session.execute(started):
        work.begun[person_id, activity_id] = (started_at, version_id)
    submitted = (
        select(Registration.person_id, Registration.activity_id, Submission.score_raw, Submission.score_max)
        .join(Attempt, Attempt.registration_id == Registration.id)
        .join(Submission, Submission.attempt_id == Attempt.id)
        .where(
            Registration.person_id.in_(people),
            Registration.activity_id.in_(activities),
            Submission.submitted_at <= clock.end_of_day(position.as_at),
            Submission.recorded_at <= position.as_known_on,
        )
    )
    for person_id, activity_id, raw, maximum in db.session.execute(submitted):
        key, score = (person_id, activity_id), scaled(raw, maximum)
        work.attempts[key] = work.attempts.get(key, 0) + 1
        work.best[key] = max(score, work.best.get(key, score))
    return work


def _row(subject: Subject, reach: Reach, holder: Holder, asked: Asked, row: Any, work: Work) -> CompletionRow:
    key = (holder.person_id, asked.activity_id)
    begun = work.begun.get(key)
    version = _version(subject, asked, row, begun)
    status = Status(row.status)
    return CompletionRow(
        force=paths.split(holder.unit_path)[0] if holder.unit_path else "",
        staff_number=holder.staff_number,
        surname=holder.surname,
        forenames=holder.forenames,
        rank_or_grade=holder.rank_or_grade,
        designated_role=holder.designated_role,
        unit=holder.unit,
        unit_path=holder.unit_path,
        line_manager_staff_number=holder.manager_number,
        directive=subject.reference,
        requirement_kind=asked.kind,
        requirement=asked.key,
        requirement_title=version.title if version else asked.title,
        version=version.number if version else None,
        assigned_on=row.joined_on,
        due_on=date.fromordinal(row.due_on),
        status=status.key,
        started_at=begun[0] if begun else None,
        satisfied_at=row.achieved_at,
        late_days=row.late_days,
        score_scaled=_score(row, work.best.get(key)),
        mastery_score=_mastery(row, version),
        attempts=work.attempts.get(key, 0),
        valid_until=None if row.valid_until is None else date.fromordinal(row.valid_until),
        exclusion_reason=row.reason if status.excluded else None,
        source=row.source,
        record_reference=row.reference,
        as_at=reach.position.as_at,
        as_known_on=reach.position.as_known_on,
    )


def _version(subject: Subject, asked: Asked, row: Any, begun: tuple[datetime, int] | None) -> Version | None:
    """The version passed, else the one registered on, else the current one."""
    if row.module_version_id is not None:
        return subject.versions.by_id[row.module_version_id]
    if begun is not None:
        return subject.versions.by_id[begun[1]]
    return subject.versions.current.get(asked.activity_id)


def _score(row: Any, best: Decimal | None) -> Decimal | None:
    """The pass's score, else the one brought over with it, else the best submitted."""
    if row.score_max is not None:
        return scaled(row.score_raw, row.score_max)
    if row.score_scaled is not None:
        return Decimal(row.score_scaled).quantize(_PLACES)
    return best


def _mastery(row: Any, version: Version | None) -> Decimal | None:
    if row.mastery_score is not None:
        return Decimal(row.mastery_score).quantize(_PLACES)
    return version.mastery_score.quantize(_PLACES) if version else None
