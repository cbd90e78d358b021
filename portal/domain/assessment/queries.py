"""Attempts, their answers and their results."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from sqlalchemy import and_, bindparam, func, or_, select

from portal.domain.assessment.models import Attempt, Response, Submission, reaches_mastery
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.catalogue.version_cache import (
    SHARED_KEY_COLUMNS,
    PublishedItem,
    PublishedVersion,
    SharedKey,
    VersionKey,
    published_version,
)
from portal.domain.item_kinds import kinds_by_name
from portal.domain.item_kinds.base import Answer, ItemKind
from portal.domain.people.services import notes_of
from portal.domain.records.models import ExtraAttempt, Registration
from portal.platform.db import db, lock_rows, read
from portal.platform.errors import NotFoundError
from portal.platform.wording import score_words

# When the next attempt may begin after fails: a wait after each, a pause after several. Pure.


class WaitRules(Protocol):
    """The rules of a module version."""

    @property
    def wait_minutes(self) -> int:
        """Minutes after each fail."""

    @property
    def pause_after(self) -> int:
        """Number of fails after which there is a pause; 0: none."""

    @property
    def pause_hours(self) -> int:
        """Hours of the pause."""


@dataclass(frozen=True, slots=True)
class Fails:
    """The failed attempts under a registration that is not passed."""

    count: int = 0
    last_at: datetime | None = None  # when the latest was submitted
    helped: bool = False  # somebody has opened an attempt since


def pause_ends_at(rules: WaitRules, fails: Fails) -> datetime | None:
    """Return when the pause after the latest fail ends; None if there is none.

    There is a pause after every ``pause_after`` fails: after the third, the sixth and so on. An attempt that
    is opened for the person ends it.
    """
    is_due = rules.pause_after > 0 and fails.count > 0 and fails.count % rules.pause_after == 0
    if not is_due or fails.helped or fails.last_at is None:
        return None
    return fails.last_at + timedelta(hours=rules.pause_hours)


def attempt_opens_at(rules: WaitRules, fails: Fails) -> datetime | None:
    """Return when the next attempt may begin, after wait and pause; None if it may at once."""
    ends = [pause_ends_at(rules, fails)]
    if fails.last_at is not None and rules.wait_minutes:
        ends.append(fails.last_at + timedelta(minutes=rules.wait_minutes))
    return max((end for end in ends if end is not None), default=None)


def is_paused(rules: WaitRules, fails: Fails, now: datetime) -> bool:
    """Whether a pause is not over, so that somebody may end it."""
    end = pause_ends_at(rules, fails)
    return end is not None and now < end


NO_ANSWER = Answer()
NO_SUCH_QUESTION = "There is no such question."


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """The columns of ``Attempt`` that are fixed when it begins."""

    id: UUID
    registration_id: int
    number: int
    mastery_score: Decimal
    drawn: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class MarkedSubmission:
    """The columns of ``Submission``."""

    score_raw: Decimal
    score_max: int
    mastery_score: Decimal
    marks: dict[str, str]
    submitted_at: datetime

    @property
    def passed(self) -> bool:
        """Whether the marks reach the mastery score."""
        return reaches_mastery(self.score_raw, self.score_max, self.mastery_score)

    @property
    def score_words(self) -> str:
        """Marks and percentage."""
        return score_words(self.score_raw, self.score_max)


@dataclass(frozen=True, slots=True)
class AttemptRegistration:
    """The registration under which an attempt was made."""

    id: int
    person_id: int
    activity_id: int
    duties: Sequence[str]  # by which the learner's lessons were chosen


@dataclass(frozen=True, slots=True)
class AttemptDetail:
    """An attempt with its registration, module version and submission, but without responses."""

    attempt: AttemptRow
    registration: AttemptRegistration
    version: PublishedVersion
    shared: SharedKey  # of the glossary and settings current now
    submission: MarkedSubmission | None

    @property
    def drawn_items(self) -> list[dict[str, Any]]:
        """The items in their order, as in ``Attempt.drawn``."""
        return self.attempt.drawn


@dataclass(frozen=True, slots=True)
class AttemptQuestion:
    """A drawn item with the learner's latest response."""

    number: int  # counts from 1
    item: PublishedItem
    order: tuple[str, ...]  # the kind's shufflable keys, in the order of this attempt
    answer: Answer

    @property
    def kind(self) -> ItemKind:
        """The kind of the item."""
        return kinds_by_name()[self.item.kind]

    @property
    def has_response(self) -> bool:
        """Whether a response was saved."""
        return bool(self.answer.choices)

    @property
    def is_answered(self) -> bool:
        """Whether the whole item is answered."""
        return self.has_response and self.kind.is_complete(self.item.content, self.answer.choices)

    @property
    def item_view(self) -> Any:
        """What the kind's templates show: the item in the order of this attempt, with the response."""
        return self.kind.build_view(self.item.content, self.order, self.answer)

    @property
    def answer_summary(self) -> list[str]:
        """The response as one or more lines of safe HTML."""
        return self.kind.summarise_answer(self.item.content, self.order, self.answer)


