"""Compares two folders of a module or guide and describes the changes to authors. Pure functions.

Changes are grouped by place (details, a lesson, a question …) and worded without file names or TOML.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from portal.domain.authoring.files import is_case_path, lesson_path
from portal.domain.authoring.texts import (
    ParagraphPair,
    WordRun,
    WordRuns,
    diff_words,
    pair_paragraphs,
    split_blocks,
)
from portal.domain.catalogue.module_source import SHEET_NAMES, sheet_of_path
from portal.domain.item_kinds import kinds_by_name

# Compares the tables of a module's files field by field, under labels that authors know. Pure functions.

Table = dict[str, Any]

FIELD_LABELS = {
    "title": "Title",
    "aim": "Aim",
    "owner": "Owner",
    "review_on": "Review date",
    "minutes": "Minutes",
    "mastery_score": "Pass mark",
    "outcomes": "Outcomes",
    "parts": "Lessons that not everybody works through",
    "practice": "Lessons for practice",
    "by_duty": "Lessons by duty",
    "lessons": "Lessons",
    "draw": "Questions in an assessment",
    "at_least_per_outcome": "Least number of questions for each outcome",
    "attempts": "Number of attempts",
    "wait_minutes": "Minutes to wait after a fail",
    "pause_after": "Fails until there is a pause",
    "pause_hours": "Hours of the pause",
    "test_out": "Assessment open before the lessons are complete",
    "pre_test": "A try before the lessons",
    "for": "Drawn more often for",
    "outcome": "Outcome",
    "kind": "Kind of question",
    "prompt": "Question",
    "stimulus": "Situation",
    "explanation": "Explanation",
    "source": "Source",
    "retired": "Retired",
    "summary": "Summary",
    "acknowledge": "Readers are asked to confirm that they have read it",
    "text": "Words",
    "feedback": "Feedback",
    "correct": "Right choice",
    "extra_right": "What belongs to nothing",
    "left": "Shown to the learner",
    "right": "What belongs to it",
    "start": "First scene",
    "debrief": "Debrief",
    "to": "Leads to",
    "weight": "Weight",
    "incident": "Incident",
    "label": "Label",
    "model": "Model answer",
    "checklist": "Checklist",
    "list": "Choices shown as a list",
    "note": "Note for authors",
}
ROW_NOUNS = {
    "outcome": "outcome",
    "choice": "choice",
    "step": "step",
    "pair": "pair",
    "scene": "scene",
    "part": "part",
}


@dataclass(frozen=True)
class ReferenceTitles:
    """Texts and titles for the keys and numbers that files refer to."""

    outcomes: Mapping[str, str]
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Passage:
    """One change: a summary, with the old and the new text as runs of words."""

    summary: str
    old: WordRuns | None  # None: added
    new: WordRuns | None  # None: removed
    path: str = ""  # of a media file


def build_passage(summary: str, old: str | None, new: str | None, path: str = "") -> Passage:
    """Compare the texts word by word; all words of an added or removed text count as changed."""
    if old is None or new is None:
        old_runs, new_runs = ((None if text is None else (WordRun(text, True),)) for text in (old, new))
        return Passage(summary, old_runs, new_runs, path)
    return Passage(summary, *diff_words(old, new), path)


def diff_fields(old: Table, new: Table, titles: ReferenceTitles, where: str = "") -> Iterator[Passage]:
    """Changes from one table to another, in the order of the new one."""
    for name in dict.fromkeys([*new, *old]):
        before, after = old.get(name), new.get(name)
        if name == "key" or before == after:
            continue
        if _table_rows(before) is not None or _table_rows(after) is not None:
            yield from _diff_rows(name, _table_rows(before) or [], _table_rows(after) or [], titles, where)
        elif isinstance(before, dict) or isinstance(after, dict):
            tables = [value if isinstance(value, dict) else {} for value in (before, after)]
            yield from diff_fields(tables[0], tables[1], titles, where)
        else:
            yield _diff_field(name, before, after, titles, where)


def _table_rows(value: Any) -> list[Table] | None:
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return value
    return None


def _diff_field(name: str, before: Any, after: Any, titles: ReferenceTitles, where: str) -> Passage:
    label = FIELD_LABELS.get(name, humanise_key(name))
    old, new = (None if value is None else value_text(name, value, titles) for value in (before, after))
    action = "added" if old is None else "removed" if new is None else "changed"
    return build_passage(f"{label} {action}{where}", old, new)


def _diff_rows(
    name: str, old: list[Table], new: list[Table], titles: ReferenceTitles, where: str
) -> Iterator[Passage]:
    noun = ROW_NOUNS.get(name, name)
    before, after = _rows_by_key(old), _rows_by_key(new)
    for number, (key, row) in enumerate(after.items(), 1):
        row_label = f"{noun} {number}{_quoted_title(row)}"
        if key in before:
            yield from diff_fields(before[key], row, titles, where=f" for {row_label}{where}")
        else:
            yield build_passage(f"{noun.capitalize()} {number} added{where}", None, table_text(row, titles))
    for number, (key, row) in enumerate(before.items(), 1):
        if key not in after:
            yield build_passage(f"{noun.capitalize()} {number} removed{where}", table_text(row, titles), None)
    old_order, new_order = [k for k in before if k in after], [k for k in after if k in before]
    if old_order != new_order:
        sides = ["\n".join(_row_title(rows[key], key) for key in rows) for rows in (before, after)]
        yield build_passage(f"Order of the {noun}s changed{where}", *sides)


def _rows_by_key(rows: list[Table]) -> dict[str, Table]:
    keyed_rows: dict[str, Table] = {}
    for number, row in enumerate(rows):
        key = str(row.get("key", number))
        keyed_rows[key if key not in keyed_rows else f"{key} {number}"] = row
    return keyed_rows


def _row_title(row: Table, key: str) -> str:
    name = next((row[n] for n in ("text", "label", "left") if isinstance(row.get(n), str)), key)
    return shorten_text(str(name))


def _quoted_title(row: Table) -> str:
    name = _row_title(row, "")
    return f", “{name}”" if name else ""


def shorten_text(text: str, most: int = 60) -> str:
    """The text in one line, cut after a word to about ``most`` characters."""
    bare = " ".join(text.split())
    return bare if len(bare) <= most else f"{bare[:most].rsplit(' ', 1)[0]} …"


def humanise_key(key: str) -> str:
    """A key in plain words.

    >>> humanise_key("adult-refuses")
    'Adult refuses'
    """
    bare = key.replace("-", " ").replace("_", " ").strip()
    return bare[:1].upper() + bare[1:]


def table_text(table: Table, titles: ReferenceTitles) -> str:
    """A whole table as text, one line per field, for an addition or a removal."""
    return "\n".join(_table_lines(table, titles))


def _table_lines(table: Table, titles: ReferenceTitles) -> Iterator[str]:
    for name, value in table.items():
        rows = _table_rows(value)
        if rows is not None:
            for number, row in enumerate(rows, 1):
                first, *further_lines = [*_table_lines(row, titles), ""]
                yield f"{ROW_NOUNS.get(name, name).capitalize()} {number}. {first}"
                yield from filter(None, further_lines)
        elif isinstance(value, dict):
            yield from _table_lines(value, titles)
        elif name != "key" and value is not False:
            yield _field_line(name, value, titles)


def _field_line(name: str, value: Any, titles: ReferenceTitles) -> str:
    if name == "text":
        return value_text(name, value, titles)
    label = FIELD_LABELS.get(name, humanise_key(name))
    return label if value is True else f"{label}: {value_text(name, value, titles)}"


def value_text(name: str, value: Any, titles: ReferenceTitles) -> str:
    """A value as pages display it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return "; ".join(value_text(name, element, titles) for element in value)
    if name in {"outcome", "outcomes"}:
        return titles.outcomes.get(str(value), str(value))
    if name == "source":
        title = titles.sources.get(str(value), "")
        return f"{value}, {title}" if title else humanise_key(str(value))
    if name == "kind" and str(value) in kinds_by_name():
        return kinds_by_name()[str(value)].label
    if name == "mastery_score" and isinstance(value, int | float):
        return f"{value * 100:g}%"
    if isinstance(value, date):
        return f"{value.day} {value:%B %Y}"
    return str(value)


