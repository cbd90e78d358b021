"""Starting of attempts, saving of responses, submission, and opening of extra attempts."""

import random
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import and_, bindparam, insert, select

from portal.domain.assessment import queries
from portal.domain.assessment.errors import (
    AlreadyPassedError,
    AlreadySubmittedError,
    AttemptsRemainError,
    LessonsFirstError,
    NoAttemptsLeftError,
    OwnAttemptError,
    TooSoonError,
    UnansweredItemsError,
)
from portal.domain.assessment.models import Attempt, Response, Submission
from portal.domain.assessment.queries import (
    NO_ANSWER,
    NO_SUCH_QUESTION,
    AttemptDetail,
    AttemptQuestion,
    AttemptRow,
    attempt_opens_at,
    is_paused,
    lock_attempt,
)
from portal.domain.cases import CaseCopy, CaseRubric, CaseStep, copy_ids_of, rubric_ids_of, step_ids_of
from portal.domain.catalogue.version_cache import (
    PublishedVersion,
    published_version,
    shared_content,
    version_key,
)
from portal.domain.item_kinds import kinds_by_name
from portal.domain.item_kinds.base import Answer, AnswerError, FormValues
from portal.domain.people.queries import post_names
from portal.domain.people.services import erase_notes, notes_of, write_notes
from portal.domain.people.staff_numbers import duties_of_posts
from portal.domain.records import queries as records
from portal.domain.records.models import ExtraAttempt, Registration
from portal.domain.records.services import record_pass
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import db, read, stamp, write_row
from portal.platform.errors import NotFoundError

# Saving of answers in an attempt: what everyone does most at once, so it reads and writes little.

NO_WAY_BACK = "You have already decided here, and there is no way back. Go on from this scene"

_INSERT_RESPONSE = insert(Response)
_LAST_RESPONSE: Any = (
    select(Submission.attempt_id, Response.id, Response.choices)
    .select_from(Attempt)
    .outerjoin(Submission, Submission.attempt_id == Attempt.id)
    .outerjoin(Response, and_(Response.attempt_id == Attempt.id, Response.item_id == bindparam("item_id")))
    .where(Attempt.id == bindparam("attempt_id"))
    .order_by(Response.id.desc())
    .limit(1)
)


def save_response(attempt: AttemptDetail, number: int, form: FormValues, at: datetime) -> bool:
    """Save the answer to a question. Each save is a new row; the last before submission counts.

    Repeat-safe: an answer equal to the saved one writes nothing.

    Args:
        attempt: As read before this transaction. It is locked here, so that nothing is saved during a
            submission.
        number: The question's number, from 1.
        form: The submitted form.
        at: Now.

    Returns:
        Whether to go on to the next question; False if a scenario led to another scene.

    Raises:
        AlreadySubmittedError: The attempt has ended.
        AnswerError: Something is missing, or is not one of the question's options.
    """
    question = _lock_question(attempt, number)
    new_answer = question.kind.read_answer(question.item.content, question.order, form)
    if not question.kind.may_replace(question.answer, new_answer):
        raise AnswerError((NO_WAY_BACK, "scene"), saved=True)
    if new_answer != question.answer:
        _write_response(attempt.attempt.id, question.item.id, new_answer, at)
    return not new_answer.repeats_question


def _write_response(attempt_id: UUID, item_id: int, answer: Answer, at: datetime) -> None:
    row = {"attempt_id": attempt_id, "item_id": item_id, "choices": list(answer.choices)}
    response_id = write_row(_INSERT_RESPONSE, {**row, "saved_at": at, "recorded_at": at})
    if answer.texts:
        write_notes(Response.__tablename__, response_id, answer.texts)


def _lock_question(attempt: AttemptDetail, number: int) -> AttemptQuestion:
    """Return one question with its latest response, and let others wait to write in the attempt.

    They wait until this transaction ends. One short statement, which all who save wait for on SQLite.

    Args:
        attempt: As read before this transaction.
        number: The question's number, from 1.

    Raises:
        AlreadySubmittedError: The attempt has ended.
    """
    if not 1 <= number <= len(attempt.drawn_items):
        raise NotFoundError(NO_SUCH_QUESTION)
    drawn = attempt.drawn_items[number - 1]
    item = next(item for item in attempt.version.items if item.id == drawn["item_id"])
    lock_attempt(attempt.attempt.id)  # first, to see what others wrote
    rows = read(_LAST_RESPONSE, {"attempt_id": attempt.attempt.id, "item_id": item.id})
    submitted, response_id, choices = rows[0]
    if submitted is not None:
        raise AlreadySubmittedError
    texts = {}
    if response_id is not None and kinds_by_name()[item.kind].takes_texts:
        texts = notes_of(Response.__tablename__, [response_id]).get(response_id, {})
    answer = NO_ANSWER if response_id is None else Answer(tuple(choices), texts)
    return AttemptQuestion(number, item, tuple(drawn["order"]), answer)


