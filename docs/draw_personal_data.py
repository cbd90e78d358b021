"""Writes docs/personal-data.md from the register: records of processing, and every personal column.

Run by ``make data-model``; a test compares the file with the register.
"""

import textwrap
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from config import Config
from portal.domain.retention.classes import list_retention_classes
from portal.domain.subject_access.periods import kept_words
from portal.domain.subject_access.register.marks import DataCategory, PersonalTable
from portal.domain.subject_access.register.work import NOT_PERSONAL, personal_tables

PAGE = Path(__file__).with_name("personal-data.md")
WIDTH = 100  # characters of a line
HEAD = """\
# Personal data

<!-- Written by `make data-model` from the register. Change a mark, then run it again. -->

What the portal stores about people, column by column, from the marks in
`portal/domain/subject_access/register/`. A test fails when a column is in neither list. The same
marks make the copy for a person who asks for theirs ([impact assessment](dpia.md)). Periods that a
setting changes are those of its default.

## Records of processing

The part of the record under Article 30 of the UK GDPR (for law enforcement processing, section 61
of the Data Protection Act 2018) that follows from the code. The controller, the lawful basis,
recipients outside the force and transfers are for the force to add; the portal itself sends nothing
outside but to the systems that the force connects.

| Category of data | Whose | Purpose | Seen by | Kept |
| --- | --- | --- | --- | --- |
"""


def by_area() -> list[tuple[DataCategory, list[PersonalTable]]]:
    """The tables of each category, in the register's order of categories."""
    areas = list(dict.fromkeys(marks.area for marks in personal_tables().values()))
    tables = sorted(personal_tables().values(), key=lambda marks: areas.index(marks.area))
    return [(area, list(group)) for area, group in groupby(tables, key=lambda marks: marks.area)]


def draw() -> str:
    """The whole page."""
    kept = kept_words(
        Config(mode="demo", jobs_kept_days=90, absolute_hours=12),
        {row.key: row.months for row in list_retention_classes()},
    )
    return HEAD + "\n".join([*_processing(kept), "", *_columns(kept), *_not_personal()]) + "\n"


def _processing(kept: dict[str, str]) -> Iterator[str]:
    for area, tables in by_area():
        periods = "; ".join(dict.fromkeys(kept[marks.kept] for marks in tables))
        yield f"| {area.title} | People in the roster | {area.why} | {area.seen_by} | {periods} |"


def _columns(kept: dict[str, str]) -> Iterator[str]:
    for area, tables in by_area():
        yield f"## {area.title}\n"
        yield from map(_wrapped, (f"Why: {area.why}.", f"Seen by: {area.seen_by}."))
        for marks in tables:
            yield f"### `{marks.name}`\n"
            yield _wrapped(f"Kept: {kept[marks.kept]}.")
            yield "| Column | What it is |\n| --- | --- |"
            yield from (f"| `{column}` | {what} |" for column, what in _meanings(marks))
            if marks.technical:
                names = ", ".join(f"`{column}`" for column in marks.technical.split())
                yield _wrapped(f"\nNot personal: {names}.")
            else:
                yield ""


def _wrapped(text: str) -> str:
    """A paragraph of the page, with the empty line after it."""
    start = "\n" if text.startswith("\n") else ""
    return f"{start}{textwrap.fill(text.strip(), WIDTH, break_on_hyphens=False)}\n"


def _meanings(marks: PersonalTable) -> Iterator[tuple[str, str]]:
    for column, what in marks.personal.items():
        yield column, f"{what}: {marks.withheld[column]}" if column in marks.withheld else what


def _not_personal() -> Iterator[str]:
    yield "## Tables without personal data\n\n| Table | What it holds |\n| --- | --- |"
    yield from (f"| `{name}` | {what} |" for name, what in NOT_PERSONAL.items())


if __name__ == "__main__":
    PAGE.write_text(draw(), encoding="utf-8")
