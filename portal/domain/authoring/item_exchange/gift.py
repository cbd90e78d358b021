"""Reads GIFT, Moodle's text format for questions.

Every text is walked once, character by character, so that no input makes it slow.

Runs in a separate process: the portal calls ``portal.domain.authoring.item_exchange.reading``.

Source: the format's description in Moodle's documentation, "GIFT format".
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from portal.domain.authoring.item_exchange.questions import (
    EITHER,
    Markup,
    RawChoice,
    RawQuestion,
    read_html,
    read_loose_html,
    read_markdown,
    read_plain,
)
from portal.platform.errors import BadInputError

_ESCAPED = "~=#{}:\\"
_FORMATS: dict[str, Callable[[str], Markup]] = {
    "html": read_html,
    "markdown": read_markdown,
    "plain": read_plain,
    "moodle": read_loose_html,
}
_WEIGHT = re.compile(r"\s*%(-?\d{1,3}(?:\.\d{1,5})?)%")
_TRUTH = {"T": True, "TRUE": True, "F": False, "FALSE": False}
TYPED = "It is answered with typed words. Here answers are chosen."
ESSAY = "It asks for a text of the learner's own, which people have to mark. The portal marks by itself."
NUMBER = "It asks for a number to be typed. The portal has no such question."
NOTHING_ASKED = "It is a text that asks nothing. Put it into a lesson."
BROKEN = "Its answers have no closing brace, or a brace too many. Write a brace that is text as \\{ or \\}."


@dataclass(frozen=True, slots=True)
class _Answer:
    """One answer between the braces: its sign, its text and its feedback, still escaped."""

    sign: str  # "=", "~" or ""
    text: str
    feedback: str


def read_gift(text: str) -> Iterator[RawQuestion]:
    """The questions of a file, in its order."""
    category = ""
    for chunk in _split_questions(text):
        if chunk.startswith("$CATEGORY:"):
            category = chunk.removeprefix("$CATEGORY:").strip().rpartition("/")[2]
            continue
        question = _read_question(chunk)
        question.outcome = question.outcome or category
        yield question


def decode_gift(content: bytes) -> str:
    """The text of a file in GIFT."""
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInputError([f"Line {line} is not UTF-8. Save the file as UTF-8, then try again."]) from error


def _split_questions(text: str) -> Iterator[str]:
    """The parts between empty lines, without comments; a category is a part of its own."""
    lines: list[str] = []
    for line in [*text.split("\n"), ""]:
        stripped = line.strip()
        if stripped.startswith("//"):
            continue
        if (not stripped or stripped.startswith("$CATEGORY:")) and lines:
            yield "\n".join(lines).strip()
            lines = []
        if stripped.startswith("$CATEGORY:"):
            yield stripped
        elif stripped:
            lines.append(line)


def _read_question(chunk: str) -> RawQuestion:
    question = RawQuestion()
    if chunk.startswith("::"):
        end = _find_mark(chunk, "::", 2)
        if end > 0:
            question.name, chunk = _remove_escapes(chunk[2:end]).strip(), chunk[end + 2 :].strip()
    chunk, read = _take_format(chunk)
    start = _find_mark(chunk, "{")
    end = _find_mark(chunk, "}", start + 1) if start >= 0 else -1
    if start < 0:
        question.text = read(_remove_escapes(chunk))
        question.refuse(BROKEN if _find_mark(chunk, "}") >= 0 else NOTHING_ASKED)
        return question
    if end < 0 or _find_mark(chunk, "{", end) >= 0 or _find_mark(chunk, "}", end + 1) >= 0:
        question.text = read(_remove_escapes(chunk[:start]))
        question.refuse(BROKEN)
        return question
    before, inside, after = chunk[:start], chunk[start + 1 : end].strip(), chunk[end + 1 :].strip()
    if after:
        gap = "" if after[0] in ".,;:!?)" else " "
        before = f"{before.rstrip()} _____{gap}{after}"
    question.text = read(_remove_escapes(before))
    _read_answers(question, inside, read)
    return question


def _read_answers(question: RawQuestion, inside: str, read: Callable[[str], Markup]) -> None:
    general = _find_mark(inside, "####")
    if general >= 0:
        question.explanation = read(_remove_escapes(inside[general + 4 :]))
        inside = inside[:general].strip()
    if not inside:
        question.refuse(ESSAY)
        return
    if inside.startswith("#"):
        question.refuse(NUMBER)
        return
    answers = _split_answers(inside)
    if len(answers) == 1 and answers[0].text.strip().upper() in _TRUTH and answers[0].sign == "":
        _read_truth(question, inside, read)
    elif any(_find_mark(answer.text, "->") >= 0 for answer in answers):
        _read_pairs(question, answers, read)
    elif not any(answer.sign == "~" for answer in answers):
        question.refuse(TYPED)
    else:
        _read_choices(question, answers, read)


def _read_truth(question: RawQuestion, inside: str, read: Callable[[str], Markup]) -> None:
    """A statement that is true or false; the first feedback is for the wrong answer."""
    word, *feedback = _split_at(inside, "#")
    is_true = _TRUTH[word.strip().upper()]
    texts = [read(_remove_escapes(text)) for text in [*feedback, "", ""][:2]]
    wrong, right = texts
    question.kind = "single"
    question.choices = [
        RawChoice(read_plain("True"), 100.0 if is_true else 0.0, right if is_true else wrong, "true"),
        RawChoice(read_plain("False"), 0.0 if is_true else 100.0, wrong if is_true else right, "false"),
    ]


def _read_pairs(question: RawQuestion, answers: list[_Answer], read: Callable[[str], Markup]) -> None:
    question.kind = "match"
    for answer in answers:
        middle = _find_mark(answer.text, "->")
        if middle < 0 or answer.sign != "=":
            question.refuse("One of its pairs has no “->”, or does not begin with “=”.")
            continue
        left, _ = _take_weight(answer.text[:middle])
        right = read(_remove_escapes(answer.text[middle + 2 :]))
        if _remove_escapes(left).strip():
            question.pairs.append(("", _read_own_format(left, read), right))
        else:
            question.extra.append(right)


def _read_choices(question: RawQuestion, answers: list[_Answer], read: Callable[[str], Markup]) -> None:
    weighted = False
    for answer in answers:
        text, weight = _take_weight(answer.text)
        weighted = weighted or (weight is not None and weight != 100)
        share = weight if weight is not None else 100.0 if answer.sign == "=" else 0.0
        feedback = read(_remove_escapes(answer.feedback))
        question.choices.append(RawChoice(_read_own_format(text, read), share, feedback))
    signs = [answer.sign for answer in answers]
    question.kind = "single" if "=" in signs or not weighted else "multiple"
    if signs.count("=") > 1:
        question.refuse(EITHER)


def _read_own_format(text: str, read: Callable[[str], Markup]) -> Markup:
    """A text that may begin with a format of its own, else it has that of its question."""
    text, own = _take_format(text.strip())
    return (read if own is read_loose_html else own)(_remove_escapes(text))


def _take_format(text: str) -> tuple[str, Callable[[str], Markup]]:
    for name, read in _FORMATS.items():
        if text.startswith(f"[{name}]"):
            return text[len(name) + 2 :].lstrip(), read
    return text, read_loose_html


def _take_weight(text: str) -> tuple[str, float | None]:
    """The text without the share of the mark that it begins with, and that share in per cent."""
    weight = _WEIGHT.match(text)
    return (text[weight.end() :], float(weight[1])) if weight else (text, None)


def _split_answers(inside: str) -> list[_Answer]:
    starts = [place for place, mark in _list_unescaped(inside) if mark in "=~"]
    if inside[:1] not in {"=", "~"}:
        starts.insert(0, 0)
    parts = [inside[start:end] for start, end in zip(starts, [*starts[1:], len(inside)], strict=True)]
    answers = []
    for part in parts:
        sign = part[0] if part[:1] in {"=", "~"} else ""
        text, *feedback = _split_at(part[len(sign) :], "#")
        answers.append(_Answer(sign, text, " ".join(feedback)))
    return answers


def _list_unescaped(text: str, start: int = 0) -> Iterator[tuple[int, str]]:
    """Every character that no backslash escapes, with its place."""
    place = start
    while place < len(text):
        if text[place] == "\\" and text[place + 1 : place + 2] in {*_ESCAPED, "n"}:
            place += 2
            continue
        yield place, text[place]
        place += 1


def _find_mark(text: str, mark: str, start: int = 0) -> int:
    """The place of the first mark that is not escaped; -1 where there is none."""
    for place, character in _list_unescaped(text, start):
        if character == mark[0] and text.startswith(mark, place):
            return place
    return -1


def _split_at(text: str, mark: str) -> list[str]:
    parts, begin = [], 0
    for place, character in _list_unescaped(text):
        if character == mark:
            parts.append(text[begin:place])
            begin = place + 1
    return [*parts, text[begin:]]


def _remove_escapes(text: str) -> str:
    r"""The text without the backslashes of the format; ``\n`` is a line end.

    >>> _remove_escapes(r"1 \= 1 and \{\}")
    '1 = 1 and {}'
    """
    pieces, last = [], 0
    for place, _ in _list_unescaped(text):
        if place > last:  # between the last character and this one there are escapes
            pieces.append(_read_escapes(text[last:place]))
        pieces.append(text[place])
        last = place + 1
    return "".join([*pieces, _read_escapes(text[last:])])


def _read_escapes(escapes: str) -> str:
    return "".join("\n" if mark == "n" else mark for mark in escapes[1::2])
