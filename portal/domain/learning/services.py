"""Work through a module: registration, lessons, and the start of the assessment."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from portal.domain import cases
from portal.domain.assessment import services as assessment
from portal.domain.assessment.errors import LessonsFirstError
from portal.domain.assessment.services import StartedAttempt
from portal.domain.cases import (
    CaseState,
    PersonInCopy,
    RubricText,
    ShownCopy,
    latest_run,
    order_of_run,
    saved_answer,
)
from portal.domain.catalogue.lesson_html import ChoiceCheck, choice_checks
from portal.domain.catalogue.version_cache import LessonCase, PublishedLesson, published_version, version_key
from portal.domain.item_kinds.base import Answer, FormValues, single_value
from portal.domain.learning import queries
from portal.domain.learning.queries import ModuleReading, own_duties
from portal.domain.records import queries as registrations
from portal.domain.records import services as records
from portal.domain.records.queries import latest_registration
from portal.domain.status.queries import requirements_of
from portal.platform.clock import london_day
from portal.platform.errors import NotFoundError, RuleError, require


class CaseFirstError(RuleError):
    """A case was to be marked complete without being worked through."""

    def __init__(self) -> None:
        super().__init__("Work through the case to its end. That completes the lesson.")


class ArchivedModuleError(RuleError):
    """A module that is offered no longer was to be begun by somebody of whom no directive requires it."""

    def __init__(self) -> None:
        super().__init__("This module is archived, and no directive requires it of you. You cannot begin it.")


def record_lesson_opened(reading: queries.ModuleReading, lesson: PublishedLesson, at: datetime) -> None:
    """Record that a person opened a lesson of a module under way.

    Repeat-safe: opening it again writes nothing, nor does reading a module that is not begun or is passed.
    """
    if reading.progress is not None:
        records.open_lesson(reading.progress.registration_id, lesson.id, at)


def finish_lesson(
    person_id: int, reading: queries.ModuleReading, lesson_key: str, at: datetime
) -> str | None:
    """Mark a lesson complete, and open the next; the first one begins a registration.

    Args:
        person_id: The learner.
        reading: Their module, from before this transaction: on SQLite all who save wait for what it reads.
        lesson_key: The lesson's.
        at: Now.

    Returns:
        Key of the next lesson: the first incomplete one after this, else the first incomplete of all; None if
        every lesson is complete, or the module is passed.

    Raises:
        CaseFirstError: The lesson is a case, and its end alone completes it.
    """
    if reading.passed:
        return None
    lesson = reading.lesson_by_key(lesson_key)
    if lesson.case_kind is not None and lesson.id not in reading.completed_lessons:
        raise CaseFirstError
    following = reading.lesson_after(lesson)
    registration_id = ensure_registration(person_id, reading, at)
    records.complete_lesson(registration_id, lesson.id, at, following.id if following else None)
    return following.key if following else None


def ensure_registration(person_id: int, reading: queries.ModuleReading, at: datetime) -> int:
    """Return the id of the registration under way; begin one if there is none.

    Raises:
        ArchivedModuleError: The module is archived, and nothing requires it of the person.
    """
    if reading.progress is not None:
        return reading.progress.registration_id
    if reading.archived and not may_begin_archived(person_id, reading, at):
        raise ArchivedModuleError
    version = reading.version
    duties = own_duties(person_id, reading.shared, london_day(at)) if version.duty_paths else ()
    return records.start_registration(person_id, version.activity_id, version.id, at, duties)


def may_begin_archived(person_id: int, reading: queries.ModuleReading, at: datetime) -> bool:
    """Whether a directive requires an archived module of the person on the London day of ``at``."""
    requirements = requirements_of(person_id, london_day(at))
    return any(each.activity_id == reading.version.activity_id for each in requirements)


def start_module(person_id: int, reading: queries.ModuleReading, at: datetime) -> str | None:
    """Begin the newest version of a module, the first time or again after a pass, and open its lesson.

    ``reading`` is of before this transaction. Repeat-safe: a module under way stays as it is.

    Returns:
        Key of the lesson to go on with; None if every lesson is complete, or the module is taken again.
    """
    registration_id = ensure_registration(person_id, reading, at)
    if reading.passed or reading.next_lesson is None:
        return None
    records.open_lesson(registration_id, reading.next_lesson.id, at)
    return reading.next_lesson.key


def begin_assessment(person_id: int, reading: queries.ModuleReading, at: datetime) -> StartedAttempt:
    """Start an attempt, or return the one under way.

    ``reading`` is of before this transaction. If the module allows testing out, this may be the learner's
    first action in it.

    Raises:
        RuleError: A rule of the assessment does not allow it; the text says why.
    """
    if reading.progress is not None or (reading.test_out and not reading.passed):
        return assessment.start_attempt(ensure_registration(person_id, reading, at), at)
    registration = latest_registration(person_id, reading.version.activity_id)
    if registration is None:
        raise LessonsFirstError
    return assessment.start_attempt(registration.id, at)


# A try before the lessons: their own checks, which names the lessons to read. Nothing of it is kept.
#
# It asks no question of the assessment, so that it can give none away, however often somebody tries. The
# checks are open in the lessons, with their answers, to everyone.


@dataclass(frozen=True, slots=True)
class OutcomeToRead:
    """An outcome that was not shown, and the lessons to read for it."""

    text: str
    lessons: Sequence[PublishedLesson]


@dataclass(frozen=True, slots=True)
class ReadingPlan:
    """What a try showed: which lessons to read, and which are known."""

    read: Sequence[PublishedLesson]
    known: Sequence[PublishedLesson]
    cases: Sequence[PublishedLesson]  # everybody works through them
    outcomes: Sequence[OutcomeToRead]

    @property
    def minutes(self) -> int:
        """Of the lessons to read."""
        return sum(lesson.minutes for lesson in self.read)


@dataclass(frozen=True, slots=True)
class PreTest:
    """The checks of a module version by lesson."""

    module: ModuleReading
    checks: Mapping[int, Sequence[ChoiceCheck]]  # by id of the lesson

    @property
    def questions(self) -> list[ChoiceCheck]:
        """All checks in the order of the lessons."""
        return [check for lesson in self.module.lessons for check in self.checks[lesson.id]]

    def plan_reading(self, answers: Mapping[str, Sequence[str]]) -> ReadingPlan:
        """The lessons to read: those of a check without exactly the right answer, and those without a check.

        Args:
            answers: The numbers that were chosen, by name of the check.
        """
        cases = [lesson for lesson in self.module.lessons if lesson.case_kind is not None]
        known = [lesson for lesson in self.module.lessons if self._is_known(lesson, answers)]
        read = [lesson for lesson in self.module.lessons if lesson not in (*cases, *known)]
        outcomes = [
            OutcomeToRead(outcome["text"], [lesson for lesson in read if outcome["key"] in lesson.outcomes])
            for outcome in self.module.version.outcomes
        ]
        return ReadingPlan(read, known, cases, [outcome for outcome in outcomes if outcome.lessons])

    def _is_known(self, lesson: PublishedLesson, answers: Mapping[str, Sequence[str]]) -> bool:
        checks = self.checks[lesson.id]
        return bool(checks) and all(set(answers.get(check.name, ())) == check.right for check in checks)


def offers_pre_test(module: ModuleReading) -> bool:
    """Whether the try is offered: the module has it, and no lesson is complete yet."""
    return module.version.pre_test and not module.passed and not module.completed_lessons


def build_pre_test(module: ModuleReading) -> PreTest:
    """The try before a module's lessons."""
    texts = {lesson.id: module.version.lesson_html(lesson) for lesson in module.lessons}
    return PreTest(
        module,
        {
            lesson.id: choice_checks(texts[lesson.id], f"try-{lesson.position}")
            if not lesson.case_kind
            else []
            for lesson in module.lessons
        },
    )


