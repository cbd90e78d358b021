"""Reads a file of questions, in a separate process, without writing anything."""

import json
from dataclasses import asdict, dataclass
from typing import Any

from portal.domain.authoring.item_exchange import files, moodle, qti
from portal.domain.authoring.item_exchange.questions import (
    MOST_QUESTIONS,
    ForeignQuestion,
    RawQuestion,
    build_question,
)
from portal.platform.errors import BadInputError
from portal.platform.isolation.messages import MEBIBYTE, Limits, Reader
from portal.platform.isolation.running import ReadingStoppedError, read_apart

READER = Reader(
    "portal.domain.authoring.item_exchange.reading:answer_with_questions",
    Limits(memory=768 * MEBIBYTE, processor=20, wall=60, answer=8 * MEBIBYTE),
    thing="This file",
    advice="Export fewer questions at once, or choose another format.",
)
MOST_CHARACTERS = 500_000  # of all questions of one file, which the form that confirms them carries
TOO_LONG = "The questions of the file are too long together. Split it, and add the parts one after another."
TOO_MANY = (
    f"The file has more than {MOST_QUESTIONS} questions. Split it, and add the parts one after another."
)


@dataclass(frozen=True, slots=True)
class ReadFile:
    """The questions of a file."""

    format: str  # a key of ``files.FORMATS``
    questions: list[ForeignQuestion]

    @property
    def ready(self) -> list[ForeignQuestion]:
        """The questions that can come."""
        return [question for question in self.questions if question.table]


def read_file(content: bytes, format_name: str = "") -> ReadFile:
    """The questions of a file, those too that cannot come.

    Args:
        content: The file as sent; larger ones are refused.
        format_name: A key of ``files.FORMATS``; empty: recognised by its content.
    """
    if len(content) > files.MOST_BYTES:
        files.recognise_format(content)
    try:
        answer = read_apart(READER, {"format": format_name}, [content], _parse_answer)
    except ReadingStoppedError as error:
        raise BadInputError([str(error)]) from error
    if isinstance(answer, BadInputError):
        raise answer
    return answer


def answer_with_questions(arguments: Any, pieces: list[bytes]) -> tuple[Any, list[bytes]]:
    """Run ``read_questions`` in the separate process; a refusal comes back as its reasons."""
    try:
        name, questions = read_questions(pieces[0], arguments["format"])
    except BadInputError as error:
        return {"reasons": error.reasons}, []
    return {"format": name, "questions": [asdict(question) for question in questions]}, []


def read_questions(content: bytes, format_name: str = "") -> tuple[str, list[ForeignQuestion]]:
    """The format of a file and its questions; arguments and errors as in ``read_file``."""
    name = files.recognise_format(content)
    if format_name and format_name != name:
        labels = files.FORMATS
        raise BadInputError([f"This file is {labels[name]}, not {labels[format_name]}."])
    raws: list[RawQuestion] = []
    for raw in _READERS[name](content):
        raws.append(raw)
        if len(raws) > MOST_QUESTIONS:
            raise BadInputError([TOO_MANY])
    if not raws:
        raise BadInputError(["The file has no questions."])
    questions = [build_question(raw, number) for number, raw in enumerate(raws, 1)]
    if len(json.dumps([question.table for question in questions], ensure_ascii=False)) > MOST_CHARACTERS:
        raise BadInputError([TOO_LONG])
    return name, questions


def _read_moodle(content: bytes) -> list[RawQuestion]:
    root = files.parse_document(content)
    rows = [row for row in root.iterfind("question") if row.get("type") != "category"]
    if len(rows) > MOST_QUESTIONS:
        raise BadInputError([TOO_MANY])
    return list(moodle.read_moodle(root))


def _read_qti(content: bytes) -> list[RawQuestion]:
    questions = []
    for document in files.open_package(content):
        if document.root is None:
            question = RawQuestion(name=document.name)
            question.refuse(document.fault)
        else:
            question = qti.read_item(document.root)
        questions.append(question)
        if len(questions) > MOST_QUESTIONS:
            break
    return questions


_READERS = {"moodle": _read_moodle, "qti": _read_qti}


def _parse_answer(value: Any, _pieces: list[bytes]) -> ReadFile | BadInputError:
    if "reasons" in value:
        return BadInputError([str(reason) for reason in value["reasons"]])
    questions = [
        ForeignQuestion(
            int(row["number"]),
            str(row["name"]),
            str(row["kind"]),
            dict(row["table"]),
            str(row["outcome"]),
            tuple(map(str, row["reasons"])),
            tuple(map(str, row["warnings"])),
        )
        for row in value["questions"]
    ]
    return ReadFile(str(value["format"]), questions)
