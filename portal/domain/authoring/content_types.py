"""The subjects of drafts, modules and guides, behind one interface."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar

from portal.domain.authoring import files
from portal.domain.authoring.files import join_parts, split_file
from portal.domain.authoring.texts import normalise_line_ends, rewrite_toml
from portal.domain.catalogue import publishing, version_cache
from portal.domain.catalogue.markdown import Address
from portal.domain.catalogue.models import GuideVersion, ModuleVersion
from portal.domain.catalogue.paths import format_parts, read_parts
from portal.domain.catalogue.services import (
    CheckedFolder,
    check_files,
    check_guide_files,
    publish_files,
    publish_guide_files,
)
from portal.domain.catalogue.source_files import GUIDES_FOLDER
from portal.platform.formats.toml_writer import format_toml, parse_toml

# Reads and writes ``module.toml``: a module's details, outcomes, assessment rules and list of lessons.


@dataclass(frozen=True, slots=True)
class ModuleDetails:
    """A module's details, its outcomes and the rules of its assessment."""

    title: str
    aim: str
    owner: str
    review_on: date
    minutes: int
    mastery_score: Decimal  # 0 to 1
    outcomes: Sequence[tuple[str, str]]  # key and text, in order
    draw: int  # items an attempt
    at_least_per_outcome: int = 0
    attempts: int = 0  # 0: no limit
    wait_minutes: int = 0  # after a fail
    pause_after: int = 0  # fails; 0: no pause
    pause_hours: int = 0
    test_out: bool = False
    pre_test: bool = False
    parts: str = ""  # whom lessons are for that not everybody works through, as ``format_parts`` writes it
    note: str = ""  # for authors


_DETAIL_DEFAULTS: dict[str, Any] = {
    "title": "",
    "aim": "",
    "owner": "",
    "review_on": date.min,
    "minutes": 0,
    "mastery_score": 0,
    "note": "",
}
_RULE_DEFAULTS: dict[str, Any] = {
    "draw": 1,
    "at_least_per_outcome": 0,
    "attempts": 0,
    "wait_minutes": 0,
    "pause_after": 0,
    "pause_hours": 0,
    "test_out": False,
    "pre_test": False,
}


def read_details(module_toml: bytes) -> ModuleDetails:
    """Parse the file; missing values are empty, and the check reports them."""
    document = _DETAIL_DEFAULTS | parse_toml(module_toml.decode())
    rules = document.get("assessment") or {}
    return ModuleDetails(
        **{name: document[name] for name in _DETAIL_DEFAULTS if name != "mastery_score"},
        mastery_score=Decimal(document["mastery_score"]),
        outcomes=[(row.get("key", ""), row.get("text", "")) for row in document.get("outcome", [])],
        parts=_read_parts(document),
        **{name: rules.get(name, default) for name, default in _RULE_DEFAULTS.items()},
    )


def _read_parts(document: Mapping[str, Any]) -> str:
    """Whom the lessons are for; a table without duties is that of everybody else."""
    paths = [{"for": [], "lessons": []} | path for path in document.get("by_duty", [])]
    return format_parts(document.get("practice", []), paths)


def _write_parts(document: dict[str, Any], text: str) -> None:
    """Write whom the lessons are for, unless the file says that already."""
    if text == _read_parts(document):
        return
    practice, paths = read_parts(text)
    document["practice"] = practice
    document["by_duty"] = [
        {name: value for name, value in path.items() if value or name != "for"} for path in paths
    ]
    for name in ("practice", "by_duty"):
        if not document[name]:
            del document[name]


def write_details(module_toml: bytes, details: ModuleDetails) -> bytes:
    """The file with these details; a rule that has its default and is not written stays unwritten."""
    text = module_toml.decode()
    document = parse_toml(text)
    edited = {"key": document.get("key")} | {name: getattr(details, name) for name in _DETAIL_DEFAULTS}
    new_document = edited | {name: value for name, value in document.items() if name not in edited}
    rows_by_key = {row.get("key"): row for row in document.get("outcome", [])}
    new_document["outcome"] = [
        rows_by_key.get(key, {}) | {"key": key, "text": text} for key, text in details.outcomes
    ]
    _write_parts(new_document, details.parts)
    rules = dict(document.get("assessment") or {})
    for name, default in _RULE_DEFAULTS.items():
        value = getattr(details, name)
        if name in rules or value != default or name == "draw":
            rules[name] = value
    new_document["assessment"] = rules
    return rewrite_toml(text, new_document).encode()


def lesson_keys(module_toml: bytes) -> list[str]:
    """The keys of the lessons, in order."""
    return [str(name) for name in parse_toml(module_toml.decode()).get("lessons", [])]


def write_lesson_keys(module_toml: bytes, keys: Sequence[str]) -> bytes:
    """The file with these lessons, in this order."""
    text = module_toml.decode()
    return rewrite_toml(text, parse_toml(text) | {"lessons": list(keys)}).encode()