# Lessons that are cases: decided step by step, with a debrief at the end; the end completes the lesson.


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


# The texts of a case beside their models: a learner’s own ticks, and a copy shown to their line manager.


@dataclass(frozen=True, slots=True)
class Debrief:
    """What a learner sees below their texts: ticks of both readers, and to whom a copy is or can be shown."""

    ticks: Collection[str] | None  # the learner's own; None: not said yet
    manager_ticks: Collection[str] | None  # of the copy that was shown last
    phrases: Sequence[str]  # that the manager chose: safe HTML
    copy: ShownCopy | None  # shown last, taken back or not
    is_shown: bool  # now
    manager: PersonInCopy | None  # to whom a copy could be shown today; None: nobody, or one is shown already


@dataclass(frozen=True, slots=True)
class CopyReading:
    """A copy as the person to whom it is shown reads it."""

    copy: ShownCopy
    case: LessonCase
    texts: list[RubricText]
    phrases: list[tuple[int, str, bool]]  # number, safe HTML, whether it was chosen


def load_debrief(person_id: int, case: CaseLesson, at: datetime) -> Debrief | None:
    """Load it for a run that has ended; None for any other, and for a case without a rubric."""
    if case.state is None or not case.ended or not case.case.kind.rubric(case.case.content):
        return None
    rubrics, copy = cases.rubrics_of_run(case.state.run_id), cases.latest_copy_of(case.state.run_id)
    own, manager = rubrics.get(None), rubrics.get(copy.id) if copy else None
    is_shown = copy is not None and copy.is_open(at)
    phrases = case.case.content.get("phrases_html", [])
    return Debrief(
        ticks=own.ticks if own else None,
        manager_ticks=manager.ticks if manager else None,
        phrases=[phrases[number - 1] for number in manager.phrases] if manager else [],
        copy=copy,
        is_shown=is_shown,
        manager=None if is_shown else cases.line_manager_on(person_id, london_day(at)),
    )


