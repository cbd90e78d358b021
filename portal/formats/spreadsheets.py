"""Texts in files that somebody will open in a spreadsheet."""

import re

# A spreadsheet takes the wide, small and raised forms of a sign for the sign itself, and passes over white
# space, control characters and what has no width before it.
_SIGNS = "=+\\-@＝＋－＠﹦﹢﹣﹫⁼⁺⁻₌₊₋−﬩"
_UNSEEN = r"\s\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
_RUNS = re.compile(rf"[\t\r\n]|[{_UNSEEN}]*[{_SIGNS}]")


def plain(cell: str) -> str:
    """The cell, kept from running as a formula when a spreadsheet opens a CSV (OWASP); no other is altered.

    >>> plain("=1+1"), plain(" ＝1+1"), plain("O'Brien")
    ("'=1+1", "' ＝1+1", "O'Brien")
    """
    if cell[:1].isalnum() or not _RUNS.match(cell):
        return cell
    return f"'{cell}"