Version = ModuleVersion | GuideVersion
GUIDE_PREFIX = f"{GUIDES_FOLDER}/"


class DraftSubject(ABC):
    """A module or guide that can be drafted; ``key`` is as in ``Draft.module_key``."""

    noun: ClassVar[str]
    activity_kind: ClassVar[str]  # as in Activity.kind

    def __init__(self, key: str) -> None:
        self.key = key

    @property
    @abstractmethod
    def activity_key(self) -> str:
        """The key of its activity."""

    @property
    @abstractmethod
    def folder_name(self) -> str:
        """The folder that the check puts before the paths of its files."""

    @property
    @abstractmethod
    def main_file(self) -> str:
        """Path of the one file that it must have."""

    @property
    @abstractmethod
    def path_pattern(self) -> re.Pattern[str]:
        """The pattern of permitted paths."""

    @abstractmethod
    def title(self, first: bytes) -> str:
        """The title in its main file."""

    @abstractmethod
    def newest_version(self) -> Version | None:
        """Its latest published version."""

    @abstractmethod
    def numbered_version(self, number: int) -> Version:
        """Its published version ``number``."""

    @abstractmethod
    def version_files(self, version_id: int) -> dict[str, bytes]:
        """Every file of a published version by path, with the published bytes."""

    @abstractmethod
    def base_columns(self, version_id: int | None) -> dict[str, int | None]:
        """The columns of a draft or a saved state that name the version it is based on."""

    @abstractmethod
    def check_files(self, files: dict[str, bytes], address: Address) -> CheckedFolder:
        """Check and render its files."""

    @abstractmethod
    def publish_files(self, files: dict[str, bytes], *, at: datetime, by: int) -> Version | None:
        """Publish its next version; None where the files equal the current version."""


class ModuleSubject(DraftSubject):
    """A module, which is a folder."""

    noun = activity_kind = "module"
    main_file = "module.toml"
    path_pattern = re.compile(
        r"module\.toml|job-aid\.md|briefing\.md|lessons/[^/]+\.(?:md|toml)|items/[^/]+\.toml|media/[^/]+"
    )

    @property
    def activity_key(self) -> str:
        """The key itself."""
        return self.key

    @property
    def folder_name(self) -> str:
        """The key itself."""
        return self.key

    def title(self, first: bytes) -> str:
        """The title in the module's details."""
        return read_details(first).title

    def newest_version(self) -> ModuleVersion | None:
        """The latest version."""
        return version_cache.current_version(self.key)

    def numbered_version(self, number: int) -> ModuleVersion:
        """The version of this number."""
        return version_cache.numbered_version(self.key, number)

    def version_files(self, version_id: int) -> dict[str, bytes]:
        """The published folder."""
        return version_cache.package_files(version_id)

    def base_columns(self, version_id: int | None) -> dict[str, int | None]:
        """The module's version."""
        return {"base_version_id": version_id}

    def check_files(self, files: dict[str, bytes], address: Address) -> CheckedFolder:
        """Check and render the module's folder."""
        return check_files(self.key, files, address=address)

    def publish_files(self, files: dict[str, bytes], *, at: datetime, by: int) -> ModuleVersion | None:
        """Publish the module's next version."""
        return publish_files(self.key, files, at=at, by=by)


class GuideSubject(DraftSubject):
    """A guide, which is a Markdown file with the media that it shows."""

    noun = activity_kind = "guide"
    folder_name = GUIDES_FOLDER

    @property
    def activity_key(self) -> str:
        """The key without the folder."""
        return self.key.removeprefix(GUIDE_PREFIX)

    @property
    def main_file(self) -> str:
        """The guide's own file."""
        return f"{self.activity_key}.md"

    @property
    def path_pattern(self) -> re.Pattern[str]:
        """The guide's own file and media."""
        return re.compile(rf"{re.escape(self.main_file)}|media/[^/]+")

    def title(self, first: bytes) -> str:
        """The title in the file's front matter."""
        return files.read_lesson(first).title

    def newest_version(self) -> GuideVersion | None:
        """The latest version."""
        return publishing.current_guide(self.activity_key)

    def numbered_version(self, number: int) -> GuideVersion:
        """The version of this number."""
        return publishing.numbered_guide(self.activity_key, number)

    def version_files(self, version_id: int) -> dict[str, bytes]:
        """The published file and its media."""
        return publishing.guide_files(version_id)

    def base_columns(self, version_id: int | None) -> dict[str, int | None]:
        """The guide's version."""
        return {"base_guide_version_id": version_id}

    def check_files(self, files: dict[str, bytes], address: Address) -> CheckedFolder:
        """Check and render the guide."""
        return check_guide_files(files, address=address)

    def publish_files(self, files: dict[str, bytes], *, at: datetime, by: int) -> GuideVersion | None:
        """Publish the guide's next version."""
        return publish_guide_files(self.activity_key, files, at=at, by=by)