# Random selection of an attempt's items; pure, given its source of chance.


@dataclass(frozen=True, slots=True)
class CandidateItem:
    """An item that may be drawn."""

    id: int
    outcome: str
    choices: tuple[str, ...]  # keys
    duties: tuple[str, ...] = ()  # it is for; none: for all alike


OF_OWN_DUTY, FOR_ALL, OF_OTHER_DUTY = 4, 2, 1  # how likely, against each other, an item is to come first


def weight_item(item: CandidateItem, duties: Collection[str]) -> int:
    """How likely an item is to be drawn for a learner with these duties; never 0, so that all can be met."""
    if not item.duties:
        return FOR_ALL
    return OF_OWN_DUTY if set(item.duties) & set(duties) else OF_OTHER_DUTY


def draw_items(
    candidates: Sequence[CandidateItem],
    outcomes: Sequence[str],
    *,
    count: int,
    at_least: int,
    seen: Iterable[int],
    chance: random.Random,
    duties: Collection[str] = (),
) -> list[CandidateItem]:
    """Draw items at random, at least ``at_least`` for each outcome; shuffle them and their choices.

    Items that the learner has met least often in earlier attempts are drawn first; among those, items for
    one of the learner's duties are likelier to come first than items for all, and these than the others.
    Never more than ``count`` items unless the outcomes need more; all items if the bank has fewer.

    Args:
        candidates: The items of the module version that are not retired.
        outcomes: Keys of the outcomes.
        count: Items an attempt.
        at_least: Items for each outcome, as far as the bank has them.
        seen: Ids of items drawn in earlier attempts, once for each time.
        chance: Source of chance.
        duties: The learner's; none: every item is as likely as another.
    """
    pool = _order_at_random(candidates, duties, chance)
    times_seen = Counter(seen)
    pool.sort(key=lambda candidate: times_seen[candidate.id])  # stable: random among those seen equally often
    picked: list[CandidateItem] = []
    for outcome in outcomes:
        picked += [candidate for candidate in pool if candidate.outcome == outcome][:at_least]
    rest = [candidate for candidate in pool if candidate not in picked]
    picked += rest[: max(0, count - len(picked))]
    chance.shuffle(picked)
    return [
        CandidateItem(item.id, item.outcome, tuple(chance.sample(item.choices, len(item.choices))))
        for item in picked
    ]


def _order_at_random(
    candidates: Sequence[CandidateItem], duties: Collection[str], chance: random.Random
) -> list[CandidateItem]:
    """Order at random so that at each place an item comes with a probability in proportion to its weight.

    Source: Efraimidis and Spirakis, Weighted random sampling with a reservoir (2006): sort by u ** (1 / w).
    """
    pool = list(candidates)
    chance.shuffle(pool)
    if not duties:
        return pool
    keys = {item.id: chance.random() ** (1 / weight_item(item, duties)) for item in pool}
    return sorted(pool, key=lambda item: keys[item.id], reverse=True)


_INSERT_ATTEMPT = insert(Attempt)


class StartedAttempt(NamedTuple):
    """The attempt under way, and whether it begins now."""

    id: UUID
    is_new: bool


