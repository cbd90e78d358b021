"""The debrief of a run: decisions side by side, statements and actions, as a tagged PDF and a ZIP.

No file names anybody: syndicates have numbers, actions the owner that the room wrote down. Statements stand
by their groups, their points and their words, so that the order of a file says nothing either.
"""

import hashlib
import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import unescape
from io import BytesIO
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.features.events.models import Event
from portal.features.exercises.models import RunAction
from portal.features.exercises.plenary import PlenaryRun, PromptStage, Statement, list_moves, list_statements
from portal.features.exercises.run_queries import (
    Entry,
    PastStep,
    RunView,
    exercise_in,
    list_entries,
    list_steps,
    minute_of,
    words_of_answer,
)
from portal.features.exercises.sources import ExerciseContent, Inject, InjectQuestion
from portal.platform import wording as say
from portal.platform.audit import log
from portal.platform.clock import format_utc
from portal.platform.db import db, stamp
from portal.platform.documents.typesetting import markup_of, text_content, typeset_pdf
from portal.platform.errors import ForbiddenError, NotFoundError
from portal.platform.tables.columns import csv_text

# What the syndicates of a run decided at one inject, side by side.

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


# Actions from an exercise: what is to be done, by which role or post, and by when.

LONGEST = 300  # characters


@dataclass(frozen=True, slots=True)
class ListedAction:
    """One action that was not withdrawn."""

    key: UUID
    what: str
    owner: str
    due_on: date


def list_actions(run_id: int) -> list[ListedAction]:
    """The actions of a run, the earliest day first; without those that were withdrawn."""
    withdrawal = aliased(RunAction)
    rows = db.session.execute(
        select(RunAction.key, RunAction.what, RunAction.owner, RunAction.due_on)
        .outerjoin(withdrawal, withdrawal.withdraws_id == RunAction.id)
        .where(RunAction.run_id == run_id, RunAction.withdraws_id.is_(None), withdrawal.id.is_(None))
        .order_by(RunAction.due_on, RunAction.id)
    )
    return [ListedAction(*row) for row in rows]


def add_action(run: RunView, what: str, owner: str, due_on: date, *, key: UUID) -> None:
    """Write an action down; with a key that was sent before, nothing happens.

    Raises:
        ForbiddenError: The person does not lead the plenary of this run.
    """
    row = RunAction(key=key, what=what, owner=owner, due_on=due_on, withdraws_id=None)
    if _add_row_once(run, row) and not run.is_rehearsal:
        log("run_action.added", actor_id=run.person_id, run=run.reference)


def withdraw_action(run: RunView, action_key: UUID, *, key: UUID) -> None:
    """Withdraw an action, by a row that names it.

    Raises:
        ForbiddenError: As ``add_action``.
    """
    action = db.session.scalar(
        select(RunAction).where(RunAction.run_id == run.id, RunAction.key == action_key)
    )
    if action is None or action.withdraws_id is not None:
        raise NotFoundError("This exercise has no such action.")
    row = RunAction(key=key, what="", owner="", due_on=action.due_on, withdraws_id=action.id)
    if _add_row_once(run, row) and not run.is_rehearsal:
        log("run_action.withdrawn", actor_id=run.person_id, run=run.reference)


def _add_row_once(run: RunView, row: RunAction) -> bool:
    if not run.may_control:
        raise ForbiddenError("Only the person who leads the exercise writes down its actions.")
    recorded_at = stamp()
    if db.session.scalar(select(RunAction.id).where(RunAction.key == row.key)) is not None:
        return False
    row.run_id, row.by_id, row.recorded_at = run.id, run.person_id, recorded_at
    db.session.add(row)
    return True


# What the room is asked in the plenary at present, for the screens that ask once a second.

READABLE_STAGES = frozenset({PromptStage.READING, PromptStage.RANKING, PromptStage.CLOSED})


@dataclass(frozen=True, slots=True)
class RoomQuestion:
    """The question of the plenary that was opened or moved on last."""

    key: str
    words: str
    stage: PromptStage


