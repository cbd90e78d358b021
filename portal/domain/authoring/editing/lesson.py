"""A lesson's file, or the job aid's: front matter between lines of ``+++``, then Markdown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring.editing import toml_writer
from portal.domain.authoring.editing.text_normalisation import is_same_value, normalise_line_ends
from portal.domain.authoring.editing.toml_patch import parse_toml, rewrite_toml
from portal.domain.authoring.errors import UnreadableFileError


@dataclass(frozen=True, slots=True)
class LessonFields:
    """What an author edits of a lesson; the job aid has neither minutes nor outcomes."""

    title: str
    minutes: int  # 0: not said
    outcomes: Sequence[str]  # keys
    body: str  # Markdown, without the blank lines around it


@dataclass(frozen=True, slots=True)
class FileParts:
    """A file cut where front matter and body begin and end; joined again it is the file."""

    opening: str
    front: str
    closing: str  # the second line of +++, and blank lines
    body: str
    ending: str  # line ends


def read_lesson(content: bytes) -> LessonFields:
    """What the file says."""
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
    """The file, changed to say ``text``; a body that says the same keeps its bytes, blank ends and all.

    Outcomes are a set: those that stay keep their order, whatever the order in which they are given.
    """
    parts = split_file(content)
    front = parse_toml(parts.front)
    wanted: dict[str, Any] = {"title": text.title}
    for key, said in (("minutes", text.minutes), ("outcomes", _order_outcomes(text.outcomes, front))):
        if said or key in front:
            wanted[key] = said
    return join_parts(parts, wanted, text.body)


def join_parts(parts: FileParts, wanted: Mapping[str, Any], text: str) -> bytes:
    """The file with these keys changed, others kept, and this text."""
    held = {key: said for key, said in parse_toml(parts.front).items() if key not in wanted}
    front = rewrite_toml(parts.front, {**wanted, **held})
    body = parts.body if is_same_value(parts.body, text) else normalise_line_ends(text).strip("\n")
    return "".join((parts.opening, front, parts.closing, body, parts.ending)).encode()


def _order_outcomes(outcomes: Sequence[str], front: dict[str, Any]) -> list[str]:
    """The outcomes, those that stand in the file first and as they stand: a form sends them in its order."""
    held = front.get("outcomes")
    stay = [key for key in held if key in outcomes] if isinstance(held, list) else []
    return [*stay, *(key for key in outcomes if key not in stay)]


def new_lesson_file(title: str, minutes: int, outcomes: Sequence[str], body: str) -> bytes:
    """A new file; without minutes and outcomes for the job aid."""
    said = {"title": title, "minutes": minutes, "outcomes": list(outcomes)}
    front = toml_writer.format_members({key: value for key, value in said.items() if value or key == "title"})
    return f"+++\n{front}+++\n\n{normalise_line_ends(body).strip(chr(10))}\n".encode()


def split_file(content: bytes) -> FileParts:
    """The file in its parts.

    Raises:
        UnreadableFileError: It has no front matter.
    """
    text = content.decode()
    rows = _split_lines(text)
    ends = [number for number, row in enumerate(rows) if row.rstrip() == "+++"][:2]
    if len(ends) < 2 or ends[0] != 0:
        raise UnreadableFileError("This page has lost its front matter between two lines +++.")
    rest = "".join(rows[ends[1] + 1 :])
    body = rest.strip("\n")
    before = rest[: len(rest) - len(rest.lstrip("\n"))]
    return FileParts(
        opening=rows[0],
        front="".join(rows[1 : ends[1]]),
        closing=rows[ends[1]] + before,
        body=body,
        ending=rest[len(before) + len(body) :],
    )


def _split_lines(text: str) -> list[str]:
    """Lines with their LF; no other sign ends a line in the format."""
    rows = text.split("\n")
    return [f"{row}\n" for row in rows[:-1]] + ([rows[-1]] if rows[-1] else [])
