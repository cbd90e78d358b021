"""A person's progress in each published module.

The statements are built once, with parameters, because building one costs more than executing it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, partial
from itertools import groupby
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, case, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.assessment.queries import (
    NO_ATTEMPTS,
    AttemptTally,
    Fails,
    attempt_opens_at,
    attempts_left,
    is_paused,
    pause_ends_at,
    tally_attempts,
)
from portal.domain.catalogue.models import Activity, Lesson, ModuleVersion
from portal.domain.catalogue.search import ReadableVersions
from portal.domain.catalogue.services import is_archived, offered_modules
from portal.domain.catalogue.version_cache import (
    SHARED_KEY_COLUMNS,
    PublishedLesson,
    PublishedVersion,
    SharedKey,
    VersionKey,
    published_version,
    shared_content,
    shared_key,
)
from portal.domain.directives.models import DirectiveVersion, Requirement
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import post_names
from portal.domain.people.staff_numbers import duties_of_posts
from portal.domain.records.models import LessonVisit, PassRecord, Record, Registration, Revocation
from portal.platform import clock
from portal.platform.db import db, read
from portal.platform.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class RegistrationProgress:
    """The lessons opened and completed under a registration."""

    registration_id: int
    opened_lessons: frozenset[int]  # ids
    completed_lessons: frozenset[int]
    last_opened: int  # id of the lesson that was opened for the first time last; 0: none was


@dataclass(frozen=True, slots=True)
class ModuleReading:
    """One module for one person: the version under way, else the newest one, and the lessons completed."""

    version: PublishedVersion
    shared: SharedKey  # of the glossary and settings current now
    progress: RegistrationProgress | None  # of the registration under way; None: not begun, or passed
    passed: bool  # the latest registration ended with a pass
    archived: bool  # offered no longer
    duties: tuple[str, ...]  # by which the path was chosen, or would be if the module were begun now

    @property
    def slug(self) -> str:
        """The module's key, as used in addresses."""
        return self.version.activity.key

    @property
    def short_title(self) -> str:
        """The title up to its colon."""
        return self.version.title.partition(":")[0]

    @property
    def lessons(self) -> tuple[PublishedLesson, ...]:
        """The lessons of the person's path in order: those that a pass needs."""
        return self.version.lessons_for(self.duties)

    @property
    def practice(self) -> tuple[PublishedLesson, ...]:
        """The lessons beside the path, open to everybody and needed by nobody."""
        return self.version.practice_for(self.duties)

    @property
    def completed_lessons(self) -> frozenset[int]:
        """Ids of the lessons completed under the registration under way."""
        return self.progress.completed_lessons if self.progress else frozenset()

    @property
    def done(self) -> int:
        """How many lessons of the path are complete."""
        return sum(lesson.id in self.completed_lessons for lesson in self.lessons)

    @property
    def next_lesson(self) -> PublishedLesson | None:
        """The first lesson that is not complete."""
        return next((lesson for lesson in self.lessons if lesson.id not in self.completed_lessons), None)

    @property
    def resume_lesson(self) -> PublishedLesson | None:
        """The incomplete lesson that was opened last, else the first incomplete one."""
        last = self.progress.last_opened if self.progress else 0
        incomplete = (lesson for lesson in self.lessons if lesson.id not in self.completed_lessons)
        return next((lesson for lesson in incomplete if lesson.id == last), self.next_lesson)

    @property
    def test_out(self) -> bool:
        """Whether the assessment is open before the lessons are complete."""
        return shared_content(self.shared).allows_test_out(self.version.test_out)

    @property
    def assessment_is_open(self) -> bool:
        """Whether the lessons allow an attempt: all are complete, or testing out is allowed."""
        return not self.passed and (self.next_lesson is None or self.test_out)

    @property
    def assessment_minutes(self) -> int:
        """The module's minutes less those of its longest path; if none are left, half a minute a question."""
        version = self.version
        paths = [version.lessons_for(path["for"]) for path in version.duty_paths] or [version.lessons_for(())]
        minutes = version.minutes - max(sum(lesson.minutes for lesson in path) for path in paths)
        return minutes if minutes > 0 else -(-version.draw // 2)

    @property
    def minutes(self) -> int:
        """Minutes of the person's path, with the assessment."""
        return sum(lesson.minutes for lesson in self.lessons) + self.assessment_minutes

    @property
    def minutes_left(self) -> int:
        """Minutes of the incomplete lessons and the assessment."""
        lessons = sum(lesson.minutes for lesson in self.lessons if lesson.id not in self.completed_lessons)
        return lessons + self.assessment_minutes

    @property
    def share_done(self) -> float:
        """The completed share of the module's minutes, 0 to 1."""
        if self.passed:
            return 1.0
        return 1 - self.minutes_left / self.minutes

    def lesson_after(self, lesson: PublishedLesson) -> PublishedLesson | None:
        """The lesson to go on with: the first incomplete one after this, else the first of all."""
        open_lessons = [
            other for other in self.lessons if other.id not in self.completed_lessons | {lesson.id}
        ]
        later_lessons = [other for other in open_lessons if other.position > lesson.position]
        return next(iter(later_lessons + open_lessons), None)

    def lesson_by_key(self, key: str) -> PublishedLesson:
        """Return the lesson with this key."""
        lesson = next((lesson for lesson in (*self.lessons, *self.practice) if lesson.key == key), None)
        if lesson is None:
            raise NotFoundError("There is no such lesson.")
        return lesson

    @property
    def is_begun(self) -> bool:
        """Whether there is a registration, under way or passed."""
        return self.progress is not None or self.passed

    def has_opened(self, lesson: PublishedLesson) -> bool:
        """Whether opening this lesson writes nothing: it was opened before, or the module is not begun."""
        return self.progress is None or lesson.id in self.progress.opened_lessons


@dataclass(frozen=True, slots=True)
class ModuleProgress(ModuleReading):
    """One module for one person, with their attempts at its assessment."""

    open_attempt: UUID | None
    attempts_begun: int  # under the registration under way
    fails: Fails = field(default_factory=Fails)
    failed_attempt: UUID | None = None  # the latest submitted under the registration under way
    extra_attempts: int = 0  # beyond the number that the module allows
    extra_opened_on: date | None = None  # the day on which the latest of them was opened

    @property
    def attempts_left(self) -> int | None:
        """How many more attempts may begin; None if the module sets no limit."""
        return attempts_left(self.version, self.attempts_begun, self.extra_attempts)

    @property
    def attempts_exhausted(self) -> bool:
        """Whether every attempt that the module allows is used."""
        return self.open_attempt is None and self.attempts_left == 0

    @property
    def next_attempt_opens_at(self) -> datetime | None:
        """When the next attempt may begin, after wait and pause; None if neither holds it up."""
        return attempt_opens_at(self.version, self.fails)

    def waits_until(self, now: datetime) -> datetime | None:
        """Return when the wait after a fail ends; None if there is no wait, or more than that is needed."""
        if self.open_attempt is not None or self.next_lesson is not None or self.attempts_exhausted:
            return None
        return future_or_none(self.next_attempt_opens_at, now)

    def paused_until(self, now: datetime) -> datetime | None:
        """Return when the pause after several fails ends; None if there is none. A manager can end it."""
        if self.open_attempt is not None or not is_paused(self.version, self.fails, now):
            return None
        return pause_ends_at(self.version, self.fails)


def _latest_registration_id() -> Any:
    """Build the id of the person's newest registration on an activity, passed or not."""
    registration = aliased(Registration)
    is_own = and_(registration.person_id == bindparam("person_id"), registration.activity_id == Activity.id)
    return (
        select(func.max(registration.id))
        .where(is_own, is_known_fact(registration))
        .correlate(Activity)
        .scalar_subquery()
    )


def _newest_version_id() -> Any:
    """Build the id of an activity's newest version."""
    version = aliased(ModuleVersion)
    statement = select(version.id).where(version.activity_id == Activity.id).order_by(version.number.desc())
    return statement.limit(1).correlate(Activity).scalar_subquery()


_UNDER_WAY = and_(Registration.id.is_not(None), PassRecord.record_id.is_(None))
_VERSION_ID = case((_UNDER_WAY, Registration.module_version_id), else_=_newest_version_id())
_SHARED: tuple[Any, ...] = tuple(column.scalar_subquery() for column in SHARED_KEY_COLUMNS)
_VERSIONS_READ: Any = (
    select()
    .select_from(Activity)
    .outerjoin(Registration, Registration.id == _latest_registration_id())
    .outerjoin(PassRecord, PassRecord.registration_id == Registration.id)
    .join(ModuleVersion, ModuleVersion.id == _VERSION_ID)
    .where(Activity.kind == "module")
    .order_by(Activity.key)
)
_ALL_MODULES = _VERSIONS_READ.add_columns(
    Activity.id,
    is_archived(Activity.id),
    ModuleVersion.id,
    ModuleVersion.digest,
    ModuleVersion.recorded_at,
    *_SHARED,
    Registration.id,
    Registration.duties,
    PassRecord.record_id,
    LessonVisit.id,
    LessonVisit.lesson_id,
    LessonVisit.kind,
).outerjoin(LessonVisit, and_(_UNDER_WAY, LessonVisit.registration_id == Registration.id))
_ONE_MODULE = _ALL_MODULES.where(Activity.key == bindparam("slug"))
_NEWEST: Any = aliased(ModuleVersion)
_READABLE_VERSIONS = _VERSIONS_READ.add_columns(
    *(getattr(version, name) for version in (ModuleVersion, _NEWEST) for name in VersionKey._fields), *_SHARED
).join(_NEWEST, _NEWEST.id == _newest_version_id())
_READABLE_VERSIONS = _READABLE_VERSIONS.where(or_(_UNDER_WAY, ~is_archived(Activity.id)))
_PASSED_VERSION = (
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
_Rows = Sequence[Sequence[Any]]  # of one module


def module_reading(person_id: int, slug: str) -> ModuleReading:
    """Load one module for one person, without attempts. One statement."""
    rows = read(_ONE_MODULE, {"person_id": person_id, "slug": slug})
    if not rows:
        raise NotFoundError("There is no such module.")
    return ModuleReading(*_reading_fields(rows, partial(own_duties, person_id, day=clock.today())))


def module_reading_with_lesson(person_id: int, slug: str, lesson: str) -> ModuleReading:
    """Load one module for one person in a version that has this lesson.

    That is the version of ``module_reading``, else the latest version with the lesson that the person passed.
    """
    reading = module_reading(person_id, slug)
    if any(other.key == lesson for other in reading.version.lessons):
        return reading
    rows = read(_PASSED_VERSION, {"person_id": person_id, "slug": slug, "lesson": lesson})
    if not rows:
        raise NotFoundError("There is no such lesson.")
    version = published_version(VersionKey(*rows[0]))
    return ModuleReading(version, reading.shared, None, True, reading.archived, reading.duties)


def own_duties(person_id: int, shared: SharedKey, day: date) -> tuple[str, ...]:
    """The duties of a person by their posts of a day; empty if none is known. One statement."""
    return duties_of_posts(post_names(person_id, day), shared_content(shared).values)


def module_progress_by_activity(person_id: int) -> dict[int, ModuleProgress]:
    """Load every published module for one person, by activity, in order of keys. Three statements at most."""
    rows = read(_ALL_MODULES, {"person_id": person_id})
    return _module_progress_of_rows(
        person_id, [list(group) for _, group in groupby(rows, key=lambda row: row[0])]
    )


def module_progress(person_id: int, slug: str) -> ModuleProgress:
    """Load one module for one person. Two statements."""
    rows = read(_ONE_MODULE, {"person_id": person_id, "slug": slug})
    if not rows:
        raise NotFoundError("There is no such module.")
    return next(iter(_module_progress_of_rows(person_id, [rows]).values()))


def readable_versions(person_id: int) -> ReadableVersions:
    """The version of each module that one person reads now, for the search. One statement, or two."""
    rows = read(_READABLE_VERSIONS, {"person_id": person_id})
    return ReadableVersions(
        tuple(VersionKey(*row[:3]) for row in rows),
        tuple(VersionKey(*row[3:6]) for row in rows),
        SharedKey(*rows[0][6:]) if rows else shared_key(),
    )


def newest_version(slug: str) -> ModuleVersion:
    """Return the newest published version of a module."""
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


class StudyPlan(NamedTuple):
    """The lessons to go over again, in order, and their minutes."""

    lessons: list[PublishedLesson]
    minutes: int


def study_plan(missed: Sequence[Mapping[str, Any]]) -> StudyPlan:
    """The lessons of the result of ``missed_outcomes``, each once, and their minutes."""
    by_position = {lesson.position: lesson for outcome in missed for lesson in outcome["lessons"]}
    lessons = [by_position[position] for position in sorted(by_position)]
    return StudyPlan(lessons, sum(lesson.minutes for lesson in lessons))


def future_or_none(moment: datetime | None, now: datetime) -> datetime | None:
    """Return the moment if it is in the future, else None."""
    return moment if moment is not None and moment > now else None


def _module_progress_of_rows(person_id: int, rows_of_modules: Sequence[_Rows]) -> dict[int, ModuleProgress]:
    duties_today = cache(partial(own_duties, person_id, day=clock.today()))
    fields = {rows[0][0]: _reading_fields(rows, duties_today) for rows in rows_of_modules}
    registration_ids = {
        key: progress.registration_id for key, (_, _, progress, *_) in fields.items() if progress
    }
    tallies = tally_attempts(list(registration_ids.values()))
    return {
        key: _with_attempts(
            ModuleReading(*reading_fields), tallies.get(registration_ids.get(key, 0), NO_ATTEMPTS)
        )
        for key, reading_fields in fields.items()
    }


def _with_attempts(reading: ModuleReading, tally: AttemptTally) -> ModuleProgress:
    return ModuleProgress(
        reading.version,
        reading.shared,
        reading.progress,
        reading.passed,
        reading.archived,
        reading.duties,
        open_attempt=tally.open_attempt,
        attempts_begun=tally.attempt_count,
        fails=tally.fails,
        failed_attempt=tally.ended_attempt,
        extra_attempts=tally.extra_attempts,
        extra_opened_on=tally.extra_opened_on,
    )


def _reading_fields(
    rows: _Rows, duties_today: Callable[[SharedKey], tuple[str, ...]]
) -> tuple[PublishedVersion, SharedKey, RegistrationProgress | None, bool, bool, tuple[str, ...]]:
    """Return the fields of a ``ModuleReading``; there is one row for each visit to a lesson.

    The duties are those of the registration; before there is one, those of today. One statement then, if the
    module has lessons by duty.
    """
    _, archived, *name, files, at, registration_id, duties, record_id, _, _, _ = rows[0]
    progress = None
    if registration_id is not None and record_id is None:
        openings = [(visit_id, lesson) for *_, visit_id, lesson, kind in rows if kind == "opened"]
        progress = RegistrationProgress(
            registration_id,
            opened_lessons=frozenset(lesson for _, lesson in openings),
            completed_lessons=frozenset(lesson for *_, lesson, kind in rows if kind == "completed"),
            last_opened=max(openings, default=(0, 0))[1],
        )
    passed = record_id is not None
    version, shared = published_version(VersionKey(*name)), SharedKey(files, at)
    if registration_id is None:
        duties = duties_today(shared) if version.duty_paths else ()
    return version, shared, progress, passed, bool(archived), tuple(duties)


# The published modules in the order in which directives require them.

_DAY: Any = bindparam("day")
_LATER: Any = aliased(DirectiveVersion)
_IS_SUPERSEDED = (
    select(_LATER.id)
    .where(
        _LATER.directive_id == DirectiveVersion.directive_id,
        _LATER.effective_on <= _DAY,
        is_known_fact(_LATER),
        or_(
            _LATER.effective_on > DirectiveVersion.effective_on,
            and_(
                _LATER.effective_on == DirectiveVersion.effective_on, _LATER.number > DirectiveVersion.number
            ),
        ),
    )
    .exists()
)
_POSITIONS = (
    select(Requirement.activity_id, func.min(Requirement.position))
    .join(DirectiveVersion, DirectiveVersion.id == Requirement.directive_version_id)
    .where(
        DirectiveVersion.effective_on <= _DAY,
        is_known_fact(DirectiveVersion),
        ~DirectiveVersion.withdrawn,
        ~_IS_SUPERSEDED,
    )
    .group_by(Requirement.activity_id)
)


def modules_in_order(day: date) -> list[ModuleVersion]:
    """Return the newest version of each module offered, in the order of the directives in force on ``day``.

    A module in several directives takes its earliest position; modules that none requires come last. Those
    at the same position are ordered by title.
    """
    positions = _earliest_positions(day)
    last = len(positions) + max(positions.values(), default=0)
    return sorted(
        offered_modules(),
        key=lambda version: (positions.get(version.activity_id, last), version.title),
    )


def _earliest_positions(day: date) -> dict[int, int]:
    """Return the earliest position of each activity that a directive requires on ``day``."""
    return {activity_id: position for activity_id, position in read(_POSITIONS, {"day": day})}


# A person's newest pass of a module, for its certificate and its page.

_REVOKED = select(Revocation.id).where(Revocation.record_id == Record.id, is_known_fact(Revocation))
_FIRST = aliased(Record)  # a correction keeps the reference, and the pass of the row before it
_VERSION = (
    select(ModuleVersion.number)
    .join(PassRecord, PassRecord.module_version_id == ModuleVersion.id)
    .join(_FIRST, _FIRST.id == PassRecord.record_id)
    .where(_FIRST.reference == Record.reference)
    .correlate(Record)
    .scalar_subquery()
)
_NEWEST_PASS = (
    select(Record.reference, Record.achieved_at, _VERSION)
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


class NewestPass(NamedTuple):
    """The newest pass of a module, as its page shows it."""

    reference: str
    achieved_at: datetime
    version: int | None  # its number; None: of another source


def read_newest_pass(person_id: int, slug: str) -> NewestPass | None:
    """Return the person's newest record for this module that is not revoked. One statement."""
    rows = read(_NEWEST_PASS, {"person_id": person_id, "slug": slug})
    return NewestPass(*rows[0]) if rows else None