def find_room_question(content: ExerciseContent, steps: Sequence[PastStep]) -> RoomQuestion | None:
    """The question that the room is asked, from the steps of a run in order; None before the first."""
    moves = list(list_moves(content, steps))
    if not moves:
        return None
    key, stage = moves[-1]
    html = next(prompt["prompt_html"] for prompt in content["plenary"] if prompt["key"] == key)
    return RoomQuestion(key, plain_words(html), stage)


def statements_at(run_id: int, prompt_key: str, stage: PromptStage) -> list[Statement]:
    """The statements that the room reads at a stage: without hidden ones, and points once they are ranked."""
    if stage not in READABLE_STAGES:
        return []
    shown_statements = [row for row in list_statements(run_id, prompt_key) if not row.hidden]
    if stage is PromptStage.CLOSED:
        return shown_statements
    without_points = [Statement(row.key, row.text, row.theme, row.hidden, 0) for row in shown_statements]
    return sorted(without_points, key=lambda row: (not row.theme, row.theme.casefold(), row.text))


MANIFEST, SUMS, DOCUMENT = "manifest.json", "SHA256SUMS", "debrief.pdf"
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the only date of an entry: a ZIP has no time zones


@dataclass(frozen=True, slots=True)
class RunDebrief:
    """The content of the files of a run."""

    plenary: PlenaryRun
    event_reference: str  # "" where it is at no event
    compared: tuple[ComparedInject, ...]
    statements: tuple[
        tuple[str, tuple[Statement, ...]], ...
    ]  # by prompt, in plain words; none that is hidden
    actions: tuple[ListedAction, ...]
    at: datetime


def read_debrief(plenary: PlenaryRun, at: datetime) -> RunDebrief:
    """Read the debrief of a run; statements only of prompts whose statements the room may read."""
    run, content = plenary.run, plenary.exercise.content
    keys = [inject["key"] for inject in injects_with_questions(content)]
    statements = []
    for prompt in content["plenary"]:
        if plenary.stages[prompt["key"]] in READABLE_STAGES:
            readable = readable_statements(plenary, prompt["key"])
            statements.append((plain_words(prompt["prompt_html"]), tuple(readable)))
    event = db.session.scalar(select(Event.reference).where(Event.id == run.event_id))
    compared, actions = tuple(compare_injects(run, keys)), tuple(list_actions(run.id))
    return RunDebrief(plenary, event or "", compared, tuple(statements), actions, at)


def readable_statements(plenary: PlenaryRun, prompt_key: str) -> list[Statement]:
    """The statements that the room reads: without hidden ones, and without points until they are ranked."""
    return statements_at(plenary.run.id, prompt_key, plenary.stages[prompt_key])


def write_pdf(debrief: RunDebrief, *, force: str) -> bytes:
    """The debrief as a tagged PDF; the same arguments give the same bytes."""
    exercise, reference = debrief.plenary.exercise, debrief.plenary.run.reference
    markup = [
        *_closing_markup(exercise.content["debrief_html"]),
        *_decisions_markup(debrief.compared),
        *_statements_markup(debrief),
        *_actions_markup(debrief),
    ]
    event_words = f" · {debrief.event_reference}" if debrief.event_reference else ""
    return typeset_pdf(
        "\n".join(markup),
        title=f"Debrief of {exercise.title}",
        above=f"{force} · {reference}{event_words}",
        foot=f"{force}, {reference}. Made {say.instant(debrief.at)}.",
        author=force,
        at=debrief.at,
        across=True,
    )


def write_zip(debrief: RunDebrief, *, force: str) -> bytes:
    """The PDF and three tables with a manifest of their SHA-256 hashes; same arguments, same bytes."""
    tables = {
        "decisions.csv": _write_csv(_decision_rows(debrief.compared)),
        "statements.csv": _write_csv(_statement_rows(debrief)),
        "actions.csv": _write_csv(_action_rows(debrief.actions)),
    }
    files = {DOCUMENT: write_pdf(debrief, force=force), **tables}
    manifest = {
        "exercise": debrief.plenary.exercise.title,
        "run": debrief.plenary.run.reference,
        "event": debrief.event_reference,
        "made_at": format_utc(debrief.at),
        "files": [
            {"name": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        ],
    }
    files[MANIFEST] = (json.dumps(manifest, indent=1, ensure_ascii=False) + "\n").encode()
    sums = [f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items()]
    files[SUMS] = "".join(sums).encode()
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, content)
    return target.getvalue()


