"""Reads and writes a lesson's or the job aid's file: front matter between ``+++`` lines, then Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring.editing import toml_writer
from portal.domain.authoring.editing.text_normalisation import is_same_value, normalise_line_ends
from portal.domain.authoring.editing.toml_patch import parse_toml, rewrite_toml
from portal.domain.authoring.errors import UnreadableFileError

MOST_MINUTES = 60  # that a form takes for one lesson


@dataclass(frozen=True, slots=True)
class LessonFields:
    """The fields of a lesson that an author edits; the job aid has neither minutes nor outcomes."""

    title: str
    minutes: int  # 0: not given
    outcomes: Sequence[str]  # keys
    body: str  # Markdown, without the blank lines around it


@dataclass(frozen=True, slots=True)
class FileParts:
    """A file split around its front matter and body; the parts concatenated give the file."""

    opening: str
    front: str
    closing: str  # the second line of +++, and blank lines
    body: str
    ending: str  # line ends


def read_lesson(content: bytes) -> LessonFields:
    """Parse the file.

    Raises:
        UnreadableFileError: It has no front matter.
    """
    parts = split_file(content)
    front = parse_toml(parts.front)
    title, minutes, outcomes = front.get("title"), front.get("minutes"), front.get("outcomes")
    return LessonFields(
        title=title if isinstance(title, str) else "",
        minutes=minutes if isinstance(minutes, int) else 0,
        outcomes=[str(key) for key in outcomes] if isinstance(outcomes, list) else [],
        body=parts.body,
    )


def write_lesson(content: bytes, text: LessonFields) -> bytes:
    """The file with the fields of ``text``; an unchanged body keeps its bytes, including space at its ends.

    Outcomes are a set: those already listed keep their order, regardless of the order given.
    """
    parts = split_file(content)
    front = parse_toml(parts.front)
    front_matter: dict[str, Any] = {"title": text.title}
    for key, value in (("minutes", text.minutes), ("outcomes", _order_outcomes(text.outcomes, front))):
        if value or key in front:
            front_matter[key] = value
    return join_parts(parts, front_matter, text.body)


def write_body(content: bytes, body: str) -> bytes:
    """The file with another text."""
    fields = read_lesson(content)
    return write_lesson(content, LessonFields(fields.title, fields.minutes, fields.outcomes, body))


def join_parts(parts: FileParts, new_values: Mapping[str, Any], text: str) -> bytes:
    """The file with these front-matter values and this body; other keys are kept."""
    kept_values = {key: value for key, value in parse_toml(parts.front).items() if key not in new_values}
    front = rewrite_toml(parts.front, {**new_values, **kept_values})
    body = parts.body if is_same_value(parts.body, text) else normalise_line_ends(text).strip("\n")
    return "".join((parts.opening, front, parts.closing, body, parts.ending)).encode()


def _order_outcomes(outcomes: Sequence[str], front: dict[str, Any]) -> list[str]:
    """The outcomes with those already in the file first, in the file's order; forms send their own order."""
    old_outcomes = front.get("outcomes")
    unchanged = [key for key in old_outcomes if key in outcomes] if isinstance(old_outcomes, list) else []
    return [*unchanged, *(key for key in outcomes if key not in unchanged)]


def new_lesson_file(title: str, minutes: int, outcomes: Sequence[str], body: str) -> bytes:
    """A new file's content; pass 0 minutes and no outcomes for the job aid."""
    values = {"title": title, "minutes": minutes, "outcomes": list(outcomes)}
    front = toml_writer.format_members(
        {key: value for key, value in values.items() if value or key == "title"}
    )
    return f"+++\n{front}+++\n\n{normalise_line_ends(body).strip(chr(10))}\n".encode()


def split_file(content: bytes) -> FileParts:
    """Split the file into its parts.

    Raises:
        UnreadableFileError: It has no front matter.
    """
    text = content.decode()
    rows = _split_lines(text)
    ends = [number for number, row in enumerate(rows) if row.rstrip() == "+++"][:2]
    if len(ends) < 2 or ends[0] != 0:
        raise UnreadableFileError("This page has lost its front matter between two lines +++.")
    remainder = "".join(rows[ends[1] + 1 :])
    body = remainder.strip("\n")
    blank_lines = remainder[: len(remainder) - len(remainder.lstrip("\n"))]
    return FileParts(
        opening=rows[0],
        front="".join(rows[1 : ends[1]]),
        closing=rows[ends[1]] + blank_lines,
        body=body,
        ending=remainder[len(blank_lines) + len(body) :],
    )


def _split_lines(text: str) -> list[str]:
    """The text's lines, each with its LF; ``str.splitlines`` would also split at other characters."""
    rows = text.split("\n")
    return [f"{row}\n" for row in rows[:-1]] + ([rows[-1]] if rows[-1] else [])
