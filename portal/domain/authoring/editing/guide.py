"""A guide's file: front matter between lines of ``+++``, then Markdown."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from portal.domain.authoring import boilerplate
from portal.domain.authoring.editing import toml_writer
from portal.domain.authoring.editing.lesson import join_parts, split_file
from portal.domain.authoring.editing.text_normalisation import normalise_line_ends
from portal.domain.authoring.editing.toml_patch import parse_toml


@dataclass(frozen=True, slots=True)
class GuideFields:
    """What an author edits of a guide."""

    title: str
    summary: str
    owner: str
    review_on: date | None  # None: not said
    acknowledge: bool  # whether readers are asked to say that they have read it
    body: str  # Markdown, without the blank lines around it


def read_guide(content: bytes) -> GuideFields:
    """What the file says."""
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


def write_guide(content: bytes, said: GuideFields) -> bytes:
    """The file, changed to say this; a body that says the same keeps its bytes."""
    parts = split_file(content)
    wanted = _front_matter(said)
    if not said.acknowledge and "acknowledge" not in parse_toml(parts.front):
        del wanted["acknowledge"]  # left out is no
    return join_parts(parts, wanted, said.body)


def new_guide_file(title: str, owner: str, review_on: date) -> bytes:
    """A new guide, from words to be written over."""
    said = GuideFields(title, boilerplate.GUIDE_SUMMARY, owner, review_on, False, boilerplate.GUIDE_TEXT)
    front = toml_writer.format_members(_front_matter(said))
    return f"+++\n{front}+++\n\n{normalise_line_ends(said.body).strip()}\n".encode()


def _front_matter(said: GuideFields) -> dict[str, Any]:
    return {key: value for key, value in asdict(said).items() if key != "body" and value is not None}


def _text_value(front: dict[str, Any], key: str) -> str:
    said = front.get(key)
    return said if isinstance(said, str) else ""
