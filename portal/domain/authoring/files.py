"""The files of a draft as forms edit them: lessons, cases and checks."""

import re
import tomllib
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from portal.domain.authoring.errors import TooLargeError, UnreadableFileError
from portal.domain.authoring.texts import is_same_value, normalise_line_ends, rewrite_toml
from portal.domain.catalogue.markdown import find_check_lines
from portal.domain.catalogue.media import media_kind
from portal.domain.catalogue.media_rules import most_bytes
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.formats.toml_writer import format_toml, parse_toml
from portal.platform.wording import size_words

# Reads and writes a lesson's or the job aid's file: front matter between ``+++`` lines, then Markdown.

MOST_MINUTES = 60  # that a form takes for one lesson


@dataclass(frozen=True, slots=True)
class LessonFields:
    """The fields of a lesson that an author edits; the job aid has neither minutes nor outcomes."""

    title: str
    minutes: int  # 0: not given
    outcomes: Sequence[str]  # keys
    body: str  # Markdown, without the blank lines around it
    note: str = ""  # for authors


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
        note=str(front.get("note", "")),
    )


def write_lesson(content: bytes, text: LessonFields) -> bytes:
    """The file with the fields of ``text``; an unchanged body keeps its bytes, including space at its ends.

    Outcomes are a set: those already listed keep their order, regardless of the order given.
    """
    parts = split_file(content)
    front = parse_toml(parts.front)
    front_matter: dict[str, Any] = {"title": text.title}
    for key, value in (
        ("minutes", text.minutes),
        ("outcomes", _order_outcomes(text.outcomes, front)),
        ("note", text.note),
    ):
        if value or key in front:
            front_matter[key] = value
    return join_parts(parts, front_matter, text.body)


def write_body(content: bytes, body: str) -> bytes:
    """The file with another text."""
    return write_lesson(content, replace(read_lesson(content), body=body))


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
    front = format_toml({key: value for key, value in values.items() if value or key == "title"})
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


# Reads and writes a lesson that is a case: its file is TOML, which authors edit as text.

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
    return read_case(content) if is_case_path(path) else read_lesson(content)


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
    return (format_toml(head) + _TEMPLATES[kind]).encode()


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


# The self-checks of a lesson's text: blocks ``::: check`` of TOML, which authors edit by a form.
#
# The editor of a lesson shows each check folded, as two lines that name its key::
#
# ::: check check-lena :::
#
# So an author can move it as a whole and need not read TOML. Unfolding puts its own lines back, to the
# byte. A check that a form could not save again, such as one with faulty TOML, is never folded.

