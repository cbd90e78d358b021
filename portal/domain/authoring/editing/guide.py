"""A guide's file: front matter between lines of ``+++``, then Markdown."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from portal.domain.authoring import boilerplate
from portal.domain.authoring.editing import toml_writer
from portal.domain.authoring.editing.lesson import cut, joined
from portal.domain.authoring.editing.text_normalisation import plain
from portal.domain.authoring.editing.toml_patch import parsed


@dataclass(frozen=True, slots=True)
class GuideText:
    """What an author edits of a guide."""

    title: str
    summary: str
    owner: str
    review_on: date | None  # None: not said
    acknowledge: bool  # whether readers are asked to say that they have read it
    body: str  # Markdown, without the blank lines around it


def read(content: bytes) -> GuideText:
    """What the file says."""
    parts = cut(content)
    front = parsed(parts.front)
    review_on = front.get("review_on")
    return GuideText(
        title=_text(front, "title"),
        summary=_text(front, "summary"),
        owner=_text(front, "owner"),
        review_on=review_on if type(review_on) is date else None,
        acknowledge=front.get("acknowledge") is True,
        body=parts.body,
    )


def write(content: bytes, said: GuideText) -> bytes:
    """The file, changed to say this; a body that says the same keeps its bytes."""
    parts = cut(content)
    wanted = _front(said)
    if not said.acknowledge and "acknowledge" not in parsed(parts.front):
        del wanted["acknowledge"]  # left out is no
    return joined(parts, wanted, said.body)


def new(title: str, owner: str, review_on: date) -> bytes:
    """A new guide, from words to be written over."""
    said = GuideText(title, boilerplate.GUIDE_SUMMARY, owner, review_on, False, boilerplate.GUIDE)
    return f"+++\n{toml_writer.members(_front(said))}+++\n\n{plain(said.body).strip()}\n".encode()


def _front(said: GuideText) -> dict[str, Any]:
    return {key: value for key, value in asdict(said).items() if key != "body" and value is not None}


def _text(front: dict[str, Any], key: str) -> str:
    said = front.get(key)
    return said if isinstance(said, str) else ""