def save_own_rubric(
    person_id: int, slug: str, lesson_key: str, number: int, form: FormValues, at: datetime
) -> None:
    """Save what the learner finds in their own texts of the run ``number``."""
    case, state = _ended_run(person_id, slug, lesson_key, number)
    known = cases.statements_of(case.kind, case.content)
    cases.apply_own_rubric(state.run_id, set(known) & set(form.get("tick", ())), at=at)


def show_copy(
    person_id: int, slug: str, lesson_key: str, number: int, form: FormValues, at: datetime
) -> None:
    """Show a copy of the texts of the run ``number`` to the line manager whom the form names.

    Raises:
        CopyRefusedError: Of ``copy_services.show_copy``.
    """
    case, state = _ended_run(person_id, slug, lesson_key, number)
    parts = {part.key for part in case.kind.rubric(case.content)}
    manager = single_value(form, "manager")
    cases.show_copy(
        state.run_id,
        {key: text for key, text in saved_answer(state).texts.items() if key in parts},
        learner_id=person_id,
        manager_id=int(manager) if re.fullmatch(r"[0-9]{1,18}", manager) else 0,
        consents="agree" in form,
        at=at,
    )


def take_copy_back(person_id: int, copy_id: int, at: datetime) -> ShownCopy:
    """Take back a copy of one's own, and return it as it was. Repeat-safe."""
    registrations.lock_registration(cases.own_copy(person_id, copy_id).registration_id)
    copy = cases.own_copy(person_id, copy_id)
    cases.take_copy_back(copy, at=at)
    return copy


def read_copy(person_id: int, copy_id: int, at: datetime) -> CopyReading:
    """Load a copy for the person to whom it is shown; the learner's own ticks are not in it."""
    copy = cases.copy_shown_to(person_id, copy_id, at)
    case, own = _case_of(copy), cases.rubrics_of_run(copy.run_id).get(copy.id)
    phrases = case.content.get("phrases_html", [])
    return CopyReading(
        copy,
        case,
        cases.build_rubric_texts(case.kind.rubric(case.content), cases.texts_of_copy(copy.id), own),
        [(number, html, own is not None and number in own.phrases) for number, html in enumerate(phrases, 1)],
    )


def apply_rubric(person_id: int, copy_id: int, form: FormValues, at: datetime) -> ShownCopy:
    """Save what a manager finds in a copy that is shown to them, and return the copy."""
    registrations.lock_registration(cases.copy_shown_to(person_id, copy_id, at).registration_id)
    copy = cases.copy_shown_to(person_id, copy_id, at)
    case = _case_of(copy)
    ticks = set(cases.statements_of(case.kind, case.content)) & set(form.get("tick", ()))
    numbers = range(1, 1 + len(case.content.get("phrases_html", [])))
    chosen = set(form.get("phrase", ()))
    cases.apply_rubric_to_copy(copy, ticks, [n for n in numbers if str(n) in chosen], at=at)
    return copy


def _case_of(copy: ShownCopy) -> LessonCase:
    version = published_version(version_key(copy.version_id))
    lesson = next(lesson for lesson in version.lessons if lesson.id == copy.lesson_id)
    return require(version.lesson_case(lesson), "There is no such text.")


def _ended_run(person_id: int, slug: str, lesson_key: str, number: int) -> tuple[LessonCase, CaseState]:
    """The person's latest run through a case, locked, if it has this number and has ended."""
    module = queries.module_reading_with_lesson(person_id, slug, lesson_key)
    lesson = module.lesson_by_key(lesson_key)
    case = load_case(person_id, module, lesson)
    if case is None or case.state is None or not case.ended or case.number != number:
        raise NotFoundError("There is no such run, or it has not ended.")
    registrations.lock_registration(case.state.registration_id)
    return case.case, case.state
