"""Lessons that are cases: decided step by step, with a debrief at the end; the end completes the lesson."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.domain.cases import services as cases
from portal.domain.cases.queries import CaseState, latest_run, order_of_run, saved_answer
from portal.domain.catalogue.version_cache import LessonCase, PublishedLesson
from portal.domain.item_kinds.base import Answer, FormValues
from portal.domain.learning import queries
from portal.domain.learning.services import ensure_registration
from portal.domain.records import queries as registrations
from portal.domain.records import services as records


@dataclass(frozen=True, slots=True)
class CaseLesson:
    """A case as far as a learner has come in it: a run under way, a new one, or one that has ended."""

    case: LessonCase
    number: int  # of the run
    order: tuple[str, ...]
    answer: Answer
    ended: bool
    state: CaseState | None  # as saved; None: the run has not begun

    @property
    def view(self) -> Any:
        """What the templates of its kind show."""
        return self.case.kind.build_view(self.case.content, self.order, self.answer)

    @property
    def model_view(self) -> Any:
        """A best way, as the templates of its kind show it."""
        best = Answer(tuple(self.case.kind.best_choices(self.case.content)))
        return self.case.kind.build_view(self.case.content, self.order, best)


def load_case(
    person_id: int, module: queries.ModuleReading, lesson: PublishedLesson, *, again: bool = False
) -> CaseLesson | None:
    """Load a case as far as the person has come; None if the lesson is a text.

    Args:
        person_id: The learner.
        module: Their reading, with the lesson.
        lesson: One of it.
        again: Whether to begin a new run, if the last one has ended.
    """
    case = module.version.lesson_case(lesson)
    if case is None:
        return None
    number, state = _find_run(person_id, module, lesson, again=again)
    order = order_of_run(case, person_id, number)
    if state is None:
        return CaseLesson(case, number, order, Answer(), False, None)
    return CaseLesson(case, number, order, saved_answer(state), state.ended, state)


def save_case_step(
    person_id: int,
    module: queries.ModuleReading,
    lesson: PublishedLesson,
    number: int,
    form: FormValues,
    at: datetime,
) -> None:
    """Save a step of the run ``number``; the first step of the first case may begin the module.

    The end of a run completes the lesson. Repeat-safe: a step of another run than the one under way, such as
    one sent again after the end, writes nothing; nor does one of a lesson that is a text.

    Args:
        person_id: The learner.
        module: Their reading, from before this transaction: on SQLite all who save wait for what it reads.
        lesson: One of it.
        number: The run's.
        form: The submitted form.
        at: Now.

    Raises:
        AnswerError: Something is missing, or is not one of the options.
    """
    case = module.version.lesson_case(lesson)
    if case is None:
        return
    registration_id = _registration_for(person_id, module, at)
    registrations.lock_registration(registration_id)
    number_under_way, state = _find_run(person_id, module, lesson, again=True)
    if number_under_way != number:
        return
    answer, ends = cases.read_step(case, order_of_run(case, person_id, number), form)
    run_id = state.run_id if state else cases.begin_run(registration_id, lesson.id, number, at)
    cases.save_step(run_id, state, answer, ends=ends, at=at)
    if ends and not module.passed:
        records.complete_lesson(registration_id, lesson.id, at)
    elif not module.passed and not (module.progress and module.has_opened(lesson)):
        records.open_lesson(registration_id, lesson.id, at)


def _find_run(
    person_id: int, module: queries.ModuleReading, lesson: PublishedLesson, *, again: bool
) -> tuple[int, CaseState | None]:
    """The number of the run to go on with, and its state; a run that is to begin has none. One statement."""
    state = latest_run(person_id, lesson.id)
    if state is not None and module.progress and state.registration_id != module.progress.registration_id:
        state = None  # of an earlier registration, which was passed
    if state is not None and again and state.ended:
        return state.number + 1, None
    return (1, None) if state is None else (state.number, state)


def _registration_for(person_id: int, module: queries.ModuleReading, at: datetime) -> int:
    """The registration under way, a new one, or after a pass the latest."""
    latest = (
        registrations.latest_registration(person_id, module.version.activity_id) if module.passed else None
    )
    return latest.id if latest is not None else ensure_registration(person_id, module, at)
