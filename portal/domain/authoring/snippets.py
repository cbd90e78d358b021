"""The snippets of Markdown that the toolbar inserts: containers with placeholder text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Snippet:
    """One button of the toolbar."""

    name: str  # the word after :::
    label: str
    purpose: str  # shown beside its button
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
        "Text that is folded until a reader opens it",
        "::: details What the folded text is about\nWrite the text that is folded away.\n:::",
    ),
    Snippet(
        "for",
        "For some roles",
        "A part for response, contact, investigation, custody or supervisors; folded for the others",
        "::: for custody: What the part is about\nWrite what they alone need.\n:::",
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
    """The snippets to offer beside a text, with one of the module's own figures and an unused check key.

    Args:
        body: The current text.
        media: Paths of the module's figures; the snippet shows the first.
        checks: Whether the text may contain checks.
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
    """The text with the snippet after its last line."""
    above = body.rstrip("\n")
    return f"{above}\n\n{box.template}\n" if above.strip() else f"{box.template}\n"
