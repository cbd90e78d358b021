"""Reads what a syndicate writes into its decision log from a form, and checks it by its question. Pure."""

from collections.abc import Mapping
from typing import Any, TypedDict

from portal.domain.exercises.content import ExerciseContent, InjectQuestion
from portal.platform.errors import RuleError

LONGEST = 5_000  # characters of a decision, and of its reason
MISSING = {
    "decision": "Enter your decision.",
    "text": "Enter your answer.",
    "choice": "Choose an answer.",
    "ranking": "Give every choice a place of its own.",
}


class LogAnswer(TypedDict, total=False):
    """An entry's answer, as ``LogEntry.answer`` keeps it."""

    text: str
    choice: str
    order: list[str]
    reason: str


def find_question(content: ExerciseContent, key: str) -> tuple[str, InjectQuestion]:
    """The key of the inject that asks a question, and the question.

    Raises:
        RuleError: The exercise has no such question.
    """
    for inject in content["injects"]:
        for question in inject["questions"]:
            if question["key"] == key:
                return inject["key"], question
    raise RuleError("This exercise has no such question. Open the page again.")


def read_answer(question: InjectQuestion | None, fields: Mapping[str, str]) -> LogAnswer:
    """The answer that a form's fields give to a question; for None a decision of the syndicate's own.

    The fields are ``text``, ``choice``, ``reason`` and ``place-`` with a choice's key.

    Raises:
        RuleError: Something is missing or too long.
    """
    kind = question["kind"] if question else "decision"
    answer: LogAnswer = {}
    if question and kind == "choice":
        answer["choice"] = fields.get("choice", "")
        if answer["choice"] not in {choice["key"] for choice in question["choices"]}:
            raise RuleError(MISSING[kind])
    elif question and kind == "ranking":
        answer["order"] = _read_order(question, fields)
    else:
        answer["text"] = _read_text(fields, "text", "What you wrote")
        if not answer["text"]:
            raise RuleError(MISSING[kind])
    if question is None or question["reason"]:
        answer["reason"] = _read_text(fields, "reason", "Your reason")
        if not answer["reason"]:
            raise RuleError("Enter your reason.")
    return answer


def _read_text(fields: Mapping[str, str], name: str, label: str) -> str:
    text = fields.get(name, "").replace("\r\n", "\n").strip()
    if len(text) > LONGEST:
        raise RuleError(f"{label} has {len(text):,} characters. Use {LONGEST:,} or fewer.")
    return text


def _read_order(question: InjectQuestion, fields: Mapping[str, str]) -> list[str]:
    keys = [choice["key"] for choice in question["choices"]]
    key_by_position = {fields.get(f"place-{key}", ""): key for key in keys}
    positions = [str(position) for position in range(1, len(keys) + 1)]
    if sorted(key_by_position) != sorted(positions):
        raise RuleError(MISSING["ranking"])
    return [key_by_position[position] for position in positions]


def words_of_answer(question: InjectQuestion | None, answer: Mapping[str, Any]) -> list[str]:
    """The answer as paragraphs: texts as they were written, choices by their key's safe inline HTML."""
    labels = {choice["key"]: choice["html"] for choice in question["choices"]} if question else {}
    if "choice" in answer:
        return [labels.get(answer["choice"], answer["choice"])]
    return [labels.get(key, key) for key in answer.get("order", ())]
