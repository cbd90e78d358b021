"""Protects CSV files from cells that a spreadsheet would run as formulas."""

import re

# A spreadsheet treats the wide, small and raised forms of a sign as the sign itself, and skips white space,
# control characters and characters without width before it.
_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋−﬩"
_UNSEEN = r"\s\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_RUNS = re.compile(rf"[\t\r\n]|[{_UNSEEN}]*[{_SIGNS}]")


def disarm_formula(cell: str) -> str:
    """The cell, with an apostrophe before it if a spreadsheet would run it as a formula (OWASP).

    >>> disarm_formula("=1+1"), disarm_formula(" ＝1+1"), disarm_formula("O'Brien")
    ("'=1+1", "' ＝1+1", "O'Brien")
    """
    if cell[:1].isalnum() or not _RUNS.match(cell):
        return cell
    return f"'{cell}"
