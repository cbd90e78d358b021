"""Saving of answers in an attempt: what everyone does most at once, so it reads and writes little."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, insert, select

from portal.domain.assessment.errors import AlreadySubmittedError
from portal.domain.assessment.models import Attempt, Response, Submission
from portal.domain.assessment.queries import (
    NO_ANSWER,
    NO_SUCH_QUESTION,
    AttemptDetail,
    AttemptQuestion,
    lock_attempt,
)
from portal.domain.item_kinds import kinds_by_name
from portal.domain.item_kinds.base import Answer, AnswerError, FormValues
from portal.domain.people.notes import notes_of, write_notes
from portal.platform.db import read, write_row
from portal.platform.errors import NotFoundError

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
        NotFoundError: There is no such question.
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
