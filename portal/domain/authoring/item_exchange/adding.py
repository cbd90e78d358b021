"""Adds questions of another system's file to a bank. Pure functions: nothing is written here."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from portal.domain.authoring.editing import item_bank
from portal.domain.authoring.editing.item_bank import Changes
from portal.domain.authoring.editing.toml_writer import format_members
from portal.domain.authoring.item_exchange.question import MOST_QUESTIONS, ForeignQuestion, find_faults
from portal.domain.authoring.item_source import strip_invisible
from portal.domain.authoring.limits import TEXT_BYTES
from portal.platform.errors import RuleError

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
    places = item_bank.read_items(files)
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

    Raises:
        RuleError: A key is taken, an outcome is none of the module's, or a question is not whole.
    """
    taken = {place.key for place in item_bank.read_items(files)}
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
    """The questions of a form, checked as those of a file are.

    Raises:
        RuleError: They are none, or not whole.
    """
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
        text = format_members({"item": [table]})
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