def start_attempt(registration_id: int, at: datetime) -> StartedAttempt:
    """Start an attempt: draw its items and freeze them with the mastery score.

    Only one attempt is open under a registration at a time, so a second call returns the open one.

    Args:
        registration_id: Locked here, so that two clicks cannot race.
        at: Now.

    Raises:
        AlreadyPassedError: The registration is passed.
        LessonsFirstError: A lesson is not complete and the module does not allow testing out.
        NoAttemptsLeftError: Every attempt that the module allows is used.
        TooSoonError: The module sets a wait after a fail, and it is not over.
    """
    registration = records.get_registration(registration_id, lock=True)
    version = published_version(version_key(registration.module_version_id))
    attempts = queries.list_attempts(registration.id)
    under_way = next((other.attempt for other in attempts if other.submission is None), None)
    if under_way is not None:
        return StartedAttempt(under_way.id, is_new=False)
    _refuse_start(registration, version, len(attempts), at)
    duties = _duties_for_draw(registration.person_id, version, at)
    attempt_id, number = uuid4(), len(attempts) + 1
    attempt = AttemptRow(
        id=attempt_id,
        registration_id=registration.id,
        number=number,
        mastery_score=version.mastery_score,
        drawn=draw_attempt_items(registration, attempt_id, number, duties),
    )
    times = {"started_at": at, "recorded_at": at}
    write_row(_INSERT_ATTEMPT, {**asdict(attempt), "duties": list(duties), **times})
    return StartedAttempt(attempt_id, is_new=True)


def _refuse_start(
    registration: Registration,
    version: PublishedVersion,
    begun: int,
    at: datetime,
) -> None:
    if records.pass_of(registration.id) is not None:
        raise AlreadyPassedError
    completed = records.completed_lessons([registration.id])[registration.id]
    lessons_are_left = any(lesson.id not in completed for lesson in version.lessons_for(registration.duties))
    if lessons_are_left and not shared_content().allows_test_out(version.test_out):
        raise LessonsFirstError
    tally = queries.attempt_tally(registration.id) if begun else queries.NO_ATTEMPTS
    if queries.attempts_left(version, begun, tally.extra_attempts) == 0:
        raise NoAttemptsLeftError
    opens_at = attempt_opens_at(version, tally.fails)
    if opens_at is not None and at < opens_at:
        raise TooSoonError(opens_at, is_pause=is_paused(version, tally.fails, at))


def _duties_for_draw(person_id: int, version: PublishedVersion, at: datetime) -> tuple[str, ...]:
    """The learner's duties by the posts of that day; none, and nothing is read, if no item is for any."""
    if not any(item.duties for item in version.items):
        return ()
    return duties_of_posts(post_names(person_id, london_day(at)), shared_content().values)


def open_extra_attempt(registration: Registration | None, *, by: int, reason: str, at: datetime) -> bool:
    """Open an extra attempt for a person who has used every one that the module allows, or is in a pause.

    Repeat-safe: a second call on the same London day under one registration changes nothing.

    Args:
        registration: The person's latest on the module.
        by: The person who opens it; never the learner.
        reason: A key of ``EXTRA_REASONS``.
        at: Now. The lock taken with the stamp keeps a second call from opening another meanwhile.

    Returns:
        Whether it was opened now; False if one was opened earlier today.

    Raises:
        OwnAttemptError: ``by`` is the learner.
        AttemptsRemainError: An attempt is left or under way, or the module is passed.
    """
    stamped, day = stamp(), london_day(at)
    number = registration.id if registration else 0  # all is read, also of none: the work tells nothing
    pass_record, opened_days = records.pass_of(number), queries.extra_attempt_days(number)
    tally = queries.attempt_tally(number)
    if registration is None or pass_record is not None:
        raise AttemptsRemainError
    if registration.person_id == by:
        raise OwnAttemptError
    if day in opened_days:
        return False
    version = published_version(version_key(registration.module_version_id))
    attempts_left = queries.attempts_left(version, tally.attempt_count, len(opened_days))
    if tally.open_attempt is not None or not (attempts_left == 0 or is_paused(version, tally.fails, at)):
        raise AttemptsRemainError
    fields = {"opened_on": day, "opened_by_id": by, "reason": reason}
    db.session.add(ExtraAttempt(recorded_at=stamped, registration_id=registration.id, **fields))
    detail = {"module": version.activity.key, "reason": reason}
    log("attempt.opened", actor_id=by, subject_id=registration.person_id, **detail)
    db.session.flush()
    return True


def draw_attempt_items(
    registration: Registration, attempt_id: UUID, number: int, duties: Collection[str]
) -> list[dict[str, object]]:
    """Draw the items of an attempt, in order. The same arguments always give the same items.

    The attempt's id is the seed: it is random, and not known to anyone before the draw. The duties are kept
    with the attempt. The rest depends on the version, which never changes, and on the items that the person
    was shown before this attempt.
    """
    version = published_version(version_key(registration.module_version_id))
    candidates = [
        CandidateItem(
            item.id,
            item.outcome,
            tuple(kinds_by_name()[item.kind].shufflable_keys(item.content)),
            tuple(item.duties),
        )
        for item in version.items
        if not item.retired
    ]
    drawn = draw_items(
        candidates,
        [outcome["key"] for outcome in version.outcomes],
        count=version.draw,
        at_least=version.at_least_per_outcome,
        seen=queries.earlier_item_ids(registration.person_id, version.id, registration.id, number),
        chance=random.Random(attempt_id.int),  # noqa: S311 - the seed is random already
        duties=duties,
    )
    return [{"item_id": item.id, "order": list(item.choices)} for item in drawn]


