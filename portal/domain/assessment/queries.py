"""Reading attempts: as the learner meets them, and as they were marked."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, func, or_, select

from portal.domain.assessment.models import Attempt, Response, Submission, reaches_mastery
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.catalogue.queries import SHARED_KEY_COLUMNS, SharedKey
from portal.domain.catalogue.version_cache import (
    PublishedItem,
    PublishedVersion,
    VersionKey,
    published_version,
)
from portal.domain.item_kinds import kinds_by_name
from portal.domain.item_kinds.base import Answer, ItemKind
from portal.domain.people.notes import notes_of
from portal.domain.records.models import ExtraAttempt, Registration
from portal.platform.db import db, read
from portal.platform.errors import NotFoundError

NO_ANSWER = Answer()


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt as it began, as in ``Attempt``."""

    id: UUID
    registration_id: int
    number: int
    mastery_score: Decimal
    drawn: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class MarkedSubmission:
    """The marked end of an attempt, as in ``Submission``."""

    score_raw: Decimal
    score_max: int
    mastery_score: Decimal
    marks: dict[str, str]
    submitted_at: datetime

    @property
    def passed(self) -> bool:
        """Whether the marks reach the mastery score."""
        return reaches_mastery(self.score_raw, self.score_max, self.mastery_score)


@dataclass(frozen=True, slots=True)
class AttemptRegistration:
    """Whose attempt it is, and in what."""

    id: int
    person_id: int
    activity_id: int


@dataclass(frozen=True, slots=True)
class AttemptDetail:
    """An attempt with all that is known of it but its responses."""

    attempt: AttemptRow
    registration: AttemptRegistration
    version: PublishedVersion
    shared: SharedKey  # names the glossary of this instant
    submission: MarkedSubmission | None

    @property
    def drawn_items(self) -> list[dict[str, Any]]:
        """The items in their order."""
        return self.attempt.drawn


@dataclass(frozen=True, slots=True)
class Question:
    """A drawn item with the learner's latest response."""

    number: int  # counts from 1
    item: PublishedItem
    order: tuple[str, ...]  # what this attempt put in random order, as it shows it
    answer: Answer

    @property
    def kind(self) -> ItemKind:
        """How an item of this kind is asked, marked and read back."""
        return kinds_by_name()[self.item.kind]

    @property
    def has_response(self) -> bool:
        """Whether a response was saved."""
        return bool(self.answer.choices)

    @property
    def is_answered(self) -> bool:
        """Whether nothing is left to be answered."""
        return self.has_response and self.kind.is_complete(self.item.content, self.answer.choices)

    @property
    def item_view(self) -> Any:
        """What the kind's templates show: the item in this attempt's order, with the response."""
        return self.kind.build_view(self.item.content, self.order, self.answer)

    @property
    def answer_summary(self) -> list[str]:
        """The response in a line or a few, as safe HTML."""
        return self.kind.summarise_answer(self.item.content, self.order, self.answer)


@dataclass(frozen=True, slots=True)
class AnswerSheet(AttemptDetail):
    """An attempt as it is worked through: its questions in their order."""

    questions: tuple[Question, ...]

    @property
    def unanswered_numbers(self) -> list[int]:
        """Numbers of the questions without a response."""
        return [question.number for question in self.questions if not question.is_answered]

    def question_at(self, number: int) -> Question:
        """The question of this number.

        Raises:
            NotFoundError: There is none.
        """
        if not 1 <= number <= len(self.questions):
            raise NotFoundError("There is no such question.")
        return self.questions[number - 1]