@dataclass(frozen=True, slots=True)
class AnswerSheet(AttemptDetail):
    """An attempt with its questions in order and their latest responses."""

    questions: tuple[AttemptQuestion, ...]

    @property
    def unanswered_numbers(self) -> list[int]:
        """Numbers of the questions that are not fully answered."""
        return [question.number for question in self.questions if not question.is_answered]

    def question_at(self, number: int) -> AttemptQuestion:
        """Return the question with this number."""
        if not 1 <= number <= len(self.questions):
            raise NotFoundError(NO_SUCH_QUESTION)
        return self.questions[number - 1]


_ATTEMPT = (Attempt.id, Attempt.registration_id, Attempt.number, Attempt.mastery_score, Attempt.drawn)
_SUBMISSION = (
    Submission.score_raw,
    Submission.score_max,
    Submission.mastery_score.label("mastery_reached"),
    Submission.marks,
    Submission.submitted_at,
)
_VERSION_KEY = (ModuleVersion.id, ModuleVersion.digest, ModuleVersion.recorded_at)
_SHARED: tuple[Any, ...] = tuple(column.scalar_subquery() for column in SHARED_KEY_COLUMNS)
_OWN_ATTEMPT: Any = (
    select(
        *_ATTEMPT,
        *_SUBMISSION,
        *_VERSION_KEY,
        *_SHARED,
        Registration.id,
        Registration.person_id,
        Registration.activity_id,
        Registration.duties,
    )
    .join(Registration, Registration.id == Attempt.registration_id)
    .join(ModuleVersion, ModuleVersion.id == Registration.module_version_id)
    .outerjoin(Submission, Submission.attempt_id == Attempt.id)
    .where(Attempt.id == bindparam("attempt_id"), Registration.person_id == bindparam("person_id"))
)
_LOCK_ATTEMPT = select(Attempt.id).where(Attempt.id == bindparam("attempt_id")).with_for_update()
_ALL_ATTEMPTS: Any = (
    select(*_ATTEMPT, *_SUBMISSION)
    .outerjoin(Submission, Submission.attempt_id == Attempt.id)
    .where(Attempt.registration_id == bindparam("registration_id"))
    .order_by(Attempt.number)
)
_IS_EARLIER = or_(
    Attempt.registration_id < bindparam("registration_id"),
    and_(Attempt.registration_id == bindparam("registration_id"), Attempt.number < bindparam("number")),
)
_EARLIER_ITEMS = (
    select(Attempt.drawn)
    .join(Registration, Registration.id == Attempt.registration_id)
    .where(
        Registration.person_id == bindparam("person_id"),
        Registration.module_version_id == bindparam("version_id"),
        _IS_EARLIER,
    )
)
_EXTRA_ATTEMPT_DAYS = (
    select(ExtraAttempt.opened_on)
    .where(ExtraAttempt.registration_id == bindparam("registration_id"))
    .order_by(ExtraAttempt.id)
)
_RESPONSES = (
    select(Response.id, Response.item_id, Response.choices)
    .where(Response.attempt_id == bindparam("attempt_id"))
    .order_by(Response.id)
)