Table = dict[str, Any]
UNREADABLE = (
    "This check cannot be saved like this: a line that begins with ::: has no partner. Remove the line, or"
    " close the box that it opens."
)
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_\-]*")
_FOLDED = re.compile(rf"^::: check[ \t]+({_KEY.pattern})[ \t]*\n(?:[ \t]*\n)*:::[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class LessonCheck:
    """One check of a text, with the lines that it takes."""

    key: str
    table: Table
    first: int  # its line ::: check, from 0
    last: int  # its line :::


def read_checks(body: str) -> list[LessonCheck]:
    """The checks that can be edited by a form, in order."""
    lines = body.split("\n")
    checks = [_read_check(lines, first, last) for first, last in find_check_lines(body)]
    keys = [check.key for check in checks if check]
    return [check for check in checks if check and keys.count(check.key) == 1]


def find_check(body: str, key: str) -> LessonCheck:
    """The check with this key."""
    for check in read_checks(body):
        if check.key == key:
            return check
    raise NotFoundError(f"This lesson has no check “{key}”.")


def fold_checks(body: str, saved: str | None = None) -> str:
    """The text with checks as two lines each.

    Args:
        body: The text.
        saved: The text from which they will be unfolded, if another: only checks that are the same in both
            are folded.
    """
    lines = body.split("\n")
    blocks = check_blocks(body if saved is None else saved)
    for check in reversed(read_checks(body)):
        if blocks.get(check.key) == "\n".join(lines[check.first : check.last + 1]):
            lines[check.first : check.last + 1] = [f"::: check {check.key}", ":::"]
    return "\n".join(lines)


def unfold_checks(folded: str, body: str) -> str:
    """The text with the lines of each folded check as they are in ``body``; unknown keys stay folded."""
    blocks = check_blocks(body)
    return _FOLDED.sub(lambda match: blocks.get(match[1], match[0]), folded)


def check_blocks(body: str) -> dict[str, str]:
    """The lines of each check that can be folded by its key, as they are in the text."""
    lines, taken = body.split("\n"), set(_FOLDED.findall(body))
    checks = [check for check in read_checks(body) if check.key not in taken]
    return {check.key: "\n".join(lines[check.first : check.last + 1]) for check in checks}


def unknown_checks(folded: str, keys: Collection[str]) -> list[str]:
    """The keys that folded checks of the text name and that are not among ``keys``, each once."""
    return [key for key in dict.fromkeys(_FOLDED.findall(folded)) if key not in keys]


def write_check(body: str, key: str, table: Table) -> str:
    """The text with other values for a check.

    Raises:
        RuleError: A line of the check's texts would end it early.
    """
    check = find_check(body, key)
    lines = body.split("\n")
    toml = "".join(f"{line}\n" for line in lines[check.first + 1 : check.last])
    new_toml = rewrite_toml(toml, table)
    if new_toml == toml:
        return body
    lines[check.first + 1 : check.last] = new_toml.removesuffix("\n").split("\n")
    return _require_check("\n".join(lines), table)


def add_check(body: str, table: Table) -> str:
    """The text with a new check after its last line.

    Raises:
        RuleError: A line of the check's texts would end it early.
    """
    above = body.rstrip("\n")
    block = f"::: check\n{format_toml(table).strip(chr(10))}\n:::"
    return _require_check(f"{above}\n\n{block}" if above.strip() else block, table)


def remove_check(body: str, key: str) -> str:
    """The text without a check and the blank lines above it."""
    check = find_check(body, key)
    lines = body.split("\n")
    above = "\n".join(lines[: check.first]).rstrip("\n")
    below = "\n".join(lines[check.last + 1 :]).strip("\n")
    return "\n\n".join(filter(None, (above, below)))


def free_key(body: str) -> str:
    """A key for a new check that no check of the text has."""
    number = 1
    while f'"check-{number}"' in body or f"check-{number}\n" in f"{body}\n":
        number += 1
    return f"check-{number}"


def _read_check(lines: list[str], first: int, last: int) -> LessonCheck | None:
    try:
        table = parse_toml("\n".join(lines[first + 1 : last]))
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    key = table.get("key")
    return LessonCheck(key, table, first, last) if isinstance(key, str) and _KEY.fullmatch(key) else None


def _require_check(body: str, table: Table) -> str:
    if not any(check.key == table["key"] for check in read_checks(body)):
        raise RuleError(UNREADABLE)
    return body


# The text above a question, split into its words and the figure below them, which a form edits apart.

_FIGURE = re.compile(r"(?:(?P<text>.*?)\n\n)?::: figure (?P<path>media/\S+)\n(?P<words>.*)\n:::", re.DOTALL)
_MARK = re.compile(r"^[ \t]*:::", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Stimulus:
    """The words, and the path and description of one figure after them; empty: none."""

    text: str
    figure: str = ""
    description: str = ""


def split_stimulus(stimulus: str) -> Stimulus:
    """Split off the figure with which a text ends.

    A text with several figures, or with a figure elsewhere, stays whole: joining always gives it back.
    """
    match = _FIGURE.fullmatch(stimulus.strip())
    if match is None or has_mark(match["words"]):
        return Stimulus(stimulus)
    split = Stimulus(match["text"] or "", match["path"], match["words"].strip())
    is_whole = "::: figure" not in split.text and join_stimulus(split) == stimulus.strip()
    return split if is_whole else Stimulus(stimulus)


def join_stimulus(parts: Stimulus) -> str:
    """The text above the question, as a file holds it.

    >>> print(join_stimulus(Stimulus("Look.", "media/van.svg", "A van.")))
    Look.
    <BLANKLINE>
    ::: figure media/van.svg
    A van.
    :::
    """
    text = parts.text.strip()
    if not parts.figure:
        return text
    figure = f"::: figure {parts.figure}\n{parts.description.strip()}\n:::"
    return f"{text}\n\n{figure}" if text else figure


def has_mark(words: str) -> bool:
    """Whether a line begins with ``:::``, which would end a figure early."""
    return _MARK.search(words) is not None


# The snippets of Markdown that the toolbar inserts: containers with placeholder text.


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


# Size limits of drafts, and the checks of a file's path, size and encoding.

TEXT_BYTES = 200 * 1024  # one lesson, the job aid, module.toml or one file of items
MEDIA_BYTES = 5 * 1024 * 1024  # one file of media, but sound and film, which have limits of their own
DRAFT_BYTES = 50 * 1024 * 1024  # all files of one state
DRAFT_FILES = 200
SUMMARY_CHARACTERS = 200
INACTIVE_AFTER = timedelta(minutes=15)  # an editor not seen for longer no longer counts as editing


def check_file(path: str, content: bytes, places: re.Pattern[str], noun: str) -> None:
    """Refuse a file with an unknown path, one that is too large, and one that cannot be parsed.

    Args:
        path: The file's path in the folder.
        content: Its bytes.
        places: The pattern of permitted paths.
        noun: The draft's subject in a word, such as “module”.

    Raises:
        TooLargeError: The file is above its size limit.
        UnreadableFileError: The path is not permitted, the text is not UTF-8 with LF, or its TOML is invalid.
    """
    if not places.fullmatch(path):
        raise UnreadableFileError(f"“{path}” does not belong in a {noun}.")
    if path.startswith("media/"):
        most = most_bytes(media_kind(content) or "") or MEDIA_BYTES
        if len(content) > most:
            raise TooLargeError(
                f"“{path}” is {size_words(len(content))}. A file may have up to {size_words(most)}."
            )
        return
    if len(content) > TEXT_BYTES:
        most = TEXT_BYTES // 1024
        raise TooLargeError(
            f"This text is too long: {len(content) // 1024:,} KB. The limit is {most} KB."
            " Split it in two, or shorten it. Nothing was saved."
        )
    _check_text(path, content)


def check_state(before: Mapping[str, int], after: Mapping[str, int], noun: str) -> None:
    """Refuse a change that exceeds the limits of a draft; a change that reduces an excess is accepted.

    Args:
        before: The size of each file in bytes, by path.
        after: The same after the change.
        noun: The draft's subject in a word, such as “module”.

    Raises:
        TooLargeError: There are too many files, or too many bytes in all.
    """
    if len(after) > max(DRAFT_FILES, len(before)):
        raise TooLargeError(f"A {noun} may have up to {DRAFT_FILES} files. Remove one first.")
    if sum(after.values()) > max(DRAFT_BYTES, sum(before.values())):
        raise TooLargeError(
            f"All files of a {noun} together may have up to {size_words(DRAFT_BYTES)}."
            f" These would have {size_words(sum(after.values()))}. Remove one first."
        )


def _check_text(path: str, content: bytes) -> None:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"“{path}” is not UTF-8 text.") from error
    if "\r" in text:
        raise UnreadableFileError(f"“{path}” has CR LF line ends. Use LF only.")
    toml = text if path.endswith(".toml") else _front_matter(path, text)
    try:
        tomllib.loads(toml)
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"“{path}” could not be read after this change: {error}.") from error


def _front_matter(path: str, text: str) -> str:
    rows = text.split("\n")
    ends = [number for number, row in enumerate(rows) if row.rstrip() == "+++"][:2]
    if len(ends) < 2 or ends[0] != 0:
        raise UnreadableFileError(f"“{path}” has lost its front matter between two lines +++.")
    return "\n".join(rows[1 : ends[1]])