def texts_within(value: Any) -> list[str]:
    """Every text within a table or list, keys and names of kinds among them."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [text for member in value for text in texts_within(member)]
    return [value] if isinstance(value, str) else []


def decode_text(content: bytes) -> str:
    """Decode UTF-8; bytes that are not UTF-8 become replacement characters."""
    return content.decode(errors="replace")


Files = Mapping[str, bytes]

_HEADING = re.compile(r"#{1,6}[ \t]+(.+?)[ \t#]*$")
_LINK = re.compile(r"\[([^\[\]]*)\]\(([^()\s]*)\)")
_BOX_OPENING = re.compile(r":::[ \t]*(\w+)[ \t]*(.*)$")
BOX_LABELS = {
    "inset": "Inset",
    "warning": "Warning",
    "details": "Folded text",
    "for": "Part for",
    "figure": "Figure",
    "check": "Check",
}


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """All changes in one place, titled as authors know that place."""

    place: str  # "details", "lesson:key", "item:key", "job-aid", "briefing", "text", "media", "notes"
    title: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True)
class ParsedFolder:
    """A module's folder, parsed leniently: a file that cannot be parsed is compared as plain text."""

    files: Files
    details: Table = field(default_factory=dict)
    lessons: list[str] = field(default_factory=list)
    items: dict[str, Table] = field(default_factory=dict)


