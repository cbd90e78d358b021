"""Columns of tables: their names, what they mean, and their cells in CSV."""

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from portal.platform.tables.safety import Span

# Names of columns: found however they are written, and joined where they stand in two lines.
#
# Two lines are one name over several columns, and a name below for each. In a workbook merged cells say
# so. In a text file a name followed by empty cells says it, where the line below fills exactly these
# columns, or would name several columns alike.

Line = tuple[int, list[str]]
NAME_JOINT = ": "  # between the name over several columns and the one below
Groups = list[tuple[int, int]]  # the first and the last column that one name stands over, from 0


def plain_name(name: str) -> str:
    """The letters and digits of a name, in lower case: equal for names that differ only in writing."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def find_columns(columns: Iterable[str]) -> dict[str, str]:
    """The columns by their plain name, the first of equal ones.

    A column of two lines is also found by its own name alone, where no other has it.

    >>> find_columns(["Person: Surname", "Post: From", "Leave: From"])["surname"]
    'Person: Surname'
    """
    names = list(columns)
    own = Counter(plain_name(name.rpartition(NAME_JOINT)[2]) for name in names)
    found = {plain_name(name): name for name in reversed(names)}
    for name in names:
        _, joint, own_name = name.rpartition(NAME_JOINT)
        if joint and own[plain_name(own_name)] == 1:
            found.setdefault(plain_name(own_name), name)
    return found


def find_names(lines: Sequence[Line], first: int, spans: Sequence[Span] | None) -> tuple[list[str], int, int]:
    """The columns' names, and the places of their first line and of the first line below them.

    Args:
        lines: Of the table, without empty ones.
        first: The place of the first line that may name the columns.
        spans: The workbook's merged cells; None for a text file.
    """
    for top in (first, first - 1):
        if top >= 0 and top + 2 < len(lines) and lines[top + 1][0] == lines[top][0] + 1:
            names = _join_lines(lines[top], lines[top + 1][1], spans)
            if names:
                return names, top, top + 2
    return lines[first][1], first, first + 1


def _join_lines(top: Line, below: list[str], spans: Sequence[Span] | None) -> list[str]:
    """The names of two lines joined, or none if the first does not stand over the second."""
    number, over = top
    width = max(_width(over), _width(below))
    over, below = ([*values, *[""] * width][:width] for values in (over, below))
    groups = list(_runs(over) if spans is None else _merged(over, number - 1, spans))
    if not any(last - first + 1 < width for first, last in groups):
        return []  # a title over all columns is no name of some
    inside = {column for first, last in groups for column in range(first, min(last + 1, width))}
    outside = set(range(width)) - inside
    if not all(below[column] for column in inside) or any(over[c] and below[c] for c in outside):
        return []
    only_groups = bool(outside) and not any(below[column] for column in outside)
    if spans is None and not only_groups and len(set(below)) == len(below):
        return []
    names = [upper or lower for upper, lower in zip(over, below, strict=True)]
    for first, last in groups:
        for column in range(first, min(last + 1, width)):
            names[column] = f"{over[first]}{NAME_JOINT}{below[column]}"
    return names


def _width(values: Sequence[str]) -> int:
    return max((place for place, value in enumerate(values, start=1) if value.strip()), default=0)


def _merged(over: Sequence[str], row: int, spans: Sequence[Span]) -> Iterator[tuple[int, int]]:
    for top, left, bottom, right in spans:
        if top == bottom == row and left < right and left < len(over) and over[left].strip():
            yield left, right


def _runs(over: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Each name that is followed by empty cells, with the last of these."""
    named = [column for column, value in enumerate(over) if value.strip()]
    for first, following in zip(named, [*named[1:], len(over)], strict=True):
        if following - first > 1:
            yield first, following - 1


# What the columns of a file mean: one list for its reader, its documentation and its example.


class FileColumn(NamedTuple):
    """A column of a file that people write, or a key of one."""

    name: str
    meaning: str
    written: str  # how a value is written
    examples: tuple[str, ...]  # of each row of the example; all columns of a file have as many
    required: bool = True  # the column must be there
    filled: bool = True  # and no row may leave it empty

    @property
    def need(self) -> str:
        """Whether the column, and a value in each row, is needed."""
        return ("yes" if self.filled else "the column, which may be empty") if self.required else "no"

    @property
    def example(self) -> str:
        """The first value of the example."""
        return next(filter(None, self.examples), "")


def name_columns(columns: Iterable[FileColumn], *, required: bool) -> tuple[str, ...]:
    """The names of those columns that must be there, or of those that may."""
    return tuple(column.name for column in columns if column.required == required)


def write_example(columns: Sequence[FileColumn]) -> str:
    """The example as CSV."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(column.name for column in columns)
    writer.writerows(zip(*(column.examples for column in columns), strict=True))
    return target.getvalue()


# Cells of CSV files: quoted, and never run as a formula when a spreadsheet opens the file.

# A spreadsheet treats the wide, small and raised forms of a sign as the sign itself, and skips white space,
# control characters and characters without width before it.
_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋−﬩"
_UNSEEN = r"\s\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_RUNS = re.compile(rf"[\t\r\n]|[{_UNSEEN}]*[{_SIGNS}]")
_PLAIN = re.compile(r'[A-Za-z0-9][^",\r\n]*')  # a text that CSV takes as it is
_QUOTED = re.compile(r'[",\r\n]')  # a cell with one of these is quoted in CSV


def disarm_formula(cell: str) -> str:
    """The cell, with an apostrophe before it if a spreadsheet would run it as a formula (OWASP).

    >>> disarm_formula("=1+1"), disarm_formula(" ＝1+1"), disarm_formula("O'Brien")
    ("'=1+1", "' ＝1+1", "O'Brien")
    """
    if cell[:1].isalnum() or not _RUNS.match(cell):
        return cell
    return f"'{cell}"


def csv_text(text: str) -> str:
    """A text as a cell of a CSV file with several columns.

    >>> csv_text("Smith"), csv_text('the "old" one'), csv_text("=1+1")
    ('Smith', '"the ""old"" one"', "'=1+1")
    """
    if _PLAIN.fullmatch(text):
        return text
    cell = disarm_formula(text)
    if not _QUOTED.search(cell):
        return cell
    doubled = cell.replace('"', '""')
    return f'"{doubled}"'
