"""Reads and writes a lesson that is a case: its file is TOML, which authors edit as text."""

from collections.abc import Container, Sequence

from portal.domain.authoring.editing import lesson, toml_writer
from portal.domain.authoring.editing.lesson import LessonFields
from portal.domain.authoring.editing.text_normalisation import is_same_value, normalise_line_ends
from portal.domain.authoring.editing.toml_patch import parse_toml
from portal.domain.authoring.errors import UnreadableFileError

CASE_KINDS = {
    "scenario": "A case to decide step by step",
    "report": "A report to write up",
    "picture": "A picture with places to find",
    "call": "A call to make: what to ask, and what to pass on",
}


def lesson_path(files: Container[str], name: str) -> str:
    """The path of a lesson's file: that of a case if there is one, else that of a text."""
    path = f"lessons/{name}.toml"
    return path if path in files else f"lessons/{name}.md"


def is_case_path(path: str) -> bool:
    """Whether the file is a lesson that is a case."""
    return path.startswith("lessons/") and path.endswith(".toml")


def read_lesson_file(path: str, content: bytes) -> LessonFields:
    """Parse a lesson's file, whether text or case.

    Raises:
        UnreadableFileError: It is a text without front matter.
    """
    return read_case(content) if is_case_path(path) else lesson.read_lesson(content)


def read_case(content: bytes) -> LessonFields:
    """Parse a case leniently; its body is the whole file."""
    text = content.decode()
    try:
        table = parse_toml(text)
    except UnreadableFileError:
        table = {}
    title, minutes, outcomes = table.get("title"), table.get("minutes"), table.get("outcomes")
    return LessonFields(
        title=title if isinstance(title, str) else "",
        minutes=minutes if isinstance(minutes, int) else 0,
        outcomes=[str(key) for key in outcomes] if isinstance(outcomes, list) else [],
        body=text.strip("\n"),
    )


def write_case(content: bytes, text: str) -> bytes:
    """The file with this text; an unchanged text keeps its bytes."""
    body = content.decode().strip("\n")
    return content if is_same_value(body, text) else f"{normalise_line_ends(text).strip(chr(10))}\n".encode()


def new_case_file(kind: str, title: str, minutes: int, outcomes: Sequence[str]) -> bytes:
    """A new case with texts to replace."""
    head = {"title": title, "minutes": minutes, "outcomes": list(outcomes), "kind": kind}
    return (toml_writer.format_members(head) + _TEMPLATES[kind]).encode()


_SCENARIO = """\
prompt = "Ask what the learner does at each point."
explanation = "Say in two sentences what a good officer takes away."
start = "first"

[[scene]]
key = "first"
text = "*This case is made up.* Say when and where it begins, and what the learner sees."

[[scene.choice]]
key = "good"
text = "Name one thing that a good officer might do"
to = "end"
weight = 1
feedback = "Say what follows from it, and why it is good."

[[scene.choice]]
key = "also-good"
text = "Name another thing that is as good"
to = "end"
weight = 1
feedback = "Say what follows from it. There may be more than one good way."

[[scene.choice]]
key = "mistake"
text = "Name a mistake that people really make"
to = "bad-end"
weight = 0
feedback = "Say what follows from it."

[[scene]]
key = "end"
text = "Say how it ends."
debrief = "Say what a good officer considers here."

[[scene]]
key = "bad-end"
text = "Say how it ends for those who were not helped."
debrief = "Say what would have helped."
"""
_REPORT = """\
prompt = "Ask the learner to write up what they learned."
explanation = "Say in two sentences what a good report shows."
incident = \"\"\"
*This case is made up.* Say what happened: who, what, where and when.
\"\"\"

[[part]]
key = "grade"
label = "Name what is to be chosen"
kind = "choice"

[[part.choice]]
key = "right"
text = "The right choice"
feedback = "Say why it is right."
correct = true

[[part.choice]]
key = "wrong"
text = "A mistake that people make"
feedback = "Say why it is not right."

[[part]]
key = "text"
label = "Name what is to be written"
kind = "text"
model = "Write it as a good officer would."
checklist = [
  "Name one thing that belongs in it.",
  "Name another.",
]
"""
_PICTURE = """\
prompt = "Ask which places the learner chooses."
explanation = "Say in two sentences what a good officer takes away."
situation = "*This case is made up.* Say when and where it is, and why the learner is there."
picture = "media/name.svg"
debrief = "Say what the places mean together, and what follows from them."

[[place]]
key = "first"
label = "Name the place without saying what it means"
text = "Say what is to be seen there, for people who cannot see the picture."
at = [20, 20, 100, 100]
narrow = [10, 10, 60, 60]
matters = true
feedback = "Say what it tells an officer."

[[place]]
key = "second"
label = "Name a second place that matters"
text = "Say what is to be seen at the second place."
at = [140, 20, 100, 100]
narrow = [80, 10, 60, 60]
matters = true
feedback = "Say what the second place tells."

[[place]]
key = "third"
label = "Name a place that tells nothing"
text = "Say what is to be seen at the third place."
at = [260, 20, 100, 100]
narrow = [150, 10, 60, 60]
feedback = "Say why it tells an officer nothing."
"""
_CALL = """\
prompt = "Ask the learner to make the call."
explanation = "Say in two sentences what a good call does."
incident = \"\"\"
*This case is made up.* Say where the learner is, and what they know before they ring.
\"\"\"

[[bit]]
key = "first"
text = "Say what happens next, with one or two new facts."

[[bit.choice]]
key = "good"
text = "A question that brings a fact they will need"
answer = "Say what they hear."
feedback = "Say why this is worth asking now."
correct = true

[[bit.choice]]
key = "later"
text = "A question that people ask and that can wait"
answer = "Say what they hear instead."
feedback = "Say what it costs."

[[field]]
key = "asked"
label = "Name one thing to pass on that only the question brings"
kind = "choice"
needs = "first/good"

[[field.choice]]
key = "known"
text = "The fact, as it was told"
feedback = "Say why it is said like this."
correct = true

[[field.choice]]
key = "guess"
text = "A guess that people make"
feedback = "Say what a guess does."

[[field.choice]]
key = "unknown"
text = "Not known: name who could say it"
feedback = "Right for who did not ask. Say how the gap is closed."
unasked = true

[[field]]
key = "number"
label = "Name a short fact to type, such as a number or a plate"
kind = "fact"
accept = ["9", "nine"]
feedback = "Say where it was told."
"""
_TEMPLATES = {"scenario": _SCENARIO, "report": _REPORT, "picture": _PICTURE, "call": _CALL}


def template_texts() -> frozenset[str]:
    """The lines of words that an author is to replace."""
    return frozenset(
        value
        for row in "".join(_TEMPLATES.values()).split("\n")
        if (value := row.partition(" = ")[2].strip('"')) and len(value.split()) > 3
    )
