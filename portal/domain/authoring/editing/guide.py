"""Reads and writes a guide's file: front matter between ``+++`` lines, then Markdown."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from portal.domain.authoring.editing import boilerplate, toml_writer
from portal.domain.authoring.editing.lesson import join_parts, split_file
from portal.domain.authoring.editing.text_normalisation import normalise_line_ends
from portal.domain.authoring.editing.toml_patch import parse_toml


@dataclass(frozen=True, slots=True)
class GuideFields:
    """The fields of a guide that an author edits."""

    title: str
    summary: str
    owner: str
    review_on: date | None  # None: not given
    acknowledge: bool  # whether readers must confirm that they have read it
    body: str  # Markdown, without the blank lines around it


def read_guide(content: bytes) -> GuideFields:
    """Parse the file."""
    parts = split_file(content)
    front = parse_toml(parts.front)
    review_on = front.get("review_on")
    return GuideFields(
        title=_text_value(front, "title"),
        summary=_text_value(front, "summary"),
        owner=_text_value(front, "owner"),
        review_on=review_on if type(review_on) is date else None,
        acknowledge=front.get("acknowledge") is True,
        body=parts.body,
    )


def write_guide(content: bytes, fields: GuideFields) -> bytes:
    """The file with these fields; an unchanged body keeps its bytes."""
    parts = split_file(content)
    front_matter = _front_matter(fields)
    if not fields.acknowledge and "acknowledge" not in parse_toml(parts.front):
        del front_matter["acknowledge"]  # a missing key means false
    return join_parts(parts, front_matter, fields.body)


def new_guide_file(title: str, owner: str, review_on: date) -> bytes:
    """A new guide's content, with placeholder text."""
    fields = GuideFields(title, boilerplate.GUIDE_SUMMARY, owner, review_on, False, boilerplate.GUIDE_TEXT)
    front = toml_writer.format_members(_front_matter(fields))
    return f"+++\n{front}+++\n\n{normalise_line_ends(fields.body).strip()}\n".encode()


def _front_matter(fields: GuideFields) -> dict[str, Any]:
    return {key: value for key, value in asdict(fields).items() if key != "body" and value is not None}


def _text_value(front: dict[str, Any], key: str) -> str:
    value = front.get(key)
    return value if isinstance(value, str) else ""
