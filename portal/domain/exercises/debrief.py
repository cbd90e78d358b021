"""The debrief of a run: decisions side by side, statements and actions, as a tagged PDF and a ZIP.

No file names anybody: syndicates have numbers, actions the owner that the room wrote down. Statements stand
by their groups, their points and their words, so that the order of a file says nothing either.
"""

import hashlib
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

from sqlalchemy import select

from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.events.models import Event
from portal.domain.exercises.actions import ListedAction, list_actions
from portal.domain.exercises.comparison import (
    ComparedInject,
    compare_injects,
    injects_with_questions,
    plain_words,
)
from portal.domain.exercises.plenary import PlenaryRun
from portal.domain.exercises.room_question import READABLE_STAGES, statements_at
from portal.domain.exercises.statements import Statement
from portal.platform import wording as say
from portal.platform.clock import format_utc
from portal.platform.db import db
from portal.platform.documents.markup import markup_of, text_content
from portal.platform.documents.typesetting import typeset_pdf
from portal.platform.tables.csv_cells import csv_text

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