def lock_attempt(attempt_id: UUID) -> None:
    """Let other transactions wait to write in an attempt until this one ends."""
    lock_rows(_LOCK_ATTEMPT, {"attempt_id": attempt_id})


def own_attempt(attempt_id: UUID, person_id: int, *, lock: bool = False) -> AttemptDetail:
    """Return an attempt of this person; ``lock`` keeps others from writing in it during this transaction."""
    if lock:  # first, so that the next query sees others' writes
        lock_attempt(attempt_id)
    rows = read(_OWN_ATTEMPT, {"attempt_id": attempt_id, "person_id": person_id})
    if not rows:
        raise NotFoundError("There is no such attempt.")
    summary, other_columns = _attempt_summary(rows[0]), rows[0][10:]
    return AttemptDetail(
        summary.attempt,
        registration=AttemptRegistration(*other_columns[5:]),
        version=published_version(VersionKey(*other_columns[:3])),
        shared=SharedKey(*other_columns[3:5]),
        submission=summary.submission,
    )


def load_answer_sheet(attempt: AttemptDetail) -> AnswerSheet:
    """Return the attempt with its questions and their latest responses."""
    version = attempt.version
    items = {item.id: item for item in version.items}
    answers = _latest_answers(attempt.attempt.id, items)
    questions = tuple(
        AttemptQuestion(
            number, items[drawn["item_id"]], tuple(drawn["order"]), answers.get(drawn["item_id"], NO_ANSWER)
        )
        for number, drawn in enumerate(attempt.drawn_items, start=1)
    )
    return AnswerSheet(
        attempt.attempt,
        attempt.registration,
        version,
        attempt.shared,
        attempt.submission,
        questions=questions,
    )


def _latest_answers(attempt_id: UUID, items: dict[int, PublishedItem]) -> dict[int, Answer]:
    """Return the last response for each item; a second statement reads texts if any kind has them."""
    rows = read(_RESPONSES, {"attempt_id": attempt_id})
    last = {item_id: (response_id, choices) for response_id, item_id, choices in rows}
    response_ids = [
        response_id
        for item_id, (response_id, _) in last.items()
        if kinds_by_name()[items[item_id].kind].takes_texts
    ]
    texts = notes_of(Response.__tablename__, response_ids) if response_ids else {}
    return {
        item_id: Answer(tuple(choices), texts.get(response_id, {}))
        for item_id, (response_id, choices) in last.items()
    }


@dataclass(frozen=True, slots=True)
class AttemptSummary:
    """One attempt and its submission, if there is one."""

    attempt: AttemptRow
    submission: MarkedSubmission | None


def list_attempts(registration_id: int) -> list[AttemptSummary]:
    """List every attempt under a registration in the order of their beginning. One statement."""
    rows = read(_ALL_ATTEMPTS, {"registration_id": registration_id})
    return [_attempt_summary(row) for row in rows]


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
    """The number and state of the attempts under a registration."""

    open_attempt: UUID | None  # the one under way
    attempt_count: int
    ended_at: datetime | None  # when the latest was submitted
    ended_attempt: UUID | None  # the latest submitted
    helped: bool  # whether an attempt was opened after that
    extra_attempts: int  # opened beyond those that the module allows at the time
    extra_opened_on: date | None  # the day on which the latest of them was opened

    @property
    def fails(self) -> Fails:
        """The attempts that ended, if the registration is not passed."""
        return Fails(self.attempt_count - (self.open_attempt is not None), self.ended_at, self.helped)


