"""What the syndicates of a run decided at one inject, side by side."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from typing import Any

from sqlalchemy import select

from portal.domain.exercises.content import ExerciseContent, Inject, InjectQuestion
from portal.domain.exercises.models import LogEntry, RunStep
from portal.platform.db import db

_TAG = re.compile(r"<[^>]+>")
RUNS, STANDS = frozenset({"start", "resume"}), frozenset({"hold", "end"})


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


@dataclass(frozen=True, slots=True)
class _Entry:
    id: int
    recorded_at: datetime
    syndicate: int
    question_key: str
    answer: dict[str, Any]
    corrects_id: int | None


def injects_with_questions(content: ExerciseContent) -> list[Inject]:
    """The injects of which something can be compared, in order."""
    return [inject for inject in content["injects"] if inject["questions"]]


def compare_injects(
    run_id: int, syndicates: int, content: ExerciseContent, keys: Iterable[str]
) -> list[ComparedInject]:
    """The answers of all syndicates at these injects; two statements, however many there are.

    Args:
        run_id: The run.
        syndicates: How many it has.
        content: Of its exercise.
        keys: Of the injects; unknown ones are passed over.
    """
    wanted = set(keys)
    chosen = [inject for inject in injects_with_questions(content) if inject["key"] in wanted]
    entries = _read_entries(run_id)
    clock = _read_clock(run_id)
    return [
        ComparedInject(
            inject,
            tuple(
                _compare_question(question, _list_receivers(inject, syndicates), entries, clock)
                for question in inject["questions"]
            ),
        )
        for inject in chosen
    ]


def injects_of_prompt(content: ExerciseContent, compares: Sequence[str]) -> list[str]:
    """The keys of the injects that ask these questions, in the order of the exercise."""
    asked = set(compares)
    return [
        inject["key"]
        for inject in content["injects"]
        if asked & {question["key"] for question in inject["questions"]}
    ]


def minutes_into(steps: Sequence[tuple[str, datetime]], instant: datetime) -> int | None:
    """Whole minutes of an exercise's clock at an instant; None before its start.

    Args:
        steps: Kind and stamp of the run's steps, in order; others than start and stop count nothing.
        instant: The stamp of an entry.
    """
    gone, since, started = timedelta(), None, False
    for kind, at in steps:
        if at > instant:
            break
        if kind in RUNS and since is None:
            since, started = at, True
        elif kind in STANDS and since is not None:
            gone, since = gone + (at - since), None
    if not started:
        return None
    if since is not None:
        gone += instant - since
    return int(gone.total_seconds() // 60)


def answer_words(question: InjectQuestion, answer: dict[str, Any]) -> str:
    """An answer in plain words: the text, or the words of its choices."""
    words = {choice["key"]: plain_words(choice["html"]) for choice in question["choices"]}
    if "choice" in answer:
        return words.get(str(answer["choice"]), str(answer["choice"]))
    if "order" in answer:
        names = [words.get(str(key), str(key)) for key in answer["order"]]
        return "; ".join(f"{place}. {name}" for place, name in enumerate(names, start=1))
    return str(answer.get("text", ""))


def plain_words(html: str) -> str:
    """The text of safe inline HTML.

    >>> plain_words("<strong>Hold</strong> &amp; wait")
    'Hold & wait'
    """
    return " ".join(unescape(_TAG.sub("", html)).split())


def _list_receivers(inject: Inject, syndicates: int) -> list[int]:
    return [n for n in range(1, syndicates + 1) if not inject["syndicates"] or n in inject["syndicates"]]


def _compare_question(
    question: InjectQuestion,
    syndicates: Sequence[int],
    entries: dict[tuple[int, str], list[_Entry]],
    clock: Sequence[tuple[str, datetime]],
) -> ComparedQuestion:
    answers = [(n, _join_answer(question, entries.get((n, question["key"]), []), clock)) for n in syndicates]
    by_choice: dict[str, list[int]] = defaultdict(list)
    if question["kind"] == "choice":
        for number, answer in answers:
            if answer is not None:
                by_choice[answer.text].append(number)
    alike = tuple((words, tuple(numbers)) for words, numbers in by_choice.items())
    return ComparedQuestion(question, tuple(answers), alike)


def _join_answer(
    question: InjectQuestion, entries: Sequence[_Entry], clock: Sequence[tuple[str, datetime]]
) -> SyndicateAnswer | None:
    """The last entry holds; the first is told too where its words were others."""
    if not entries:
        return None
    first, last = entries[0], entries[-1]
    words, before = answer_words(question, last.answer), answer_words(question, first.answer)
    return SyndicateAnswer(
        words,
        str(last.answer.get("reason", "")),
        minutes_into(clock, last.recorded_at),
        before if before != words else "",
    )


def _read_entries(run_id: int) -> dict[tuple[int, str], list[_Entry]]:
    """The entries by syndicate and question, in order; a correction is one of the question it corrects."""
    rows = db.session.execute(
        select(
            LogEntry.id,
            LogEntry.recorded_at,
            LogEntry.syndicate,
            LogEntry.question_key,
            LogEntry.answer,
            LogEntry.corrects_id,
        )
        .where(LogEntry.run_id == run_id)
        .order_by(LogEntry.recorded_at, LogEntry.id)
    )
    found: dict[tuple[int, str], list[_Entry]] = defaultdict(list)
    question_of: dict[int, str] = {}
    for row in rows:
        entry = _Entry(*row)
        question_key = entry.question_key or question_of.get(entry.corrects_id or 0, "")
        question_of[entry.id] = question_key
        found[entry.syndicate, question_key].append(entry)
    return found


def _read_clock(run_id: int) -> list[tuple[str, datetime]]:
    rows = db.session.execute(
        select(RunStep.kind, RunStep.recorded_at)
        .where(RunStep.run_id == run_id, RunStep.kind.in_(RUNS | STANDS))
        .order_by(RunStep.recorded_at, RunStep.id)
    )
    return [(kind, at) for kind, at in rows]
