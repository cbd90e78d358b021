"""Collects findings about a draft: faults that block publishing, and advice. Pure functions."""

import hashlib
import re
import tomllib
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache, partial
from threading import Lock

from portal.domain.authoring import content_types, item_files, models
from portal.domain.authoring import files as authoring_files
from portal.domain.authoring.content_diff import humanise_key, question_name, shorten_text
from portal.domain.authoring.content_types import subject_of
from portal.domain.authoring.files import MOST_MINUTES, SNIPPETS
from portal.domain.authoring.messages import author_message, row_name
from portal.domain.catalogue import version_cache
from portal.domain.catalogue.module_check import digest_of
from portal.domain.catalogue.module_source import (
    SHEET_NAMES,
    Package,
    PageSource,
    lesson_key,
    parse_package,
    sheet_of_path,
)
from portal.domain.catalogue.other_sources import GuideSource
from portal.domain.catalogue.publishing import guide_summaries
from portal.domain.catalogue.services import CheckedFolder
from portal.domain.catalogue.source_files import ItemText
from portal.domain.content_checks import checks, metrics
from portal.domain.content_checks.legal_statements import LegalStatement, changed_statements, list_statements
from portal.domain.content_checks.metrics import choices_of
from portal.platform.formats.toml_tables import Fault, Faults

# Checks a draft's files and caches the results in each process.
#
# A reading is large (every lesson and item is rendered), so only a few are cached. It depends on the
# module's or guide's files and key, on the files that all modules share and on the existing guides.

MAX_READINGS = 16
MAX_CACHED_BYTES = 64 * 1024 * 1024  # of files in the cached readings, in each process

CacheKey = tuple[str, str, str, frozenset[str]]  # the key, digests of the module's and shared files, guides
_readings: OrderedDict[CacheKey, CheckedFolder] = OrderedDict()
_lock = Lock()


def check_draft_files(key: str, files: dict[str, bytes]) -> CheckedFolder:
    """Check a module's or guide's files: faults, the package, and its rendered lessons and items.

    Media addresses are those of the draft, ``/authoring/<key>/media/<sha256>/<name>``.
    """
    return _cached_check(key, digest_of(files), lambda: files)


def check_draft_hashes(key: str, files: Mapping[str, str]) -> CheckedFolder:
    """Check a saved state, given by its hashes; contents are loaded only if the result is not cached."""
    return _cached_check(key, _digest_of_hashes(files), lambda: models.read_files(files))


def check_unsaved_files(key: str, files: dict[str, bytes]) -> CheckedFolder:
    """Check files that are still being edited; the result is not cached, as it will not be needed again."""
    return subject_of(key).check_files(files, partial(_media_address, key))


def _cached_check(key: str, digest: str, fetch: Callable[[], dict[str, bytes]]) -> CheckedFolder:
    guides = frozenset(guide.key for guide in guide_summaries())
    cache_key = (key, digest, digest_of(version_cache.shared_files()), guides)
    with _lock:
        if cache_key in _readings:
            _readings.move_to_end(cache_key)
            return _readings[cache_key]
    reading = subject_of(key).check_files(fetch(), partial(_media_address, key))
    with _lock:
        _readings[cache_key] = reading
        while len(_readings) > 1 and (len(_readings) > MAX_READINGS or _cached_bytes() > MAX_CACHED_BYTES):
            _readings.popitem(last=False)
    return reading


def _cached_bytes() -> int:
    modules = [module.package.files for reading in _readings.values() for module in reading.modules]
    guides = [guide.files for reading in _readings.values() for guide in reading.guides]
    return sum(len(content) for files in (*modules, *guides) for content in files.values())


def _media_address(key: str, sha256: str, path: str) -> str:
    return f"/authoring/{key}/media/{sha256}/{path.removeprefix('media/')}"


def _digest_of_hashes(files: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path}\0{files[path]}\n".encode())
    return digest.hexdigest()


# The statements of law that a draft changed since its published version; a solicitor reads them again.


@dataclass(frozen=True, slots=True)
class LegalChanges:
    """What a solicitor has not seen, and what is no longer there."""

    added: list[LegalStatement]  # new, or with other words
    removed: list[LegalStatement]