def submit_attempt(attempt: AttemptDetail, *, at: datetime) -> bool:
    """Mark the attempt and, if it reaches mastery, record the pass.

    Each item is worth at most one mark. Submitting twice is safe: the second call changes nothing and
    returns the same result.

    Args:
        attempt: Locked by the caller, after taking the stamp, so that two clicks cannot race.
        at: When it was submitted, by the clock.

    Returns:
        Whether the attempt passed.

    Raises:
        UnansweredItemsError: An item has no response. Nothing is changed.

    Source: cmi5 section 9.3.4 (scaled score at least masteryScore; one pass a registration).
    """
    if attempt.submission is not None:
        return attempt.submission.passed
    sheet = queries.load_answer_sheet(attempt)
    if sheet.unanswered_numbers:
        raise UnansweredItemsError(sheet.unanswered_numbers)
    submission = _mark_answers(sheet, at)
    person_id = sheet.registration.person_id
    db.session.add(submission)  # no status depends on it; only the pass below changes one
    log("attempt.submitted", actor_id=person_id, subject_id=person_id, passed=submission.passed)
    db.session.flush()
    if submission.passed:
        record_pass(
            records.get_registration(sheet.registration.id),
            sheet.attempt.id,
            score_raw=submission.score_raw,
            score_max=submission.score_max,
            mastery_score=submission.mastery_score,
            at=at,
        )
    return submission.passed


def _mark_answers(sheet: queries.AnswerSheet, at: datetime) -> Submission:
    marks = {str(q.item.id): q.kind.mark_answer(q.item.content, q.answer.choices) for q in sheet.questions}
    return Submission(
        attempt_id=sheet.attempt.id,
        score_raw=sum(marks.values(), Decimal(0)),
        score_max=len(marks),
        mastery_score=sheet.attempt.mastery_score,
        marks={item: str(mark) for item, mark in marks.items()},
        submitted_at=at,
        recorded_at=stamp(),
    )


# Erasure of texts that learners typed in cases, scenarios and reports. No answer, mark or pass changes.


@dataclass(frozen=True, slots=True)
class WrittenTextCount:
    """The number of texts that a person typed."""

    texts: int
    answers: int  # saved answers with at least one text; a text that was saved twice counts twice


def count_written_texts(person_id: int) -> WrittenTextCount:
    """Count the texts of every answer of the person, in open attempts, runs and replaced answers too."""
    by_table = _texts_by_table(person_id)
    del by_table[CaseRubric.__tablename__]  # ticks are erased with the texts, and are none
    notes = [texts for of_table in by_table.values() for texts in of_table.values()]
    return WrittenTextCount(sum(map(len, notes)), len(notes))


def erase_texts(person_id: int, *, by: int | None) -> WrittenTextCount:
    """Erase the person's texts, audit it without them, and return their number. Repeat-safe."""
    count = count_written_texts(person_id)
    for table, texts in _texts_by_table(person_id).items():
        if texts:
            erase_notes(table, list(texts), actor_id=by, subject_id=person_id)
    return count


def _texts_by_table(person_id: int) -> dict[str, dict[int, dict[str, str]]]:
    """The person's texts by table of facts, fact and kind of text."""
    fact_ids = {
        Response.__tablename__: _response_ids(person_id),
        CaseStep.__tablename__: step_ids_of(person_id),
        CaseCopy.__tablename__: copy_ids_of(person_id),
        CaseRubric.__tablename__: rubric_ids_of(person_id),
    }
    return {table: notes_of(table, ids) for table, ids in fact_ids.items()}


def _response_ids(person_id: int) -> list[int]:
    statement = (
        select(Response.id)
        .join(Attempt, Attempt.id == Response.attempt_id)
        .join(Registration, Registration.id == Attempt.registration_id)
        .where(Registration.person_id == person_id)
    )
    return list(db.session.scalars(statement))
