"""Parsing of a module's folder from bytes into dataclasses; collects every fault. Pure."""

import re
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from portal.domain.catalogue.paths import DutyPaths, choose_path
from portal.domain.catalogue.source_files import (
    KEY_PATTERN,
    ItemText,
    decode_text,
    read_case,
    read_duties,
    read_front_matter,
    read_scored_item,
)
from portal.platform.formats.toml_tables import Faults, Source, Table

# Finds the words that a case's TOML file says to learners, line by line. Pure.

_TEXT_KEYS = frozenset(
    {
        "checklist",
        "debrief",
        "explanation",
        "feedback",
        "incident",
        "label",
        "model",
        "prompt",
        "situation",
        "text",
    }
)
_ONE_LINE = re.compile(r'\s*([a-z]+)\s*=\s*("(?!"")|\'(?!\'\')|\[)')
_MANY_LINES = re.compile(r'\s*([a-z]+)\s*=\s*("""|\'\'\')(.*)$')


def prose_rows(text: str) -> Iterator[str]:
    r"""Yield a row for each line of the file: the words of its texts, or an empty one.

    Texts within arrays of several lines, such as a checklist, are read line by line.

    >>> list(prose_rows('key = "van"\ntext = "It is dark."'))
    ['', 'It is dark.']
    """
    ending, is_text, in_list = "", False, False
    for row in text.split("\n"):
        if ending:
            words, ended, _ = row.partition(ending)
            yield words if is_text else ""
            ending = "" if ended else ending
        elif opening := _MANY_LINES.match(row):
            is_text, words = opening[1] in _TEXT_KEYS, opening[3]
            words, ended, _ = words.partition(opening[2])
            ending = "" if ended else opening[2]
            yield words if is_text else ""
        elif in_list:
            in_list = row.strip() != "]"
            yield _value_of(f"text = {row.strip().rstrip(',')}") if in_list else ""
        else:
            start = _ONE_LINE.match(row)
            in_list = start is not None and start[1] in _TEXT_KEYS and row.rstrip().endswith("[")
            yield _value_of(row) if start is not None and start[1] in _TEXT_KEYS and not in_list else ""


def _value_of(row: str) -> str:
    """The text that one line gives, or the texts of its list; empty if the line alone is not TOML."""
    try:
        (value,) = tomllib.loads(row).values()
    except (ValueError, RecursionError):
        return ""
    texts = value if isinstance(value, list) else [value]
    return " ".join(text.replace("\n", " ") for text in texts if isinstance(text, str))


SHEET_NAMES = {"job-aid": "Job aid", "briefing": "Briefing"}  # pages beside the lessons, each in KEY.md


def sheet_of_path(path: str) -> str | None:
    """The key of the sheet that a file of a module is; None if it is another file."""
    key = path.removesuffix(".md")
    return key if key in SHEET_NAMES and path.endswith(".md") else None


@dataclass(frozen=True)
class LearningOutcome:
    """What a learner can do after the module."""

    key: str
    text: str
    line: int


@dataclass(frozen=True)
class DutyPath:
    """Lessons that only people with one of some duties work through; without duties, everybody else."""

    duties: list[str]
    lessons: list[str]  # keys
    line: int


@dataclass(frozen=True)
class AssessmentRules:
    """The rules of the assessment: how many items are drawn, and how often it may be taken."""

    draw: int
    at_least_per_outcome: int
    attempts: int  # 0: no limit
    wait_minutes: int
    pause_after: int  # fails; 0: no pause
    pause_hours: int
    test_out: bool
    pre_test: bool
    line: int


@dataclass(frozen=True)
class PageSource:
    """A lesson, the job aid or the briefing: Markdown with front matter, or TOML with a case.

    The body of a case is what its file says in words, each text on its own line of the file, so that whatever
    reads a page's sentences reads a case's too.
    """

    key: str
    title: str
    minutes: int
    outcomes: list[str]
    body: str
    path: str  # shown in faults
    body_line: int  # the line of the file on which the body begins
    sources: list[str] = field(default_factory=list)  # what its statements rest on; may be empty
    case: ItemText | None = None  # if the lesson is a case


