"""Working through a module: registering, visiting lessons, going into the assessment."""

from datetime import datetime
from uuid import UUID

from portal.domain.assessment import services as assessment
from portal.domain.assessment.errors import LessonsFirstError
from portal.domain.catalogue import queries as catalogue
from portal.domain.learning import queries
from portal.domain.records import services as records
from portal.domain.records.queries import latest_registration


def record_lesson_opened(person_id: int, slug: str, lesson_key: str, at: datetime) -> None:
    """Note that a person opened a lesson; their first one begins a registration.

    Opening it again writes nothing. Reading again after a pass writes nothing either.
    """
    reading = queries.module_reading(person_id, slug)
    if reading.passed:
        return
    lesson = reading.lesson_by_key(lesson_key)
    records.open_lesson(_ensure_registration(person_id, reading, at), lesson.id, at)


def finish_lesson(person_id: int, slug: str, lesson_key: str, at: datetime) -> str | None:
    """Mark a lesson complete.

    Returns:
        Key of the lesson that comes next: the first incomplete one after it, else the first of all; None when
        every lesson is complete, or when the module is passed and nothing needs marking.
    """
    reading = queries.module_reading(person_id, slug)
    if reading.passed:
        return None
    lesson = reading.lesson_by_key(lesson_key)
    records.complete_lesson(_ensure_registration(person_id, reading, at), lesson.id, at)
    open_ones = [each for each in reading.lessons if each.id not in reading.completed_lessons | {lesson.id}]
    after = [each for each in open_ones if each.position > lesson.position]
    return next((each.key for each in after + open_ones), None)


def _ensure_registration(person_id: int, reading: queries.ModuleReading, at: datetime) -> int:
    """Id of the registration under way, begun here where there is none."""
    if reading.progress is not None:
        return reading.progress.registration_id
    return records.start_registration(person_id, catalogue.get_module_version(reading.version.id), at).id


def retake_module(person_id: int, slug: str, at: datetime) -> None:
    """Begin the newest version of a module once more, after a pass."""
    records.start_registration(person_id, queries.newest_version(slug), at)


def begin_assessment(person_id: int, slug: str, at: datetime) -> UUID:
    """Begin an attempt, or go back to the one under way.

    Where the module allows testing out, this may be the first thing a learner does in it.

    Raises:
        RuleError: A rule of the assessment refuses; its text says why.
    """
    course = queries.module_reading(person_id, slug)
    if course.progress is None and course.version.test_out and not course.passed:
        _ensure_registration(person_id, course, at)
    registration = latest_registration(person_id, course.version.activity_id)
    if registration is None:
        raise LessonsFirstError
    return assessment.start_attempt(registration, at).id
