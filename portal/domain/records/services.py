"""Records registrations, visits, passes, attendances, prior learning and revocations; safe to repeat."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from portal.domain.catalogue.models import EventTypeVersion, GuideVersion
from portal.domain.people.positions import is_known_fact
from portal.domain.people.services import write_notes
from portal.domain.records import queries
from portal.domain.records.models import (
    Acknowledgement,
    AttendanceRecord,
    LessonVisit,
    PassRecord,
    Record,
    Registration,
    Revocation,
    Waiver,
)
from portal.platform.audit import log
from portal.platform.clock import london_day, noon
from portal.platform.db import db, stamp, touch, write_row, write_rows
from portal.platform.errors import ConflictError

# References of records: not guessable, easy to read aloud, and with a check against mistyping.
#
# ``OIC-XXXX-XXXX-C``: eight random characters of Crockford's base 32 and its check character, the number
# modulo 37. Numbers whose check would be one of the five symbols beyond the alphabet are not drawn, so
# that a reference has only letters and digits.

PREFIX = "OIC"
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 8
_READ_AS = str.maketrans("OIL", "011")  # letters that the alphabet leaves out because they look like digits


def new_reference() -> str:
    """Draw a reference at random: almost forty bits, not derived from the record."""
    while True:
        body = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
        check = _check_character(body)
        if check:
            return _format_reference(body + check)


def normalise_reference(text: str) -> str | None:
    """The reference that a person typed, whatever the case, spaces, hyphens, and O, I and L for digits.

    None if it is not a reference, or its check character is wrong.

    >>> normalise_reference("oic 0000 ooo1 1") == normalise_reference("OIC-0000-0001-1") == "OIC-0000-0001-1"
    True
    """
    packed = "".join(text.upper().replace("-", " ").split())
    if not packed.startswith(PREFIX):
        return None
    typed = packed.removeprefix(PREFIX).translate(_READ_AS)
    if len(typed) != _LENGTH + 1 or any(character not in _ALPHABET for character in typed):
        return None
    return _format_reference(typed) if _check_character(typed[:_LENGTH]) == typed[_LENGTH] else None


def _check_character(body: str) -> str:
    """The check character; empty if it would be outside the alphabet."""
    value = 0
    for character in body:
        value = value * 32 + _ALPHABET.index(character)
    rest = value % 37
    return _ALPHABET[rest] if rest < len(_ALPHABET) else ""


def _format_reference(characters: str) -> str:
    return f"{PREFIX}-{characters[:4]}-{characters[4:8]}-{characters[8]}"


_INSERT_REGISTRATION = insert(Registration)
_VISIT_COLUMNS = ("recorded_at", "registration_id", "lesson_id", "kind")
_VISIT = {name: bindparam(name, type_=LessonVisit.__table__.c[name].type) for name in _VISIT_COLUMNS}
_IS_RECORDED = select(LessonVisit.id).where(
    *(getattr(LessonVisit, name) == _VISIT[name] for name in _VISIT_COLUMNS if name != "recorded_at")
)
_INSERT_NEW_VISIT = insert(LessonVisit).from_select(
    _VISIT_COLUMNS, select(*_VISIT.values()).where(~_IS_RECORDED.exists())
)


def start_registration(
    person_id: int, activity_id: int, module_version_id: int, at: datetime, duties: Sequence[str] = ()
) -> int:
    """Begin a module version, unless the person has an unfinished registration for this module.

    They finish the version they began, whatever was published since; after a pass a new registration begins.
    All who save on SQLite wait meanwhile, so it goes past the session.

    Args:
        person_id: The learner.
        activity_id: The module.
        module_version_id: Its newest published version.
        at: Now. The lock of the stamp, taken here, lets no second registration in between.
        duties: The learner's, which say which lessons they work through; kept with the registration.

    Returns:
        The id of the unfinished registration, or of the new one.
    """
    stamped = stamp()
    under_way = queries.find_registration_under_way(person_id, activity_id)
    if under_way is not None:
        return under_way
    touch(learners=[person_id])
    return write_row(
        _INSERT_REGISTRATION,
        {
            "recorded_at": stamped,
            "person_id": person_id,
            "activity_id": activity_id,
            "module_version_id": module_version_id,
            "started_at": at,
            "started_on": london_day(at),
            "duties": list(duties),
        },
    )


def open_lesson(registration_id: int, lesson_id: int, at: datetime) -> None:
    """Record that a lesson was opened; once for each registration."""
    _record_visits(registration_id, [(lesson_id, "opened")], at)


def complete_lesson(
    registration_id: int, lesson_id: int, at: datetime, following_id: int | None = None
) -> None:
    """Record that a lesson was marked complete, and opened by then; once for each registration.

    The lesson that this opens, if any, is recorded as opened with it.
    """
    visits = [(lesson_id, "opened"), (lesson_id, "completed")]
    _record_visits(
        registration_id, visits if following_id is None else [*visits, (following_id, "opened")], at
    )


def _record_visits(registration_id: int, visits: Sequence[tuple[int, str]], at: datetime) -> None:
    queries.lock_registration(registration_id)
    row = {"recorded_at": at, "registration_id": registration_id}
    write_rows(
        _INSERT_NEW_VISIT, [{**row, "lesson_id": lesson_id, "kind": kind} for lesson_id, kind in visits]
    )


def record_pass(
    registration: Registration,
    attempt_id: UUID,
    *,
    score_raw: Decimal,
    score_max: int,
    mastery_score: Decimal,
    at: datetime,
) -> Record:
    """Record the one pass of a registration, with its rule; a second call returns the first record.

    Args:
        registration: Of the learner who passed.
        attempt_id: The attempt that reached mastery.
        score_raw: Marks reached.
        score_max: Marks available.
        mastery_score: The scaled score that passed, as frozen on the attempt.
        at: When it was passed, by the clock.
    """
    earlier = queries.pass_of(registration.id)
    if earlier is not None:
        return db.session.get_one(Record, earlier.record_id)
    record = _write_record(registration.person_id, registration.activity_id, "assessed", at)
    db.session.add(
        PassRecord(
            record_id=record.id,
            registration_id=registration.id,
            module_version_id=registration.module_version_id,
            attempt_id=attempt_id,
            score_raw=score_raw,
            score_max=score_max,
            mastery_score=mastery_score,
        )
    )
    learner = registration.person_id
    touch(learners=[learner])
    log("pass.recorded", actor_id=learner, subject_id=learner, reference=record.reference)
    db.session.flush()
    return record


def record_acknowledgement(person_id: int, guide: GuideVersion, at: datetime) -> str:
    """Record that a person read this version of a guide.

    Twice on one London day for one version is the same as once; the lock of the stamp, taken here, lets no
    second in between.

    Args:
        person_id: The reader.
        guide: The version they read.
        at: When, by the clock.

    Returns:
        The reference of the record.
    """
    stamp()
    reference = queries.acknowledged_on(person_id, guide.id, london_day(at))
    if reference is not None:
        return reference
    record = _write_record(person_id, guide.activity_id, "acknowledged", at)
    db.session.add(Acknowledgement(record_id=record.id, guide_version_id=guide.id))
    touch(learners=[person_id])
    log("guide.acknowledged", actor_id=person_id, subject_id=person_id, reference=record.reference)
    db.session.flush()
    return record.reference


def record_attendance(
    person_id: int,
    event_type_version: EventTypeVersion,
    held_on: date,
    *,
    event_reference: str,
    signed_off_by: int,
) -> Record:
    """Record that a person attended an event, achieved on its day and known from now on.

    It stands for the event's type alone, never for a module. Repeating it returns the record that counts; one
    that was revoked does not count, so that a correction records anew.

    Args:
        person_id: Who attended.
        event_type_version: What kind of event it was.
        held_on: The event's London day.
        event_reference: Of the event.
        signed_off_by: The facilitator who says so.
    """
    stamp()
    existing = _find_attendance(person_id, event_reference)
    if existing is not None:
        return existing
    record = _write_record(person_id, event_type_version.activity_id, "attended", noon(held_on))
    db.session.add(
        AttendanceRecord(
            record_id=record.id,
            event_type_version_id=event_type_version.id,
            event_reference=event_reference,
            signed_off_by_id=signed_off_by,
        )
    )
    touch(learners=[person_id])
    log("attendance.recorded", actor_id=signed_off_by, subject_id=person_id, reference=record.reference)
    db.session.flush()
    return record


def _find_attendance(person_id: int, event_reference: str) -> Record | None:
    """The attendance record of a person at an event that counts; None if each was revoked."""
    record = db.session.scalar(
        select(Record)
        .join(AttendanceRecord, AttendanceRecord.record_id == Record.id)
        .where(Record.person_id == person_id, AttendanceRecord.event_reference == event_reference)
        .where(is_known_fact(Record))
        .order_by(Record.id.desc())
        .limit(1)
    )
    return None if record is None or queries.list_revocations([record.id]) else record


def recognise_prior_learning(
    person_id: int,
    activity_id: int,
    achieved_on: date,
    *,
    reason: str,
    evidence: str,
    decided_by: int,
) -> Record:
    """Record prior learning as achieved on the day of its evidence; repeating it returns the same record.

    Args:
        person_id: The person who learned it.
        activity_id: The activity it counts for.
        achieved_on: The day on the evidence.
        reason: A category.
        evidence: What it is and where it is kept: a note beside the record.
        decided_by: The person who recognised it.
    """
    stamp()
    existing = db.session.scalar(
        select(Record)
        .where(Record.person_id == person_id, Record.activity_id == activity_id, is_known_fact(Record))
        .where(Record.source == "waived", Record.achieved_on == achieved_on)
        .limit(1)
    )
    if existing is not None:
        return existing
    record = _write_record(person_id, activity_id, "waived", noon(achieved_on))
    db.session.add(Waiver(record_id=record.id, reason=reason, decided_by_id=decided_by))
    if evidence:
        write_notes(Record.__tablename__, record.id, {"evidence": evidence})
    touch(learners=[person_id])
    log("learning.recognised", actor_id=decided_by, subject_id=person_id, reference=record.reference)
    db.session.flush()
    return record


def revoke_record(record_id: int, from_on: date, *, reason: str, decided_by: int) -> Revocation:
    """Stop counting a record from a day on; from its own day, it was never a pass."""
    stamped = stamp()
    record = db.session.scalar(select(Record).where(Record.id == record_id, is_known_fact(Record)))
    if record is None or queries.list_revocations([record_id]):
        raise ConflictError("This record was corrected, or has already stopped counting.")
    revocation = Revocation(
        recorded_at=stamped, record_id=record_id, from_on=from_on, reason=reason, decided_by_id=decided_by
    )
    return _write_revocation(revocation, record, "record.revoked")


def restore_record(revocation_id: int, *, reason: str, decided_by: int) -> Revocation:
    """Void a revocation, so that the record counts again."""
    stamped = stamp()
    revocation = db.session.scalar(
        select(Revocation).where(Revocation.id == revocation_id, is_known_fact(Revocation))
    )
    if revocation is None:
        raise ConflictError("This record already counts again.")
    restoration = Revocation(
        recorded_at=stamped,
        void=True,
        replaces_id=revocation.id,
        record_id=revocation.record_id,
        from_on=revocation.from_on,
        reason=reason,
        decided_by_id=decided_by,
    )
    return _write_revocation(restoration, db.session.get_one(Record, revocation.record_id), "record.restored")


def _write_revocation(fact: Revocation, record: Record, action: str) -> Revocation:
    db.session.add(fact)
    touch(learners=[record.person_id])
    log(
        action,
        actor_id=fact.decided_by_id,
        subject_id=record.person_id,
        reference=record.reference,
        from_on=fact.from_on.isoformat(),
        reason=fact.reason,
    )
    db.session.flush()
    return fact


def _write_record(person_id: int, activity_id: int, source: str, achieved_at: datetime) -> Record:
    record = Record(
        recorded_at=stamp(),
        person_id=person_id,
        activity_id=activity_id,
        achieved_at=achieved_at,
        achieved_on=london_day(achieved_at),
        source=source,
        reference=unused_reference(),
    )
    db.session.add(record)
    db.session.flush()
    return record


def unused_reference() -> str:
    """A new reference that no record has."""
    while True:
        reference = new_reference()
        if db.session.scalar(select(Record.id).where(Record.reference == reference)) is None:
            return reference