def list_legal_changes(package: Package, version_id: int) -> LegalChanges:
    """Compare the statements of a draft's package with those of a published version of its module.

    A version that can no longer be parsed counts as one without statements, so all of the draft's are new.
    """
    files = subject_of(package.key).version_files(version_id)
    published = parse_package(package.key, files, Faults())
    old = list_statements(published, {}) if published is not None else []
    return LegalChanges(*changed_statements(list_statements(package, {}), old))


# Finds placeholder text that an author has not replaced, so that learners never see it. Pure functions.

MIN_LINE_WORDS = 4  # shorter lines are not recognised as placeholders
_WORD = re.compile(r"[A-Za-z]{2,}")


@cache
def _template_lines() -> frozenset[str]:
    """Lines of the lesson, job aid and guide templates and of the snippets."""
    folder = content_types.template_folder("new", "New", "Owner", date(2026, 1, 1))
    texts = [
        authoring_files.read_lesson(content).body for path, content in folder.items() if path.endswith(".md")
    ]
    texts += [
        content_types.LESSON_TEXT,
        content_types.JOB_AID_TEXT,
        content_types.GUIDE_TEXT,
        *(box.template for box in SNIPPETS),
    ]
    rows = {row.strip() for text in texts for row in text.split("\n")}
    return frozenset(
        row for row in rows if len(_WORD.findall(row)) >= MIN_LINE_WORDS and row[:1] not in "#:["
    )


@cache
def _template_texts() -> frozenset[str]:
    """The aim, the outcomes and the question texts of the module template."""
    folder = content_types.template_folder("new", "New", "Owner", date(2026, 1, 1))
    module_details = content_types.read_details(folder["module.toml"])
    texts = {module_details.aim, *(text for _, text in module_details.outcomes)}
    for item in item_files.read_items(folder):
        texts |= {item.table["prompt"], item.table["explanation"]}
        for choice in item.table["choice"]:
            texts |= {choice["text"], choice["feedback"]}
    return frozenset(texts)


def module_placeholders(package: Package) -> Iterator[tuple[str, str, int | None]]:
    """Each place with placeholder text: the place, the first such text and its line in the place's text."""
    for text in (package.aim, *(outcome.text for outcome in package.outcomes)):
        if text in _template_texts():
            yield "details", text, None
    for page in package.lessons:
        if page.case is not None:
            yield from _first_case_placeholder(f"lesson:{page.key}", page)
            continue
        yield from _first_placeholder(f"lesson:{page.key}", page)
    for key, sheet in package.sheets.items():
        yield from _first_placeholder(key, sheet)
    for item in package.items:
        text = next((text for text in _item_texts(item) if text in _template_texts()), "")
        if text:
            yield f"item:{item.key}", text, None


def guide_placeholders(guide: GuideSource) -> Iterator[tuple[str, str, int | None]]:
    """Placeholder text in a guide, whose only place is its text."""
    if guide.summary == content_types.GUIDE_SUMMARY:
        yield "text", guide.summary, None
    yield from _first_placeholder("text", guide)


def _first_placeholder(place: str, page: PageSource | GuideSource) -> Iterator[tuple[str, str, int | None]]:
    rows = enumerate((row.strip() for row in page.body.split("\n")), 1)
    placeholder = next(((row, number) for number, row in rows if row in _template_lines()), None)
    if placeholder:
        yield place, *placeholder


def _first_case_placeholder(place: str, page: PageSource) -> Iterator[tuple[str, str, int | None]]:
    rows = (row.strip() for row in page.body.split("\n"))
    if text := next((row for row in rows if row in authoring_files.template_texts()), ""):
        yield place, text, None


def _item_texts(item: ItemText) -> Iterator[str]:
    yield from (item.prompt, item.explanation)
    for choice in choices_of(item):
        yield from (choice.text, choice.feedback)


_NO_MINUTES = "“minutes” needs a whole number, 1 or more."
BAD_MINUTES = f"Minutes needs a whole number from 1 to {MOST_MINUTES}."
MIN_WORDS, MAX_WORDS = 350, 600
MAX_GRADE = 9.0
MIN_ITEMS = 4  # for each outcome
_CATCH_ALL = re.compile(r"\b(?:all|none|any|both) of (?:the above|these)\b", re.IGNORECASE)


