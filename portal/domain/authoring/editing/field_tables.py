"""Compares the tables of a module's files field by field, under labels that authors know. Pure functions."""

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
