"""Cells of CSV files: quoted, and never run as a formula when a spreadsheet opens the file."""

import re

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
