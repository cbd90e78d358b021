"""How far a person is with each module: what is published, what they began, what is left of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, select
from sqlalchemy.orm import joinedload, selectinload

from portal.assessment.queries import attempts_begun, open_attempts
from portal.catalogue.models import Activity, Lesson, ModuleVersion
from portal.db import db
from portal.errors import NotFoundError
from portal.records.queries import (
    Progress,
    RecordRow,
    has_visit,
    progress_of,
    records_of,
    revocations_of,
)


@dataclass(frozen=True, slots=True)
class Course:
    """One module as one person meets it: the version they finish, or else the newest one."""

    version: ModuleVersion
    progress: Progress | None  # of the registration under way; None: not begun, or passed
    passed: bool  # the latest registration ended with a pass
    open_attempt: UUID | None
    attempts_begun: int  # under the registration under way

    @property
    def slug(self) -> str:
        """The module's key, as addresses have it."""
        return self.version.activity.key

    @property
    def short_title(self) -> str:
        """The first word or words of the title, up to its colon."""
        return self.version.title.partition(":")[0]

    @property
    def lessons(self) -> list[Lesson]:
        """The lessons in order."""
        return self.version.lessons

    @property
    def completed(self) -> frozenset[int]:
        """Ids of the lessons marked complete under the registration under way."""
        return self.progress.completed if self.progress else frozenset()

    @property
    def next_lesson(self) -> Lesson | None:
        """The first lesson that is not complete."""
        return next((lesson for lesson in self.lessons if lesson.id not in self.completed), None)

    @property
    def assessment_is_open(self) -> bool:
        """Whether an attempt may begin, as far as the lessons are concerned."""
        return not self.passed and (self.next_lesson is None or self.version.test_out)

    @property
    def exhausted(self) -> bool:
        """Whether every attempt that the module allows was used without a pass."""
        limit = self.version.attempts
        return bool(limit) and self.open_attempt is None and self.attempts_begun >= limit

    @property
    def assessment_minutes(self) -> int:
        """What the module's minutes leave for the assessment; where none, half a minute a question."""
        left = self.version.minutes - sum(lesson.minutes for lesson in self.lessons)
        return left if left > 0 else -(-self.version.draw // 2)

    @property
    def minutes_left(self) -> int:
        """Minutes of the lessons not complete, and of the assessment."""
        lessons = sum(lesson.minutes for lesson in self.lessons if lesson.id not in self.completed)
        return lessons + self.assessment_minutes

    @property
    def share(self) -> float:
        """Part of the minutes that is done, from 0 to 1."""
        if self.passed:
            return 1.0
        total = sum(lesson.minutes for lesson in self.lessons) + self.assessment_minutes
        return 1 - self.minutes_left / total

    def lesson(self, key: str) -> Lesson:
        """The lesson with this key.

        Raises:
            NotFoundError: This version has none.
        """
        found = next((lesson for lesson in self.lessons if lesson.key == key), None)
        if found is None:
            raise NotFoundError("There is no such lesson.")
        return found


def courses(person_id: int, *slugs: str) -> dict[int, Course]:
    """Every published module (or those named) for one person, by activity, in order of keys.

    A few statements, however many modules there are.
    """
    newest = _newest_versions(slugs)
    progress = {key: found for key, found in progress_of(person_id).items() if key in newest}
    under_way = {key: found for key, found in progress.items() if not found.passed}
    wanted = newest | {key: found.version_id for key, found in under_way.items()}
    versions = _versions(wanted.values())
    registrations = {key: found.registration_id for key, found in under_way.items()}
    attempts = open_attempts(list(registrations.values()))
    begun = attempts_begun(list(registrations.values()))
    return {
        activity_id: Course(
            version=versions[version_id],
            progress=under_way.get(activity_id),
            passed=activity_id in progress and activity_id not in under_way,
            open_attempt=attempts.get(registrations.get(activity_id, 0)),
            attempts_begun=begun.get(registrations.get(activity_id, 0), 0),
        )
        for activity_id, version_id in wanted.items()
    }


def course(person_id: int, slug: str) -> Course:
    """One module for one person.

    Raises:
        NotFoundError: No module of this name is published.
    """
    found = next(iter(courses(person_id, slug).values()), None)
    if found is None:
        raise NotFoundError("There is no such module.")
    return found


def newest_version(slug: str) -> ModuleVersion:
    """The newest published version of a module.

    Raises:
        NotFoundError: No module of this name is published.
    """
    version = db.session.scalar(
        select(ModuleVersion)
        .join(Activity, Activity.id == ModuleVersion.activity_id)
        .where(Activity.kind == "module", Activity.key == slug)
        .order_by(ModuleVersion.number.desc())
        .limit(1)
    )
    if version is None:
        raise NotFoundError("There is no such module.")
    return version


def has_seen(course: Course, lesson_key: str) -> bool:
    """Whether opening this lesson again would write nothing."""
    if course.progress is None:
        return course.passed
    return has_visit(course.progress.registration_id, course.lesson(lesson_key).id, "opened")


def newest_pass(person_id: int, slug: str) -> RecordRow | None:
    """The newest record of a person for this module that is not revoked."""
    rows = [row for row in records_of(person_id) if row.kind == "module" and row.key == slug]
    revoked = {revocation.record_id for revocation in revocations_of([row.id for row in rows])}
    return next((row for row in rows if row.id not in revoked), None)


def still_to_come(moment: datetime | None, now: datetime) -> datetime | None:
    """The moment, where it has not come yet."""
    return moment if moment is not None and moment > now else None


def _newest_versions(slugs: Sequence[str]) -> dict[int, int]:
    """Id of the newest version by activity, in order of the modules' keys."""
    last = (
        select(ModuleVersion.activity_id, func.max(ModuleVersion.number).label("number"))
        .group_by(ModuleVersion.activity_id)
        .subquery()
    )
    statement = (
        select(ModuleVersion.activity_id, ModuleVersion.id)
        .join(Activity, and_(Activity.id == ModuleVersion.activity_id, Activity.kind == "module"))
        .join(
            last,
            and_(last.c.activity_id == ModuleVersion.activity_id, last.c.number == ModuleVersion.number),
        )
        .order_by(Activity.key)
    )
    if slugs:
        statement = statement.where(Activity.key.in_(slugs))
    return {activity_id: version_id for activity_id, version_id in db.session.execute(statement)}


def _versions(ids: Iterable[int]) -> dict[int, ModuleVersion]:
    """Versions with their lessons, without the lessons' text."""
    lessons = selectinload(ModuleVersion.lessons).load_only(
        Lesson.position, Lesson.key, Lesson.title, Lesson.minutes, Lesson.outcomes
    )
    statement = (
        select(ModuleVersion)
        .where(ModuleVersion.id.in_(list(ids)))
        .options(lessons, joinedload(ModuleVersion.activity))
    )
    return {version.id: version for version in db.session.scalars(statement)}
