"""How far a person is with each module: what is published, what they began, what is left of it.

The statements are built once, with parameters: building one costs more than the database's answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, case, func, select
from sqlalchemy.orm import aliased

from portal.domain.assessment.queries import (
    NO_ATTEMPTS,
    AttemptTally,
    attempts_left,
    next_attempt_opens_after,
    tally_attempts,
)
from portal.domain.catalogue.models import Activity, Lesson, ModuleVersion
from portal.domain.catalogue.queries import SHARED_KEY_COLUMNS, SharedKey
from portal.domain.catalogue.version_cache import (
    PublishedLesson,
    PublishedVersion,
    VersionKey,
    published_version,
)
from portal.domain.people.as_of import is_known_fact
from portal.domain.records.models import LessonVisit, PassRecord, Record, Registration, Revocation
from portal.platform.db import db, read
from portal.platform.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class RegistrationProgress:
    """How far a person is under a registration."""

    registration_id: int
    opened_lessons: frozenset[int]  # ids of lessons
    completed_lessons: frozenset[int]


@dataclass(frozen=True, slots=True)
class ModuleReading:
    """One module as one person reads it: the version they finish, or else the newest one."""

    version: PublishedVersion
    shared: SharedKey  # names the glossary of this instant
    progress: RegistrationProgress | None  # of the registration under way; None: not begun, or passed
    passed: bool  # the latest registration ended with a pass

    @property
    def slug(self) -> str:
        """The module's key, as addresses have it."""
        return self.version.activity.key

    @property
    def short_title(self) -> str:
        """The first word or words of the title, up to its colon."""
        return self.version.title.partition(":")[0]

    @property
    def lessons(self) -> tuple[PublishedLesson, ...]:
        """The lessons in order."""
        return self.version.lessons

    @property
    def completed_lessons(self) -> frozenset[int]:
        """Ids of the lessons marked complete under the registration under way."""
        return self.progress.completed_lessons if self.progress else frozenset()

    @property
    def next_lesson(self) -> PublishedLesson | None:
        """The first lesson that is not complete."""
        return next((lesson for lesson in self.lessons if lesson.id not in self.completed_lessons), None)

    @property
    def assessment_is_open(self) -> bool:
        """Whether an attempt may begin, as far as the lessons are concerned."""
        return not self.passed and (self.next_lesson is None or self.version.test_out)

    @property
    def assessment_minutes(self) -> int:
        """What the module's minutes leave for the assessment; where none, half a minute a question."""
        left = self.version.minutes - sum(lesson.minutes for lesson in self.lessons)
        return left if left > 0 else -(-self.version.draw // 2)

    @property
    def minutes_left(self) -> int:
        """Minutes of the lessons not complete, and of the assessment."""
        lessons = sum(lesson.minutes for lesson in self.lessons if lesson.id not in self.completed_lessons)
        return lessons + self.assessment_minutes

    @property
    def share_done(self) -> float:
        """Part of the minutes that is done, from 0 to 1."""
        if self.passed:
            return 1.0
        total = sum(lesson.minutes for lesson in self.lessons) + self.assessment_minutes
        return 1 - self.minutes_left / total

    def lesson_by_key(self, key: str) -> PublishedLesson:
        """The lesson with this key.

        Raises:
            NotFoundError: This version has none.
        """
        found = next((lesson for lesson in self.lessons if lesson.key == key), None)
        if found is None:
            raise NotFoundError("There is no such lesson.")
        return found

    def has_opened(self, lesson: PublishedLesson) -> bool:
        """Whether opening this lesson again would write nothing."""
        return self.passed if self.progress is None else lesson.id in self.progress.opened_lessons


@dataclass(frozen=True, slots=True)
class ModuleProgress(ModuleReading):
    """One module as one person meets it, with their attempts at its assessment."""

    open_attempt: UUID | None
    attempts_begun: int  # under the registration under way
    attempt_ended_at: datetime | None
    failed_attempt: UUID | None = None  # the latest submitted under the registration under way
    extra_attempts: int = 0  # beyond those that the module allows
    extra_opened_on: date | None = None  # when the latest of these was

    @property
    def attempts_left(self) -> int | None:
        """How many more attempts may begin; None where the module sets no limit."""
        return attempts_left(self.version, self.attempts_begun, self.extra_attempts)

    @property
    def attempts_exhausted(self) -> bool:
        """Whether every attempt that the module allows was used without a pass."""
        return self.open_attempt is None and self.attempts_left == 0

    def waits_until(self, now: datetime) -> datetime | None:
        """When the next attempt may begin, where nothing but a wait after a fail stands before it."""
        if self.open_attempt is not None or self.next_lesson is not None or self.attempts_exhausted:
            return None
        return future_or_none(next_attempt_opens_after(self.version, self.attempt_ended_at), now)


def _latest_registration_id() -> Any:
    """Id of the person's newest known registration on an activity, passed or not."""
    one = aliased(Registration)
    mine = and_(one.person_id == bindparam("person_id"), one.activity_id == Activity.id)
    return select(func.max(one.id)).where(mine, is_known_fact(one)).correlate(Activity).scalar_subquery()


def _newest_version_id() -> Any:
    """Id of an activity's newest version."""
    one = aliased(ModuleVersion)
    statement = select(one.id).where(one.activity_id == Activity.id).order_by(one.number.desc())
    return statement.limit(1).correlate(Activity).scalar_subquery()


_UNDER_WAY = and_(Registration.id.is_not(None), PassRecord.record_id.is_(None))
_WANTED = case((_UNDER_WAY, Registration.module_version_id), else_=_newest_version_id())
_SHARED: tuple[Any, ...] = tuple(column.scalar_subquery() for column in SHARED_KEY_COLUMNS)
_ALL = (
    select(
        Activity.id,
        ModuleVersion.id,
        ModuleVersion.digest,
        ModuleVersion.recorded_at,
        *_SHARED,
        Registration.id,
        PassRecord.record_id,
        LessonVisit.lesson_id,
        LessonVisit.kind,
    )
    .select_from(Activity)
    .outerjoin(Registration, Registration.id == _latest_registration_id())
    .outerjoin(PassRecord, PassRecord.registration_id == Registration.id)
    .join(ModuleVersion, ModuleVersion.id == _WANTED)
    .outerjoin(LessonVisit, and_(_UNDER_WAY, LessonVisit.registration_id == Registration.id))
    .where(Activity.kind == "module")
    .order_by(Activity.key)
)
_ONE = _ALL.where(Activity.key == bindparam("slug"))
_PASSED_WITH = (
    select(ModuleVersion.id, ModuleVersion.digest, ModuleVersion.recorded_at)
    .join(Registration, Registration.module_version_id == ModuleVersion.id)
    .join(PassRecord, PassRecord.registration_id == Registration.id)
    .join(Activity, Activity.id == ModuleVersion.activity_id)
    .join(Lesson, Lesson.module_version_id == ModuleVersion.id)
    .where(
        Registration.person_id == bindparam("person_id"),
        is_known_fact(Registration),
        Activity.kind == "module",
        Activity.key == bindparam("slug"),
        Lesson.key == bindparam("lesson"),
    )
    .order_by(Registration.id.desc())
    .limit(1)
)
_REVOKED = select(Revocation.id).where(Revocation.record_id == Record.id, is_known_fact(Revocation))
_EARNED = (
    select(Record.reference, Record.achieved_at)
    .join(Activity, Activity.id == Record.activity_id)
    .where(
        Record.person_id == bindparam("person_id"),
        is_known_fact(Record),
        Activity.kind == "module",
        Activity.key == bindparam("slug"),
        ~_REVOKED.correlate(Record).exists(),
    )
    .order_by(Record.achieved_at.desc(), Record.id.desc())
    .limit(1)
)
_Rows = Sequence[Sequence[Any]]  # of one module


def module_reading(person_id: int, slug: str) -> ModuleReading:
    """One module for one person, as far as its lessons go. One statement.

    Raises:
        NotFoundError: No module of this name is published.
    """
    rows = read(_ONE, {"person_id": person_id, "slug": slug})
    if not rows:
        raise NotFoundError("There is no such module.")
    return ModuleReading(*_reading_fields(rows))


def module_reading_with_lesson(person_id: int, slug: str, lesson: str) -> ModuleReading:
    """As ``module_reading``; if that version has no such lesson, the passed version that has it.

    Raises:
        NotFoundError: No module of this name is published, or the person never passed one with this lesson.
    """
    found = module_reading(person_id, slug)
    if any(each.key == lesson for each in found.lessons):
        return found
    row = db.session.execute(
        _PASSED_WITH, {"person_id": person_id, "slug": slug, "lesson": lesson}
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such lesson.")
    return ModuleReading(published_version(VersionKey(*row)), found.shared, progress=None, passed=True)


def module_progress_by_activity(person_id: int) -> dict[int, ModuleProgress]:
    """Every published module for one person, by activity, in order of keys. Two statements."""
    rows = read(_ALL, {"person_id": person_id})
    return _module_progress_of_rows([list(some) for _, some in groupby(rows, key=lambda row: row[0])])


def module_progress(person_id: int, slug: str) -> ModuleProgress:
    """One module for one person. Two statements.

    Raises:
        NotFoundError: No module of this name is published.
    """
    rows = read(_ONE, {"person_id": person_id, "slug": slug})
    if not rows:
        raise NotFoundError("There is no such module.")
    return next(iter(_module_progress_of_rows([rows]).values()))


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


class NewestPass(NamedTuple):
    """A record of a module, as the module's page tells of it."""

    reference: str
    achieved_at: datetime


def newest_pass(person_id: int, slug: str) -> NewestPass | None:
    """The newest record of a person for this module that is not revoked. One statement."""
    rows = read(_EARNED, {"person_id": person_id, "slug": slug})
    return NewestPass(*rows[0]) if rows else None


def future_or_none(moment: datetime | None, now: datetime) -> datetime | None:
    """The moment, where it has not come yet."""
    return moment if moment is not None and moment > now else None


def _module_progress_of_rows(found: Sequence[_Rows]) -> dict[int, ModuleProgress]:
    parts = {rows[0][0]: _reading_fields(rows) for rows in found}
    progress = {key: progress.registration_id for key, (_, _, progress, _) in parts.items() if progress}
    begun = tally_attempts(list(progress.values()))
    return {
        key: _with_attempts(ModuleReading(*some), begun.get(progress.get(key, 0), NO_ATTEMPTS))
        for key, some in parts.items()
    }


def _with_attempts(one: ModuleReading, begun: AttemptTally) -> ModuleProgress:
    return ModuleProgress(
        one.version,
        one.shared,
        one.progress,
        one.passed,
        open_attempt=begun.open_attempt,
        attempts_begun=begun.attempt_count,
        attempt_ended_at=begun.ended_at,
        failed_attempt=begun.ended_attempt,
        extra_attempts=begun.extra_attempts,
        extra_opened_on=begun.extra_opened_on,
    )


def _reading_fields(rows: _Rows) -> tuple[PublishedVersion, SharedKey, RegistrationProgress | None, bool]:
    """The fields of a ``ModuleReading``, from one row for each visit to a lesson."""
    _, *name, files, at, registration_id, record_id, _, _ = rows[0]
    progress = None
    if registration_id is not None and record_id is None:
        visits = [(row[-2], row[-1]) for row in rows]
        progress = RegistrationProgress(
            registration_id,
            opened_lessons=frozenset(lesson for lesson, kind in visits if kind == "opened"),
            completed_lessons=frozenset(lesson for lesson, kind in visits if kind == "completed"),
        )
    return published_version(VersionKey(*name)), SharedKey(files, at), progress, record_id is not None
