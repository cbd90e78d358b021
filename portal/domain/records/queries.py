"""Reads registrations, lesson visits, records and revocations; "known" means not corrected and not void."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from portal.domain.catalogue.models import Activity, EventTypeVersion, GuideVersion, ModuleVersion
from portal.domain.catalogue.version_cache import newest_title
from portal.domain.people.models import PersonName
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import describe_deciders
from portal.domain.people.services import notes_of
from portal.domain.records.models import (
    Acknowledgement,
    AttendanceRecord,
    ExtraAttempt,
    ImportedRecord,
    LessonVisit,
    PassRecord,
    Record,
    Registration,
    Revocation,
    Waiver,
)
from portal.platform import clock
from portal.platform.db import clock_at, db, lock_rows, read
from portal.platform.wording import percent_cut, score_words

EXTRA_REASONS = {  # why one more attempt may be opened
    "prepared": "has gone through the lessons again",
    "supported": "has had help from a supervisor or trainer",
    "disturbed": "an attempt was disturbed or went wrong",
    "other": "another reason",
}

_LOCK_REGISTRATION = (
    select(Registration.id).where(Registration.id == bindparam("registration_id")).with_for_update()
)
_LATEST_REGISTRATION = (
    select(Registration)
    .where(
        Registration.person_id == bindparam("person_id"),
        Registration.activity_id == bindparam("activity_id"),
        is_known_fact(Registration),
    )
    .order_by(Registration.id.desc())
    .limit(1)
)
_LATEST_WITH_PASS = _LATEST_REGISTRATION.with_only_columns(Registration.id, PassRecord.record_id).outerjoin(
    PassRecord, PassRecord.registration_id == Registration.id
)


def scale_score(raw: Decimal, maximum: int) -> Decimal:
    """Scaled score in 0 to 1, cut (not rounded) to four places so that it never flatters.

    >>> scale_score(Decimal(2), 3)
    Decimal('0.6666')
    """
    return (raw / maximum).quantize(Decimal("0.0001"), rounding=ROUND_DOWN)


def latest_registration(person_id: int, activity_id: int) -> Registration | None:
    """The newest known registration of a person on a module, passed or not."""
    values = {"person_id": person_id, "activity_id": activity_id}
    return db.session.scalar(_LATEST_REGISTRATION, values)


def find_registration_under_way(person_id: int, activity_id: int) -> int | None:
    """The id of a person's newest known registration on a module, unless it is passed. One statement."""
    rows = read(_LATEST_WITH_PASS, {"person_id": person_id, "activity_id": activity_id})
    return rows[0].id if rows and rows[0].record_id is None else None