@dataclass(frozen=True)
class Package:
    """A module's folder as parsed."""

    key: str
    title: str
    aim: str
    owner: str
    review_on: date
    minutes: int
    mastery_score: Decimal
    lesson_keys: list[str]
    outcomes: list[LearningOutcome]
    assessment: AssessmentRules
    files: dict[str, bytes]
    practice: list[str] = field(default_factory=list)  # keys of the lessons on nobody's path
    duty_paths: list[DutyPath] = field(default_factory=list)  # the first that fits is a person's
    lessons: list[PageSource] = field(default_factory=list)  # in the order of ``lesson_keys``
    items: list[ItemText] = field(default_factory=list)
    sheets: dict[str, PageSource] = field(default_factory=dict)  # by key, as in ``SHEET_NAMES``

    @property
    def paths(self) -> DutyPaths:
        """The paths by duty, as a published version keeps them."""
        return [{"for": path.duties, "lessons": path.lessons} for path in self.duty_paths]

    def lessons_for(self, duties: Collection[str]) -> list[PageSource]:
        """The lessons on the path of somebody with these duties, in order."""
        keys = choose_path(self.lesson_keys, self.practice, self.paths, duties)
        return [lesson for lesson in self.lessons if lesson.key in keys]

    @property
    def module_file(self) -> str:
        """Path of ``module.toml``, for faults that concern the whole module."""
        return f"{self.key}/module.toml"


def parse_package(name: str, files: dict[str, bytes], faults: Faults) -> Package | None:
    """Parse the files of the folder ``name``; None if there is no readable ``module.toml``."""
    root = _read_root(name, files, "module.toml", faults)
    if root is None:
        return None
    package = _read_module(name, root, files)
    for key in package.lesson_keys:
        page = _read_lesson(name, key, files, root, faults)
        if page is not None:
            package.lessons.append(page)
    _refuse_unlisted(package, faults)
    for path in files:
        if path.startswith("items/"):
            package.items.extend(_read_items(name, path, files, faults))
    for key in SHEET_NAMES:
        sheet = (
            _read_page(name, f"{key}.md", key, files, faults, lesson=False) if f"{key}.md" in files else None
        )
        if sheet is not None:
            package.sheets[key] = sheet
    return package


def _read_root(name: str, files: dict[str, bytes], path: str, faults: Faults) -> Table | None:
    shown_path = f"{name}/{path}"
    if path not in files:
        faults.add(shown_path, None, "This file is missing. A module's folder needs it.")
        return None
    text = decode_text(files[path], shown_path, faults)
    return None if text is None else Source(text, shown_path, faults).root()


def _read_module(name: str, root: Table, files: dict[str, bytes]) -> Package:
    key = root.text("key")
    if key and key != name:
        root.fault("key", f'The key must be the folder\'s name: write key = "{name}".')
    elif key and not KEY_PATTERN.fullmatch(key):
        root.fault("key", "Name the folder with small letters, digits and single hyphens.")
    package = Package(
        key=name,
        title=root.text("title"),
        aim=root.text("aim"),
        owner=root.text("owner"),
        review_on=root.day("review_on"),
        minutes=root.number("minutes", least=1),
        mastery_score=root.scaled("mastery_score"),
        lesson_keys=root.texts("lessons"),
        outcomes=_read_outcomes(root),
        assessment=_read_assessment(root),
        files=files,
        practice=root.texts("practice", required=False),
        duty_paths=_read_duty_paths(root),
    )
    root.close()
    return package


def _read_duty_paths(root: Table) -> list[DutyPath]:
    if not root.has("by_duty"):
        return []
    paths = []
    for table in root.tables("by_duty"):
        paths.append(DutyPath(read_duties(table), table.texts("lessons", required=False), table.line))
        table.close()
    return paths


def _read_outcomes(root: Table) -> list[LearningOutcome]:
    outcomes = []
    seen: set[str] = set()
    for table in root.tables("outcome"):
        outcome = LearningOutcome(table.text("key"), table.text("text"), table.line)
        if outcome.key and not KEY_PATTERN.fullmatch(outcome.key):
            table.fault("key", f"“{outcome.key}” is not a key. Use small letters, digits and single hyphens.")
        if outcome.key in seen:
            table.fault("key", f"The outcome “{outcome.key}” is used twice. Give each a key of its own.")
        seen.add(outcome.key)
        table.close()
        outcomes.append(outcome)
    return outcomes