def is_guide(key: str) -> bool:
    """Whether a draft with this key is a guide's."""
    return key.startswith(GUIDE_PREFIX)


def subject_of(key: str) -> DraftSubject:
    """The subject of a draft with this key."""
    return GuideSubject(key) if is_guide(key) else ModuleSubject(key)


# Initial content: the files of a new module, and placeholder texts of a new lesson, job aid and guide.

LESSON_TEXT = """Begin with a short case, a question, or what an officer meets on the next shift.

## A heading that says what this part is about

Write short sentences. One idea for each paragraph.
"""

JOB_AID_TEXT = """1. Say what to do first.
2. Then what to do next.

::: warning
Say what must not be forgotten.
:::
"""

BRIEFING_TEXT = """## The case

Say in a few sentences what an officer meets, and stop where they have to decide.

## Two questions

1. Ask what they do first.
2. Ask what they look for next.

## The answer

Say what a good officer does, and why.
"""

GUIDE_TEXT = """Say first what a reader must do at once, before they look anything up.

## A heading that a reader will search for

Write what they need there, in short sentences.
"""
GUIDE_SUMMARY = "Say in one sentence what a reader finds here."

_OUTCOMES = (
    ("outcome-1", "Say what a learner can do after the first lesson"),
    ("outcome-2", "Say what a learner can do after the second lesson"),
)


def template_folder(key: str, title: str, owner: str, review_on: date) -> dict[str, bytes]:
    """Every file of the new module by path."""
    module = {
        "key": key,
        "title": title,
        "aim": "Say in one sentence what this module is for.",
        "owner": owner,
        "review_on": review_on,
        "minutes": 10,
        "mastery_score": 0.75,
        "lessons": ["lesson-1", "lesson-2"],
        "outcome": [{"key": key_name, "text": text} for key_name, text in _OUTCOMES],
        "assessment": {"draw": 4, "at_least_per_outcome": 1},
    }
    return {
        "module.toml": format_toml(module).encode(),
        "lessons/lesson-1.md": files.new_lesson_file("First lesson", 4, ["outcome-1"], _FIRST_LESSON),
        "lessons/lesson-2.md": files.new_lesson_file("Second lesson", 4, ["outcome-2"], _SECOND_LESSON),
        "items/items.toml": format_toml(
            {"item": [_template_item(number) for number in range(1, 5)]}
        ).encode(),
    }


_FIRST_LESSON = """\
Begin with a short case: what a learner may meet on their next shift. Say what was seen and done.

## What to look for

- Write short sentences, with one thought in each.
- Name what can be seen or heard, not what somebody is.

::: inset
Put the one thing that a learner should remember in this box.
:::
"""
_SECOND_LESSON = """\
Say in one or two sentences what a learner does differently after this lesson.

## What to do first

1. Write each step as an order: who does what, and when.
2. Keep to steps that a learner can take alone.

::: warning
Say here what must never be done, or take this box out.
:::
"""


def _template_item(number: int) -> dict[str, object]:
    return {
        "key": f"question-{number}",
        "outcome": "outcome-1" if number <= 2 else "outcome-2",
        "kind": "single",
        "prompt": f"Write question {number} here.",
        "explanation": "Say why the right answer is right. It is shown after a pass.",
        "source": "practice",
        "choice": [
            {"key": "a", "text": "The right answer", "feedback": "Right. Say why.", "correct": True},
            {"key": "b", "text": "A likely mistake", "feedback": "Not right. Say why."},
            {"key": "c", "text": "Another likely mistake", "feedback": "Not right. Say why."},
        ],
    }


# Reads and writes a guide's file: front matter between ``+++`` lines, then Markdown.


@dataclass(frozen=True, slots=True)
class GuideFields:
    """The fields of a guide that an author edits."""

    title: str
    summary: str
    owner: str
    review_on: date | None  # None: not given
    acknowledge: bool  # whether readers must confirm that they have read it
    body: str  # Markdown, without the blank lines around it
    note: str = ""  # for authors


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
        note=_text_value(front, "note"),
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
    fields = GuideFields(title, GUIDE_SUMMARY, owner, review_on, False, GUIDE_TEXT)
    front = format_toml({key: value for key, value in _front_matter(fields).items() if key != "note"})
    return f"+++\n{front}+++\n\n{normalise_line_ends(fields.body).strip()}\n".encode()


def _front_matter(fields: GuideFields) -> dict[str, Any]:
    return {key: value for key, value in asdict(fields).items() if key != "body" and value is not None}


def _text_value(front: dict[str, Any], key: str) -> str:
    value = front.get(key)
    return value if isinstance(value, str) else ""
