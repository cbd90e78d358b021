"""A try before the lessons: their own checks, which names the lessons to read. Nothing of it is kept.

It asks no question of the assessment, so that it can give none away, however often somebody tries. The
checks are open in the lessons, with their answers, to everyone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from portal.domain.catalogue.markdown.check_answers import ChoiceCheck, choice_checks
from portal.domain.catalogue.version_cache import PublishedLesson
from portal.domain.learning.queries import ModuleReading


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
