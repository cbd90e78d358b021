"""Work through a module: registration, lessons, and the start of the assessment."""

from datetime import datetime

from portal.domain.assessment import services as assessment
from portal.domain.assessment.errors import LessonsFirstError
from portal.domain.assessment.services import StartedAttempt
from portal.domain.catalogue.version_cache import PublishedLesson
from portal.domain.learning import queries
from portal.domain.records import services as records
from portal.domain.records.queries import latest_registration
from portal.domain.status.queries import requirements_of
from portal.platform.clock import london_day
from portal.platform.errors import RuleError


class CaseFirstError(RuleError):
    """A case was to be marked complete without being worked through."""

    def __init__(self) -> None:
        super().__init__("Work through the case to its end. That completes the lesson.")


class ArchivedModuleError(RuleError):
    """A module that is offered no longer was to be begun by somebody of whom no directive requires it."""

    def __init__(self) -> None:
        super().__init__("This module is archived, and no directive requires it of you. You cannot begin it.")


def record_lesson_opened(reading: queries.ModuleReading, lesson: PublishedLesson, at: datetime) -> None:
    """Record that a person opened a lesson of a module under way.

    Repeat-safe: opening it again writes nothing, nor does reading a module that is not begun or is passed.
    """
    if reading.progress is not None:
        records.open_lesson(reading.progress.registration_id, lesson.id, at)


def finish_lesson(
    person_id: int, reading: queries.ModuleReading, lesson_key: str, at: datetime
) -> str | None:
    """Mark a lesson complete, and open the next; the first one begins a registration.

    Args:
        person_id: The learner.
        reading: Their module, from before this transaction: on SQLite all who save wait for what it reads.
        lesson_key: The lesson's.
        at: Now.

    Returns:
        Key of the next lesson: the first incomplete one after this, else the first incomplete of all; None if
        every lesson is complete, or the module is passed.

    Raises:
        CaseFirstError: The lesson is a case, and its end alone completes it.
    """
    if reading.passed:
        return None
    lesson = reading.lesson_by_key(lesson_key)
    if lesson.case_kind is not None and lesson.id not in reading.completed_lessons:
        raise CaseFirstError
    following = reading.lesson_after(lesson)
    registration_id = ensure_registration(person_id, reading, at)
    records.complete_lesson(registration_id, lesson.id, at, following.id if following else None)
    return following.key if following else None


def ensure_registration(person_id: int, reading: queries.ModuleReading, at: datetime) -> int:
    """Return the id of the registration under way; begin one if there is none.

    Raises:
        ArchivedModuleError: The module is archived, and nothing requires it of the person.
    """
    if reading.progress is not None:
        return reading.progress.registration_id
    if reading.archived and not may_begin_archived(person_id, reading, at):
        raise ArchivedModuleError
    return records.start_registration(person_id, reading.version.activity_id, reading.version.id, at)


def may_begin_archived(person_id: int, reading: queries.ModuleReading, at: datetime) -> bool:
    """Whether a directive requires an archived module of the person on the London day of ``at``."""
    requirements = requirements_of(person_id, london_day(at))
    return any(each.activity_id == reading.version.activity_id for each in requirements)


def start_module(person_id: int, reading: queries.ModuleReading, at: datetime) -> str | None:
    """Begin the newest version of a module, the first time or again after a pass, and open its lesson.

    ``reading`` is of before this transaction. Repeat-safe: a module under way stays as it is.

    Returns:
        Key of the lesson to go on with; None if every lesson is complete, or the module is taken again.
    """
    registration_id = ensure_registration(person_id, reading, at)
    if reading.passed or reading.next_lesson is None:
        return None
    records.open_lesson(registration_id, reading.next_lesson.id, at)
    return reading.next_lesson.key


def begin_assessment(person_id: int, reading: queries.ModuleReading, at: datetime) -> StartedAttempt:
    """Start an attempt, or return the one under way.

    ``reading`` is of before this transaction. If the module allows testing out, this may be the learner's
    first action in it.

    Raises:
        RuleError: A rule of the assessment does not allow it; the text says why.
    """
    if reading.progress is not None or (reading.test_out and not reading.passed):
        return assessment.start_attempt(ensure_registration(person_id, reading, at), at)
    registration = latest_registration(person_id, reading.version.activity_id)
    if registration is None:
        raise LessonsFirstError
    return assessment.start_attempt(registration.id, at)
