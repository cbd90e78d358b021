"""Tables of a module's files, field by field, under the names that authors know them by. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from portal.domain.authoring.editing.word_diff import Run, Runs, words
from portal.domain.item_kinds import kinds

Table = dict[str, Any]

FIELDS = {
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
PARTS = {
    "outcome": "outcome",
    "choice": "choice",
    "step": "step",
    "pair": "pair",
    "scene": "scene",
    "part": "part",
}


@dataclass(frozen=True)
class Names:
    """The words behind the keys that files use."""

    outcomes: Mapping[str, str]
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Passage:
    """One thing that changed: what was done, and the old words beside the new."""

    said: str
    old: Runs | None  # None: not there before
    new: Runs | None  # None: not there any more
    path: str = ""  # of a media file


def passage(said: str, old: str | None, new: str | None, path: str = "") -> Passage:
    """The passage with its words compared; of an addition or removal all words are changed."""
    if old is None or new is None:
        left, right = ((None if text is None else (Run(text, True),)) for text in (old, new))
        return Passage(said, left, right, path)
    return Passage(said, *words(old, new), path)


def changed_fields(old: Table, new: Table, names: Names, where: str = "") -> Iterator[Passage]:
    """What changed from one table to another, in the order of the new one."""
    for name in dict.fromkeys([*new, *old]):
        before, after = old.get(name), new.get(name)
        if name == "key" or before == after:
            continue
        if _rows(before) is not None or _rows(after) is not None:
            yield from _changed_rows(name, _rows(before) or [], _rows(after) or [], names, where)
        elif isinstance(before, dict) or isinstance(after, dict):
            tables = [value if isinstance(value, dict) else {} for value in (before, after)]
            yield from changed_fields(tables[0], tables[1], names, where)
        else:
            yield _field(name, before, after, names, where)


def _rows(value: Any) -> list[Table] | None:
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return value
    return None


def _field(name: str, before: Any, after: Any, names: Names, where: str) -> Passage:
    label = FIELDS.get(name, spoken(name))
    old, new = (None if value is None else value_text(name, value, names) for value in (before, after))
    act = "added" if old is None else "removed" if new is None else "changed"
    return passage(f"{label} {act}{where}", old, new)


def _changed_rows(
    name: str, old: list[Table], new: list[Table], names: Names, where: str
) -> Iterator[Passage]:
    noun = PARTS.get(name, name)
    before, after = _by_key(old), _by_key(new)
    for number, (key, row) in enumerate(after.items(), 1):
        called = f"{noun} {number}{_quoted(row)}"
        if key in before:
            yield from changed_fields(before[key], row, names, where=f" for {called}{where}")
        else:
            yield passage(f"{noun.capitalize()} {number} added{where}", None, whole(row, names))
    for number, (key, row) in enumerate(before.items(), 1):
        if key not in after:
            yield passage(f"{noun.capitalize()} {number} removed{where}", whole(row, names), None)
    kept, stayed = [k for k in before if k in after], [k for k in after if k in before]
    if kept != stayed:
        sides = ["\n".join(_called(rows[key], key) for key in rows) for rows in (before, after)]
        yield passage(f"Order of the {noun}s changed{where}", *sides)


def _by_key(rows: list[Table]) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for number, row in enumerate(rows):
        key = str(row.get("key", number))
        found[key if key not in found else f"{key} {number}"] = row
    return found


def _called(row: Table, key: str) -> str:
    name = next((row[n] for n in ("text", "label", "left") if isinstance(row.get(n), str)), key)
    return short(str(name))


def _quoted(row: Table) -> str:
    name = _called(row, "")
    return f", “{name}”" if name else ""


def short(text: str, most: int = 60) -> str:
    """The first words of a text."""
    bare = " ".join(text.split())
    return bare if len(bare) <= most else f"{bare[:most].rsplit(' ', 1)[0]} …"


def spoken(key: str) -> str:
    """A key in plain words.

    >>> spoken("adult-refuses")
    'Adult refuses'
    """
    bare = key.replace("-", " ").replace("_", " ").strip()
    return bare[:1].upper() + bare[1:]


def whole(table: Table, names: Names) -> str:
    """A table in full, a line a field, for what is new or gone."""
    return "\n".join(_lines(table, names))


def _lines(table: Table, names: Names) -> Iterator[str]:
    for name, value in table.items():
        rows = _rows(value)
        if rows is not None:
            for number, row in enumerate(rows, 1):
                first, *rest = [*_lines(row, names), ""]
                yield f"{PARTS.get(name, name).capitalize()} {number}. {first}"
                yield from filter(None, rest)
        elif isinstance(value, dict):
            yield from _lines(value, names)
        elif name != "key" and value is not False:
            yield _line(name, value, names)


def _line(name: str, value: Any, names: Names) -> str:
    if name == "text":
        return value_text(name, value, names)
    label = FIELDS.get(name, spoken(name))
    return label if value is True else f"{label}: {value_text(name, value, names)}"


def value_text(name: str, value: Any, names: Names) -> str:
    """A value as a page says it."""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return "; ".join(value_text(name, each, names) for each in value)
    if name in {"outcome", "outcomes"}:
        return names.outcomes.get(str(value), str(value))
    if name == "source":
        title = names.sources.get(str(value), "")
        return f"{value}, {title}" if title else spoken(str(value))
    if name == "kind" and str(value) in kinds():
        return kinds()[str(value)].label
    if name == "mastery_score" and isinstance(value, int | float):
        return f"{value * 100:g}%"
    if isinstance(value, date):
        return f"{value.day} {value:%B %Y}"
    return str(value)


def as_text(content: bytes) -> str:
    """The content as text; what is not text stands as a sign."""
    return content.decode(errors="replace")