class FindingLevel(StrEnum):
    """The severity of a finding."""

    MUST_FIX = "Put right"  # blocks sending for review
    CONSIDER = "Consider"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault or piece of advice about one place of a module or guide."""

    level: FindingLevel
    place: str  # "details", "lesson:key", "item:key", "job-aid", "briefing", "media"; of a guide "text"
    message: str  # a sentence for the author
    quote: str = ""  # the exact words it is about; empty: the whole place
    line: int | None = None  # within the place's text, counted from 1; positions the mark in the preview

    @property
    def blocks_publishing(self) -> bool:
        """Whether the draft cannot be sent or published because of it."""
        return self.level is FindingLevel.MUST_FIX


def collect_findings(key: str, reading: CheckedFolder, files: Mapping[str, bytes]) -> list[Finding]:
    """All findings about a module or guide: the faults of the check first, then advice from its metrics.

    Args:
        key: The module's or guide's, as in ``Draft.module_key``.
        reading: The result of checking ``files``.
        files: Every file of the folder by path.
    """
    package = reading.modules[0].package if reading.modules else None
    outcomes = {o.key: o.text for o in package.outcomes} if package else {}
    findings = [_finding_from_fault(key, fault, files, outcomes) for fault in reading.faults.listed()]
    if package is not None:
        findings += [
            *_placeholder_findings(module_placeholders(package)),
            *_module_findings(package),
            *_all_lesson_findings(package, {each.place for each in findings if each.message == BAD_MINUTES}),
            *_all_item_findings(package),
        ]
    for checked in reading.guides:
        findings += _placeholder_findings(guide_placeholders(checked.guide))
    if not len(reading.faults):  # as in the command: files with faults are not measured
        advice = [_finding_from_fault(key, fault, files, outcomes) for fault in checks.check_guides(reading)]
        findings += [replace(finding, level=FindingLevel.CONSIDER) for finding in advice]
    return list(dict.fromkeys(findings))


def findings_at(findings: Sequence[Finding], place: str) -> list[Finding]:
    """The findings about one place."""
    return [finding for finding in findings if finding.place == place]


def count_findings(findings: Sequence[Finding]) -> tuple[int, int]:
    """The numbers of faults and of pieces of advice."""
    fault_count = sum(finding.blocks_publishing for finding in findings)
    return fault_count, len(findings) - fault_count


def place_name(place: str, titles: Mapping[str, str]) -> str:
    """A place's name on pages; ``titles`` are the lessons' titles by key."""
    kind, _, key = place.partition(":")
    if kind == "lesson":
        return f"Lesson “{titles.get(key) or humanise_key(key)}”"
    if kind == "item":
        return question_name(key)
    return {
        "details": "Module details",
        **SHEET_NAMES,
        "media": "Media",
        "text": "The guide’s text",
    }.get(kind, "The module")


def _finding_from_fault(
    key: str, fault: Fault, files: Mapping[str, bytes], outcomes: Mapping[str, str]
) -> Finding:
    path = fault.path.removeprefix(f"{subject_of(key).folder_name}/")
    text = files.get(path, b"").decode(errors="replace") if not path.startswith("media/") else ""
    place = _fault_place(path, fault.line, text)
    quote, line = _quote_line(path, fault.line, text)
    row = row_name(text, fault.line) if fault.line and path.endswith(".toml") else ""
    message = author_message(fault.reason, outcomes, row)
    if place.startswith("lesson:") and fault.reason == _NO_MINUTES:
        message = BAD_MINUTES
    return Finding(FindingLevel.MUST_FIX, place, message, quote, line)


def _fault_place(path: str, line: int | None, text: str) -> str:
    if path.startswith("lessons/"):
        return f"lesson:{lesson_key(path)}"
    if path.startswith("items/"):
        return _item_place(line or 1, text)
    if path.endswith(".md"):
        return sheet_of_path(path) or "text"
    return "media" if path.startswith("media/") else "details"


def _item_place(line: int, text: str) -> str:
    """The place of the item whose header is the last one at or above the line."""
    rows = text.split("\n")[:line]
    number = sum(bool(re.match(r"\s*\[\[\s*item\s*\]\]", row)) for row in rows)
    try:
        keys = [str(item.get("key", "")) for item in tomllib.loads(text).get("item", [])]
    except (ValueError, AttributeError, RecursionError):
        return "details"
    return f"item:{keys[number - 1]}" if 0 < number <= len(keys) else "details"


def _quote_line(path: str, line: int | None, text: str) -> tuple[str, int | None]:
    """The words of a line in a Markdown file, and the line's number below the front matter."""
    if line is None or not path.endswith(".md"):
        return "", None
    rows = text.split("\n")
    ends = [number for number, row in enumerate(rows) if row.rstrip() == "+++"][:2]
    first = ends[1] + 1 if len(ends) == 2 else 0
    if not first < line <= len(rows):
        return "", None
    return shorten_text(rows[line - 1].strip(), 80), line - first