def diff_folders(old: Files, new: Files, sources: Mapping[str, str] | None = None) -> list[PlaceChange]:
    """Describe what changed from ``old`` to ``new``, by place.

    Equal folders give an empty list; folders that differ in any byte give at least one change.

    Args:
        old: Every file of the published folder by path; empty for a new module.
        new: Every file of the draft.
        sources: Titles of sources by their number.
    """
    before, after = _parse_folder(old), _parse_folder(new)
    titles = ReferenceTitles(_outcome_texts(before) | _outcome_texts(after), dict(sources or {}))
    changes = [
        PlaceChange("details", "Module details", tuple(_diff_details(before, after, titles))),
        *_diff_lessons(before, after, titles),
        *_diff_items(before, after, titles),
        *(
            PlaceChange(key, name, tuple(_diff_page(f"{key}.md", old, new, titles)))
            for key, name in SHEET_NAMES.items()
        ),
        *_diff_guides(old, new, titles),
        PlaceChange("media", "Media", tuple(_diff_media(old, new))),
        PlaceChange("notes", "Notes and layout", tuple(_diff_notes(before, after))),
    ]
    return [change for change in changes if change.passages]


def count_changes(changes: list[PlaceChange]) -> int:
    """The number of single changes over all places."""
    return sum(len(change.passages) for change in changes)


def _parse_folder(files: Files) -> ParsedFolder:
    details = _parse_table(files.get("module.toml", b"")) or {}
    listed = details.pop("lessons", [])
    lessons = [key for key in listed if isinstance(key, str)] if isinstance(listed, list) else []
    items: dict[str, Table] = {}
    for path in sorted(files):
        if path.startswith("items/"):
            rows = (_parse_table(files[path]) or {}).get("item", [])
            items |= {str(row.get("key", "")): row for row in rows if isinstance(row, dict)}
    return ParsedFolder(files, details, list(dict.fromkeys(lessons)), items)


def _parse_table(content: bytes | str) -> Table | None:
    try:
        return tomllib.loads(content.decode() if isinstance(content, bytes) else content)
    except (ValueError, RecursionError):
        return None


def _outcome_texts(folder: ParsedFolder) -> dict[str, str]:
    rows = folder.details.get("outcome", [])
    rows = rows if isinstance(rows, list) else []
    return {str(r.get("key")): str(r.get("text", "")) for r in rows if isinstance(r, dict)}


def _diff_details(before: ParsedFolder, after: ParsedFolder, titles: ReferenceTitles) -> Iterator[Passage]:
    if not before.details and after.details:
        yield build_passage("New module", None, table_text(after.details, titles))
    else:
        yield from diff_fields(before.details, after.details, titles)