_ATTEMPT = (Attempt.id, Attempt.registration_id, Attempt.number, Attempt.mastery_score, Attempt.drawn)
_SUBMISSION = (
    Submission.score_raw,
    Submission.score_max,
    Submission.mastery_score.label("mastery_reached"),
    Submission.marks,
    Submission.submitted_at,
)
_NAME = (ModuleVersion.id, ModuleVersion.digest, ModuleVersion.recorded_at)
_SHARED: tuple[Any, ...] = tuple(column.scalar_subquery() for column in SHARED_KEY_COLUMNS)
_OWN: Any = (
    select(
        *_ATTEMPT,
        *_SUBMISSION,
        *_NAME,
        *_SHARED,
        Registration.id,
        Registration.person_id,
        Registration.activity_id,
    )
    .join(Registration, Registration.id == Attempt.registration_id)
    .join(ModuleVersion, ModuleVersion.id == Registration.module_version_id)
    .outerjoin(Submission, Submission.attempt_id == Attempt.id)
    .where(Attempt.id == bindparam("attempt_id"), Registration.person_id == bindparam("person_id"))
)
_LOCK = select(Attempt.id).where(Attempt.id == bindparam("attempt_id")).with_for_update()
_RUNS: Any = (
    select(*_ATTEMPT, *_SUBMISSION)
    .outerjoin(Submission, Submission.attempt_id == Attempt.id)
    .where(Attempt.registration_id == bindparam("registration_id"))
    .order_by(Attempt.number)
)
_BEFORE = or_(
    Attempt.registration_id < bindparam("registration_id"),
    and_(Attempt.registration_id == bindparam("registration_id"), Attempt.number < bindparam("number")),
)
_ASKED = (
    select(Attempt.drawn)
    .join(Registration, Registration.id == Attempt.registration_id)
    .where(
        Registration.person_id == bindparam("person_id"),
        Registration.module_version_id == bindparam("version_id"),
        _BEFORE,
    )
)
_OPENED = (
    select(ExtraAttempt.opened_on)
    .where(ExtraAttempt.registration_id == bindparam("registration_id"))
    .order_by(ExtraAttempt.id)
)
_RESPONSES = (
    select(Response.id, Response.item_id, Response.choices)
    .where(Response.attempt_id == bindparam("attempt_id"))
    .order_by(Response.id)
)


def own_attempt(attempt_id: UUID, person_id: int, *, lock: bool = False) -> AttemptDetail:
    """An attempt of this person; with ``lock`` no one else writes in it before this transaction ends.

    Raises:
        NotFoundError: There is none, or it is someone else's.
    """
    if lock and db.engine.dialect.name == "postgresql":  # SQLite's writers wait for each other anyway
        read(_LOCK, {"attempt_id": attempt_id})  # first, so that what waited is seen below
    rows = read(_OWN, {"attempt_id": attempt_id, "person_id": person_id})
    if not rows:
        raise NotFoundError("There is no such attempt.")
    run, rest = _attempt_summary(rows[0]), rows[0][10:]
    return AttemptDetail(
        run.attempt,
        registration=AttemptRegistration(*rest[5:]),
        version=published_version(VersionKey(*rest[:3])),
        shared=SharedKey(*rest[3:5]),
        submission=run.submission,
    )


def load_answer_sheet(taken: AttemptDetail) -> AnswerSheet:
    """The attempt with its questions, choices and latest responses."""
    version = taken.version
    items = {item.id: item for item in version.items}
    answers = _answers(taken.attempt.id, items)
    questions = tuple(
        Question(
            number, items[drawn["item_id"]], tuple(drawn["order"]), answers.get(drawn["item_id"], NO_ANSWER)
        )
        for number, drawn in enumerate(taken.drawn_items, start=1)
    )
    return AnswerSheet(
        taken.attempt, taken.registration, version, taken.shared, taken.submission, questions=questions
    )


def _answers(attempt_id: UUID, items: dict[int, PublishedItem]) -> dict[int, Answer]:
    """The last response for each item; with its texts, in a second statement, where learners write some."""
    rows = read(_RESPONSES, {"attempt_id": attempt_id})
    last = {item_id: (response_id, choices) for response_id, item_id, choices in rows}
    written = [held[0] for item_id, held in last.items() if kinds_by_name()[items[item_id].kind].takes_texts]
    texts = notes_of(Response.__tablename__, written) if written else {}
    return {
        item_id: Answer(tuple(choices), texts.get(response_id, {}))
        for item_id, (response_id, choices) in last.items()
    }


@dataclass(frozen=True, slots=True)
class AttemptSummary:
    """One attempt and how it ended, if it did."""

    attempt: AttemptRow
    submission: MarkedSubmission | None


def list_attempts(registration_id: int) -> list[AttemptSummary]:
    """Every attempt under a registration, the first begun first. One statement."""
    return [_attempt_summary(row) for row in read(_RUNS, {"registration_id": registration_id})]


def _attempt_summary(row: Sequence[Any]) -> AttemptSummary:
    """The attempt of a row that begins with the columns of the attempt and of its submission."""
    attempt_id, registration_id, number, mastery_score, drawn, *rest = row
    score_raw, score_max, mastery_reached, marks, submitted_at, *_ = rest
    attempt = AttemptRow(attempt_id, registration_id, number, mastery_score, drawn)
    if submitted_at is None:
        return AttemptSummary(attempt, None)
    return AttemptSummary(
        attempt, MarkedSubmission(score_raw, score_max, mastery_reached, marks, submitted_at)
    )


class AttemptTally(NamedTuple):
    """The attempts that a person began under a registration."""

    open_attempt: UUID | None  # the one under way
    attempt_count: int
    ended_at: datetime | None  # when the latest was submitted
    ended_attempt: UUID | None  # the latest submitted
    extra_attempts: int  # attempts opened beyond those that the module allows
    extra_opened_on: date | None  # when the latest of them was


