"""Saves the answers of a recall, turns it on and off, and erases it.

None of it is in the audit trail, touches a status or takes a stamp: it is nobody's but the learner's.
"""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError

from portal.domain.item_kinds.base import FULL_MARK, Answer, AnswerError, FormValues
from portal.features.recall.models import RecallOptOut, RecallReview
from portal.features.recall.queries import ModuleRecall, RecallQuestion
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import ConflictError


class RecallAnswerError(AnswerError):
    """Something is missing in the answers; ``typed`` has what could be read, by field."""

    def __init__(self, problems: Sequence[tuple[str, str]], read: dict[str, Answer]) -> None:
        self.read = read
        super().__init__(*problems)


def read_answers(questions: Sequence[RecallQuestion], form: FormValues) -> list[Answer]:
    """Read the answer to each question from a submitted form.

    Raises:
        RecallAnswerError: One or more are missing, or are none of the choices.
    """
    answers: dict[str, Answer] = {}
    problems: list[tuple[str, str]] = []
    for question in questions:
        sent = {"choice": form.get(question.field, ())}
        try:
            answers[question.field] = question.kind.read_answer(question.item.content, question.order, sent)
        except AnswerError as error:
            sentence = error.problems[0][0]
            problems.append((f"{sentence} to question {question.number}", question.field))
    if problems:
        raise RecallAnswerError(problems, answers)
    return list(answers.values())


def save_answers(
    recall: ModuleRecall,
    version_id: int,
    questions: Sequence[RecallQuestion],
    answers: Sequence[Answer],
    *,
    at: datetime,
) -> bool:
    """Save whether each answer is right; False if this recall was answered already. Repeat-safe."""
    if recall.due_on > london_day(at):
        raise ConflictError("It is too early to recall this module.")
    rows = [
        {
            "person_id": recall.person_id,
            "activity_id": recall.version.activity_id,
            "number": recall.earlier + 1,
            "module_version_id": version_id,
            "item_key": question.item.key,
            "correct": question.kind.mark_answer(question.item.content, answer.choices) == FULL_MARK,
            "answered_at": at,
        }
        for question, answer in zip(questions, answers, strict=True)
    ]
    try:
        with db.session.begin_nested():
            db.session.execute(insert(RecallReview), rows)
    except IntegrityError:
        return False
    return True


def turn_off(person_id: int, *, at: datetime) -> None:
    """Show the person no card and send them no mail from now on. Repeat-safe."""
    known = select(RecallOptOut.person_id).where(RecallOptOut.person_id == person_id)
    if db.session.scalar(known) is None:
        db.session.execute(insert(RecallOptOut).values(person_id=person_id, chosen_at=at))


def turn_on(person_id: int) -> None:
    """Undo ``turn_off``. Repeat-safe."""
    db.session.execute(delete(RecallOptOut).where(RecallOptOut.person_id == person_id))


def erase_answers(people: Collection[int]) -> None:
    """Erase all recall answers of these people; whoever turned it off stays off. Repeat-safe."""
    if db.engine.dialect.name == "sqlite":  # otherwise they stay in the file until overwritten
        db.session.execute(sql("PRAGMA secure_delete = ON"))
    db.session.execute(delete(RecallReview).where(RecallReview.person_id.in_(people)))