def _diff_lessons(
    before: ParsedFolder, after: ParsedFolder, titles: ReferenceTitles
) -> Iterator[PlaceChange]:
    """Changes of lessons in their new order, with removed lessons at the end."""
    common_keys = [key for key in before.lessons if key in after.lessons]
    unmoved_keys = _longest_common(common_keys, [key for key in after.lessons if key in common_keys])
    for number, key in enumerate(after.lessons, 1):
        path = lesson_path(after.files, key)
        passages = list(_diff_lesson(key, before.files, after.files, titles))
        if key in common_keys and key not in unmoved_keys:
            place = before.lessons.index(key) + 1
            passages.insert(0, build_passage("Moved", f"Lesson {place}", f"Lesson {number}"))
        yield PlaceChange(
            f"lesson:{key}", f"Lesson {number}, {_lesson_title(after.files, path, key)}", tuple(passages)
        )
    for key in before.lessons:
        if key not in after.lessons:
            path = lesson_path(before.files, key)
            title = f"Lesson {before.lessons.index(key) + 1}, {_lesson_title(before.files, path, key)}"
            removal = build_passage("Lesson removed", _readable_lesson(before.files, path, titles), None)
            yield PlaceChange(f"lesson:{key}", title, (removal,))


def _diff_lesson(key: str, old: Files, new: Files, titles: ReferenceTitles) -> Iterator[Passage]:
    """Changes of a lesson, text or case; one that became the other is removed and new."""
    path, new_path = lesson_path(old, key), lesson_path(new, key)
    if path not in old:
        path = new_path
    if path == new_path and not is_case_path(path):
        yield from _diff_page(path, old, new, titles)
        return
    tables = _parse_table(old.get(path, b"")), _parse_table(new.get(new_path, b""))
    if path == new_path and path in old and path in new:
        if tables[0] is not None and tables[1] is not None:  # else compared as plain text, among the notes
            yield from diff_fields(tables[0], tables[1], titles)
        return
    if path in old:
        yield build_passage("Lesson removed", _readable_lesson(old, path, titles), None)
    if new_path in new:
        yield build_passage("New lesson", None, _readable_lesson(new, new_path, titles))


def _readable_lesson(files: Files, path: str, titles: ReferenceTitles) -> str:
    """A whole lesson without markup."""
    text = decode_text(files.get(path, b""))
    if not is_case_path(path):
        return _readable_text(front_matter(text)[1], titles)
    table = _parse_table(text)
    return table_text(table, titles) if table else text


def _diff_guides(old: Files, new: Files, names: ReferenceTitles) -> Iterator[PlaceChange]:
    """Changes of a guide's text, the one Markdown file at the top of its folder."""
    for path in sorted({*old, *new}):
        if _is_guide_file(path):
            yield PlaceChange("text", "The guide’s text", tuple(_diff_page(path, old, new, names)))


def _is_guide_file(path: str) -> bool:
    return "/" not in path and path.endswith(".md") and sheet_of_path(path) is None


def _longest_common(old: list[str], new: list[str]) -> set[str]:
    """A longest common subsequence of two orders of the same keys; the other keys were moved."""
    runs: list[list[str]] = [[]]
    for key in new:
        position = old.index(key)
        extendable = [run for run in runs if not run or old.index(run[-1]) < position]
        longest: list[str] = max(extendable, key=len)
        runs.append([*longest, key])
    longest_run: list[str] = max(runs, key=len)
    return set(longest_run)


def _lesson_title(files: Files, path: str, key: str) -> str:
    text = decode_text(files.get(path, b""))
    head = text if is_case_path(path) else front_matter(text)[0]
    title = (_parse_table(head) or {}).get("title")
    return title if isinstance(title, str) and title.strip() else humanise_key(key)


def front_matter(text: str) -> tuple[str, str]:
    """Split a page into its TOML and its text; a page without front matter is all text."""
    rows = text.split("\n")
    ends = [number for number, row in enumerate(rows) if row.rstrip() == "+++"][:2]
    if len(ends) < 2 or ends[0] != 0:
        return "", text
    return "\n".join(rows[1 : ends[1]]), "\n".join(rows[ends[1] + 1 :])


