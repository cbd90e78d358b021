"""Checks the positions of a worksheet's cells in its XML, before they are read into a table.

A cell's own reference counts, wherever its row says to be; one without a reference follows the one
before it. The dimensions that the sheet declares are ignored. A cell without a value does not count.
"""

import re
from collections.abc import Iterable
from string import ascii_letters, digits
from xml.parsers import expat

from portal.platform.errors import BadInputError

MOST_ROWS = 300_000  # beside the one that names the columns
MOST_COLUMNS = 200
MOST_CELLS = 6_000_000  # of the grid from the first cell to the last
AGAIN = "Open it, and save it again as XLSX."
TOO_SPARSE = (
    f"The sheet has more than {MOST_CELLS:,} cells between its first value and its last. "
    "Save only the list in a new workbook, and upload that."
)
_BATCH = 50_000  # cells whose places are looked at together, which is many times faster
_COLUMN = re.compile(r"[A-Z]{1,3}")
_ROW = re.compile(r"[0-9]{1,7}")


class CellScan:
    """Follows the elements of one worksheet through ``parser``.

    Attributes:
        fault: Why the sheet cannot be read; empty if it can. A formula has no value, or a cell lies outside
            the limits. What follows a fault is not looked at.
    """

    def __init__(self) -> None:
        self.fault = ""
        self._row = 0  # that the current row says, from 1
        self._place = ""  # of the current cell, such as "B7"
        self._text = False  # whether the current cell says that it holds the text of a formula
        self._formula = False  # whether the current cell has a formula, of which no value was seen yet
        self._valued: list[str] = []  # places of cells with a value
        self._columns: set[int] = set()
        self._rows: tuple[int, int] | None = None  # the first and the last
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartElementHandler = self._start_element

    def feed(self, piece: bytes, last: bool) -> None:
        """Take the next piece of the worksheet; after the last, check the last cell and the table's size."""
        if self.fault:
            return
        try:
            self._parser.Parse(piece, last)
            if last:
                self._refuse_unvalued()
                self._look_at_places()
                self._refuse_size()
        except BadInputError as error:
            self.fault = error.reasons[0]

    def _refuse_size(self) -> None:
        if self._rows is None:
            return
        height = self._rows[1] - self._rows[0] + 1
        width = max(self._columns) - min(self._columns) + 1
        if height * width > MOST_CELLS:
            raise BadInputError([TOO_SPARSE])

    def _start_element(self, tag: str, attributes: dict[str, str]) -> None:
        if ":" in tag:
            tag = tag.rpartition(":")[2]
        if tag in {"v", "is"}:
            self._valued.append(self._place)
            if self._formula:
                self._look_for_value(tag)
        elif tag == "c":
            if self._formula:
                self._refuse_unvalued()
            self._place = attributes.get("r") or self._next_place()
            self._text = attributes.get("t") == "str"
        elif tag == "f":
            self._formula = not self._text
        elif tag == "row":
            self._open_row(attributes.get("r"))

    def _open_row(self, number: str | None) -> None:
        self._refuse_unvalued()
        self._look_at_places(least=_BATCH)
        if number is not None and not _ROW.fullmatch(number):
            raise BadInputError([f"The worksheet has a row {number[:20]!r}. {AGAIN}"])
        self._row = self._row + 1 if number is None else int(number)
        self._place = ""

    def _next_place(self) -> str:
        """Position of a cell without a reference: right of the one before it."""
        column = _column_number(self._place.rstrip(digits)) + 1
        return cell_place(max(self._row, 1), column)

    def _look_for_value(self, tag: str) -> None:
        """Watch for text in the value of a formula."""
        if tag == "is":
            self._formula = False
        else:
            self._parser.CharacterDataHandler = self._read_text

    def _read_text(self, text: str) -> None:
        if text.strip():
            self._formula = False
            self._parser.CharacterDataHandler = None

    def _look_at_places(self, least: int = 1) -> None:
        """Check the positions of the cells seen since the last call, if there are at least ``least``."""
        if len(self._valued) < least:
            return
        places, self._valued = self._valued, []
        columns = {place.rstrip(digits): place for place in places}
        rows = {place.lstrip(ascii_letters): place for place in places}
        for column, place in columns.items():
            _refuse_place(_COLUMN.fullmatch(column.upper()), _column_number(column), MOST_COLUMNS, place)
        for row, place in rows.items():
            number = int(row) if _ROW.fullmatch(row) else 0
            _refuse_place(number > 0, number, MOST_ROWS + 1, place)
        self._columns.update(map(_column_number, columns))
        self._rows = _extend_rows(map(int, rows), self._rows)

    def _refuse_unvalued(self) -> None:
        """Refuse the current cell if it has a formula and no value."""
        if self._formula:
            raise BadInputError([unvalued_sentence(self._place[:20])])


def _refuse_place(sound: object, number: int, most: int, place: str) -> None:
    if not sound:
        raise BadInputError([f"The worksheet has a cell {place[:20]!r}. {AGAIN}"])
    if number > most:
        raise BadInputError([outside_sentence(place)])


def outside_sentence(place: str) -> str:
    """Why a sheet with a value at this place, such as "XFD9", is not read."""
    return (
        f"There is a value in {place}, and {MOST_ROWS:,} rows of {MOST_COLUMNS} columns are read. "
        "Delete what is outside the list, or split the file."
    )


def _extend_rows(rows: Iterable[int], before: tuple[int, int] | None) -> tuple[int, int]:
    numbers = [*rows, *(before or ())]
    return min(numbers), max(numbers)


def unvalued_sentence(place: str) -> str:
    """Why a sheet with a formula without a value at this place is not read."""
    return f"The formula in {place} has no value. Open the workbook, let it calculate, and save it."


def cell_place(row: int, column: int) -> str:
    """The name of a cell; row and column from 1.

    >>> cell_place(7, 2), cell_place(1, 703)
    ('B7', 'AAA1')
    """
    letters = ""
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(65 + letter) + letters
    return f"{letters}{row}"


def _column_number(letters: str) -> int:
    """The number of a column, from 1; 0 for no letters.

    >>> _column_number("A"), _column_number("AA"), _column_number("XFD")
    (1, 27, 16384)
    """
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
