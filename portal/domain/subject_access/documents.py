"""The copy of everything held about a person as JSON and as the markup of a tagged PDF. Pure."""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby

from portal.domain.subject_access.person_file import NamedValue, PersonFile, Section
from portal.platform import wording as say
from portal.platform.clock import format_utc
from portal.platform.documents.markup import quote_text, text_content

MOST_COLUMNS = 6  # of a table on a page; rows with more become lists
LONGEST_CELL = 90  # characters; rows with longer texts become lists
INTRODUCTION = (
    "This is a copy of the personal data that the learning portal holds about you and of what you did there.",
    "Other people are not named. Where somebody else comes in, you read their role, such as “your line "
    "manager”, and names in what others wrote are replaced by [name].",
    "Times are UK times. An entry that was corrected is still here: its correction is an entry of its own.",
)


def person_json(file: PersonFile, force: str, kept: Mapping[str, str]) -> bytes:
    """The copy as JSON: a section for each table and way it concerns the person, with its rows."""
    content = {
        "force": force,
        "name": file.name,
        "staff_number": file.staff_number,
        "made_at": format_utc(file.made_at),
        "about": list(INTRODUCTION),
        "sections": [
            {
                "heading": section.heading,
                "table": section.marks.name,
                "category": section.marks.area.title,
                "why": section.marks.area.why,
                "seen_by": section.marks.area.seen_by,
                "kept": kept[section.marks.kept],
                "rows": [{cell.column: cell.value for cell in row} for row in section.rows],
            }
            for section in file.sections
        ],
        "nothing_held": file.empty,
        "not_given_out": [
            {"of": heading, "what": what, "reason": reason} for heading, what, reason in file.withheld
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=1).encode()


def person_markup(file: PersonFile, kept: Mapping[str, str]) -> str:
    """The body of the PDF."""
    return "\n".join(_parts(file, kept))


def _parts(file: PersonFile, kept: Mapping[str, str]) -> Iterator[str]:
    yield from map(_paragraph, INTRODUCTION)
    entries = say.plural(file.rows, "entry", "entries")
    yield _paragraph(
        f"{entries} in {say.plural(len(file.sections), 'part')}, as of {say.instant(file.made_at)}."
    )
    for area, sections in groupby(file.sections, key=lambda section: section.marks.area):
        yield _heading(area.title, 2)
        yield _paragraph(f"Why it is held: {area.why}.")
        yield _paragraph(f"Who can see it: {area.seen_by}.")
        for section in sections:
            yield _heading(section.heading, 3)
            yield _paragraph(f"Kept: {kept[section.marks.kept]}.")
            yield _section(section)
    if file.withheld:
        yield _heading("What is not given out, and why", 2)
        yield _list(f"{heading}: {what}. {reason}" for heading, what, reason in file.withheld)
    yield _heading("Of what nothing is held", 2)
    yield _list(iter(file.empty))


def _section(section: Section) -> str:
    columns = _used_columns(section)
    is_short = all(len(cell.words) <= LONGEST_CELL for row in section.rows for cell in row)
    if len(columns) <= MOST_COLUMNS and is_short and len(section.rows) > 1:
        return _table(section, columns)
    return "\n".join(
        (_heading(f"Entry {number}", 4) if len(section.rows) > 1 else "")
        + _list(f"{cell.label}: {cell.words}" for cell in row if cell.words)
        for number, row in enumerate(section.rows, 1)
    )


def _used_columns(section: Section) -> dict[str, str]:
    """The labels of the columns that any row has a value in."""
    return {cell.column: cell.label for row in section.rows for cell in row if cell.words}


def _table(section: Section, columns: Mapping[str, str]) -> str:
    head = ", ".join(f"[{text_content(label)}]" for label in columns.values())
    rows = [{cell.column: cell for cell in row} for row in section.rows]
    empty = NamedValue("", "", "", None)
    cells = ", ".join(f"[{text_content(row.get(column, empty).words)}]" for row in rows for column in columns)
    return f"#table(columns: {len(columns)}, table.header({head}), {cells})\n"


def _heading(text: str, level: int) -> str:
    return f"#heading(level: {level})[#{quote_text(text)}]\n"


def _paragraph(text: str) -> str:
    return f"#par[{text_content(text)}]\n"


def _list(texts: Iterator[str]) -> str:
    return f"#list({', '.join(f'[{text_content(text)}]' for text in texts)})\n"
