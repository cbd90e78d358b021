"""The boxes that a text may hold, as an author adds them: each with what it does and words to replace."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snippet:
    """One box of the toolbar."""

    name: str  # the word behind :::
    label: str
    purpose: str  # what it is for, beside its button
    template: str  # ends without a newline


SNIPPETS = (
    Snippet(
        "inset",
        "Inset",
        "A point to remember, set apart from the text",
        "::: inset\nWrite the point to remember.\n:::",
    ),
    Snippet(
        "warning",
        "Warning",
        "A risk to someone’s life or to the case",
        "::: warning\nSay what can go wrong, and what to do.\n:::",
    ),
    Snippet(
        "details",
        "Details",
        "Text that is folded until it is asked for",
        "::: details What the folded text is about\nWrite the text that is folded away.\n:::",
    ),
    Snippet(
        "figure",
        "Figure",
        "A drawing, with the same content in words",
        "::: figure media/name.svg\nWrite what the drawing shows, for those who cannot see it.\n:::",
    ),
    Snippet(
        "check",
        "Check",
        "A question with feedback that is not scored",
        """::: check
key = "check-1"
kind = "single"
prompt = "Write the question."
explanation = "Say why the right choice is right."

[[choice]]
key = "a"
text = "Write the right choice"
feedback = "Yes. Say why."
correct = true

[[choice]]
key = "b"
text = "Write a mistake that people make"
feedback = "No. Say what is wrong with it."
:::""",
    ),
)


def offer_snippets(body: str = "", media: list[str] | None = None, *, checks: bool = True) -> list[Snippet]:
    """The boxes to offer beside a text: a figure of the module's own, a check with a key that is free.

    Args:
        body: The text as it stands.
        media: Paths of the module's figures; the first one is offered.
        checks: Whether a check may stand in the text.
    """
    offered = []
    for box in SNIPPETS:
        template = box.template
        if box.name == "figure" and media:
            template = template.replace("media/name.svg", media[0])
        if box.name == "check":
            template = template.replace('"check-1"', f'"check-{_free_number(body)}"')
        if checks or box.name != "check":
            offered.append(Snippet(box.name, box.label, box.purpose, template))
    return offered


def _free_number(body: str) -> int:
    number = 1
    while f'"check-{number}"' in body:
        number += 1
    return number


def append_snippet(body: str, box: Snippet) -> str:
    """The text with the box below its last line."""
    above = body.rstrip("\n")
    return f"{above}\n\n{box.template}\n" if above.strip() else f"{box.template}\n"
