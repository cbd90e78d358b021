"""Saves questions of another system's file in a draft, and records what leaves a bank."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from portal.domain.authoring import content_types, item_files, queries, services
from portal.domain.authoring.files import TEXT_BYTES
from portal.domain.authoring.item_exchange.files import OutgoingBank, choose_items
from portal.domain.authoring.item_exchange.moodle import write_moodle
from portal.domain.authoring.item_exchange.qti import write_package
from portal.domain.authoring.item_exchange.questions import MOST_QUESTIONS, ForeignQuestion, find_faults
from portal.domain.authoring.item_files import Changes
from portal.domain.authoring.preview import strip_invisible
from portal.domain.authoring.queries import DraftState
from portal.platform.audit import log
from portal.platform.errors import RuleError
from portal.platform.formats.toml_writer import format_toml
from portal.platform.wording import plural

# Adds questions of another system's file to a bank. Pure functions: nothing is written here.

FILE_BYTES = TEXT_BYTES * 3 // 4  # of one new file of items, so that authors can go on writing in it
UNREADABLE = "These questions cannot be read. Choose the file again."
KEY_TAKEN = "The bank has “{key}” already, so this one is called “{free}”."
SAME_QUESTION = "The bank has a question with the same words already: “{key}”."


@dataclass(frozen=True, slots=True)
class Addition:
    """A question to add, with the outcome that it tests."""

    table: dict[str, Any]
    outcome: str


def propose_keys(files: Mapping[str, bytes], questions: Sequence[ForeignQuestion]) -> list[ForeignQuestion]:
    """The questions with keys that are free in the bank; warnings say what is there already."""
    places = item_files.read_items(files)
    taken = {place.key for place in places}
    key_by_words = {_words_of(place.table): place.key for place in places}
    proposed = []
    for question in questions:
        if question.table:
            question, key = _with_free_key(question, taken), str(question.table["key"])
            taken.add(str(question.table["key"]))
            same = key_by_words.get(_words_of(question.table))
            if same:
                sentence = SAME_QUESTION.format(key=same)
                question = replace(_with_warning(question, sentence), repeats=same)
            elif question.table["key"] != key:
                sentence = KEY_TAKEN.format(key=key, free=question.table["key"])
                question = _with_warning(question, sentence)
        proposed.append(question)
    return proposed


def add_questions(
    files: Mapping[str, bytes], additions: Sequence[Addition], outcomes: Collection[str]
) -> Changes:
    """The new files that hold the questions; no file of the bank changes.

    Args:
        files: The module's files by path.
        additions: The questions, with keys that are free.
        outcomes: The keys of the module's outcomes.
    """
    taken = {place.key for place in item_files.read_items(files)}
    for addition in additions:
        key = addition.table.get("key")
        if key in taken:
            raise RuleError(f"There is a question “{key}” already. Choose the file again.")
        if addition.outcome not in outcomes:
            raise RuleError(f"Choose an outcome of the module for “{key}”.")
        taken.add(str(key))
    tables = [_bank_table(addition) for addition in additions]
    paths = (f"items/imported-{number}.toml" for number in range(1, 1_000))
    free_paths = (path for path in paths if path not in files)
    return {next(free_paths): text.encode() for text in _split_texts(tables)}


def dump_questions(questions: Sequence[ForeignQuestion]) -> str:
    """The questions that can come as one text, for the form that confirms them."""
    return json.dumps([question.table for question in questions if question.table], ensure_ascii=False)


def load_questions(text: str) -> list[dict[str, Any]]:
    """The questions of a form, checked as those of a file are."""
    try:
        tables = strip_invisible(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise RuleError(UNREADABLE) from error
    if not isinstance(tables, list) or len(tables) > MOST_QUESTIONS:
        raise RuleError(UNREADABLE)
    for table in tables:
        if not isinstance(table, dict) or list(find_faults(table)):
            raise RuleError(UNREADABLE)
    return tables


def _bank_table(addition: Addition) -> dict[str, Any]:
    """The table in the order in which banks have it: what is on one line before what has headers."""
    table = {"key": addition.table["key"], "outcome": addition.outcome, **addition.table}
    return table | {"outcome": addition.outcome}


def _split_texts(tables: Sequence[dict[str, Any]]) -> list[str]:
    texts: list[str] = []
    for table in tables:
        text = format_toml({"item": [table]})
        if texts and len((texts[-1] + text).encode()) < FILE_BYTES:
            texts[-1] += f"\n{text}"
        else:
            texts.append(text)
    return texts


def _with_free_key(question: ForeignQuestion, taken: Collection[str]) -> ForeignQuestion:
    key = str(question.table["key"])
    candidates = [key, *(f"{key}-{number}" for number in range(2, len(taken) + 3))]
    free = next(candidate for candidate in candidates if candidate not in taken)
    return replace(question, table=question.table | {"key": free})


def _with_warning(question: ForeignQuestion, sentence: str) -> ForeignQuestion:
    return replace(question, warnings=(sentence, *question.warnings))


def _words_of(table: Mapping[str, Any]) -> tuple[str, str]:
    return str(table.get("stimulus", "")).strip(), str(table.get("prompt", "")).strip()


OUT_FORMATS = {"qti3": "QTI 3.0", "moodle": "Moodle XML"}
NOTHING_FITS = "None of the questions fits into this format."


def save_questions(
    state: DraftState, additions: Sequence[Addition], *, file_format: str, by: int, at: datetime
) -> int:
    """Add questions to a draft, in new files of its bank; returns how many.

    Args:
        state: The draft as it is now.
        additions: The questions, each with its outcome.
        file_format: Of the file that they come from, for the audit trail.
        by: The person who adds them.
        at: The instant.

    Raises:
        StaleSaveError: Someone else has just added questions from a file.
    """
    files = read_bank_files(state)
    outcomes = [key for key, _ in content_types.read_details(files["module.toml"]).outcomes]
    changes = add_questions(files, additions, outcomes)
    if not changes:
        raise RuleError("There is no question to add.")
    services.save_files(
        state.draft_id,
        changes,
        expected=dict.fromkeys(changes),
        summary=f"Added {plural(len(additions), 'question')} from a file",
        by=by,
        at=at,
    )
    log(
        "items.imported",
        actor_id=by,
        module=state.key,
        draft=state.draft_id,
        number=len(additions),
        format=file_format,
    )
    return len(additions)


def read_bank_files(state: DraftState) -> dict[str, bytes]:
    """The draft's bank and its ``module.toml`` by path."""
    return queries.read_files(
        {path: sha for path, sha in state.files.items() if path == "module.toml" or path.startswith("items/")}
    )


def choose_outgoing(files: Mapping[str, bytes], *, with_retired: bool = False) -> OutgoingBank:
    """What of a bank goes out, and what stays, with the reasons."""
    return choose_items(item_files.read_items(files), with_retired=with_retired)


def format_bank(bank: OutgoingBank, name: str, file_format: str) -> bytes:
    """The file with the questions that go out.

    Args:
        bank: As ``choose_outgoing`` gives it.
        name: The module's key.
        file_format: A key of ``OUT_FORMATS``.
    """
    if not bank.items:
        raise RuleError(NOTHING_FITS)
    if file_format == "moodle":
        return write_moodle(bank.items, name)
    return write_package(bank.items, name)


def record_export(key: str, bank: OutgoingBank, file_format: str, *, by: int | None) -> None:
    """Record that questions, with their right answers, left the portal in a file."""
    log("items.exported", actor_id=by, module=key, number=len(bank.items), format=file_format)
