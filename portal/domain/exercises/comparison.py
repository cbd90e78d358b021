"""What the syndicates of a run decided at one inject, side by side."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from typing import Any

from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.exercises.content import ExerciseContent, Inject, InjectQuestion
from portal.domain.exercises.running.answers import words_of_answer
from portal.domain.exercises.running.clock import minute_of
from portal.domain.exercises.running.queries import (
    Entry,
    RunView,
    exercise_in,
    list_entries,
    list_steps,
)

_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True)
class SyndicateAnswer:
    """What a syndicate answered, as its log says it now."""

    text: str  # in words; of a ranking, and of a choice, the words of the choices
    reason: str
    minute: int | None  # of the exercise's clock, when the entry was written; None before the start
    first: str  # what it answered first, where a correction changed it; else ""


@dataclass(frozen=True, slots=True)
class ComparedQuestion:
    """One question with what each syndicate answered, in the order of their numbers."""

    question: InjectQuestion
    answers: tuple[tuple[int, SyndicateAnswer | None], ...]  # None: the syndicate did not answer
    alike: tuple[tuple[str, tuple[int, ...]], ...]  # of a choice: which syndicates chose what


@dataclass(frozen=True, slots=True)
class ComparedInject:
    """An inject with its questions, compared."""

    inject: Inject
    questions: tuple[ComparedQuestion, ...]


def injects_with_questions(content: ExerciseContent) -> list[Inject]:
    """The injects that have questions, in order."""
    return [inject for inject in content["injects"] if inject["questions"]]


def compare_injects(run: RunView, keys: Iterable[str]) -> list[ComparedInject]:
    """Compare the answers of all syndicates at some injects. One statement, however many there are.

    Args:
        run: The run.
        keys: Of the injects; unknown ones are passed over.
    """
    chosen_keys = set(keys)
    logs = _read_logs(run.id)
    return [
        ComparedInject(
            inject,
            tuple(_compare_question(run, inject, question, logs) for question in inject["questions"]),
        )
        for inject in injects_with_questions(exercise_in(run).content)
        if inject["key"] in chosen_keys
    ]


def injects_of_prompt(content: ExerciseContent, compares: Sequence[str]) -> list[str]:
    """The keys of the injects that ask these questions, in the order of the exercise."""
    question_keys = set(compares)
    return [
        inject["key"]
        for inject in content["injects"]
        if question_keys & {question["key"] for question in inject["questions"]}
    ]


def answer_words(question: InjectQuestion, answer: dict[str, Any]) -> str:
    """An answer in plain words: the text, or the words of its choices."""
    words = [plain_words(html) for html in words_of_answer(question, answer)]
    if "order" in answer:
        return "; ".join(f"{position}. {name}" for position, name in enumerate(words, start=1))
    return words[0] if words else str(answer.get("text", ""))


def plain_words(html: str) -> str:
    """The text of safe inline HTML, with its slots filled as on the screens.

    >>> plain_words("<strong>Hold</strong> &amp; wait")
    'Hold & wait'
    """
    return " ".join(unescape(_TAG.sub("", fill_placeholders(html))).split())


def _compare_question(
    run: RunView,
    inject: Inject,
    question: InjectQuestion,
    logs: Mapping[tuple[int, str], Sequence[Entry]],
) -> ComparedQuestion:
    answers = [
        (number, _join_answer(run, question, logs.get((number, question["key"]), ())))
        for number in run.syndicates_for(inject)
    ]
    by_choice: dict[str, list[int]] = defaultdict(list)
    if question["kind"] == "choice":
        for number, answer in answers:
            if answer is not None:
                by_choice[answer.text].append(number)
    alike = tuple((words, tuple(numbers)) for words, numbers in by_choice.items())
    return ComparedQuestion(question, tuple(answers), alike)


def _join_answer(run: RunView, question: InjectQuestion, entries: Sequence[Entry]) -> SyndicateAnswer | None:
    """The answer of the last entry, with the first answer if a correction changed its words."""
    if not entries:
        return None
    first, last = entries[0], entries[-1]
    last_words, first_words = answer_words(question, last.answer), answer_words(question, first.answer)
    return SyndicateAnswer(
        last_words,
        str(last.answer.get("reason", "")),
        minute_of(list_steps(run), last.recorded_at, last.at),
        first_words if first_words != last_words else "",
    )


def _read_logs(run_id: int) -> dict[tuple[int, str], list[Entry]]:
    """The entries by syndicate and question, in order."""
    entries: dict[tuple[int, str], list[Entry]] = defaultdict(list)
    for entry in list_entries(run_id):
        entries[entry.syndicate, entry.question_key].append(entry)
    return entries
