"""Which sheet of a workbook is the list: settled where only one can be, asked where several can."""

import re
from collections.abc import Collection, Sequence
from typing import NamedTuple

from portal.platform.tables.columns import find_columns

_PAST = re.compile(r"\b(leavers?|left|former|archived?|old)\b", re.IGNORECASE)  # a sheet with those of before


class SheetWish(NamedTuple):
    """What is known of the sheet that is to be read."""

    name: str = ""  # of the sheet that was read the last time
    columns: tuple[str, ...] = ()  # that it must have
    likely: tuple[str, ...] = ()  # names that its columns may have: small letters and digits


ANY_SHEET = SheetWish()


class SheetGlimpse(NamedTuple):
    """What a person sees of a sheet before it is read."""

    name: str
    hidden: bool
    fault: str  # why it cannot be read; empty if it can
    columns: list[str]  # empty: there is no table in it
    lines: list[list[str]]  # the first below the columns' names
    rows: int  # at most

    @property
    def has_table(self) -> bool:
        """Whether there are columns and rows in it."""
        return bool(self.columns and self.rows)


def choose_sheet(glimpses: Sequence[SheetGlimpse], wish: SheetWish) -> tuple[int, bool]:
    """The place of the likeliest sheet, and whether it is beyond doubt.

    It is where a table has the name of the last time, or only one has the columns that must be there, or only
    one sheet that is shown has a table at all.
    """
    tables = [place for place, glimpse in enumerate(glimpses) if glimpse.has_table]
    for place in tables:
        if wish.name and glimpses[place].name == wish.name:
            return place, True
    shown = [place for place in tables if not glimpses[place].hidden]
    candidates = shown or tables or [0]
    fitting = [
        place for place in candidates if wish.columns and set(wish.columns) <= {*glimpses[place].columns}
    ]
    if len(fitting) == 1:
        return fitting[0], True
    likeliest = max(
        fitting or candidates,
        key=lambda place: (_count_likely(glimpses[place], wish.likely), glimpses[place].rows, -place),
    )
    return likeliest, len(candidates) == 1


def _count_likely(glimpse: SheetGlimpse, likely: Collection[str]) -> tuple[bool, int]:
    return not _PAST.search(glimpse.name), len(find_columns(glimpse.columns).keys() & {*likely})