NO_ATTEMPTS = AttemptTally(None, 0, None, None, 0, None)
_EXTRA = ExtraAttempt.registration_id == Attempt.registration_id
_BEGUN = (
    select(
        Attempt.registration_id,
        Attempt.id,
        Submission.submitted_at,
        select(func.count()).where(_EXTRA).correlate(Attempt).scalar_subquery(),
        select(func.max(ExtraAttempt.opened_on)).where(_EXTRA).correlate(Attempt).scalar_subquery(),
    )
    .outerjoin(Submission, Submission.attempt_id == Attempt.id)
    .where(Attempt.registration_id.in_(bindparam("registrations", expanding=True)))
)


def tally_attempts(registration_ids: list[int]) -> dict[int, AttemptTally]:
    """The attempts begun, by registration that has any. One statement."""
    found: dict[int, AttemptTally] = {}
    for registration_id, attempt_id, submitted, *opened in read(_BEGUN, {"registrations": registration_ids}):
        earlier = found.get(registration_id, NO_ATTEMPTS)
        under_way, ended = earlier.open_attempt, (earlier.ended_at, earlier.ended_attempt)
        if submitted is None:
            under_way = attempt_id
        elif earlier.ended_at is None or submitted > earlier.ended_at:
            ended = (submitted, attempt_id)
        found[registration_id] = AttemptTally(under_way, earlier.attempt_count + 1, *ended, *opened)
    return found


def earlier_item_ids(person_id: int, version_id: int, registration_id: int, number: int) -> list[int]:
    """Ids of the items of a version that a person was asked before an attempt, once for each time."""
    before = {"registration_id": registration_id, "number": number}
    rows = read(_ASKED, {"person_id": person_id, "version_id": version_id, **before})
    return [drawn["item_id"] for row in rows for drawn in row[0]]


def extra_attempt_days(registration_id: int) -> list[date]:
    """The days on which one more attempt was opened under a registration, the first first."""
    rows = read(_OPENED, {"registration_id": registration_id})
    return [row[0] for row in rows]


def has_open_attempt(person_id: int, activity_id: int) -> bool:
    """Whether the person is being assessed in this module at present."""
    found: int | None = db.session.scalar(
        select(func.count())
        .select_from(Attempt)
        .join(Registration, Registration.id == Attempt.registration_id)
        .outerjoin(Submission, Submission.attempt_id == Attempt.id)
        .where(
            Registration.person_id == person_id,
            Registration.activity_id == activity_id,
            Submission.attempt_id.is_(None),
        )
    )
    return bool(found)


def next_attempt_opens_at(version: PublishedVersion, runs: list[AttemptSummary]) -> datetime | None:
    """From when the next attempt may begin, where the module makes one wait after a fail."""
    ends = [run.submission.submitted_at for run in runs if run.submission is not None]
    return next_attempt_opens_after(version, max(ends, default=None))


def next_attempt_opens_after(version: PublishedVersion, ended_at: datetime | None) -> datetime | None:
    """As ``next_attempt_opens_at``, given when the latest attempt was submitted."""
    if ended_at is None or not version.wait_minutes:
        return None
    return ended_at + timedelta(minutes=version.wait_minutes)


def attempts_left(version: PublishedVersion, begun: int, opened: int) -> int | None:
    """How many more attempts may begin; None where the module sets no limit.

    Args:
        version: Says how many the module allows.
        begun: Attempts begun under the registration.
        opened: Attempts that somebody opened beyond those.
    """
    return max(0, version.attempts + opened - begun) if version.attempts else None


def missed_outcomes(sheet: AnswerSheet) -> list[dict[str, Any]]:
    """Outcomes in which a mark was lost, in the module's order, each with its lessons; never which item."""
    if sheet.submission is None:
        return []
    marks = sheet.submission.marks
    lost = {q.item.outcome for q in sheet.questions if marks[str(q.item.id)] != "1.0000"}
    return [
        {
            "text": outcome["text"],
            "lessons": [lesson for lesson in sheet.version.lessons if outcome["key"] in lesson.outcomes],
        }
        for outcome in sheet.version.outcomes
        if outcome["key"] in lost
    ]


class StudyPlan(NamedTuple):
    """What the lessons of missed outcomes amount to."""

    lessons: int
    minutes: int


def study_plan(missed: list[dict[str, Any]]) -> StudyPlan:
    """How many lessons the outcomes of ``missed_outcomes`` name, each counted once, and their minutes."""
    lessons = {lesson.id: lesson.minutes for outcome in missed for lesson in outcome["lessons"]}
    return StudyPlan(len(lessons), sum(lessons.values()))