def get_registration(registration_id: int, *, lock: bool = False) -> Registration:
    """One registration; with ``lock``, other transactions wait to write under it until this one ends."""
    statement = select(Registration).where(Registration.id == registration_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return db.session.scalars(statement).one()


def pass_of(registration_id: int) -> PassRecord | None:
    """The pass earned under a registration."""
    return db.session.scalar(select(PassRecord).where(PassRecord.registration_id == registration_id))


def completed_lessons(registration_ids: Iterable[int]) -> dict[int, frozenset[int]]:
    """Ids of the lessons marked complete, by registration; in one statement."""
    lessons_of: dict[int, set[int]] = {registration_id: set() for registration_id in registration_ids}
    rows = db.session.execute(
        select(LessonVisit.registration_id, LessonVisit.lesson_id).where(
            LessonVisit.registration_id.in_(lessons_of), LessonVisit.kind == "completed"
        )
    )
    for registration_id, lesson_id in rows:
        lessons_of[registration_id].add(lesson_id)
    return {registration_id: frozenset(lessons) for registration_id, lessons in lessons_of.items()}


def lock_registration(registration_id: int) -> None:
    """Let other transactions wait to write under a registration until this one ends."""
    lock_rows(_LOCK_REGISTRATION, {"registration_id": registration_id})


def drop_unknown_time(achieved_at: datetime, source: str | None) -> date | datetime:
    """The instant of a record, or its day alone where no time of day was given: such a day is kept as noon.

    Nothing tells a time of exactly noon in London from such a day, so it is written as the day too.

    >>> drop_unknown_time(clock.noon(date(2026, 3, 14)), "imported")
    datetime.date(2026, 3, 14)
    """
    if source == "assessed" or achieved_at.minute or achieved_at.second or achieved_at.microsecond:
        return achieved_at
    return _find_day_of_noon(achieved_at) or achieved_at


@lru_cache(maxsize=4096)
def _find_day_of_noon(instant: datetime) -> date | None:
    day = clock.london_day(instant)
    return day if clock.noon(day) == instant else None


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record as its page shows it, with the details of its source."""

    id: int
    person_id: int
    activity_id: int
    reference: str
    kind: str  # of the activity: module, event, guide
    key: str
    title: str
    achieved_at: datetime
    achieved_on: date
    recorded_at: datetime
    source: str
    replaces_id: int | None
    void: bool
    version: int | None
    score_raw: Decimal | None
    score_max: int | None
    mastery_score: Decimal | None
    imported_score: Decimal | None
    source_system: str | None
    waiver_reason: str | None
    waived_by_id: int | None
    event_reference: str | None  # of the event attended
    signed_off_by_id: int | None
    clock_at: datetime  # what the clock said when it was recorded

    @property
    def achieved_when(self) -> date | datetime:
        """When it was achieved; only the day, where no time of day was given."""
        return drop_unknown_time(self.achieved_at, self.source)

    @property
    def score_scaled(self) -> Decimal | None:
        """The scaled score, of an assessed or an imported record."""
        if self.score_raw is not None and self.score_max:
            return scale_score(self.score_raw, self.score_max)
        return self.imported_score

    @property
    def score_words(self) -> str:
        """Marks and percentage, of an imported record the percentage; empty without a score."""
        if self.score_raw is not None and self.score_max:
            return score_words(self.score_raw, self.score_max)
        return "" if self.imported_score is None else percent_cut(self.imported_score, 1)


def record_chain(reference: str) -> list[RecordRow]:
    """Every row under a reference, in the order recorded; the last is the current one."""
    return _fetch_rows(_select_records().where(Record.reference == reference).order_by(Record.id))


_CERTIFIED = {("module", "assessed"), ("event", "attended")}


def merits_certificate(chain: Sequence[RecordRow], day: date) -> bool:
    """Whether this chain is a pass, or an attendance signed off, in this portal, and counts on ``day``."""
    record = chain[-1]
    if record.void or (record.kind, record.source) not in _CERTIFIED or chain[0].version is None:
        return False
    revocations = list_revocations([row.id for row in chain])
    return record.achieved_on <= day and all(row.from_on > day for row in revocations)


def evidence_of_import(chain: Sequence[RecordRow]) -> str:
    """The evidence of an imported record; empty for others, without a statement."""
    if chain[0].source != "imported":
        return ""
    return notes_of(Record.__tablename__, [chain[0].id]).get(chain[0].id, {}).get("evidence", "")


def list_records(person_id: int) -> list[RecordRow]:
    """A person's known records, newest first."""
    statement = _select_records().where(Record.person_id == person_id, is_known_fact(Record))
    return _fetch_rows(statement.order_by(Record.achieved_at.desc(), Record.id.desc()))


def list_all_record_rows(person_id: int) -> list[RecordRow]:
    """Every record row of a person, replaced and void ones too, in the order recorded."""
    return _fetch_rows(_select_records().where(Record.person_id == person_id).order_by(Record.id))


def reference_of(registration_id: int) -> str | None:
    """The reference of the pass earned under a registration."""
    return db.session.scalar(
        select(Record.reference)
        .join(PassRecord, PassRecord.record_id == Record.id)
        .where(PassRecord.registration_id == registration_id)
    )


def acknowledged_on(person_id: int, guide_version_id: int, day: date) -> str | None:
    """The reference under which a person acknowledged this version of a guide on a London day."""
    return db.session.scalar(
        select(Record.reference)
        .join(Acknowledgement, Acknowledgement.record_id == Record.id)
        .where(
            Record.person_id == person_id,
            Record.achieved_on == day,
            Acknowledgement.guide_version_id == guide_version_id,
            is_known_fact(Record),
        )
        .limit(1)
    )


def list_revocations(record_ids: Sequence[int]) -> list[Revocation]:
    """Known revocations of these records, in the order they were recorded."""
    return list(
        db.session.scalars(
            select(Revocation)
            .where(Revocation.record_id.in_(record_ids), is_known_fact(Revocation))
            .order_by(Revocation.id)
        )
    )


@dataclass(frozen=True, slots=True)
class RevocationDecision:
    """A revocation, or its withdrawal (void), as the record's page shows it."""

    from_on: date
    decided_at: datetime
    reason: str
    void: bool
    known: bool  # it is in force now
    decided_by: str  # the role


def list_revocation_decisions(record_ids: Sequence[int]) -> list[RevocationDecision]:
    """Everything ever decided about whether these records count, in order. At most two statements."""
    statement = select(Revocation, clock_at(Revocation.recorded_at))
    statement = statement.where(Revocation.record_id.in_(record_ids)).order_by(Revocation.id)
    rows = [(row, at) for row, at in db.session.execute(statement)]
    replaced = {row.replaces_id for row, _ in rows}
    roles = describe_deciders({(row.decided_by_id, at) for row, at in rows})
    return [
        RevocationDecision(
            row.from_on,
            at,
            row.reason,
            row.void,
            not row.void and row.id not in replaced,
            roles[row.decided_by_id, at],
        )
        for row, at in rows
    ]


def record_decider(chain: Sequence[RecordRow]) -> str:
    """The role of who recognised prior learning, or signed off who attended; empty for other records."""
    for record in (chain[-1], chain[0]):
        decider_id = record.waived_by_id or record.signed_off_by_id
        if decider_id is not None:
            return describe_deciders([(decider_id, record.clock_at)])[decider_id, record.clock_at]
    return ""


def list_registrations(person_id: int) -> list[tuple[Registration, str, int]]:
    """Every known registration with its module's title and version, newest first."""
    rows = db.session.execute(
        select(Registration, ModuleVersion.title, ModuleVersion.number)
        .join(ModuleVersion, ModuleVersion.id == Registration.module_version_id)
        .where(Registration.person_id == person_id, is_known_fact(Registration))
        .order_by(Registration.id.desc())
    )
    return [(row, title, number) for row, title, number in rows]


@dataclass(frozen=True, slots=True)
class ExtraAttemptRow:
    """One more attempt that was opened, as pages show it."""

    title: str
    opened_at: datetime
    reason: str
    by: str

    @property
    def summary_sentence(self) -> str:
        """What was opened, who opened it and why."""
        reason = EXTRA_REASONS.get(self.reason, self.reason)
        return f"One more attempt at {self.title.partition(':')[0]} was opened by {self.by}: {reason}"


def list_extra_attempts(person_id: int) -> list[ExtraAttemptRow]:
    """Every extra attempt opened for a person, in the order opened."""
    rows = db.session.execute(
        select(
            ModuleVersion.title,
            clock_at(ExtraAttempt.recorded_at),
            ExtraAttempt.reason,
            func.coalesce(PersonName.full_name, "Erased"),
        )
        .join(Registration, Registration.id == ExtraAttempt.registration_id)
        .join(ModuleVersion, ModuleVersion.id == Registration.module_version_id)
        .outerjoin(PersonName, PersonName.person_id == ExtraAttempt.opened_by_id)
        .where(Registration.person_id == person_id)
        .order_by(ExtraAttempt.id)
    )
    return [ExtraAttemptRow(*row) for row in rows]


def holder_name(person_id: int) -> str:
    """Forenames and surname as they are now; 'Erased' where the name is erased."""
    name = db.session.get(PersonName, person_id)
    return name.full_name if name else "Erased"


_OF_RECORD: tuple[Any, ...] = (
    Record.id,
    Record.person_id,
    Record.activity_id,
    Record.reference,
    Activity.kind,
    Activity.key,
    func.coalesce(
        ModuleVersion.title,
        GuideVersion.title,
        EventTypeVersion.title,
        newest_title(),
    ),
    Record.achieved_at,
    Record.achieved_on,
    Record.recorded_at,
    Record.source,
    Record.replaces_id,
    Record.void,
    func.coalesce(ModuleVersion.number, GuideVersion.number, EventTypeVersion.number),
    PassRecord.score_raw,
    PassRecord.score_max,
    PassRecord.mastery_score,
    ImportedRecord.score_scaled,
    ImportedRecord.source_system,
    Waiver.reason,
    Waiver.decided_by_id,
    AttendanceRecord.event_reference,
    AttendanceRecord.signed_off_by_id,
    clock_at(Record.recorded_at),
)


def _select_records() -> Select[Any]:
    """Records with the details of their source; the title is that of the version proven, else the newest."""
    return (
        select(*_OF_RECORD)
        .join(Activity, Activity.id == Record.activity_id)
        .outerjoin(PassRecord, PassRecord.record_id == Record.id)
        .outerjoin(ModuleVersion, ModuleVersion.id == PassRecord.module_version_id)
        .outerjoin(Acknowledgement, Acknowledgement.record_id == Record.id)
        .outerjoin(GuideVersion, GuideVersion.id == Acknowledgement.guide_version_id)
        .outerjoin(AttendanceRecord, AttendanceRecord.record_id == Record.id)
        .outerjoin(EventTypeVersion, EventTypeVersion.id == AttendanceRecord.event_type_version_id)
        .outerjoin(ImportedRecord, ImportedRecord.record_id == Record.id)
        .outerjoin(Waiver, Waiver.record_id == Record.id)
    )


def _fetch_rows(statement: Select[Any]) -> list[RecordRow]:
    return [RecordRow(*row) for row in db.session.execute(statement)]


def count_records(activity_id: int) -> int:
    """The number of known records of an activity, of any source and whether or not they count."""
    statement = select(func.count()).where(Record.activity_id == activity_id, is_known_fact(Record))
    return db.session.scalar(statement) or 0


def list_people_with_records(activity_id: int) -> list[int]:
    """Everybody with a record of an activity, in order, whether or not it is known or counts."""
    statement = select(Record.person_id).where(Record.activity_id == activity_id).distinct()
    return list(db.session.scalars(statement.order_by(Record.person_id)))
