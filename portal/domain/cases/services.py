"""Saving of what a learner decides in a case."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert

from portal.domain.cases.models import CaseRun, CaseStep
from portal.domain.cases.queries import CaseState, saved_answer
from portal.domain.catalogue.version_cache import LessonCase
from portal.domain.item_kinds.base import Answer, AnswerError, FormValues
from portal.domain.people.notes import write_notes
from portal.platform.db import write_row

LATER = "later"  # the button that saves what is written so far
LONGEST_TEXT = 5_000  # characters

_INSERT_RUN = insert(CaseRun)
_INSERT_STEP = insert(CaseStep)


def begin_run(registration_id: int, lesson_id: int, number: int, at: datetime) -> int:
    """Begin a run through a case; return its id.

    Args:
        registration_id: The learner's, locked by the caller, so that two clicks cannot race.
        lesson_id: The case's lesson.
        number: The run's, one more than that of the run before.
        at: Now.
    """
    row = {"registration_id": registration_id, "lesson_id": lesson_id, "number": number}
    return write_row(_INSERT_RUN, {**row, "recorded_at": at})


def read_step(case: LessonCase, order: Sequence[str], form: FormValues) -> tuple[Answer, bool]:
    """Read the way so far from a submitted form, and whether it ends the case.

    The button “later” takes an incomplete answer too.

    Raises:
        AnswerError: Something is missing, or is not one of the options.
    """
    try:
        answer = case.kind.read_answer(case.content, order, form)
    except AnswerError as error:
        texts = error.typed.texts.values()
        if LATER in form and all(len(text) <= LONGEST_TEXT for text in texts):
            return error.typed, False
        raise
    return answer, LATER not in form and case.kind.is_complete(case.content, answer.choices)


def save_step(run_id: int, saved: CaseState | None, answer: Answer, *, ends: bool, at: datetime) -> None:
    """Save the way so far through a case. Each save is a new row; the last one counts.

    Repeat-safe: an answer equal to the saved one that does not end the run writes nothing.
    """
    if saved and not ends and saved.choices == answer.choices and saved_answer(saved) == answer:
        return
    row = {"run_id": run_id, "choices": list(answer.choices), "ends": ends, "recorded_at": at}
    step_id = write_row(_INSERT_STEP, row)
    if answer.texts:
        write_notes(CaseStep.__tablename__, step_id, answer.texts)
