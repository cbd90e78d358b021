"""Checks an exercise against the brief for exercises: each breach with its file and line. Pure.

A breach does not keep an exercise from being published: a force may want a shorter one.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from portal.domain.catalogue.sources.validation import PRACTICE
from portal.domain.content_checks import figure_checks, language_checks, metrics, text_checks
from portal.domain.exercises.sources.checking import CheckedExercise, list_questions
from portal.domain.exercises.sources.exercise_folder import FACILITATOR
from portal.domain.exercises.sources.exercise_source import ExerciseText
from portal.domain.exercises.sources.inject_source import InjectText
from portal.platform.formats.faults import Fault, Faults
from portal.platform.wording import plural

MIN_INJECTS, MIN_TURNING_POINTS, MIN_PROMPTS = 14, 3, 2
MIN_DECISIONS = 3  # of each role
MAX_INJECT_WORDS = 250  # what a syndicate reads before it can decide
LONGEST_GAP = 15  # minutes without a timed inject


def check_exercise_brief(checked: CheckedExercise, on: date) -> list[Fault]:
    """List the breaches of the brief, by file and line.

    Only for an exercise whose format has no faults.

    Args:
        checked: The exercise as its format check read it.
        on: A review date before this day is a breach.
    """
    collected = Faults()
    for fault in _check_text(checked.text, on):
        collected.add(fault.path, fault.line, fault.reason)
    return collected.listed()


def _check_text(text: ExerciseText, on: date) -> Iterator[Fault]:
    yield from _check_whole(text, on)
    yield from _check_decisions(text)
    yield from _check_gaps(text)
    for inject in text.injects:
        yield from _check_inject(inject)
    for name, body in text.sheets.items():
        yield from _check_words(f"{text.key}/{name}", body, 1, law=name == FACILITATOR)
    for path, content in text.files.items():
        yield from text_checks.check_placeholders(f"{text.key}/{path}", content)
    yield from figure_checks.check_drawings(_list_figures(text), text.key, text.files)


def _check_whole(text: ExerciseText, on: date) -> Iterator[Fault]:
    if text.review_on < on:
        reason = "The review date has passed. Review the exercise and set a new date."
        yield _detail_fault(text, "review_on", reason)
    if len(text.injects) < MIN_INJECTS:
        reason = f"It has {plural(len(text.injects), 'inject')}. Write {MIN_INJECTS} or more."
        yield _detail_fault(text, "injects", reason)
    turns = sum(inject.turning_point for inject in text.injects)
    if turns < MIN_TURNING_POINTS:
        reason = f"It has {plural(turns, 'turning point')}. Write {MIN_TURNING_POINTS} or more."
        yield _detail_fault(text, "injects", reason)
    if len(text.plenary) < MIN_PROMPTS:
        reason = f"The plenary has {plural(len(text.plenary), 'prompt')}. Write {MIN_PROMPTS} or more."
        yield _detail_fault(text, "plenary", reason)


def _check_decisions(text: ExerciseText) -> Iterator[Fault]:
    counts = Counter(question.role for _, question in list_questions(text))
    for role in text.roles:
        if counts[role] < MIN_DECISIONS:
            reason = (
                f"“{role}” has {plural(counts[role], 'question')} to decide. Write {MIN_DECISIONS} or more."
            )
            yield _detail_fault(text, "roles", reason)


def _check_gaps(text: ExerciseText) -> Iterator[Fault]:
    """Yield a fault for each long time in which the clock releases nothing."""
    last_minute = 0
    for inject in text.injects:
        if inject.minute is None:
            continue
        if inject.minute - last_minute > LONGEST_GAP:
            reason = (
                f"Nothing comes from minute {last_minute} to minute {inject.minute}. Bring something sooner."
            )
            yield Fault(inject.path, inject.head.line_of("minute"), reason)
        last_minute = inject.minute


def _check_inject(inject: InjectText) -> Iterator[Fault]:
    word_count = metrics.measure_text(inject.body).words
    if word_count > MAX_INJECT_WORDS:
        reason = (
            f"The syndicates read {word_count} words before they can decide. "
            f"Write {MAX_INJECT_WORDS} at most."
        )
        yield Fault(inject.path, inject.body_line, reason)
    yield from _check_words(inject.path, inject.body, inject.body_line, law=False)
    yield from _check_words(inject.path, inject.notes, inject.notes_line, law=True)
    if inject.sources == [PRACTICE] and any(True for _ in _law_in(inject)):
        reason = "The notes name law, and the only source is “practice”. Name the source."
        yield Fault(inject.path, inject.head.line_of("sources"), reason)


def _law_in(inject: InjectText) -> Iterator[Fault]:
    """The law that the notes name, found by taking away the date that it needs."""
    undated = inject.notes.replace("as at", "").replace("As at", "")
    yield from language_checks.check_law_references(inject.path, undated, inject.notes_line)


def _check_words(path: str, body: str, line: int, *, law: bool) -> Iterator[Fault]:
    """Yield what is not plain; law is quoted with Act and date in the facilitator's notes alone.

    What syndicates see names law as people name it at night.
    """
    if not body.strip():
        return
    yield from language_checks.check_plain_language(path, body, line)
    if law:
        yield from language_checks.check_law_references(path, body, line)


def _list_figures(text: ExerciseText) -> list[figure_checks.ShownFigure]:
    figures = []
    for inject in text.injects:
        figures += figure_checks.read_figures(inject.body, inject.path, inject.body_line)
        figures += figure_checks.read_figures(inject.notes, inject.path, inject.notes_line)
    for name, body in text.sheets.items():
        figures += figure_checks.read_figures(body, f"{text.key}/{name}", 1)
    return figures


def _detail_fault(text: ExerciseText, key: str, reason: str) -> Fault:
    return Fault(text.path, text.head.line_of(key), reason)