def _diff_page(path: str, old: Files, new: Files, titles: ReferenceTitles) -> Iterator[Passage]:
    """Changes of a lesson, a guide or the job aid: its front matter, then its text."""
    if path not in new and path not in old:
        return
    (head, body), (new_head, new_body) = (front_matter(decode_text(f.get(path, b""))) for f in (old, new))
    noun = "Guide" if _is_guide_file(path) else "Lesson" if path.startswith("lessons/") else "Job aid"
    if path not in old:
        yield build_passage(f"New {noun.lower()}", None, _readable_text(new_body, titles))
    elif path not in new:
        yield build_passage(f"{noun} removed", _readable_text(body, titles), None)
    else:
        yield from diff_fields(_parse_table(head) or {}, _parse_table(new_head) or {}, titles)
        yield from _diff_text(body, new_body, titles)


def _diff_text(old: str, new: str, titles: ReferenceTitles) -> Iterator[Passage]:
    """Changed paragraphs of a text, each located by the heading above it."""
    pairs = pair_paragraphs(old, new)
    last = len(pairs) - 1
    heading = ""
    for place, pair in enumerate(pairs):
        title = _HEADING.match((pair.new or pair.old or "").strip())
        if title:
            heading = title[1]
        if not pair.is_unchanged:
            yield from _diff_paragraph(pair, _describe_position(heading, at_end=place == last), titles)


def _describe_position(heading: str, *, at_end: bool) -> str:
    under = f"in “{heading}”" if heading else "before the first heading"
    return "at the end" if at_end else under


def _diff_paragraph(pair: ParagraphPair, where: str, titles: ReferenceTitles) -> Iterator[Passage]:
    (kind, old), (new_kind, new) = _classify_block(pair.old), _classify_block(pair.new)
    if kind == new_kind == "Check":
        tables = _parse_table(old or ""), _parse_table(new or "")
        if tables[0] and tables[1]:
            yield from diff_fields(tables[0], tables[1], titles, where=f", in the check {where}")
            return
    kind = new_kind or kind
    if kind == "Check":
        old, new = (_readable_check(text, titles) for text in (old, new))
    if old is None:
        yield build_passage(f"{kind} added {where}", None, new)
    elif new is None:
        yield build_passage(f"{kind} removed {where.replace('in “', 'from “')}", old, None)
    else:
        yield build_passage(f"{kind} changed {where}", *_strip_shared_markup(old, new))


def _strip_shared_markup(old: str, new: str) -> tuple[str, str]:
    """Strip emphasis and link addresses from both texts, unless they differ in nothing else."""
    plain = _strip_markup(old), _strip_markup(new)
    same_links = _LINK.findall(old) == _LINK.findall(new)
    return plain if same_links and plain[0] != plain[1] else (old, new)


def _strip_markup(text: str) -> str:
    return _LINK.sub(r"\1", text).replace("**", "")


def _readable_text(body: str, titles: ReferenceTitles) -> str:
    """A whole text without markup, with the label of each box."""
    parts = [
        _readable_block(*_classify_block(block), titles) for block in split_blocks(body) if block.strip()
    ]
    return "\n\n".join(parts) or "(empty)"


def _readable_block(kind: str, text: str | None, titles: ReferenceTitles) -> str:
    if kind == "Check":
        return f"Check\n{_readable_check(text, titles)}"
    bare = _strip_markup(text or "")
    return bare.lstrip("# ") if kind == "Heading" else bare if kind == "Text" else f"{kind}: {bare}"


def _readable_check(text: str | None, titles: ReferenceTitles) -> str | None:
    table = _parse_table(text) if text is not None else None
    return table_text(table, titles) if table else text


def _classify_block(block: str | None) -> tuple[str, str | None]:
    """The kind of a block (a box's label, “Heading” or “Text”) and its text without the container's marks."""
    if block is None:
        return "", None
    text = block.strip()
    opened = _BOX_OPENING.match(text.split("\n", 1)[0])
    if not opened or opened[1] not in BOX_LABELS:
        return "Heading" if _HEADING.fullmatch(text) else "Text", text
    inner = re.sub(r"\n:::[ \t]*$", "", text.partition("\n")[2]) if "\n" in text else ""
    inner = "" if inner.strip() == ":::" else inner
    return BOX_LABELS[opened[1]], f"{opened[2]}\n{inner}".strip()