def _placeholder_findings(placeholders: Iterator[tuple[str, str, int | None]]) -> Iterator[Finding]:
    for place, text, line in placeholders:
        message = "This is still the template’s text. Write your own."
        yield Finding(FindingLevel.MUST_FIX, place, message, shorten_text(text, 80), line)


def _advice_finding(place: str, message: str, quote: str = "") -> Finding:
    return Finding(FindingLevel.CONSIDER, place, message, quote)


def _module_findings(package: Package) -> Iterator[Finding]:
    measures = metrics.measure_module(package)
    if package.lessons and abs(measures.minutes - package.minutes) > max(3, package.minutes / 5):
        yield _advice_finding(
            "details",
            f"The module says {package.minutes} minutes. Reading, checks and one assessment take about"
            f" {round(measures.minutes)}.",
        )
    for outcome in measures.coverage:
        minimum = max(1, package.assessment.at_least_per_outcome)
        if minimum <= outcome.items < MIN_ITEMS:
            yield _advice_finding(
                "details",
                f"The outcome “{outcome.text}” has {_questions_text(outcome.items)}."
                f" {MIN_ITEMS} or more let"
                " every attempt differ.",
            )
    bank = measures.bank
    if bank.rewards_guessing:
        yield _advice_finding(
            "details",
            f"The right choice is the longest in {bank.longest_right} of {bank.items} questions."
            " Someone who guesses the longest would be right too often.",
        )


def _questions_text(count: int) -> str:
    return "1 question" if count == 1 else f"{count} questions"


def _all_lesson_findings(package: Package, untimed: Collection[str]) -> Iterator[Finding]:
    for lesson in package.lessons:
        if lesson.body.strip():
            yield from _lesson_findings(lesson, says_minutes=f"lesson:{lesson.key}" not in untimed)


def _lesson_findings(lesson: PageSource, *, says_minutes: bool) -> Iterator[Finding]:
    place, measures = f"lesson:{lesson.key}", metrics.measure_page(lesson)
    is_text = lesson.case is None
    if is_text and not MIN_WORDS <= measures.words <= MAX_WORDS:
        yield _advice_finding(
            place, f"The lesson has {measures.words:,} words. A lesson of 350 to 600 reads well."
        )
    if says_minutes and abs(measures.minutes - lesson.minutes) > 1.5:
        measured_minutes = max(1, round(measures.minutes))
        yield _advice_finding(
            place,
            f"The lesson says {_minutes_text(lesson.minutes)}. At 200 words a minute and 45 seconds a"
            f" {'check' if is_text else 'decision'}, it takes about {_minutes_text(measured_minutes)}.",
        )
    if measures.grade is not None and measures.grade > MAX_GRADE:
        yield _advice_finding(
            place,
            f"The text reads at grade {measures.grade:g}."
            " Shorter sentences and words bring it to 9 or lower.",
        )
    if is_text and not metrics.ends_in_check(lesson):
        yield _advice_finding(
            place, "The lesson does not end in a check. Add one, so that readers can test themselves."
        )


def _minutes_text(count: int) -> str:
    return "1 minute" if count == 1 else f"{count} minutes"


def _all_item_findings(package: Package) -> Iterator[Finding]:
    for item in package.items:
        if item.key and not item.retired:
            yield from _item_findings(item)


def _item_findings(item: ItemText) -> Iterator[Finding]:
    place, choices = f"item:{item.key}", metrics.choices_of(item)
    lengths = metrics.choice_lengths(choices)
    if lengths is not None and lengths.gives_answer_away:
        longest = max((c for c in choices if c.correct), key=lambda choice: len(choice.text))
        yield _advice_finding(
            place,
            f"The right choice has {lengths.right} characters, the longest wrong one {lengths.wrong}."
            " Make them alike, or its length gives it away.",
            shorten_text(longest.text),
        )
    if choices and not 3 <= len(choices) <= 5:
        yield _advice_finding(place, f"There are {len(choices)} choices. Three to five work best.")
    for choice in choices:
        if match := _CATCH_ALL.search(choice.text):
            yield _advice_finding(
                place,
                f"“{match[0]}” tests how choices are read, not what is known.",
                shorten_text(choice.text),
            )
