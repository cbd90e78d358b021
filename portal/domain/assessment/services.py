"""Starting of attempts, saving of responses, submission, and opening of extra attempts."""

import random
from collections.abc import Collection
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID, uuid4

from sqlalchemy import insert

from portal.domain.assessment import queries
from portal.domain.assessment.errors import (
    AlreadyPassedError,
    AttemptsRemainError,
    LessonsFirstError,
    NoAttemptsLeftError,
    OwnAttemptError,
    TooSoonError,
    UnansweredItemsError,
)
from portal.domain.assessment.item_selection import CandidateItem, draw_items
from portal.domain.assessment.models import Attempt, Submission
from portal.domain.assessment.pauses import attempt_opens_at, is_paused
from portal.domain.assessment.queries import AttemptDetail, AttemptRow
from portal.domain.catalogue.queries import shared_content
from portal.domain.catalogue.version_cache import PublishedVersion, published_version, version_key
from portal.domain.item_kinds import kinds_by_name
from portal.domain.people.duties import duties_of_posts
from portal.domain.people.queries import post_names
from portal.domain.records import queries as records
from portal.domain.records.models import ExtraAttempt, Registration
from portal.domain.records.services import record_pass
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp, write_row

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
    lessons_are_left = any(lesson.id not in completed for lesson in version.lessons)
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
