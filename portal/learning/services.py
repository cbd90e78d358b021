"""Working through a module: registering, visiting lessons, going into the assessment."""

from datetime import datetime
from uuid import UUID

from portal.assessment import services as assessment
from portal.assessment.errors import LessonsFirstError
from portal.db import stamp
from portal.learning import queries
from portal.records import services as records
from portal.records.queries import latest_registration


def see_lesson(person_id: int, slug: str, lesson_key: str, at: datetime) -> None:
    """Note that a person opened a lesson; their first one begins a registration.

    Opening it again writes nothing. Reading again after a pass writes nothing either.
    """
    course = queries.course(person_id, slug)
    if course.passed:
        return
    lesson = course.lesson(lesson_key)
    if course.progress is not None:
        registration_id = course.progress.registration_id
    else:
        registration_id = records.register(person_id, course.version, stamp()).id
    records.open_lesson(registration_id, lesson.id, at)


def finish_lesson(person_id: int, slug: str, lesson_key: str, at: datetime) -> str | None:
    """Mark a lesson complete.

    Returns:
        Key of the lesson that comes next: the first incomplete one after it, else the first of all; None when
        every lesson is complete, or when the module is passed and nothing needs marking.
    """
    see_lesson(person_id, slug, lesson_key, at)
    course = queries.course(person_id, slug)
    if course.progress is None:
        return None
    lesson = course.lesson(lesson_key)
    records.complete_lesson(course.progress.registration_id, lesson.id, at)
    open_ones = [each for each in course.lessons if each.id not in course.completed | {lesson.id}]
    after = [each for each in open_ones if each.position > lesson.position]
    return next((each.key for each in after + open_ones), None)


def begin_again(person_id: int, slug: str) -> None:
    """Begin the newest version of a module once more, after a pass."""
    records.register(person_id, queries.newest_version(slug), stamp())


def begin_assessment(person_id: int, slug: str, at: datetime) -> UUID:
    """Begin an attempt, or go back to the one under way.

    Where the module allows testing out, this may be the first thing a learner does in it.

    Raises:
        RuleError: A rule of the assessment refuses; its text says why.
    """
    course = queries.course(person_id, slug)
    if course.progress is None and course.version.test_out and not course.passed:
        records.register(person_id, course.version, stamp())
    registration = latest_registration(person_id, course.version.activity_id)
    if registration is None:
        raise LessonsFirstError
    return assessment.start(registration, at).id
