"""Reading of one inject: its questions, what the syndicates see, and the facilitator's notes."""

import re
from dataclasses import dataclass
from typing import get_args

from portal.domain.catalogue.markdown.front_matter import FrontMatter, read_front_matter
from portal.domain.catalogue.sources.folder_reader import KEY_PATTERN
from portal.domain.exercises.content import QuestionKind
from portal.domain.exercises.sources.exercise_folder import inject_path
from portal.platform.formats.faults import Faults
from portal.platform.formats.toml_tables import Table, read_key

FACILITATOR_HEADING = "## For the facilitator"
KINDS: dict[str, QuestionKind] = {kind: kind for kind in get_args(QuestionKind)}
WITH_CHOICES = frozenset({"choice", "ranking"})
MOST_SYNDICATES = 50
MOST_CHOICES = 12

_NOTES = re.compile(r"(?m)^## For the facilitator[ \t]*$")


@dataclass(frozen=True)
class AskedQuestion:
    """A question as written."""

    key: str
    kind: QuestionKind
    role: str  # whose decision it is; "" for the whole syndicate
    prompt: str
    reason: bool
    choices: list[tuple[str, str]]  # key and text
    line: int


@dataclass(frozen=True)
class InjectText:
    """An inject as written."""

    key: str
    title: str
    minute: int | None
    cue: str
    after: str  # key of the turning point that it continues; "" for none
    syndicates: list[int]
    turning_point: bool
    sources: list[str]
    questions: list[AskedQuestion]
    body: str
    body_line: int
    notes: str
    notes_line: int
    path: str  # shown in faults
    head: Table


def read_inject(exercise: str, key: str, files: dict[str, bytes], faults: Faults) -> InjectText | None:
    """Read the inject ``key``; None, with a fault added, if its front matter cannot be read."""
    path = inject_path(key)
    shown_path = f"{exercise}/{path}"
    if not KEY_PATTERN.fullmatch(key):
        faults.add(shown_path, None, "Name the file with small letters, digits and single hyphens.")
        return None
    head = read_front_matter(files[path], shown_path, faults)
    if head is None:
        return None
    body, notes, notes_line = _split_notes(head, shown_path, faults)
    minute, cue = _read_release(head.table)
    inject = InjectText(
        key=key,
        title=head.table.text("title"),
        minute=minute,
        cue=cue,
        after=head.table.text("after", required=False),
        syndicates=_read_syndicates(head.table),
        turning_point=head.table.flag("turning_point"),
        sources=head.table.texts("sources"),
        questions=_read_questions(head.table),
        body=body,
        body_line=head.body_line,
        notes=notes,
        notes_line=notes_line,
        path=shown_path,
        head=head.table,
    )
    head.table.close()
    return inject


def _split_notes(head: FrontMatter, path: str, faults: Faults) -> tuple[str, str, int]:
    """What the syndicates see, the facilitator's notes, and the line on which these begin."""
    marks = list(_NOTES.finditer(head.body))
    if len(marks) != 1:
        line = head.body_line + (head.body.count("\n", 0, marks[1].start()) if marks else 0)
        reason = f"Write the heading “{FACILITATOR_HEADING}” once, after what the syndicates see."
        faults.add(path, line, reason)
        return head.body, "", head.body_line
    body, notes = head.body[: marks[0].start()], head.body[marks[0].end() :]
    line = head.body_line + head.body.count("\n", 0, marks[0].end())
    if not body.strip() and head.body.strip():
        faults.add(path, head.body_line, "Write what the syndicates see above the facilitator's notes.")
    if not notes.strip():
        faults.add(path, line, "Write below this heading what the facilitator must know.")
    return body, notes, line


def _read_release(table: Table) -> tuple[int | None, str]:
    """The minute or the cue: one of them, not both."""
    if table.has("minute") == table.has("cue"):
        table.fault("minute", "Give the inject a minute, or a cue to release it by hand: one of them.")
    minute = table.number("minute", least=0) if table.has("minute") else None
    return minute, table.text("cue", required=False)


def _read_syndicates(table: Table) -> list[int]:
    numbers = table.numbers("syndicates")
    if any(number > MOST_SYNDICATES for number in numbers):
        table.fault("syndicates", f"There are never more than {MOST_SYNDICATES} syndicates.")
    return numbers


def _read_questions(table: Table) -> list[AskedQuestion]:
    return [_read_question(row) for row in table.tables("question")] if table.has("question") else []


def _read_question(table: Table) -> AskedQuestion:
    kind = table.text("kind")
    if kind and kind not in KINDS:
        table.fault("kind", f"“{kind}” is not a kind of question. Use {', '.join(KINDS)}.")
    question = AskedQuestion(
        key=read_key(table),
        kind=KINDS.get(kind, "text"),
        role=table.text("role", required=False),
        prompt=table.text("prompt"),
        reason=table.flag("reason"),
        choices=_read_choices(table, kind),
        line=table.line,
    )
    table.close()
    return question


def _read_choices(table: Table, kind: str) -> list[tuple[str, str]]:
    if kind not in WITH_CHOICES:
        if table.has("choice"):
            table.fault("choice", f"A question of kind {kind} has no choices. Take them out.")
            table.tables("choice")
        return []
    choices: list[tuple[str, str]] = []
    for row in table.tables("choice", "[[question.choice]]"):
        key, text = read_key(row), row.text("text")
        if key and key in {earlier_key for earlier_key, _ in choices}:
            row.fault("key", f"“{key}” is used twice. Give each choice a key of its own.")
        choices.append((key, text))
        row.close()
    if not 2 <= len(choices) <= MOST_CHOICES:
        table.fault("choice", f"Write 2 to {MOST_CHOICES} choices.")
    return choices