def _write_csv(rows: Iterator[Sequence[str]]) -> bytes:
    return "".join(f"{','.join(map(csv_text, row))}\r\n" for row in rows).encode("utf-8-sig")


def _decision_rows(compared: Sequence[ComparedInject]) -> Iterator[Sequence[str]]:
    yield "inject", "question", "syndicate", "answer", "reason", "minute", "first_answer"
    for inject in compared:
        for compared_question in inject.questions:
            question = plain_words(compared_question.question["prompt_html"])
            for number, answer in compared_question.answers:
                start = (inject.inject["title"], question, str(number))
                if answer is None:
                    yield (*start, "", "", "", "")
                else:
                    minute = "" if answer.minute is None else str(answer.minute)
                    yield (*start, answer.text, answer.reason, minute, answer.first)


def _statement_rows(debrief: RunDebrief) -> Iterator[Sequence[str]]:
    yield "question", "group", "statement", "points"
    for question, statements in debrief.statements:
        for statement in statements:
            yield question, statement.theme, statement.text, str(statement.points)


def _action_rows(actions: Sequence[ListedAction]) -> Iterator[Sequence[str]]:
    yield "action", "owner", "due_on"
    for action in actions:
        yield action.what, action.owner, action.due_on.isoformat()


def _closing_markup(html: str) -> Iterator[str]:
    """What the exercise itself says after its end, with the force's details filled in."""
    if html:
        yield f"== {text_content('What the exercise was about')}"
        yield markup_of(str(fill_placeholders(html)))


def _decisions_markup(compared: Sequence[ComparedInject]) -> Iterator[str]:
    yield f"== {text_content('Decisions')}"
    if not compared:
        yield f"{text_content('The exercise asked nothing.')}\n"
    for inject in compared:
        yield f"=== {text_content(inject.inject['title'])}"
        for question in inject.questions:
            yield f"{text_content(plain_words(question.question['prompt_html']))}\n"
            rows = [
                (f"Syndicate {number}", answer.text, answer.reason or "–", _show_minute(answer.minute))
                if answer
                else (f"Syndicate {number}", "No answer", "–", "–")
                for number, answer in question.answers
            ]
            yield from _write_table(
                "(auto, 3fr, 3fr, auto)", ("Syndicate", "Answer", "Reason", "Minute"), rows
            )


def _show_minute(minute: int | None) -> str:
    return "–" if minute is None else str(minute)


def _statements_markup(debrief: RunDebrief) -> Iterator[str]:
    yield f"== {text_content('Statements of the room')}"
    yield f"{text_content('Nobody’s name is kept with a statement, nor when it was written.')}\n"
    for question, statements in debrief.statements:
        yield f"=== {text_content(question)}"
        rows = [(row.theme or "In no group", row.text, str(row.points)) for row in statements]
        if rows:
            yield from _write_table("(1fr, 4fr, auto)", ("Group", "Statement", "Points"), rows)
        else:
            yield f"{text_content('No statement.')}\n"


def _actions_markup(debrief: RunDebrief) -> Iterator[str]:
    yield f"== {text_content('Actions')}"
    rows = [(action.what, action.owner, say.date(action.due_on)) for action in debrief.actions]
    if rows:
        yield from _write_table("(3fr, 2fr, auto)", ("Action", "Owner", "By"), rows)
    else:
        yield f"{text_content('Nobody wrote an action down.')}\n"


def _write_table(columns: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    header = ", ".join(f"[{text_content(head)}]" for head in heads)
    yield f"#table(columns: {columns}, table.header({header}),"
    for row in rows:
        yield "".join(f"[{text_content(cell)}], " for cell in row)
    yield ")"