def _diff_items(before: ParsedFolder, after: ParsedFolder, titles: ReferenceTitles) -> Iterator[PlaceChange]:
    for key, table in after.items.items():
        if key in before.items:
            passages = tuple(diff_fields(before.items[key], table, titles))
        else:
            passages = (build_passage("New question", None, table_text(_in_reading_order(table), titles)),)
        yield PlaceChange(f"item:{key}", question_name(key), passages)
    for key, table in before.items.items():
        if key not in after.items:
            removal = build_passage("Question removed", table_text(_in_reading_order(table), titles), None)
            yield PlaceChange(f"item:{key}", question_name(key), (removal,))


def _in_reading_order(table: Table) -> Table:
    """The item's table reordered as a learner reads it: situation, prompt, choices, then the rest."""
    question_names = ("stimulus", "prompt")
    first = {name: table[name] for name in question_names if name in table}
    parts = {name: value for name, value in table.items() if isinstance(value, list) and name != "source"}
    return first | parts | table


def question_name(key: str) -> str:
    """An item's name for authors: its key in plain words."""
    name = humanise_key(key)
    return name if name.startswith("Question ") else f"Question “{name}”"


def _diff_media(old: Files, new: Files) -> Iterator[Passage]:
    for path in sorted({*old, *new}):
        if not path.startswith("media/") or old.get(path) == new.get(path):
            continue
        name = path.removeprefix("media/")
        sizes = [None if path not in f else f"{name}, {_format_size(len(f[path]))}" for f in (old, new)]
        act = "Added" if path not in old else "Removed" if path not in new else "Replaced"
        yield build_passage(f"{act}: {name}", sizes[0], sizes[1], path)


def _format_size(length: int) -> str:
    return f"{length:,} bytes"


def _diff_notes(before: ParsedFolder, after: ParsedFolder) -> Iterator[Passage]:
    """Differences that no learner sees (comments, order, layout), and those of unparsable files."""
    old, new = before.files, after.files
    for path in sorted({*old, *new}):
        if path.startswith("media/") or old.get(path) == new.get(path) or _is_reported(path, before, after):
            continue
        texts = [decode_text(f.get(path, b"")) for f in (old, new)]
        for pair in pair_paragraphs(*texts):
            if pair.old != pair.new:
                yield build_passage(f"In {_file_name(path)}", pair.old, pair.new)


def _is_reported(path: str, before: ParsedFolder, after: ParsedFolder) -> bool:
    """Whether the file's change is already listed under its own place."""
    old, new = (before.files.get(path), after.files.get(path))
    if path.endswith(".md"):
        listed = not path.startswith("lessons/") or path[8:-3] in {*before.lessons, *after.lessons}
        return listed and (old is None or new is None or _differs_in_content(old, new))
    tables = _parse_table(old or b""), _parse_table(new or b"")
    return tables[0] is not None and tables[1] is not None and tables[0] != tables[1]


def _differs_in_content(old: bytes, new: bytes) -> bool:
    (head, body), (new_head, new_body) = front_matter(decode_text(old)), front_matter(decode_text(new))
    tables = _parse_table(head), _parse_table(new_head)
    if tables[0] is None or tables[1] is None:
        return False
    return tables[0] != tables[1] or any(not pair.is_unchanged for pair in pair_paragraphs(body, new_body))


def _file_name(path: str) -> str:
    """A file's name for authors."""
    if path == "module.toml":
        return "the module’s details"
    if path.startswith("items/"):
        return f"the questions on “{humanise_key(path[6:].removesuffix('.toml'))}”"
    if path.startswith("lessons/"):
        return f"the lesson “{humanise_key(path[8:].rpartition('.')[0])}”"
    if _is_guide_file(path):
        return "the guide’s text"
    sheet = sheet_of_path(path)
    return f"the {SHEET_NAMES[sheet].lower()}" if sheet else f"the file {path}"