NO_ATTEMPTS = AttemptTally(None, 0, None, None, False, 0, None)
_IS_EXTRA = ExtraAttempt.registration_id == Attempt.registration_id
_ATTEMPT_STATES = (
    select(
        Attempt.registration_id,
        Attempt.id,
        Submission.submitted_at,
        select(func.count())
        .where(_IS_EXTRA, ExtraAttempt.recorded_at > Submission.recorded_at)
        .correlate(Attempt, Submission)
        .scalar_subquery(),
        select(func.count()).where(_IS_EXTRA).correlate(Attempt).scalar_subquery(),
        select(func.max(ExtraAttempt.opened_on)).where(_IS_EXTRA).correlate(Attempt).scalar_subquery(),
    )
    .outerjoin(Submission, Submission.attempt_id == Attempt.id)
    .where(Attempt.registration_id.in_(bindparam("registrations", expanding=True)))
)


def tally_attempts(registration_ids: list[int]) -> dict[int, AttemptTally]:
    """Count the attempts under each registration that has any. One statement."""
    tallies: dict[int, AttemptTally] = {}
    rows = read(_ATTEMPT_STATES, {"registrations": registration_ids})
    for registration_id, attempt_id, submitted, opened_since, *extra in rows:
        earlier = tallies.get(registration_id, NO_ATTEMPTS)
        under_way, ended = earlier.open_attempt, (earlier.ended_at, earlier.ended_attempt, earlier.helped)
        if submitted is None:
            under_way = attempt_id
        elif earlier.ended_at is None or submitted > earlier.ended_at:
            ended = (submitted, attempt_id, opened_since > 0)
        tallies[registration_id] = AttemptTally(under_way, earlier.attempt_count + 1, *ended, *extra)
    return tallies


def attempt_tally(registration_id: int) -> AttemptTally:
    """Count the attempts under one registration. One statement."""
    return tally_attempts([registration_id]).get(registration_id, NO_ATTEMPTS)


def earlier_item_ids(person_id: int, version_id: int, registration_id: int, number: int) -> list[int]:
    """Return ids of the items that a person was shown before an attempt, once for each time."""
    before = {"registration_id": registration_id, "number": number}
    rows = read(_EARLIER_ITEMS, {"person_id": person_id, "version_id": version_id, **before})
    return [drawn["item_id"] for row in rows for drawn in row[0]]


def extra_attempt_days(registration_id: int) -> list[date]:
    """Return the days on which extra attempts were opened under a registration, in order."""
    return [day for (day,) in read(_EXTRA_ATTEMPT_DAYS, {"registration_id": registration_id})]


def has_open_attempt(person_id: int, activity_id: int) -> bool:
    """Whether the person has an attempt at this module that is not submitted."""
    count: int | None = db.session.scalar(
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
    return bool(count)


def attempts_left(version: PublishedVersion, begun: int, opened: int) -> int | None:
    """Return how many more attempts may begin; None if the module sets no limit.

    Args:
        version: The module version, which sets the limit.
        begun: Number of attempts begun under the registration.
        opened: Number of extra attempts opened.
    """
    return max(0, version.attempts + opened - begun) if version.attempts else None


def missed_outcomes(sheet: AnswerSheet) -> list[dict[str, Any]]:
    """Return the outcomes in which a mark was lost, with the path's lessons, in order; never which item."""
    if sheet.submission is None:
        return []
    marks, path = sheet.submission.marks, sheet.version.lessons_for(sheet.registration.duties)
    missed_keys = {q.item.outcome for q in sheet.questions if marks[str(q.item.id)] != "1.0000"}
    return [
        {
            "text": outcome["text"],
            "lessons": [lesson for lesson in path if outcome["key"] in lesson.outcomes],
        }
        for outcome in sheet.version.outcomes
        if outcome["key"] in missed_keys
    ]