def _read_assessment(root: Table) -> AssessmentRules:
    table = root.table("assessment")
    if table is None:
        return AssessmentRules(1, 0, 0, 0, 0, 0, False, False, root.line)
    assessment = AssessmentRules(
        draw=table.number("draw", least=1),
        at_least_per_outcome=table.number("at_least_per_outcome", least=0, default=0),
        attempts=table.number("attempts", least=0, default=0),
        wait_minutes=table.number("wait_minutes", least=0, default=0),
        pause_after=table.number("pause_after", least=0, default=0),
        pause_hours=table.number("pause_hours", least=0, default=0),
        test_out=table.flag("test_out"),
        pre_test=table.flag("pre_test"),
        line=table.line,
    )
    if bool(assessment.pause_after) != bool(assessment.pause_hours):
        table.fault("pause_after", "“pause_after” and “pause_hours” need each other. Write both, or neither.")
    table.close()
    return assessment


def _read_lesson(
    name: str, key: str, files: dict[str, bytes], root: Table, faults: Faults
) -> PageSource | None:
    if not KEY_PATTERN.fullmatch(key):
        root.fault(
            "lessons", f"“{key}” is not a lesson's name. Use small letters, digits and single hyphens."
        )
        return None
    path, case_path = f"lessons/{key}.md", f"lessons/{key}.toml"
    if path in files and case_path in files:
        faults.add(f"{name}/{case_path}", None, f"There is also {path}. A lesson is one file: take one out.")
    if path in files:
        return _read_page(name, path, key, files, faults, lesson=True)
    if case_path in files:
        return _read_case_lesson(name, case_path, key, files, faults)
    root.fault("lessons", f"There is no {path}. Write it, or take “{key}” out of the list.")
    return None


def lesson_key(path: str) -> str:
    """The key of the lesson in the file ``lessons/name.md`` or ``lessons/name.toml``.

    >>> lesson_key("lessons/a-case.toml")
    'a-case'
    """
    return path.removeprefix("lessons/").rpartition(".")[0]


def _read_case_lesson(
    name: str, path: str, key: str, files: dict[str, bytes], faults: Faults
) -> PageSource | None:
    table = _read_root(name, files, path, faults)
    if table is None:
        return None
    shown_path = f"{name}/{path}"
    page = PageSource(
        key=key,
        title=table.text("title"),
        minutes=table.number("minutes", least=1),
        outcomes=table.texts("outcomes"),
        body="\n".join(prose_rows(files[path].decode())),
        path=shown_path,
        body_line=1,
        sources=table.texts("sources", required=False),
        case=read_case(table, key, shown_path),
    )
    if page.case is None:  # its other keys belong to a kind that is not known
        return None
    table.close()
    return page


def _refuse_unlisted(package: Package, faults: Faults) -> None:
    for path in package.files:
        if path.startswith("lessons/") and (key := lesson_key(path)) not in package.lesson_keys:
            reason = f"Add “{key}” to the list of lessons in module.toml, or take the file out."
            faults.add(f"{package.key}/{path}", None, reason)


def _read_page(
    name: str, path: str, key: str, files: dict[str, bytes], faults: Faults, *, lesson: bool
) -> PageSource | None:
    shown_path = f"{name}/{path}"
    head = read_front_matter(files[path], shown_path, faults)
    if head is None:
        return None
    table = head.table
    page = PageSource(
        key=key,
        title=table.text("title"),
        minutes=table.number("minutes", least=1) if lesson else 0,
        outcomes=table.texts("outcomes") if lesson else [],
        body=head.body,
        path=shown_path,
        body_line=head.body_line,
        sources=table.texts("sources", required=False),
    )
    table.close()
    return page


def _read_items(name: str, path: str, files: dict[str, bytes], faults: Faults) -> list[ItemText]:
    root = _read_root(name, files, path, faults)
    if root is None:
        return []
    items = [read_scored_item(table, f"{name}/{path}") for table in root.tables("item")]
    root.close()
    return [item for item in items if item is not None]
