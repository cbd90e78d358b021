"""Tables of a module's files, field by field, under the names that authors know them by. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.domain.authoring.editing.word_diff import WordRun, WordRuns, diff_words
from portal.domain.item_kinds import kinds_by_name

Table = dict[str, Any]

FIELD_LABELS = {
    "title": "Title",
    "aim": "Aim",
    "owner": "Owner",
    "review_on": "Review date",
    "minutes": "Minutes",
    "mastery_score": "Pass mark",
    "outcomes": "Outcomes",
    "draw": "Questions in an assessment",
    "at_least_per_outcome": "Least number of questions for each outcome",
    "attempts": "Number of attempts",
    "wait_minutes": "Minutes to wait after a fail",
    "test_out": "Assessment open before the lessons are complete",
    "outcome": "Outcome",
    "kind": "Kind of question",
    "prompt": "Question",
    "stimulus": "Situation",
    "explanation": "Explanation",
    "source": "Source",
    "retired": "Retired",
    "summary": "Summary",
    "acknowledge": "Readers are asked to say that they have read it",
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
    """The words behind the keys that files use."""

    outcomes: Mapping[str, str]
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Passage:
    """One thing that changed: what was done, and the old words beside the new."""

    summary: str
    old: WordRuns | None  # None: not there before
    new: WordRuns | None  # None: not there any more
    path: str = ""  # of a media file


def build_passage(said: str, old: str | None, new: str | None, path: str = "") -> Passage:
    """The passage with its words compared; of an addition or removal all words are changed."""
    if old is None or new is None:
        left, right = ((None if text is None else (WordRun(text, True),)) for text in (old, new))
        return Passage(said, left, right, path)
    return Passage(said, *diff_words(old, new), path)


def diff_fields(old: Table, new: Table, names: ReferenceTitles, where: str = "") -> Iterator[Passage]:
    """What changed from one table to another, in the order of the new one."""
    for name in dict.fromkeys([*new, *old]):
        before, after = old.get(name), new.get(name)
        if name == "key" or before == after:
            continue
        if _table_rows(before) is not None or _table_rows(after) is not None:
            yield from _diff_rows(name, _table_rows(before) or [], _table_rows(after) or [], names, where)
        elif isinstance(before, dict) or isinstance(after, dict):
            tables = [value if isinstance(value, dict) else {} for value in (before, after)]
            yield from diff_fields(tables[0], tables[1], names, where)
        else:
            yield _diff_field(name, before, after, names, where)


def _table_rows(value: Any) -> list[Table] | None:
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return value
    return None


def _diff_field(name: str, before: Any, after: Any, names: ReferenceTitles, where: str) -> Passage:
    label = FIELD_LABELS.get(name, humanise_key(name))
    old, new = (None if value is None else value_text(name, value, names) for value in (before, after))
    act = "added" if old is None else "removed" if new is None else "changed"
    return build_passage(f"{label} {act}{where}", old, new)


def _diff_rows(
    name: str, old: list[Table], new: list[Table], names: ReferenceTitles, where: str
) -> Iterator[Passage]:
    noun = ROW_NOUNS.get(name, name)
    before, after = _rows_by_key(old), _rows_by_key(new)
    for number, (key, row) in enumerate(after.items(), 1):
        called = f"{noun} {number}{_quoted_title(row)}"
        if key in before:
            yield from diff_fields(before[key], row, names, where=f" for {called}{where}")
        else:
            yield build_passage(f"{noun.capitalize()} {number} added{where}", None, table_text(row, names))
    for number, (key, row) in enumerate(before.items(), 1):
        if key not in after:
            yield build_passage(f"{noun.capitalize()} {number} removed{where}", table_text(row, names), None)
    kept, stayed = [k for k in before if k in after], [k for k in after if k in before]
    if kept != stayed:
        sides = ["\n".join(_row_title(rows[key], key) for key in rows) for rows in (before, after)]
        yield build_passage(f"Order of the {noun}s changed{where}", *sides)


def _rows_by_key(rows: list[Table]) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for number, row in enumerate(rows):
        key = str(row.get("key", number))
        found[key if key not in found else f"{key} {number}"] = row
    return found


def _row_title(row: Table, key: str) -> str:
    name = next((row[n] for n in ("text", "label", "left") if isinstance(row.get(n), str)), key)
    return shorten_text(str(name))


def _quoted_title(row: Table) -> str:
    name = _row_title(row, "")
    return f", “{name}”" if name else ""


def shorten_text(text: str, most: int = 60) -> str:
    """The first words of a text."""
    bare = " ".join(text.split())
    return bare if len(bare) <= most else f"{bare[:most].rsplit(' ', 1)[0]} …"


def humanise_key(key: str) -> str:
    """A key in plain words.

    >>> humanise_key("adult-refuses")
    'Adult refuses'
    """
    bare = key.replace("-", " ").replace("_", " ").strip()
    return bare[:1].upper() + bare[1:]


def table_text(table: Table, names: ReferenceTitles) -> str:
    """A table in full, a line a field, for what is new or gone."""
    return "\n".join(_table_lines(table, names))


def _table_lines(table: Table, names: ReferenceTitles) -> Iterator[str]:
    for name, value in table.items():
        rows = _table_rows(value)
        if rows is not None:
            for number, row in enumerate(rows, 1):
                first, *rest = [*_table_lines(row, names), ""]
                yield f"{ROW_NOUNS.get(name, name).capitalize()} {number}. {first}"
                yield from filter(None, rest)
        elif isinstance(value, dict):
            yield from _table_lines(value, names)
        elif name != "key" and value is not False:
            yield _field_line(name, value, names)


def _field_line(name: str, value: Any, names: ReferenceTitles) -> str:
    if name == "text":
        return value_text(name, value, names)
    label = FIELD_LABELS.get(name, humanise_key(name))
    return label if value is True else f"{label}: {value_text(name, value, names)}"


def value_text(name: str, value: Any, names: ReferenceTitles) -> str:
    """A value as a page says it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return "; ".join(value_text(name, each, names) for each in value)
    if name in {"outcome", "outcomes"}:
        return names.outcomes.get(str(value), str(value))
    if name == "source":
        title = names.sources.get(str(value), "")
        return f"{value}, {title}" if title else humanise_key(str(value))
    if name == "kind" and str(value) in kinds_by_name():
        return kinds_by_name()[str(value)].label
    if name == "mastery_score" and isinstance(value, int | float):
        return f"{value * 100:g}%"
    if isinstance(value, date):
        return f"{value.day} {value:%B %Y}"
    return str(value)


def decode_text(content: bytes) -> str:
    """The content as text; what is not text stands as a sign."""
    return content.decode(errors="replace")
